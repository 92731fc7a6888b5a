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
	inCapitals
	inSmall
)

var characters = func() (c [256]uint8) {
	for i := range c {
		b := byte(i) //nolint:gosec // 256 of them
		if b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' {
			c[i] |= inHex | inBase64
		}
		switch {
		case b >= 'a' && b <= 'z':
			c[i] |= inBase64 | inSmall
		case b >= 'A' && b <= 'Z':
			c[i] |= inBase64 | inCapitals
		case b == '+' || b == '/' || b == '-' || b == '_':
			c[i] |= inBase64 | between
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

// scan calls do with every digest in hexadecimal digits and in base64, and with one in
// raw bytes that data begins with. Raw digests of values as they are stand in the filter.
//
// A run of 16 characters has one at every multiple of 16, and eight more to the left or
// to the right of it; so of 16 bytes a few are looked at, and what stands around them
// only where it may belong to a run.
func (g *digests) scan(data []byte, do func(sighted)) {
	if len(g.sums) == 0 || len(g.n.spellings) == 0 || len(data) < shortest {
		return
	}
	if g.forms["raw"] {
		g.raw(data, do)
	}
	w := windows{digests: g, data: data, do: do}
	done := 0 // bytes before this were looked at as part of a run
	for at := 15; at+7 < len(data); at += 16 {
		if characters[data[at]]&inBase64 == 0 {
			continue
		}
		b := data[at-8 : at+8]
		left := characters[b[0]] & characters[b[2]] & characters[b[4]] & characters[b[6]]
		right := characters[b[9]] & characters[b[11]] & characters[b[13]] & characters[b[15]]
		if (left|right)&inBase64 == 0 || at < done {
			continue
		}
		done = w.run(at, done)
	}
	// What stands at the very end: the last run, with or without padding behind it.
	end := len(data)
	for end > 0 && len(data)-end < 2 && data[end-1] == '=' {
		end--
	}
	for _, at := range []int{len(data)/16*16 - 1, end - 1} {
		if at >= done && characters[data[at]]&inBase64 != 0 {
			done = w.run(at, done)
		}
	}
	w.flush()
}

// windows are heads that wait to be looked up: several at once, so that they need not
// wait for each other.
type windows struct {
	*digests
	data []byte
	do   func(sighted)
	n    int
	wait [32]window
}

// window is a head that stands in the data, in hexadecimal digits or in base64; from and
// to are the run around it.
type window struct {
	first    uint64
	at       int
	from, to int
	hex      bool
}

// add lets a head wait.
func (w *windows) add(x window) {
	w.wait[w.n] = x
	if w.n++; w.n == len(w.wait) {
		w.flush()
	}
}

// flush looks up what waits.
func (w *windows) flush() {
	if w.n == 0 {
		return
	}
	var passed [len(w.wait)]uint8
	first := w.table()
	bloom, shift := first.bloom, first.shift&63
	n := 0
	for i := range w.wait[:w.n] {
		h := mix(w.wait[i].first)
		m := mask(h)
		hit := 0
		if bloom[h>>shift]&m == m {
			hit = 1
		}
		passed[n&(len(passed)-1)] = uint8(i) //nolint:gosec // below 32
		n += hit
	}
	w.n = 0
	for _, i := range passed[:n] {
		x := &w.wait[i]
		first.find(x.first, func(r recipe) {
			if x.hex {
				w.hexAt(x, r)
			} else {
				w.base64At(x, r)
			}
		})
	}
}

// run looks for digests in the run of base64's characters around a place, and returns
// where it ends.
func (w *windows) run(at, done int) int {
	data := w.data
	from, to := at, at
	var all uint8
	for from > done && characters[data[from-1]]&inBase64 != 0 {
		from--
		all |= characters[data[from]]
	}
	for to < len(data) && characters[data[to]]&inBase64 != 0 {
		all |= characters[data[to]]
		to++
	}
	if to-from < shortestSixes {
		return to
	}
	if w.forms["hex"] {
		w.hexRuns(from, to)
	}
	// A digest in base64 has capitals and small letters: of those with 22 characters, one
	// in 50,000 lacks either. Words, paths and UUIDs mostly have only one of them.
	if w.forms["base64"] && (all&(inCapitals|inSmall) == inCapitals|inSmall || to-from < 20) {
		for i := from; i+shortestSixes <= to; i++ {
			if (i == from || characters[data[i-1]]&between != 0) && (i+shortestRun <= to || i+shortestSixes == to) {
				w.add(window{first: headOfSixes(data[i:]), at: i, from: from, to: to})
			}
		}
	}
	return to
}

// hexRuns looks for runs of hexadecimal digits in a run of characters.
func (w *windows) hexRuns(from, to int) {
	data := w.data
	for at := from + shortestRun - 1; at < to; at += shortestRun {
		if characters[data[at]]&inHex == 0 {
			continue
		}
		start, end := at, at+1
		for start > from && characters[data[start-1]]&inHex != 0 {
			start--
		}
		for end < to && characters[data[end]]&inHex != 0 {
			end++
		}
		if end-start >= shortestRun {
			w.hexRun(start, end)
		}
		at = max(at, end-1)
	}
}

// hexRun looks for digests in a run of hexadecimal digits: at its beginning and every four
// bytes on, as digests stand that are strung together, and as long before its end as a
// digest is.
func (w *windows) hexRun(start, end int) {
	for at := start; at+shortestRun <= end; at += 8 {
		w.add(window{first: headOfNibbles(w.data[at:]), at: at, from: start, to: end, hex: true})
	}
	for _, size := range w.sizes {
		if at := end - 2*size; at > start && (at-start)%8 != 0 {
			w.add(window{first: headOfNibbles(w.data[at:]), at: at, from: start, to: end, hex: true})
		}
	}
}

// headOfNibbles is the head that 16 hexadecimal digits write.
func headOfNibbles(data []byte) (head uint64) {
	for _, c := range data[:shortestRun] {
		head = head<<4 | uint64(nibbles[c]&15)
	}
	return head
}

// headOfSixes is the head that 11 characters of base64 write.
func headOfSixes(data []byte) (head uint64) {
	for _, c := range data[:shortestSixes-1] {
		head = head<<6 | uint64(sixes[c])
	}
	return head<<4 | uint64(sixes[data[shortestSixes-1]]>>2)
}

// hexAt compares a digest with the hexadecimal digits at a place.
func (w *windows) hexAt(x *window, r recipe) {
	d := w.digest(r)
	n := 0
	for ; n < 2*len(d) && x.at+n < x.to; n++ {
		v := d[n/2] >> 4
		if n%2 == 1 {
			v = d[n/2] & 15
		}
		if nibbles[w.data[x.at+n]] != v {
			break
		}
	}
	if n >= shortestRun {
		w.do(sighted{recipe: r, form: "hex", from: x.at, to: x.at + n, seen: 4 * n, whole: 8 * len(d), glued: x.at > x.from || x.at+n < x.to})
	}
}

// base64At compares a digest with the base64 at a place.
func (w *windows) base64At(x *window, r recipe) {
	d := w.digest(r)
	text := base64.RawStdEncoding.EncodeToString(d)
	n := 0
	for n < len(text) && x.at+n < x.to && sixes[w.data[x.at+n]] == sixes[text[n]] {
		n++
	}
	if n < len(text) && n < shortestRun {
		return
	}
	w.do(sighted{recipe: r, form: "base64", from: x.at, to: x.at + n, seen: min(6*n, 8*len(d)), whole: 8 * len(d), glued: x.at > x.from || x.at+n < x.to})
}

// raw looks for a digest in raw bytes that data begins with. None begins with a text, but
// for one of eight bytes in 2,500.
func (g *digests) raw(data []byte, do func(sighted)) {
	if text(data[:min(len(data), shortestRun)]) {
		return
	}
	g.table().find(binary.BigEndian.Uint64(data), func(r recipe) {
		if s, ok := g.rawAt(data, 0, r); ok && s.to == len(data) || s.seen == s.whole {
			do(s)
		}
	})
}

// rawAt compares a digest with the bytes at a place; as few as 96 bits will do, or all
// that it has.
func (g *digests) rawAt(data []byte, at int, r recipe) (sighted, bool) {
	d := g.digest(r)
	n := 0
	for n < len(d) && at+n < len(data) && data[at+n] == d[n] {
		n++
	}
	return sighted{recipe: r, form: "raw", from: at, to: at + n, seen: 8 * n, whole: 8 * len(d)}, n == len(d) || n >= shortestRaw
}

// shortestRaw is how many bytes of a raw digest must be there at least.
const shortestRaw = 12
