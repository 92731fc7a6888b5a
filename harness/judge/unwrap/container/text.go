package container

import (
	"unicode"
	"unicode/utf8"
)

// legible reports whether bytes are text: UTF-8 without any control characters but
// those of lines and tabs. It stops at the first byte that is none.
func legible(data []byte) bool {
	for i := 0; i < len(data); {
		c := data[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 || !unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r) {
			return false
		}
		i += n
	}
	return true
}
