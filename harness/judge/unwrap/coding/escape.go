package coding

import (
	"bytes"
	"html"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Percent decodes percent escapes (RFC 3986, section 2.1) and keeps what is none.
// Without any it returns dst and No.
func Percent(dst, src []byte) ([]byte, Sure) { return percent(dst, src, false) }

// FormValue decodes a name or value of a form (WHATWG URL, section 5.1): percent
// escapes, and a plus sign for a space.
func FormValue(dst, src []byte) ([]byte, Sure) { return percent(dst, src, true) }

func percent(dst, src []byte, plus bool) ([]byte, Sure) {
	first := bytes.IndexByte(src, '%')
	if plus {
		if i := bytes.IndexByte(src, '+'); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	if first < 0 {
		return dst, No
	}
	at := len(dst)
	dst = append(dst, src[:first]...)
	for i := first; i < len(src); i++ {
		switch c := src[i]; {
		case c == '%' && i+2 < len(src) && nibbles[src[i+1]]|nibbles[src[i+2]] < 16:
			c = nibbles[src[i+1]]<<4 | nibbles[src[i+2]]
			i += 2
			dst = append(dst, c)
		case c == '+' && plus:
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	if len(dst)-at == len(src) && bytes.IndexByte(src, '+') < 0 {
		return dst[:at], No
	}
	return dst, Strong
}

// longestReference is the longest character reference there is, from & to ;.
const longestReference = 34

// HTML decodes character references (HTML, section 13.5): named, decimal, hexadecimal. One
// without its semicolon is none: a query of a URL is full of what looks like them.
func HTML(dst, src []byte) ([]byte, Sure) {
	if bytes.IndexByte(src, ';') < 0 {
		return dst, No
	}
	at, sure := len(dst), No
	from := 0
	for {
		i := bytes.IndexByte(src[from:], '&')
		if i < 0 {
			break
		}
		i += from
		end := bytes.IndexByte(src[i:min(len(src), i+longestReference)], ';')
		if end < 0 {
			dst = append(dst, src[from:i+1]...)
			from = i + 1
			continue
		}
		reference := string(src[i : i+end+1])
		plain := html.UnescapeString(reference)
		if plain == reference || plain[len(plain)-1] == ';' && len(plain) > 1 {
			dst = append(dst, src[from:i+1]...)
			from = i + 1
			continue
		}
		dst = append(append(dst, src[from:i]...), plain...)
		from, sure = i+end+1, Strong
	}
	if sure == No {
		return dst[:at], No
	}
	return append(dst, src[from:]...), sure
}

// Escapes decodes the escapes of JSON (RFC 8259, section 7) and JavaScript strings:
// \uXXXX with pairs of surrogates, \u{X}, \xNN and one-letter escapes. Where only the last occur
// it is not sure: a path of Windows has them too.
func Escapes(dst, src []byte) ([]byte, Sure) {
	i := bytes.IndexByte(src, '\\')
	if i < 0 {
		return dst, No
	}
	at, sure := len(dst), No
	dst = append(dst, src[:i]...)
	for i < len(src) {
		c := src[i]
		if c != '\\' || i+1 == len(src) {
			dst = append(dst, c)
			i++
			continue
		}
		if r, n := codePoint(src[i:]); n > 0 {
			sure = Strong
			i += n
			if utf16.IsSurrogate(r) {
				if low, m := codePoint(src[i:]); m > 0 {
					if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
						r = pair
						i += m
					}
				}
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		if i+3 < len(src) && src[i+1] == 'x' && nibbles[src[i+2]]|nibbles[src[i+3]] < 16 {
			dst = append(dst, nibbles[src[i+2]]<<4|nibbles[src[i+3]])
			sure = Strong
			i += 4
			continue
		}
		if plain := oneLetter[src[i+1]]; plain != 0 {
			dst = append(dst, plain)
			sure = max(sure, Weak)
			i += 2
			continue
		}
		dst = append(dst, c)
		i++
	}
	if sure == No {
		return dst[:at], No
	}
	return dst, sure
}

var oneLetter = [256]byte{'"': '"', '\'': '\'', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// codePoint reads \uXXXX or \u{X} and says how long it is; 0 where it is neither.
func codePoint(src []byte) (r rune, n int) {
	if len(src) < 5 || src[1] != 'u' {
		return 0, 0
	}
	if src[2] == '{' {
		for i, c := range src[3:min(len(src), 11)] {
			if c == '}' && i > 0 && r <= utf8.MaxRune {
				return r, i + 4
			}
			if nibbles[c] > 15 {
				break
			}
			r = r<<4 | rune(nibbles[c])
		}
		return 0, 0
	}
	if len(src) < 6 {
		return 0, 0
	}
	for _, c := range src[2:6] {
		if nibbles[c] > 15 {
			return 0, 0
		}
		r = r<<4 | rune(nibbles[c])
	}
	return r, 6
}

// QuotedPrintable decodes quoted-printable (RFC 2045, section 6.7). A text in which an
// equals sign stands for itself is none.
func QuotedPrintable(dst, src []byte) ([]byte, Sure) {
	i := bytes.IndexByte(src, '=')
	if i < 0 {
		return dst, No
	}
	out := append(dst, src[:i]...)
	for i < len(src) {
		rest := src[i:]
		switch {
		case rest[0] != '=':
			out = append(out, rest[0])
			i++
		case len(rest) > 2 && nibbles[rest[1]]|nibbles[rest[2]] < 16:
			out = append(out, nibbles[rest[1]]<<4|nibbles[rest[2]])
			i += 3
		case len(rest) > 1 && rest[1] == '\n':
			i += 2
		case len(rest) > 2 && rest[1] == '\r' && rest[2] == '\n':
			i += 3
		case len(rest) == 1:
			i++ // a soft break whose line break was trimmed
		default:
			return dst, No
		}
	}
	if bytes.Count(src, []byte("=")) == 1 && src[len(src)-1] == '=' {
		return dst, No
	}
	return out, Strong
}

// longestLabel bounds a label of Punycode: a label of a host name has 63 characters,
// but what hides a value may have more, and the work grows with the square.
const longestLabel = 512

// mostLabels is how many labels of one text are decoded; what follows is kept.
const mostLabels = 64

// Punycode decodes the labels that begin with xn-- (RFC 3492, RFC 5891) and keeps the
// rest. A label ends at a dot, or at a character that no label has; other characters stand
// in those that were made of other texts than names of hosts.
func Punycode(dst, src []byte) ([]byte, Sure) {
	at, sure := len(dst), No
	for range mostLabels {
		i := bytes.Index(src, []byte("xn--"))
		if i < 0 {
			i = bytes.Index(src, []byte("XN--"))
		}
		if i < 0 {
			break
		}
		dst, src = append(dst, src[:i]...), src[i:]
		decoded := false
		for _, ends := range [...]func(byte) bool{
			func(c byte) bool { return c == '.' || classes[c]&control != 0 },
			func(c byte) bool { return c != '-' && classes[c]&(decimal|lower|upper|high) == 0 },
		} {
			end := 4
			for end < len(src) && end <= longestLabel && !ends(src[end]) {
				end++
			}
			if end == 4 || end > longestLabel {
				continue
			}
			if s, ok := unpuny(string(src[:end])); ok {
				dst, src, sure, decoded = append(dst, s...), src[end:], Strong, true
				break
			}
		}
		if !decoded {
			dst, src = append(dst, src[:4]...), src[4:]
		}
	}
	if sure == No {
		return dst[:at], No
	}
	return append(dst, src...), sure
}

func unpuny(label string) (string, bool) {
	if label[len(label)-1] == '-' { // nothing but ASCII: the profile refuses what need not have been encoded
		return label[4 : len(label)-1], true
	}
	s, err := idna.Punycode.ToUnicode(label)
	return s, err == nil && s != label
}
