package account

import (
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// matchSignature returns the index of the first signature that a request fits, or -1.
func matchSignature(list []knowledge.Signature, m *Message) int {
	for i := range list {
		s := &list[i]
		if !slices.ContainsFunc(s.Where, func(w knowledge.Where) bool { return w.Matches(m.Method, m.Host, m.Path) }) {
			continue
		}
		if holdsAll(m, s.Present) && !slices.ContainsFunc(s.Absent, func(a knowledge.Marker) bool { return holds(m, a) }) {
			return i
		}
	}
	return -1
}

func holdsAll(m *Message, markers []knowledge.Marker) bool {
	return !slices.ContainsFunc(markers, func(k knowledge.Marker) bool { return !holds(m, k) })
}

// holds reports whether a marker is in a message.
func holds(m *Message, k knowledge.Marker) bool {
	found := false
	at(m, k.At, func(v *Value) {
		found = found || k.Equals == "" || strings.EqualFold(k.Equals, v.Text)
	})
	return found
}

// at calls found for the values at a place, as knowledge.Marker.At names it.
func at(m *Message, place string, found func(*Value)) {
	kind, name, _ := strings.Cut(place, ":")
	name, anchored := strings.CutPrefix(name, "$.")
	want := strings.Split(name, ".")
	for i := range m.Values {
		v := &m.Values[i]
		ok := false
		switch kind {
		case "body":
			ok = inBody(v) && ends(v, want, anchored)
		case "jwt":
			ok = v.JWT && ends(v, want, false)
		case "query":
			ok = v.Root == flow.SurfaceURL && v.Key != "" && knowledge.Glob(name, v.Key)
		case "header", "cookie":
			root, rest, _ := strings.Cut(v.Root, ":")
			ok = root == kind && knowledge.Glob(strings.ToLower(name), strings.ToLower(rest))
		}
		if ok {
			found(v)
		}
	}
}

// ends reports whether a value's path ends in these names, or is them. A marker
// that names an object or a list holds where anything in it stands.
func ends(v *Value, want []string, anchored bool) bool {
	if len(v.Keys) < len(want) {
		return false
	}
	for from := 0; from+len(want) <= len(v.Keys); from++ {
		if anchored && from > 0 {
			return false
		}
		if slices.EqualFunc(want, v.Keys[from:from+len(want)], knowledge.Glob) {
			return true
		}
	}
	return false
}

// stands reports whether a value is the field itself, and not something in it.
func stands(v *Value, place string) bool {
	_, name, _ := strings.Cut(place, ":")
	name = strings.TrimPrefix(name, "$.")
	last := name[strings.LastIndexByte(name, '.')+1:]
	if !inBody(v) {
		return true
	}
	return len(v.Keys) > 0 && knowledge.Glob(last, v.Keys[len(v.Keys)-1])
}
