package disguise

import "strings"

// rule names chains that are left out, with the reason why nobody could take them
// back or would write them.
type rule struct {
	name string
	hit  func(outer, inner Disguise) bool
}

// rules judge an outer disguise and the one that is written right inside it. There
// are no others: what no rule names must be recognised.
var rules = []rule{
	// A spelling is made of the value. Upper case over base64 destroys it, and the
	// bytes of a UUID are not the bytes of its digest.
	{"only the value itself is spelled", func(outer, _ Disguise) bool { return outer.Innermost }},
	// A digest can only be recognised by computing it. What was hashed must follow from
	// the value alone: a body with other fields, a compressor's output at some level, a
	// line break at some width or a random key do not.
	{"what is hashed must be known beforehand", func(outer, inner Disguise) bool { return outer.Digest && !inner.Canonical }},
	// A digest of a salted digest, or a salted digest of an encoding, would have every
	// pair of values in the flow hashed for every pair of hashes.
	{"one salt, of the value itself", func(outer, inner Disguise) bool {
		return outer.Digest && outer.Keyed && !inner.Innermost || outer.Digest && inner.Keyed
	}},
	// Cut twice, or cut and hashed again: the length of the inner cut is not known.
	{"a digest that is cut is not hashed again", func(outer, inner Disguise) bool { return outer.Digest && strings.Contains(inner.Name, "/cut-") }},
	{"the same disguise twice takes itself back", func(outer, inner Disguise) bool {
		return outer.Name == inner.Name && (outer.Name == "reversed" || outer.Name == "rot13" || outer.Name == "xor/sent-key")
	}},
	// XOR with one byte and then with another is XOR with one byte, with any chance
	// that it is none at all.
	{"XOR of XOR with one byte is one XOR", func(outer, inner Disguise) bool { return outer.Name == "xor/byte" && inner.Name == "xor/byte" }},
}

// Senseless returns the name of the rule that leaves a chain out, outermost disguise
// first, or "" for one that must be recognised.
func Senseless(chain []Disguise) string {
	for i := 1; i < len(chain); i++ {
		for _, r := range rules {
			if r.hit(chain[i-1], chain[i]) {
				return r.name
			}
		}
	}
	return ""
}
