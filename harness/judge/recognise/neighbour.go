package recognise

import "bytes"

// code is how a needle in an encoding of groups stands in its text: how many bits a
// character has, what each is worth, and how many bytes of its group stand before the value.
type code struct {
	values *[256]uint8 // 255 for what is no digit
	width  int         // bits of a character
	shift  int         // bytes
}

// fives are the values of base32's characters (RFC 4648, section 6), or 255.
var fives = func() (f [256]uint8) {
	for i := range f {
		f[i] = 255
	}
	for i, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") {
		f[b] = uint8(i) //nolint:gosec // 32 of them
	}
	return f
}()

// mostNeighbours is how many bytes are decoded on each side of a value.
const mostNeighbours = 8

// around decodes what stands at a place of an encoded text: the value, of which the text
// from at on is a piece, with its neighbours as far as the text goes. ok is false where
// a bit that stands there is another than the value has.
func (c *code) around(data []byte, at int, value []byte) (plain []byte, from, to int, ok bool) {
	lead := (c.shift*8+c.width-1)/c.width*c.width - c.shift*8 // bits of the value before at
	// decoded is the k-th byte from the value's first on; known are the bits that stand there.
	decoded := func(k int) (b, known byte) {
		for bit := range 8 {
			place := 8*k + bit - lead
			i := at + place/c.width
			if place < 0 {
				i = at - (c.width-1-place)/c.width
			}
			if i < 0 || i >= len(data) || c.values[data[i]] == 255 {
				continue
			}
			within := place - (i-at)*c.width
			known |= 0x80 >> bit
			b |= c.values[data[i]] >> (c.width - 1 - within) & 1 << (7 - bit)
		}
		return b, known
	}
	for k, want := range value {
		if b, known := decoded(k); b != want&known {
			return nil, 0, 0, false
		}
	}
	for k := -1; k >= -mostNeighbours; k-- {
		b, known := decoded(k)
		if known != 0xff {
			break
		}
		plain = append([]byte{b}, plain...)
	}
	from = len(plain)
	plain = append(plain, value...)
	to = len(plain)
	for k := range mostNeighbours {
		b, known := decoded(len(value) + k)
		if known != 0xff {
			break
		}
		plain = append(plain, b)
	}
	return plain, from, to, true
}

// anotherMailbox reports whether what touches a mail address makes another one of it:
// qq.person@example.org ends with the address of somebody else, and so begins one at
// example.org.uk. Among bytes that are no text a length or a tag may look like a letter.
func anotherMailbox(data []byte, from, to int) bool {
	if !text(data[max(0, from-4):min(len(data), to+4)]) {
		return false
	}
	if from > 0 && !escaped(data[:from]) {
		c := data[from-1]
		if letterOrDigit(c) || (c == '.' || c == '+') && from > 1 && letterOrDigit(data[from-2]) {
			return true
		}
	}
	rest := data[to:]
	if len(rest) == 0 {
		return false
	}
	if rest[0] != '.' {
		return letterOrDigit(rest[0])
	}
	// A country behind it is another domain; more letters are a file's ending, or the next sentence.
	return len(rest) > 2 && small(rest[1]) && small(rest[2]) && (len(rest) == 3 || !letterOrDigit(rest[3]))
}

func small(c byte) bool { return c >= 'a' && c <= 'z' }

func letterOrDigit(c byte) bool { return small(c|0x20) || c >= '0' && c <= '9' }

// escaped reports whether a text ends with an escape, such as %3D, =3D, \n or \u003d.
func escaped(before []byte) bool {
	n := len(before)
	hex := func(digits int) bool {
		for _, c := range before[n-digits:] {
			if nibbles[c] > 15 {
				return false
			}
		}
		return true
	}
	if n >= 3 && (bytes.EqualFold(before[n-3:], []byte("%2B")) || bytes.EqualFold(before[n-3:], []byte("%2E"))) {
		return false // a plus or a dot, which may belong to the address
	}
	return n >= 2 && before[n-2] == '\\' || n >= 3 && (before[n-3] == '%' || before[n-3] == '=') && hex(2) ||
		n >= 4 && bytes.HasPrefix(before[n-4:], []byte(`\x`)) && hex(2) || n >= 6 && bytes.HasPrefix(before[n-6:], []byte(`\u`)) && hex(4)
}

// turnedAround puts bytes in reverse, with the place of a piece in them.
func turnedAround(data []byte, from, to int) (back []byte, at, end int) {
	lo, hi := max(0, from-mostNeighbours), min(len(data), to+mostNeighbours)
	back = make([]byte, 0, hi-lo)
	for i := hi - 1; i >= lo; i-- {
		back = append(back, data[i])
	}
	return back, hi - to, hi - from
}
