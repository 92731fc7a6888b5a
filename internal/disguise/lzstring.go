package disguise

import (
	"encoding/binary"
	"unicode/utf16"
)

// lzstrings are the ways in which the JavaScript library LZString writes text
// (pieroxy.net/blog/pages/lz-string): an LZ78 whose codes grow with its dictionary,
// over the text's UTF-16 units, packed into characters of several widths.
func lzstrings() []Disguise {
	way := func(name string, binary bool, write func([]uint16) []byte) Disguise {
		return Disguise{
			Name: name, Chain: []string{"lzstring"}, Text: true, Binary: binary, Canonical: true,
			Encode: func(v []byte, _ *Env) []byte { return write(utf16.Encode([]rune(string(v)))) },
		}
	}
	return []Disguise{
		way("lzstring/base64", false, func(text []uint16) []byte {
			out := spelled(lzCodes(text), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
			for len(out)%4 != 0 {
				out = append(out, '=')
			}
			return out
		}),
		way("lzstring/uri", false, func(text []uint16) []byte {
			return spelled(lzCodes(text), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-$")
		}),
		way("lzstring/utf16", false, func(text []uint16) []byte {
			var out []rune
			for _, c := range lzCodes(text).in(15) {
				out = append(out, rune(c)+32)
			}
			return []byte(string(append(out, ' ')))
		}),
		way("lzstring/bytes", true, func(text []uint16) []byte {
			var out []byte
			for _, c := range lzCodes(text).in(16) {
				out = binary.BigEndian.AppendUint16(out, uint16(c))
			}
			return out
		}),
	}
}

// bitString is a stream of bits, first bit first.
type bitString []bool

// code appends the width lowest bits of n, the lowest first.
func (b *bitString) code(n, width int) {
	for i := range width {
		*b = append(*b, n>>i&1 == 1)
	}
}

// in cuts the stream into characters of so many bits, the highest bit first. The
// last is filled with zeros, and there is always one that is not full.
func (b bitString) in(width int) []int {
	chars := make([]int, len(b)/width+1)
	for i := range len(chars) * width {
		chars[i/width] <<= 1
		if i < len(b) && b[i] {
			chars[i/width] |= 1
		}
	}
	return chars
}

func spelled(b bitString, alphabet string) []byte {
	var out []byte
	for _, c := range b.in(6) {
		out = append(out, alphabet[c])
	}
	return out
}

// lzCodes compresses text. Code 0 announces a new character of 8 bits, code 1 one of
// 16, code 2 ends the stream; the dictionary's entries follow from 3.
func lzCodes(text []uint16) bitString {
	var (
		out     bitString
		entries = map[string]int{}
		fresh   = map[string]bool{} // characters that were not written yet
		width   = 2
		room    = 2 // codes that may be written before they grow by a bit
	)
	grow := func() {
		if room--; room == 0 {
			room = 1 << width
			width++
		}
	}
	write := func(phrase []uint16) {
		key := string(utf16Key(phrase))
		if c := int(phrase[0]); fresh[key] {
			if c < 256 {
				out.code(0, width)
				out.code(c, 8)
			} else {
				out.code(1, width)
				out.code(c, 16)
			}
			delete(fresh, key)
			grow()
		} else {
			out.code(entries[key], width)
		}
		grow()
	}
	var phrase []uint16
	for _, c := range text {
		if key := string(utf16Key([]uint16{c})); entries[key] == 0 {
			entries[key] = len(entries) + 3
			fresh[key] = true
		}
		longer := append(phrase[:len(phrase):len(phrase)], c)
		if entries[string(utf16Key(longer))] != 0 {
			phrase = longer
			continue
		}
		write(phrase)
		entries[string(utf16Key(longer))] = len(entries) + 3
		phrase = []uint16{c}
	}
	if len(phrase) > 0 {
		write(phrase)
	}
	out.code(2, width)
	return out
}

// utf16Key is a phrase as a key of a map.
func utf16Key(phrase []uint16) []byte {
	key := make([]byte, 0, 2*len(phrase))
	for _, u := range phrase {
		key = binary.BigEndian.AppendUint16(key, u)
	}
	return key
}
