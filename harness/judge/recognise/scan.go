package recognise

import "bytes"

// Match is a needle found in plain bytes.
type Match struct {
	Kind    string
	Value   string // the canary
	Decoy   bool
	Variant string   // how it is spelled, "" for as it was planted
	Chain   []string // hash and encoding, outermost first
	From    int      // place in the bytes
	To      int
	// Embedded says that it stands within a longer run of the same characters. Only
	// a value that can't stand there by chance counts then.
	Embedded bool
	// Half is "latitude" or "longitude" where the two stand in separate places.
	Half string

	target int
}

// Scan searches bytes and calls found for each match, in order of place.
//
// What touches a match on either side and could be part of the same value (a digit
// beside a number, a letter beside a word) makes it a piece of something else, and
// no match, unless the value has so many bits that it can't stand there by chance:
// an IMEI in a longer number is nothing, but sixteen random hexadecimal digits in
// a longer run are an identifier with something glued to it.
func (n *Needles) Scan(data []byte, found func(Match)) {
	n.filter.each(data, func(at int, list []int32) {
		for _, i := range list {
			x := &n.needles[i]
			if !bytes.HasPrefix(data[at:], x.bytes) {
				continue
			}
			end := at + len(x.bytes)
			embedded := at > 0 && x.near.touches(data[at-1]) || end < len(data) && x.near.touches(data[end])
			if x.near == decimal {
				embedded = embedded || fraction(data, at, end)
			}
			if embedded && !x.unmistakable || x.even && !evenHex(data, at) {
				continue
			}
			t := n.targets[x.target]
			found(Match{
				Kind: t.kind, Value: t.value, Decoy: t.decoy, Variant: x.variant, Chain: x.chain,
				From: at, To: end, Embedded: embedded, target: x.target,
			})
		}
	})
}

// fraction reports whether digits are the whole or the fractional part of a decimal.
func fraction(data []byte, from, to int) bool {
	digit := func(i int) bool { return i >= 0 && i < len(data) && data[i] >= '0' && data[i] <= '9' }
	dot := func(i int) bool { return i >= 0 && i < len(data) && data[i] == '.' }
	return dot(from-1) && digit(from-2) || dot(to) && digit(to+1)
}

// evenHex reports whether at is on a border of bytes in its run of hexadecimal digits.
func evenHex(data []byte, at int) bool {
	i := at
	for i > 0 && hexadecimal.touches(data[i-1]) && at-i < 1<<16 {
		i--
	}
	return (at-i)%2 == 0
}
