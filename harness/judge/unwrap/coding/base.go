package coding

import (
	"bytes"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"

	"github.com/mr-tron/base58"
)

// Base64 decodes base64 (RFC 4648, sections 4 and 5; RFC 2045, section 6.8): either
// alphabet, with and without padding, in lines or with other white space.
func Base64(dst, src []byte) ([]byte, Sure) {
	src = bytes.TrimSpace(src)
	body := bytes.TrimRight(src, "=")
	padding := len(src) - len(body)
	c := all(body)
	if len(body) < 2 || padding > 2 || c&(mark|control|high) != 0 || c&base64Std != 0 && c&base64URL != 0 {
		return dst, No
	}
	at := len(dst)
	if c&blank != 0 {
		dst = append(dst, body...)
		n := at
		for _, b := range body {
			if classes[b]&blank == 0 {
				dst[n] = b
				n++
			}
		}
		body = bytes.Clone(dst[at:n])
		dst = dst[:at]
	}
	if len(body)%4 == 1 || padding > 0 && (len(body)+padding)%4 != 0 {
		return dst, No
	}
	enc := base64.RawStdEncoding
	if c&base64URL != 0 {
		enc = base64.RawURLEncoding
	}
	out, err := enc.AppendDecode(dst, body)
	if err != nil {
		return dst, No
	}
	if padding > 0 && c&upper != 0 && c&lower != 0 {
		return out, Strong
	}
	return out, Weak
}

// The alphabets of base32 (RFC 4648, sections 6 and 7).
var (
	base32Std = base32.StdEncoding.WithPadding(base32.NoPadding)
	base32Hex = base32.HexEncoding.WithPadding(base32.NoPadding)
)

// Base32 decodes base32 in the usual alphabet, Base32Hex in the other: in capitals or
// in small letters, with and without padding.
func Base32(dst, src []byte) ([]byte, Sure)    { return thirtyTwo(dst, src, base32Std) }
func Base32Hex(dst, src []byte) ([]byte, Sure) { return thirtyTwo(dst, src, base32Hex) }

func thirtyTwo(dst, src []byte, enc *base32.Encoding) ([]byte, Sure) {
	body := bytes.TrimRight(src, "=")
	padding := len(src) - len(body)
	c := all(body)
	if len(body) < 2 || c&^(decimal|hexLower|hexUpper|lower|upper) != 0 || c&lower != 0 && c&upper != 0 || padding > 0 && len(src)%8 != 0 || padding > 6 {
		return dst, No
	}
	switch len(body) % 8 {
	case 1, 3, 6:
		return dst, No
	}
	if c&lower != 0 {
		body = bytes.ToUpper(body)
	}
	out, err := enc.AppendDecode(dst, body)
	if err != nil {
		return dst, No
	}
	if padding > 0 {
		return out, Strong
	}
	return out, Weak
}

// longestBase58 is the longest text that is read as base58: the work grows with the
// square of the length, and nobody writes more than keys and short messages in it.
const longestBase58 = 1024

// Base58 decodes base58 in Bitcoin's alphabet, without a checksum.
func Base58(dst, src []byte) ([]byte, Sure) {
	if len(src) < 2 || len(src) > longestBase58 {
		return dst, No
	}
	for _, c := range src {
		if c == '0' || c == 'O' || c == 'I' || c == 'l' || classes[c]&(decimal|lower|upper) == 0 {
			return dst, No
		}
	}
	out, err := base58.Decode(string(src))
	if err != nil || len(out) == 0 {
		return dst, No
	}
	return append(dst, out...), Weak
}

// Ascii85 decodes Adobe's ascii85 (PDF 32000-1, section 7.4.3), with and without <~ and ~>.
func Ascii85(dst, src []byte) ([]byte, Sure) {
	sure := Weak
	src = bytes.TrimSpace(src)
	if rest, ok := bytes.CutSuffix(src, []byte("~>")); ok {
		src, sure = bytes.TrimPrefix(rest, []byte("<~")), Strong
	}
	for _, c := range src {
		if c > 'u' && c != 'z' || c < '!' && classes[c]&blank == 0 {
			return dst, No
		}
	}
	if len(src) < 5 {
		return dst, No
	}
	at := len(dst)
	dst = append(dst, make([]byte, 4*len(src)+4)...) // a z stands for four bytes
	n, _, err := ascii85.Decode(dst[at:], src, true)
	if err != nil || n == 0 {
		return dst[:at], No
	}
	return dst[:at+n], sure
}

// The alphabets of base 85: that of RFC 1924, which git and Python write, and ZeroMQ's
// (ZeroMQ RFC 32).
const (
	base85Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
	z85Digits    = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)

var base85Values, z85Values = valuesOf(base85Digits), valuesOf(z85Digits)

func valuesOf(digits string) (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range len(digits) {
		t[digits[i]] = byte(i)
	}
	return t
}

// Z85 decodes ZeroMQ's base 85, whose length is a multiple of five.
func Z85(dst, src []byte) ([]byte, Sure) {
	if len(src)%5 != 0 {
		return dst, No
	}
	return eightyFive(dst, src, &z85Values)
}

// Base85 decodes base 85 in the alphabet of RFC 1924, four bytes in five digits. What is
// left at the end has one digit more than bytes, as Python's b85encode writes it.
func Base85(dst, src []byte) ([]byte, Sure) { return eightyFive(dst, src, &base85Values) }

func eightyFive(dst, src []byte, values *[256]byte) ([]byte, Sure) {
	if len(src) < 5 || len(src)%5 == 1 {
		return dst, No
	}
	out := dst
	for ; len(src) > 0; src = src[min(5, len(src)):] {
		group := src[:min(5, len(src))]
		n := uint64(0)
		for i := range 5 {
			v := byte(84) // fills up
			if i < len(group) {
				v = values[group[i]]
			}
			if v == 255 {
				return dst, No
			}
			n = n*85 + uint64(v)
		}
		if n > 0xffffffff {
			return dst, No
		}
		four := [4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
		out = append(out, four[:len(group)-1]...)
	}
	return out, Weak
}

// Hex decodes hexadecimal digits of either case: in one run, with 0x before them, or
// byte by byte with separators (61:62, 61-62, 61 62) or prefixes (\x61\x62, 0x61, 0x62).
func Hex(dst, src []byte) ([]byte, Sure) {
	src = bytes.TrimSpace(src)
	if c := all(src); c&^(decimal|hexLower|hexUpper|lower|upper) == 0 {
		if len(src) > 2 && src[0] == '0' && src[1]|0x20 == 'x' && len(src)%2 == 0 && nibbles[src[1]] == 255 {
			if out, sure := pairs(dst, src[2:]); sure != No {
				return out, Strong
			}
		}
		if len(src)%2 != 0 {
			return dst, No
		}
		return pairs(dst, src)
	}
	out := dst
	groups := 0
	var between byte // the separator
	for i := 0; i < len(src); groups++ {
		if groups > 0 {
			start := i
			for i < len(src) && (classes[src[i]]&blank != 0 || src[i] == ':' || src[i] == '-' || src[i] == ',' || src[i] == '_' || src[i] == ';') {
				if classes[src[i]]&blank == 0 || between == 0 {
					if between != 0 && between != src[i] && classes[between]&blank == 0 {
						return dst, No
					}
					between = src[i]
				}
				i++
			}
			prefix := i+1 < len(src) && src[i] == '\\'
			if start == i && !prefix {
				return dst, No
			}
		}
		if i+3 < len(src) && (src[i] == '0' || src[i] == '\\') && src[i+1]|0x20 == 'x' {
			i += 2
		}
		if i+2 > len(src) || nibbles[src[i]] > 15 || nibbles[src[i+1]] > 15 {
			return dst, No
		}
		out = append(out, nibbles[src[i]]<<4|nibbles[src[i+1]])
		i += 2
	}
	if groups < 4 {
		return dst, No
	}
	return out, Strong
}

// pairs decodes a run of an even number of digits.
func pairs(dst, src []byte) ([]byte, Sure) {
	if len(src) < 2 || len(src)%2 != 0 {
		return dst, No
	}
	out := dst
	for i := 0; i < len(src); i += 2 {
		hi, lo := nibbles[src[i]], nibbles[src[i+1]]
		if hi|lo > 15 {
			return dst, No
		}
		out = append(out, hi<<4|lo)
	}
	return out, Weak
}
