package recognise

import (
	"bytes"
	"math"
	"strconv"
)

// location is a canary that is also looked for as two numbers in separate places.
type location struct {
	target   int
	lat, lon float64
	decimals int
}

// The halves of a location.
const (
	latitude  = "latitude"
	longitude = "longitude"
)

// halves calls found for every decimal number that is the latitude or the longitude
// of a canary, rounded or cut to three decimals or more. One with fewer than the knowledge asks for is
// coarse: a hundred metres, which somebody else's place may be within.
func (n *Needles) halves(data []byte, found func(Match)) {
	if len(n.locations) == 0 {
		return
	}
	for at := 0; ; {
		i := bytes.IndexByte(data[at:], '.')
		if i < 0 {
			return
		}
		dot := at + i
		at = dot + 1
		from, to := dot, dot+1
		for from > 0 && dot-from < 4 && data[from-1] >= '0' && data[from-1] <= '9' {
			from--
		}
		for to < len(data) && to-dot < 24 && data[to] >= '0' && data[to] <= '9' {
			to++
		}
		decimals := to - dot - 1
		if from == dot || dot-from > 3 || decimals < 3 {
			continue
		}
		if from > 0 && data[from-1] == '-' {
			from--
		}
		value, err := strconv.ParseFloat(string(data[from:to]), 64)
		if err != nil {
			continue
		}
		for _, l := range n.locations {
			t := n.targets[l.target]
			m := Match{Kind: t.kind, Value: t.value, Decoy: t.decoy, From: from, To: to, Bits: 24, target: l.target}
			if decimals < l.decimals {
				m.Bits, m.coarse = 14, true
			}
			if same(value, l.lat, decimals) {
				m.Half = latitude
				found(m)
			}
			if same(value, l.lon, decimals) {
				m.Half = longitude
				found(m)
			}
		}
	}
}

// same reports whether sent is value, rounded or cut to so many decimals.
func same(sent, value float64, decimals int) bool {
	unit := math.Pow(10, -float64(min(decimals, 6)))
	off := math.Abs(sent - value)
	return off < unit*0.5+1e-9 || off < unit && math.Abs(sent) <= math.Abs(value)
}
