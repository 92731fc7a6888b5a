package recognise

import (
	"encoding/base64"
	"encoding/binary"
)

// sighted is a digest where it stands.
type sighted struct {
	recipe   recipe
	form     string
	from, to int
	seen     int  // bits of it that stand there
	whole    int  // bits that it has
	glued    bool // more characters of the same kind stand beside it
}

// Classes of characters.
const (
	inBase64 = 1 << iota // of either alphabet
	inHex
	between // sets one word of base64's characters off from the next
)

var characters = func() (c [256]uint8) {
	for i := range c {
		switch b := byte(i); { //nolint:gosec // 256 of them
		case b >= '0' && b <= '9', b >= 'a' && b <= 'f', b >= 'A' && b <= 'F':
			c[i] = inBase64 | inHex
		case b >= 'g' && b <= 'z', b >= 'G' && b <= 'Z':
			c[i] = inBase64
		case b == '+' || b == '/' || b == '-' || b == '_':
			c[i] = inBase64 | between
		}
	}
	return c
}()

// sixes are the values of base64's characters in both alphabets, or 255.
var sixes = func() (s [256]uint8) {
	for i := range s {
		s[i] = 255
	}
	for i, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		s[b] = uint8(i) //nolint:gosec // 64 of them
	}
	s['-'], s['_'] = 62, 63
	return s
}()

// nibbles are the values of hexadecimal digits, or 255.
var nibbles = func() (n [256]uint8) {
	for i := range n {
		n[i] = 255
	}
	for i, b := range []byte("0123456789abcdef") {
		n[b] = uint8(i) //nolint:gosec // 16 of them
		if b >= 'a' {
			n[b-'a'+'A'] = uint8(i) //nolint:gosec // 16 of them
		}
	}
	return n
}()

// shortestRun is how many characters of a digest must be there at least.
const shortestRun = 16

// shortestSixes is how many characters of base64 a digest of 64 bits has.
const shortestSixes = 11

// windows calls do with every digest in hexadecimal digits, in base64 and in raw bytes.
//
// A run of 16 characters has one at a multiple of 16, so only every sixteenth byte is
// looked at, and what stands around it where it may belong to a run. Raw bytes of a
// digest have a byte above 0x7f among any 16, so text is passed over.
func (g *digests) windows(data []byte, do func(sighted)) {
	if len(g.first.slots) == 0 {
		return
	}
	done := 0 // bytes before this were looked at as part of a run
	high := false
	for block := 0; block < len(data); block += 16 {
		if block+16 > len(data) {
			g.tail(data, block, done, high, do)
			return
		}
		if nowHigh := (binary.LittleEndian.Uint64(data[block:])|binary.LittleEndian.Uint64(data[block+8:]))&0x8080808080808080 != 0; nowHigh || high {
			if g.forms["raw"] {
				from := block
				if !high { // a digest may begin among the 16 bytes before
					from = max(0, block-15)
				}
				g.raw(data, from, block+16, do)
			}
			high = nowHigh
		}
		at := block + 15
		if at < done || characters[data[at]]&inBase64 == 0 {
			continue
		}
		if at+7 < len(data) && (characters[data[at-4]]&characters[data[at-8]]|characters[data[at+4]]&characters[data[at+7]])&inBase64 == 0 {
			continue
		}
		done = g.run(data, at, done, do)
	}
}

// tail looks at what stands behind the last whole block.
func (g *digests) tail(data []byte, block, done int, high bool, do func(sighted)) {
	if !high {
		for _, c := range data[block:] {
			high = high || c >= 0x80
		}
		if high {
			block = max(0, block-15)
		}
	}
	if high && g.forms["raw"] {
		g.raw(data, block, len(data), do)
	}
	if at := len(data) - 1; at >= done && characters[data[at]]&inBase64 != 0 {
		g.run(data, at, done, do)
		return
	}
	// A value may end in padding.
	end := len(data)
	for end > 0 && len(data)-end < 2 && data[end-1] == '=' {
		end--
	}
	if end < len(data) && end > done && characters[data[end-1]]&inBase64 != 0 {
		g.run(data, end-1, done, do)
	}
}

// run looks for digests in the run of base64's characters around a place, and returns
// where it ends.
func (g *digests) run(data []byte, at, done int, do func(sighted)) int {
	from, to := at, at+1
	for from > done && characters[data[from-1]]&inBase64 != 0 {
		from--
	}
	for to < len(data) && characters[data[to]]&inBase64 != 0 {
		to++
	}
	if to-from < shortestSixes {
		return to
	}
	if g.forms["hex"] && to-from >= shortestRun {
		g.hexRuns(data, from, to, do)
	}
	if g.forms["base64"] {
		begins := true
		for i := from; i+shortestSixes <= to; i++ {
			if begins {
				g.base64(data, i, from, to, do)
			}
			begins = characters[data[i]]&between != 0
		}
	}
	return to
}

// hexRuns looks at every place of every run of hexadecimal digits.
func (g *digests) hexRuns(data []byte, from, to int, do func(sighted)) {
	var window uint64
	start := from
	for i := from; i < to; i++ {
		v := nibbles[data[i]]
		if v > 15 {
			start = i + 1
			continue
		}
		window = window<<4 | uint64(v)
		if i-start < shortestRun-1 || !g.first.may(mix(window)) {
			continue
		}
		at := i - shortestRun + 1
		g.first.find(window, func(r recipe) { g.hex(data, at, start, to, r, do) })
	}
}

// hex compares a digest with the hexadecimal digits at a place of a run.
func (g *digests) hex(data []byte, at, start, to int, r recipe, do func(sighted)) {
	d := g.digest(r)
	n := 0
	for ; n < 2*len(d) && at+n < to; n++ {
		v := d[n/2] >> 4
		if n%2 == 1 {
			v = d[n/2] & 15
		}
		if nibbles[data[at+n]] != v {
			break
		}
	}
	if n >= shortestRun {
		after := at+n < len(data) && nibbles[data[at+n]] < 16
		do(sighted{recipe: r, form: "hex", from: at, to: at + n, seen: 4 * n, whole: 8 * len(d), glued: at > start || after})
	}
}

// base64 looks for a digest that begins at a place of a run.
func (g *digests) base64(data []byte, at, from, to int, do func(sighted)) {
	var window uint64
	for i := range 10 {
		window = window<<6 | uint64(sixes[data[at+i]])
	}
	window = window<<4 | uint64(sixes[data[at+10]]>>2)
	if !g.first.may(mix(window)) {
		return
	}
	g.first.find(window, func(r recipe) {
		d := g.digest(r)
		text := base64.RawStdEncoding.EncodeToString(d)
		n := 0
		for n < len(text) && at+n < to && sixes[data[at+n]] == sixes[text[n]] {
			n++
		}
		if n < len(text) && n < shortestRun {
			return
		}
		do(sighted{recipe: r, form: "base64", from: at, to: at + n, seen: min(6*n, 8*len(d)), whole: 8 * len(d), glued: at > from || at+n < to})
	})
}

// raw looks for digests as bytes that begin at the places from to before to.
func (g *digests) raw(data []byte, from, to int, do func(sighted)) {
	last := min(to, len(data)-7)
	if from >= last {
		return
	}
	h := &g.first
	var places [32]uint8
	for from < last {
		n, end := 0, min(last, from+len(places))
		for i := from; i < end; i++ {
			m := mix(binary.BigEndian.Uint64(data[i:]))
			k := mask(m)
			hit := 0
			if h.bloom[m>>(h.shift&63)]&k == k {
				hit = 1
			}
			places[n&31] = uint8(i - from) //nolint:gosec // below 32
			n += hit
		}
		for _, p := range places[:n] {
			at := from + int(p)
			h.find(binary.BigEndian.Uint64(data[at:]), func(r recipe) {
				d := g.digest(r)
				n := 8
				for n < len(d) && at+n < len(data) && data[at+n] == d[n] {
					n++
				}
				do(sighted{recipe: r, form: "raw", from: at, to: at + n, seen: 8 * n, whole: 8 * len(d)})
			})
		}
		from = end
	}
}
