package recognise

import (
	"fmt"
	"strings"
)

// weigh says how sure a hit is, and why. The scale begins with the bits that were seen of
// the value or of its digest, since they say how often chance puts the same there:
//
//	100 bits and more   0.99
//	 60                 0.97
//	 44                 0.93
//	 32                 0.88
//	fewer               0.80
//
// and ends at the lowest of what else is true of the hit:
//
//	it stands in a longer run of the same characters    0.90
//	a digest was cut off                                0.90
//	it was hashed together with a value of the message  0.95
//	a key was taken off that nothing announced          0.90
//	a decoding was tried that nothing announced         0.90
//	one half of a location, the other elsewhere         0.80
//	a location that is rounded so much that others may be there    0.45, or 0.60 beside another value
//	a digest of 32 bits, with a second sign             0.60
func (h *Hit) weigh() {
	h.Confidence = 0.80
	for _, step := range []struct {
		bits, sure float64
	}{{100, 0.99}, {60, 0.97}, {44, 0.93}, {32, 0.88}} {
		if h.Bits >= step.bits {
			h.Confidence = step.sure
			break
		}
	}
	what := "the value"
	if sum := digestOf(h.Chain); sum != "" {
		what = "its " + sum
	}
	why := []string{fmt.Sprintf("%s stands there with about %.0f bits", what, h.Bits)}
	but := func(sure float64, format string, args ...any) {
		h.Confidence = min(h.Confidence, sure)
		why = append(why, fmt.Sprintf(format, args...))
	}
	if h.how != "" {
		why = append(why, h.how)
	}
	if h.Cut > 0 {
		but(0.90, "%d of %d bits were cut off", h.Cut, h.Cut+int(h.Bits))
	}
	if h.Embedded {
		but(0.90, "in a longer run of the same characters")
	}
	if h.salt != "" {
		but(0.95, "%s", h.salt)
	}
	if h.key != nil {
		but(0.90, "under the XOR key %s", printableKey(h.key))
	}
	if h.guess {
		but(0.90, "after a decoding that nothing announces")
	}
	if h.Half != "" {
		but(0.80, "as the %s, with the other half in another place", h.Half)
	}
	if h.coarse && h.beside {
		but(0.60, "rounded to a hundred metres or more, beside another value of the same person")
	} else if h.coarse {
		but(0.45, "rounded to a hundred metres or more, where others may be, too")
	}
	if h.second != "" {
		but(0.60, "which chance would give one value in four thousand million; but %s", h.second)
	}
	h.Reason = strings.Join(why, ", ")
}

func printableKey(key []byte) string {
	if len(key) > 1 && text(key) {
		return fmt.Sprintf("%q", key)
	}
	return fmt.Sprintf("0x%x", key)
}
