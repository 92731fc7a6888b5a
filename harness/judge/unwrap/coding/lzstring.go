package coding

import (
	"unicode/utf16"
	"unicode/utf8"
)

// LZString decompresses what the JavaScript library lz-string writes, in the form of
// compressToBase64, compressToEncodedURIComponent, compressToUTF16, or
// compressToUint8Array, which is also that of compress with the two bytes of each
// character in network order. most bounds what comes out, in bytes.
//
// The format is LZ78 with codes that grow: 0 and 1 announce a new character of 8 or 16 bits, 2
// ends the text, and others name a piece that was seen. A stream without its end is
// none of it.
func LZString(dst, src []byte, most int) ([]byte, Sure) {
	for _, form := range []func([]byte) (lzBits, bool){lzBase64, lzURI, lzUTF16, lzBytes} {
		if bits, ok := form(src); ok {
			if out, ok := lzDecompress(dst, &bits, most); ok {
				return out, Weak
			}
		}
	}
	return dst, No
}

// lzBits reads bits from units of some bits each, the highest bit of a unit first.
type lzBits struct {
	src   []byte
	unit  func(src []byte) (value, size int) // of what src begins with; size 0 at the end
	width int
	value int
	left  int // bits of value that were not read
	over  bool
}

// read takes n bits, of which the first is the lowest.
func (b *lzBits) read(n int) (v int) {
	for i := range n {
		if b.left == 0 {
			value, size := 0, 0
			if len(b.src) > 0 {
				value, size = b.unit(b.src)
			}
			if size == 0 {
				b.over = true
				return 0
			}
			b.value, b.left, b.src = value, b.width, b.src[size:]
		}
		b.left--
		v |= b.value >> b.left & 1 << i
	}
	return v
}

func digits(alphabet string) (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = int8(i)
	}
	return t
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// The padding of the base64 form counts as zero bits.
var (
	lzStd  = digits(alphanumeric + "+/")
	lzSafe = digits(alphanumeric + "+-")
)

func lzBase64(src []byte) (lzBits, bool) { return lzDigits(src, &lzStd, '=') }
func lzURI(src []byte) (lzBits, bool)    { return lzDigits(src, &lzSafe, '$') }

func lzDigits(src []byte, values *[256]int8, pad byte) (lzBits, bool) {
	for len(src) > 0 && src[len(src)-1] == pad {
		src = src[:len(src)-1]
	}
	for _, c := range src {
		// A form takes the plus sign for a space.
		if values[c] < 0 && c != ' ' {
			return lzBits{}, false
		}
	}
	return lzBits{src: src, width: 6, unit: func(s []byte) (int, int) {
		if s[0] == ' ' {
			return int(values['+']), 1
		}
		return int(values[s[0]]), 1
	}}, len(src) > 0
}

// lzUTF16 has 15 bits a character, which begin at U+0020.
func lzUTF16(src []byte) (lzBits, bool) {
	if len(src) < 4 || all(src)&high == 0 || !utf8.Valid(src) {
		return lzBits{}, false
	}
	return lzBits{src: src, width: 15, unit: func(s []byte) (int, int) {
		r, n := utf8.DecodeRune(s)
		if r < 32 || r > 32+0x7fff {
			return 0, 0
		}
		return int(r) - 32, n
	}}, true
}

func lzBytes(src []byte) (lzBits, bool) {
	return lzBits{src: src, width: 8, unit: func(s []byte) (int, int) { return int(s[0]), 1 }}, len(src) > 2
}

// lzDecompress reads a stream to its end, which must be the end of the bits, too.
func lzDecompress(dst []byte, b *lzBits, most int) ([]byte, bool) {
	type piece struct{ from, size int }
	var (
		out     []uint16
		pieces  = make([]piece, 3, 64)
		width   = 2
		enlarge = 1 // codes until the next one is a bit wider
		last    piece
	)
	for {
		code := b.read(width)
		if b.over {
			return dst, false
		}
		var p piece
		switch {
		case code < 2:
			c := b.read(8 << code)
			if b.over {
				return dst, false
			}
			p = piece{len(out), 1}
			out = append(out, uint16(c))
			pieces = append(pieces, p)
			if last.size > 0 {
				if enlarge--; enlarge == 0 {
					enlarge = 1 << width
					width++
				}
			}
		case code == 2:
			// What is left is padding of zeros, less than two units.
			if b.value&(1<<b.left-1) != 0 || len(b.src) > 3 {
				return dst, false
			}
			return appendUnits(dst, out), len(out) > 0
		case code < len(pieces):
			p = piece{len(out), pieces[code].size}
			from := pieces[code].from
			for i := range p.size {
				out = append(out, out[from+i])
			}
		case code == len(pieces) && last.size > 0:
			p = piece{len(out), last.size + 1}
			for i := range p.size {
				out = append(out, out[last.from+i])
			}
		default:
			return dst, false
		}
		if len(out) > most {
			return dst, false
		}
		if last.size == 0 {
			width, enlarge = 3, 4
		} else {
			pieces = append(pieces, piece{last.from, last.size + 1})
			if enlarge--; enlarge == 0 {
				enlarge = 1 << width
				width++
			}
		}
		last = p
	}
}

// appendUnits writes characters of JavaScript as UTF-8; where they can only be bytes, as bytes.
func appendUnits(dst []byte, units []uint16) []byte {
	raw, odd := true, false
	for _, u := range units {
		raw = raw && u < 256
		odd = odd || u < 256 && classes[byte(u)]&control != 0
	}
	if raw && odd {
		for _, u := range units {
			dst = append(dst, byte(u))
		}
		return dst
	}
	for _, r := range utf16.Decode(units) {
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
