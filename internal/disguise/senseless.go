package disguise

import (
	"slices"
	"strings"
)

// rule names chains that are left out, with the reason why nobody could take them
// back or would write them.
type rule struct {
	name string
	// hit judges a disguise and what is written inside it, outermost first.
	hit func(outer Disguise, inner []Disguise) bool
}

// rules are all that there are: what no rule names must be recognised.
var rules = []rule{
	// A spelling is made of the value. Upper case over base64 destroys it, and the
	// bytes of a UUID are not the bytes of its digest.
	{"only the value itself is spelled", func(outer Disguise, _ []Disguise) bool { return outer.Innermost }},
	// A digest can only be recognised by computing it. What was hashed must follow from
	// the value alone: a body with other fields, a compressor's output at some level, a
	// line break at some width or a random key do not.
	{"what is hashed must be known beforehand", func(outer Disguise, inner []Disguise) bool {
		return outer.Digest && slices.ContainsFunc(inner, func(d Disguise) bool { return !d.Canonical })
	}},
	// Each disguise under a digest multiplies the digests that must be known. A digest of
	// an encoding is known, and a digest of a digest; not all that can be nested.
	{"a digest of one disguise", func(outer Disguise, inner []Disguise) bool {
		return outer.Digest && len(written(inner)) > 1
	}},
	// For the same reason: a salted digest of an encoding, or a digest of a salted one.
	{"a salt joins the value itself", func(outer Disguise, inner []Disguise) bool {
		return outer.Digest && (outer.Keyed && len(written(inner)) > 0 || inner[0].Keyed)
	}},
	// Where a digest was cut is not known; to find what was made of the rest, every
	// length would be tried.
	{"a digest that is cut is hashed no more", func(outer Disguise, inner []Disguise) bool {
		return outer.Digest && strings.Contains(inner[0].Name, "/cut-")
	}},
	{"the same disguise twice takes itself back", func(outer Disguise, inner []Disguise) bool {
		return outer.Name == inner[0].Name && (outer.Name == "reversed" || outer.Name == "rot13" || outer.Name == "xor/sent-key")
	}},
	// XOR with one byte and then with another is XOR with one byte, with any chance
	// that it is none at all.
	{"XOR of XOR with one byte is one XOR", func(outer Disguise, inner []Disguise) bool {
		return outer.Name == "xor/byte" && inner[0].Name == "xor/byte"
	}},
}

// written are the disguises of a chain that are more than a spelling.
func written(chain []Disguise) []Disguise {
	if n := len(chain); n > 0 && chain[n-1].Innermost {
		return chain[:n-1]
	}
	return chain
}

// Senseless returns the name of the rule that leaves a chain out, outermost disguise
// first, or "" for one that must be recognised.
func Senseless(chain []Disguise) string {
	for i, outer := range chain {
		for _, r := range rules {
			if i+1 < len(chain) && r.hit(outer, chain[i+1:]) {
				return r.name
			}
		}
	}
	return ""
}
