package recognise

import "encoding/binary"

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
	// Bits is how hard what was seen is to hit by chance, about. Cut is how many bits
	// a digest has beyond those that stand there, 0 for a whole one.
	Bits float64
	Cut  int

	coarse   bool   // of a location: so few decimals that others may be there
	how      string // more for the reason
	spelling int32
	target   int
}

// Scan searches bytes and calls found for each match, in no particular order.
//
// What touches a match on either side and could be part of the same value (a digit
// beside a number, a letter beside a word) makes it a piece of something else, and
// no match, unless the value has so many bits that it can't stand there by chance:
// an IMEI in a longer number is nothing, but sixteen random hexadecimal digits in
// a longer run are an identifier with something glued to it.
func (n *Needles) Scan(data []byte, found func(Match)) { n.scan(data, func(int, int) {}, found) }

// scan is Scan; it calls there with each place that has the bytes of a needle, be it as a
// piece of something else.
func (n *Needles) scan(data []byte, there func(from, to int), found func(Match)) {
	at := func(at, i int) {
		x, end := &n.needles[i], at+len(n.text(i))
		there(at, end)
		if x.sum > 0 {
			if s, ok := n.digests.rawAt(data, at, newRecipe(int(x.spelling), int(x.sum)-1, 0, 0)); ok {
				found(n.digested(s))
			}
			return
		}
		if embedded, ok := n.stands(x, data, at, end); ok {
			found(n.match(x, at, end, embedded))
		}
	}
	n.filter.each(data, at)
	if n.binary.entered > 0 && !plain(data) {
		n.binary.each(data, func(from, i int) { at(from, n.filter.entered+i) })
	}
	n.scanBrief(data, found)
	n.grouped.scan(data, func(from, to int, x groupedNumber) {
		there(from, to)
		found(n.match(&needle{spelling: x.spelling, how: x.how, bits: float32(information(n.spellings[x.spelling].text))}, from, to, false))
	})
	if n.digests != nil {
		n.digests.scan(data, func(s sighted) {
			there(s.from, s.to)
			found(n.digested(s))
		})
	}
}

// stands reports whether a needle stands at a place by itself, or as a piece of something
// else that it can't be a piece of by chance. Of one in an encoding that is asked of
// what the text around it decodes to.
func (n *Needles) stands(x *needle, data []byte, at, end int) (embedded, ok bool) {
	if x.code == nil {
		return x.stands(data, at, end)
	}
	if x.even && !evenHex(data, at) {
		return false, false
	}
	value := n.spellings[x.spelling].text
	plain, from, to, ok := x.code.around(data, at, value)
	if !ok {
		return false, false
	}
	inner := needle{near: nearOf(value), unmistakable: embeddedBits(value) >= unmistakableAt}
	return inner.stands(plain, from, to)
}

// stands is the same for a needle that is what it looks like.
func (x *needle) stands(data []byte, at, end int) (embedded, ok bool) {
	if x.near == binaryOnly {
		return false, !text(data[max(0, at-8):min(len(data), end+8)])
	}
	switch x.near {
	case mailAddress:
		if anotherMailbox(data, at, end) {
			return true, false
		}
		embedded = at > 0 && (data[at-1] == '-' || data[at-1] == '_') // a prefix, or a longer address
	case mailReversed:
		if anotherMailbox(turnedAround(data, at, end)) {
			return true, false
		}
	}
	embedded = embedded || at > 0 && x.near.touches(data[at-1]) || end < len(data) && x.near.touches(data[end])
	if x.near == decimal {
		embedded = embedded || fraction(data, at, end)
	}
	return embedded, (!embedded || x.unmistakable) && (!x.even || evenHex(data, at))
}

func (n *Needles) match(x *needle, at, end int, embedded bool) Match {
	s := &n.spellings[x.spelling]
	t := &n.targets[s.target]
	return Match{
		Kind: t.kind, Value: t.value, Decoy: t.decoy, Variant: s.variant, Chain: x.chain, From: at, To: end, Embedded: embedded,
		Half: x.half, Bits: float64(x.bits), how: x.how, spelling: x.spelling, target: int(s.target),
	}
}

func (n *Needles) digested(d sighted) Match {
	s := &n.spellings[d.recipe.spelling()]
	t := &n.targets[s.target]
	return Match{
		Kind: t.kind, Value: t.value, Decoy: t.decoy, Variant: s.variant, Chain: n.digests.chain(d.recipe, d.form), From: d.from, To: d.to,
		Embedded: d.glued, Bits: float64(d.seen), Cut: d.whole - d.seen, spelling: d.recipe.spelling(), target: int(s.target),
	}
}

// scanBrief looks for raw bytes that are too few for the filter: as all that there is, or
// among bytes that are no text.
func (n *Needles) scanBrief(data []byte, found func(Match)) {
	if len(n.brief) == 0 || len(data) < shortestBrief || text(data[:min(len(data), 512)]) && text(data[max(0, len(data)-512):]) {
		return
	}
	// Every second place shows the first two bytes, or the second and third.
	for at := 0; at+2 <= len(data); at += 2 {
		pair := uint16(data[at]) | uint16(data[at+1])<<8
		if n.briefHead[pair/64]&(1<<(pair%64)) == 0 {
			continue
		}
		for _, from := range []int{at - 1, at} {
			for size := shortestBrief; from >= 0 && size < shortest && from+size <= len(data); size++ {
				for _, x := range n.brief[string(data[from:from+size])] {
					if _, ok := x.stands(data, from, from+size); ok {
						found(n.match(&x, from, from+size, false))
					}
				}
			}
		}
	}
}

// plain reports what text does, eight bytes at a time.
func plain(data []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(data) >= 8; data = data[8:] {
		w := binary.LittleEndian.Uint64(data)
		// A byte's top bit is set where it was, and where it is below a space or above '~'.
		if (w|(w-' '*ones)|(w+ones))&tops != 0 && !text(data[:8]) {
			return false
		}
	}
	return text(data)
}

// text reports whether bytes are printable ASCII.
func text(data []byte) bool {
	for _, c := range data {
		if c >= 0x7f || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
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
