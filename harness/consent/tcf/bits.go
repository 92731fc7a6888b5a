package tcf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// ErrMalformed says that a string isn't what its kind must be.
var ErrMalformed = errors.New("malformed consent string")

// maxString bounds one string, in bytes. Real ones have some thousand.
const maxString = 64 << 10

// bits reads a string of base64url characters six bits each, as the IAB writes them:
// without padding, and not always in whole bytes.
type bits struct {
	data []byte // one value of six bits each
	at   int    // in bits
	err  error
}

func newBits(s string) *bits {
	b := &bits{data: make([]byte, 0, min(len(s), maxString))}
	if len(s) > maxString {
		b.err = fmt.Errorf("%w: more than %d characters", ErrMalformed, maxString)
		return b
	}
	for i := range len(s) {
		v, ok := sixBits(s[i])
		if !ok {
			b.err = fmt.Errorf("%w: %q at %d is no character of base64url", ErrMalformed, s[i], i)
			return b
		}
		b.data = append(b.data, v)
	}
	return b
}

func sixBits(c byte) (byte, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A', true
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26, true
	case c >= '0' && c <= '9':
		return c - '0' + 52, true
	case c == '-' || c == '+':
		return 62, true
	case c == '_' || c == '/':
		return 63, true
	}
	return 0, false
}

// number reads n bits, the highest first; 0 once there was an error.
func (b *bits) number(n int) int64 {
	if b.err != nil {
		return 0
	}
	if b.at+n > 6*len(b.data) {
		b.err = fmt.Errorf("%w: it ends at bit %d, in the middle of a field", ErrMalformed, 6*len(b.data))
		return 0
	}
	var v int64
	for range n {
		v = v<<1 | int64(b.data[b.at/6]>>(5-b.at%6)&1)
		b.at++
	}
	return v
}

func (b *bits) flag() bool { return b.number(1) == 1 }

// letters reads two letters of six bits each, as for a language or country.
func (b *bits) letters() string {
	return string([]byte{'A' + byte(b.number(6))%26, 'A' + byte(b.number(6))%26})
}

// set reads a field of n bits; the ids of those that are set, from 1.
func (b *bits) set(n int) []int {
	ids := []int{}
	for i := range n {
		if b.flag() {
			ids = append(ids, i+1)
		}
	}
	return ids
}

// Range is a run of ids, both ends included.
type Range struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// ranges reads a list of ids and ranges of ids.
func (b *bits) ranges() []Range {
	out := []Range{}
	for range b.number(12) {
		many := b.flag()
		r := Range{First: int(b.number(16))}
		r.Last = r.First
		if many {
			r.Last = int(b.number(16))
		}
		if b.err != nil {
			return nil
		}
		if r.First == 0 || r.Last < r.First {
			b.err = fmt.Errorf("%w: a range from %d to %d", ErrMalformed, r.First, r.Last)
			return nil
		}
		out = append(out, r)
	}
	return out
}

// vendors reads ids of vendors, as a field of bits or as ranges.
func (b *bits) vendors() []int {
	most := int(b.number(16))
	if !b.flag() {
		return b.set(most)
	}
	ranges := b.ranges()
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	ids, next := []int{}, 1
	for _, r := range ranges {
		if r.Last > most {
			b.err = fmt.Errorf("%w: vendor %d is above the highest, %d", ErrMalformed, r.Last, most)
			return nil
		}
		for id := max(r.First, next); id <= r.Last; id++ {
			ids = append(ids, id)
		}
		next = max(next, r.Last+1)
	}
	return ids
}

// fibonacci reads a number in Fibonacci coding: a bit for each Fibonacci number, the
// lowest first, up to two ones in a row.
func (b *bits) fibonacci() int {
	sum, small, large, last := 0, 1, 1, false
	for range 40 { // a number of forty places has passed any id
		one := b.flag()
		if b.err != nil {
			return 0
		}
		if one && last {
			return sum
		}
		if one {
			sum += large
		}
		last = one
		small, large = large, small+large
	}
	b.err = fmt.Errorf("%w: a Fibonacci number without an end", ErrMalformed)
	return 0
}
