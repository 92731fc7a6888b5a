package judge

import (
	"fmt"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/internal/inert"
)

// longestExcerpt is the most bytes that an excerpt has.
const longestExcerpt = 200

// excerpt makes bytes from an app or a service safe to look at: printable, on one
// line, cut between characters. Bytes that are no text are shown in hexadecimal digits.
func excerpt(raw []byte) string {
	if len(raw) > 4*longestExcerpt {
		raw = raw[:4*longestExcerpt]
	}
	if binary(raw) {
		return cut(fmt.Sprintf("% x", raw), longestExcerpt)
	}
	return cut(inert.Line(string(raw), 0), longestExcerpt)
}

// binary reports whether more than a quarter of the bytes are no text.
func binary(raw []byte) bool {
	odd := 0
	for rest := raw; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			odd++
		}
		rest = rest[n:]
	}
	return odd*4 > len(raw)
}

// cut shortens text to at most max bytes, between characters.
func cut(text string, max int) string {
	if len(text) <= max {
		return text
	}
	const more = "…"
	end := max - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
