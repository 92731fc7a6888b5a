package coding

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Reverse writes bytes from last to first; of a text that has characters beyond
// ASCII, character by character.
func Reverse(dst, src []byte) []byte {
	if all(src)&high != 0 && utf8.Valid(src) {
		for len(src) > 0 {
			_, n := utf8.DecodeLastRune(src)
			dst = append(dst, src[len(src)-n:]...)
			src = src[:len(src)-n]
		}
		return dst
	}
	for i := len(src) - 1; i >= 0; i-- {
		dst = append(dst, src[i])
	}
	return dst
}

var rot13 = func() (t [256]byte) {
	for i := range t {
		c := byte(i)
		switch {
		case c >= 'a' && c <= 'z':
			c = 'a' + (c-'a'+13)%26
		case c >= 'A' && c <= 'Z':
			c = 'A' + (c-'A'+13)%26
		}
		t[i] = c
	}
	return t
}()

// ROT13 turns each letter by half the alphabet.
func ROT13(dst, src []byte) []byte {
	for _, c := range src {
		dst = append(dst, rot13[c])
	}
	return dst
}

// XOR combines each byte with a key of one byte.
func XOR(dst, src []byte, key byte) []byte {
	for _, c := range src {
		dst = append(dst, c^key)
	}
	return dst
}

// UTF16 decodes UTF-16 (RFC 2781) and says in which order the bytes stand, "utf-16le"
// or "utf-16be". Without a byte order mark it goes by the zeros that ASCII has in it.
func UTF16(dst, src []byte) (out []byte, order string, sure Sure) {
	if len(src) < 4 {
		return dst, "", No
	}
	big := false
	switch {
	case src[0] == 0xff && src[1] == 0xfe:
		src, sure = src[2:], Strong
	case src[0] == 0xfe && src[1] == 0xff:
		src, sure, big = src[2:], Strong, true
	default:
		var zeros [2]int
		n := min(len(src)&^1, 256)
		for i, c := range src[:n] {
			if c == 0 {
				zeros[i&1]++
			}
		}
		switch half := n / 2; {
		case zeros[1]*4 >= half*3 && zeros[0]*8 <= half:
		case zeros[0]*4 >= half*3 && zeros[1]*8 <= half:
			big = true
		default:
			return dst, "", No
		}
		sure = Weak
	}
	order = "utf-16le"
	if big {
		order = "utf-16be"
	}
	unit := func(i int) rune {
		if big {
			return rune(src[i])<<8 | rune(src[i+1])
		}
		return rune(src[i+1])<<8 | rune(src[i])
	}
	out = dst
	for i := 0; i+1 < len(src); i += 2 {
		r := unit(i)
		if utf16.IsSurrogate(r) && i+3 < len(src) {
			if pair := utf16.DecodeRune(r, unit(i+2)); pair != utf8.RuneError {
				r = pair
				i += 2
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out, order, sure
}
