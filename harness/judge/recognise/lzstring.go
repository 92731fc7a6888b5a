package recognise

import (
	"encoding/base64"
	"unicode/utf16"
	"unicode/utf8"
)

// lzStream writes a text as the JavaScript library lz-string compresses it
// (pieroxy.net/blog/pages/lz-string): LZ78 over the units of UTF-16, with codes of which
// 0 and 1 announce a new unit of 8 or 16 bits, 2 ends the stream, and the others name a
// phrase that was written before. There is one way only to write a text, so a digest of
// it can be known.
type lzStream struct {
	bits []byte // one each, in the order in which they are written
	// A code has width bits; left is after how many codes more it takes another one.
	width, left int
}

// lzPhrase is a phrase that was written before, and one unit more; the phrase is named by
// its code, 0 for none.
type lzPhrase struct {
	before int
	unit   uint16
}

func newLZStream(value []byte) *lzStream {
	s := &lzStream{width: 2, left: 2}
	codes := map[lzPhrase]int{}
	fresh := map[int]bool{} // phrases of one unit that were not written yet
	next := 3
	name := func(p lzPhrase) {
		codes[p] = next
		next++
	}
	phrase, last := 0, uint16(0) // the phrase at hand, and its only unit where it is fresh
	write := func() {
		if fresh[phrase] {
			delete(fresh, phrase)
			if last < 1<<8 {
				s.code(0)
				s.put(int(last), 8)
			} else {
				s.code(1)
				s.put(int(last), 16)
			}
			s.wrote()
		} else {
			s.code(phrase)
		}
		s.wrote()
	}
	for _, unit := range utf16.Encode([]rune(string(value))) {
		single := lzPhrase{unit: unit}
		if codes[single] == 0 {
			fresh[next] = true
			name(single)
		}
		longer := lzPhrase{phrase, unit}
		if code := codes[longer]; code != 0 {
			phrase, last = code, unit
			continue
		}
		write()
		name(longer)
		phrase, last = codes[single], unit
	}
	if phrase != 0 {
		write()
	}
	s.code(2)
	return s
}

// put writes the lowest bits of a number, the lowest first.
func (s *lzStream) put(v, bits int) {
	for ; bits > 0; bits-- {
		s.bits = append(s.bits, byte(v&1))
		v >>= 1
	}
}

func (s *lzStream) code(c int) { s.put(c, s.width) }

// wrote counts a code, and a new unit for one more.
func (s *lzStream) wrote() {
	if s.left--; s.left == 0 {
		s.left = 1 << s.width
		s.width++
	}
}

// units cuts the bits into characters of so many each, the first bit the highest. The last
// is filled with zeros, and begins after the last bit where the others are full.
func (s *lzStream) units(size int) []uint16 {
	out := make([]uint16, len(s.bits)/size+1)
	for i, b := range s.bits {
		out[i/size] |= uint16(b) << (size - 1 - i%size)
	}
	return out
}

// digits writes six bits a character, as compressToBase64 and
// compressToEncodedURIComponent do.
func (s *lzStream) digits(alphabet string) []byte {
	units := s.units(6)
	out := make([]byte, len(units))
	for i, u := range units {
		out[i] = alphabet[u]
	}
	return out
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func toLZBase64(b []byte) []byte {
	out := newLZStream(b).digits(alphanumeric + "+/")
	for len(out)%4 != 0 {
		out = append(out, byte(base64.StdPadding))
	}
	return out
}

func toLZURI(b []byte) []byte { return newLZStream(b).digits(alphanumeric + "+-") }

// toLZUTF16 writes 15 bits a character, from U+0020 on, as compressToUTF16 does.
func toLZUTF16(b []byte) []byte {
	var out []byte
	for _, u := range newLZStream(b).units(15) {
		out = utf8.AppendRune(out, rune(u)+' ')
	}
	return append(out, ' ')
}

// toLZBytes writes 16 bits as two bytes, as compressToUint8Array does.
func toLZBytes(b []byte) []byte {
	units := newLZStream(b).units(16)
	out := make([]byte, 0, 2*len(units))
	for _, u := range units {
		out = append(out, byte(u>>8), byte(u)) //nolint:gosec // both halves
	}
	return out
}
