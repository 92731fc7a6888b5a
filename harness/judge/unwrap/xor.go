package unwrap

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// xorText opens data under the keys that make the likeliest texts of it, or under the
// one that makes an encoding of something readable. Of what is text already, a key must
// make a likelier one, and explains nothing.
func (w *walk) xorText(p *Part, data []byte, s overview, depth int) (found bool) {
	text := s.seen&(control|high) == 0
	if !w.has(canXOR) || text && (s.seen&blank != 0 || len(data) < shortestRun) {
		return false
	}
	head := data[:min(len(data), 96)]
	var room [255]candidate
	list := room[:0]
	plain := w.buffer()
	defer w.release(plain)
	for key := 1; key < 256; key++ {
		score, ok := legible(head, byte(key))
		if !ok {
			continue
		}
		list = append(list, candidate{byte(key), score})
		if score < 3*len(head) {
			continue
		}
		short := coding.XOR(plain[:0], data[:min(len(data), prefix)], byte(key))
		if w.encoded(short, survey(short)) {
			return w.keyed(p, data, byte(key), depth)
		}
	}
	key := w.escapedUnder(data)
	if key == 0 {
		key = groupedUnder(data)
	}
	if key != 0 {
		return w.keyed(p, data, key, depth)
	}
	least := 0
	if text {
		own, ok := legible(head, 0)
		if !ok || s.signs == 0 || len(data) > 512 {
			return false
		}
		least = own + 2
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return b.score - a.score })
	most := 16
	switch {
	case len(data) > 1024:
		most = 2
	case len(data) > 64:
		most = 6
	}
	for _, c := range list[:min(len(list), most)] {
		if c.score < least {
			break
		}
		out := coding.XOR(w.buffer(), data, c.key)
		if coding.Text(out) && w.spend(p, depth) {
			found = w.opened(p, "xor", out, depth, true) || found
		}
		w.release(out)
	}
	// Of few bytes many keys make a text: that explains nothing.
	return found && !text && len(data) >= shortestSure && list[0].score >= 3*len(head)
}

// escapedUnder is the key under which data is escapes, and readable without them, or is
// JSON, XML or a multipart body; 0 for none.
func (w *walk) escapedUnder(data []byte) byte {
	for _, c := range [...]byte{'%', '&', '\\', '=', '{', '[', '<', '-'} {
		key := data[0] ^ c
		if key == 0 || len(data) < 2*shortestDark {
			continue
		}
		last := data[len(data)-1] ^ key
		if c == '{' && last != '}' || c == '[' && last != ']' || c == '<' && last != '>' || !regular(data, c, key) {
			continue
		}
		out := coding.XOR(w.buffer(), data[:min(len(data), 1024)], key)
		told := (c == '-' || coding.ASCII(out)) && w.signed(out, survey(out))
		w.release(out)
		if told {
			return key
		}
	}
	return 0
}

// groupedUnder is the key under which data is bytes written one by one, such as 61:62:63; 0
// for none. What separates them stands in every third place.
func groupedUnder(data []byte) byte {
	if len(data) < shortestSpelled || len(data)%3 != 2 {
		return 0
	}
	for i := 5; i < len(data); i += 3 {
		if data[i] != data[2] {
			return 0
		}
	}
	for _, between := range [...]byte{':', ' ', '-', ',', ';'} {
		key := data[2] ^ between
		ok := key != 0
		for i, b := range data {
			ok = ok && (i%3 == 2 || classes[b^key]&(digit|hexLower|hexUpper) != 0)
		}
		if ok {
			return key
		}
	}
	return 0
}

// regular reports whether data under a key is escapes of a sign, each whole and of up to
// six characters. Of the signs that structures begin with less is asked.
func regular(data []byte, sign, key byte) bool {
	switch sign {
	case '{':
		return data[1]^key == '"'
	case '[':
		if bytes.IndexByte([]byte(`{["`), data[1]^key) >= 0 {
			return true
		}
		for _, b := range data { // a list of bytes
			if c := b ^ key; classes[c]&(digit|blank) == 0 && bytes.IndexByte([]byte("[],-"), c) < 0 {
				return false
			}
		}
		return true
	case '<':
		return data[1]^key == '?' || classes[data[1]^key]&(hexLower|lower|hexUpper|upper) != 0
	case '-':
		return data[1]^key == '-'
	}
	n, ok := wholeEscapes(data, sign, key)
	return ok && n*7 >= len(data)
}

// wholeEscapes counts a sign in data under a key; ok is false if it stands somewhere without
// an escape behind it.
func wholeEscapes(data []byte, sign, key byte) (n int, ok bool) {
	hex := func(i int) bool {
		return i < len(data) && classes[data[i]^key]&(digit|hexLower|hexUpper) != 0
	}
	for i, b := range data {
		if b^key != sign {
			continue
		}
		n++
		next := byte(0)
		if i+1 < len(data) {
			next = data[i+1] ^ key
		}
		switch sign {
		case '%':
			ok = hex(i+1) && hex(i+2)
		case '=':
			ok = hex(i+1) && hex(i+2) || next == '\r' || next == '\n'
		case '&':
			ok = next == '#'
		default:
			ok = next == 'x' || next == 'u'
		}
		if !ok {
			return n, false
		}
	}
	return n, n > 0
}

// candidate is a key with the likelihood of the text that it makes.
type candidate struct {
	key   byte
	score int
}

// weights say how likely a character is in a value.
var weights = func() (t [256]int8) {
	for i := range t {
		switch c := classes[i]; {
		case c&(digit|hexLower|hexUpper|lower|upper) != 0:
			t[i] = 4
		case c&(blank|dash|plus|equals) != 0 || i == '.' || i == '@' || i == ':' || i == ',' || i == '"':
			t[i] = 2
		case c == high:
			t[i] = 1
		case c == control:
			t[i] = -100
		}
	}
	return t
}()

// legible reports whether data is text under a key, and how likely a one.
func legible(data []byte, key byte) (score int, ok bool) {
	more := 0 // bytes that a character still has
	for _, c := range data {
		c ^= key
		switch {
		case c < 0x80:
			if more > 0 || weights[c] < 0 {
				return 0, false
			}
		case c < 0xc0:
			if more--; more < 0 {
				return 0, false
			}
		case more > 0 || c < 0xc2 || c > 0xf4:
			return 0, false
		case c < 0xe0:
			more = 1
		case c < 0xf0:
			more = 2
		default:
			more = 3
		}
		score += int(weights[c])
	}
	return score, true
}

// beginnings are the first bytes of what begins with a sign.
var beginnings = []string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "\x04\x22\x4d\x18", "\xff\x06\x00\x00sNaP", "PK\x03\x04", "bplist0", "\x78\x01", "\x78\x5e", "\x78\x9c", "\x78\xda"}

// xorSigns opens data under the key that makes it begin with a sign, or be UTF-16.
func (w *walk) xorSigns(p *Part, data []byte, depth int) bool {
	for _, b := range beginnings {
		key := data[0] ^ b[0]
		if key == 0 || len(data) < 8 {
			continue
		}
		same := true
		for i := range len(b) {
			same = same && data[i]^key == b[i]
		}
		if same {
			out := coding.XOR(w.buffer(), data, key)
			ok := promising(out) || w.readable(out)
			w.release(out)
			if ok {
				return w.keyed(p, data, key, depth)
			}
		}
	}
	// The zeros of UTF-16 are the key.
	for _, key := range [...]byte{data[1], data[0], data[0] ^ 0xff, data[0] ^ 0xfe} {
		if key == 0 || data[3]^key != 0 && data[2]^key != 0 {
			continue
		}
		out := coding.XOR(w.buffer(), data, key)
		wide, _, sure := coding.UTF16(w.buffer(), out)
		ok := sure != coding.No && coding.Text(wide)
		w.release(wide)
		w.release(out)
		if ok {
			return w.keyed(p, data, key, depth)
		}
	}
	return false
}

// xorBytes opens data under the keys that make a stream without a sign of it, or a
// structure. Among so many keys some make one by chance: that explains nothing.
func (w *walk) xorBytes(p *Part, data []byte, depth int) bool {
	if digestSized(len(data)) && len(p.Chain) > 0 { // out of digits
		if w.sums++; w.sums > mostSums {
			return false
		}
	}
	for key := 1; key < 256; key++ {
		for _, name := range coding.Bare {
			if !coding.Plausible(name, data, byte(key)) {
				continue
			}
			plain := coding.XOR(w.buffer(), data, byte(key))
			out, err := w.d.OpenAll(name, w.buffer(), plain, min(w.room(), expansion*len(data)+1024))
			ok := err == nil && len(out) >= shortestHidden/2 && w.readable(out)
			w.release(out)
			w.release(plain)
			if ok && w.keyed(p, data, byte(key), depth) {
				return true
			}
		}
	}
	if w.has(canLZString) && len(data) <= longestSpoken {
		// What LZString writes into text ends with a space.
		plain := coding.XOR(w.buffer(), data, data[len(data)-1]^' ')
		if utf8.Valid(plain) && w.inLZ(plain) && w.spend(p, depth) {
			w.opened(p, "xor", plain, depth, true)
		}
		w.release(plain)
		for key := 1; key < 256; key++ {
			if !beginsLZ(data, byte(key)) {
				continue
			}
			plain := coding.XOR(w.buffer(), data, byte(key))
			out, sure := coding.LZString(w.buffer(), plain, 1<<16)
			ok := sure != coding.No && len(out) >= shortestHidden/2 && w.readable(out)
			w.release(out)
			if ok && w.spend(p, depth) {
				w.opened(p, "xor", plain, depth, true)
			}
			w.release(plain)
		}
	}
	if len(data) > longestXOR || len(w.o.binary) == 0 {
		return false
	}
	for key := 1; key < 256; key++ {
		plain := coding.XOR(w.buffer(), data, byte(key))
		ok := false
		for i := range w.o.binary {
			if ok = w.o.binary[i].Looks(plain) == container.Certain; ok {
				break
			}
		}
		ok = ok || container.NumbersOnly(plain)
		if ok && w.spend(p, depth) {
			w.opened(p, "xor", plain, depth, true)
		}
		w.release(plain)
	}
	return false
}

// digestSized reports whether a usual digest has n bytes.
func digestSized(n int) bool {
	switch n {
	case 16, 20, 24, 28, 32, 48, 64:
		return true
	}
	return false
}

// longestSpoken is how many bytes are tried as LZString's under each key.
const longestSpoken = 512

// beginsLZ reports whether bytes under a key begin with a printable character, as
// LZString writes them into bytes.
func beginsLZ(data []byte, key byte) bool {
	v := int(data[0]^key)<<8 | int(data[1]^key)
	c := 0
	for i := range 8 { // behind a code of two bits, the lowest first
		c |= v >> (13 - i) & 1 << i
	}
	return v>>14 == 0 && c >= ' ' && c < 0x7f
}
