// Package coding takes encodings and compressions off bytes: the inverses of what
// an app may have done to a value before it sent it.
//
// Every decoder is a pure function of hostile bytes: it never panics, and it gives no
// more bytes than a small multiple of what it was given, or than the limit that it
// was told. It says how sure it is that the bytes were of its form, so that a caller
// need not believe what chance has made. Decoders append to dst, which must not
// overlap src; of bytes that are not of the form they return dst as it was.
package coding

import (
	"errors"
	"unicode"
	"unicode/utf8"
)

// Sure is how sure it is that bytes were of the form that they were read as.
type Sure int

const (
	No     Sure = iota // they are not
	Weak               // they fit, as others may by chance: the result has to speak for it
	Strong             // they say so themselves, by an escape, a sign or a checksum
)

// Errors of the decoders of compressed bytes.
var (
	ErrBudget = errors.New("more comes out than the budget allows")
	ErrForm   = errors.New("the bytes are not of that form")
)

// class is what a byte may belong to.
type class uint16

const (
	decimal   class = 1 << iota // 0–9
	hexLower                    // a–f
	hexUpper                    // A–F
	lower                       // a–z
	upper                       // A–Z
	base64Std                   // + and /
	base64URL                   // - and _
	blank                       // space, tab, CR, LF
	control                     // no text
	high                        // 0x80 and above
	mark                        // other printable ASCII
)

var classes = func() (t [256]class) {
	for i := range t {
		c := byte(i)
		switch {
		case c >= '0' && c <= '9':
			t[i] = decimal
		case c >= 'a' && c <= 'f':
			t[i] = hexLower | lower
		case c >= 'A' && c <= 'F':
			t[i] = hexUpper | upper
		case c >= 'a' && c <= 'z':
			t[i] = lower
		case c >= 'A' && c <= 'Z':
			t[i] = upper
		case c == '+' || c == '/':
			t[i] = base64Std
		case c == '-' || c == '_':
			t[i] = base64URL
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			t[i] = blank
		case c < ' ' || c == 0x7f:
			t[i] = control
		case c >= utf8.RuneSelf:
			t[i] = high
		default:
			t[i] = mark
		}
	}
	return t
}()

// all is the union of the classes of bytes.
func all(data []byte) (c class) {
	for _, b := range data {
		c |= classes[b]
	}
	return c
}

// nibbles maps a hexadecimal digit to its value, and any other byte to 255.
var nibbles = func() (t [256]byte) {
	for i := range t {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			t[i] = c - '0'
		case c >= 'a' && c <= 'f':
			t[i] = c - 'a' + 10
		case c >= 'A' && c <= 'F':
			t[i] = c - 'A' + 10
		default:
			t[i] = 255
		}
	}
	return t
}()

// Text reports whether bytes are text: UTF-8 with hardly a control character. A
// character that is cut off at the end is no reason to say no.
func Text(data []byte) bool {
	odd := 0
	for i := 0; i < len(data); {
		c := data[i]
		if c < utf8.RuneSelf {
			if classes[c]&control != 0 {
				if odd++; odd*20 > len(data) {
					return false
				}
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return len(data)-i < utf8.UTFMax && i > 0 && !utf8.FullRune(data[i:])
		}
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			if odd++; odd*20 > len(data) {
				return false
			}
		}
		i += n
	}
	return true
}

// ASCII reports whether bytes are printable ASCII throughout, with line breaks and tabs.
func ASCII(data []byte) bool { return all(data)&(control|high) == 0 }
