package canary

import (
	"math"
	"slices"
	"strings"
)

// normals are the ways of writing a value in which another could be mistaken for it.
func normals(c Canary) []string {
	whole := normalise(c.Value)
	list := []string{whole}
	switch sameForm(c.Kind) {
	case Phone:
		list = append(list, strings.TrimPrefix(whole, "1")) // the national number
	case Email:
		local, _, _ := strings.Cut(c.Value, "@")
		list = append(list, normalise(local))
	case Location:
		lat, lon, _ := strings.Cut(c.Value, ",")
		list = append(list, normalise(lat), normalise(lon))
	case Name:
		given, family, _ := strings.Cut(c.Value, " ")
		list = append(list, normalise(given), normalise(family), normalise(family+given))
	}
	return list
}

// clash reports whether one value could be taken for the other, or lies within it.
func clash(a, b Canary) bool {
	if a.Kind == Location && b.Kind == Location {
		aLat, aLon := position(a.Value)
		bLat, bLon := position(b.Value)
		if math.Abs(aLat-bLat) < 0.2 && math.Abs(aLon-bLon) < 0.2 {
			return true // the same town, to whoever rounds
		}
	}
	for _, x := range normals(a) {
		for _, y := range normals(b) {
			if strings.Contains(x, y) || strings.Contains(y, x) {
				return true
			}
		}
	}
	return false
}

func clashesWithAny(c Canary, others []Canary) bool {
	return slices.ContainsFunc(others, func(o Canary) bool { return clash(c, o) })
}
