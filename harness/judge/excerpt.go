package judge

import (
	"unicode/utf8"

	"github.com/unasked-audit/unasked/internal/inert"
)

// longestExcerpt is the most bytes that an excerpt has.
const longestExcerpt = 200

// excerpt makes bytes from an app or a service safe to look at: printable, on one
// line, cut between characters.
func excerpt(raw []byte) string {
	if len(raw) > 4*longestExcerpt {
		raw = raw[:4*longestExcerpt]
	}
	return cut(inert.Line(string(raw), 0), longestExcerpt)
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
