// Package inert makes text from an app, a service or a device safe to look at:
// nothing in it can move a cursor, colour a terminal, reverse a line or hide.
//
// It changes what is shown and never what is stored. HTML and XML have to be
// escaped besides, by the package that writes them.
package inert

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks in a row are shown as they are. Real
// scripts need three at most; more pile up over the lines above and below.
const maxMarks = 3

// Line shows s on one line of at most max characters; max 0 means no limit.
// A line break becomes ↵ and a tab ⇥. Anything else that has no shape of its own
// (control, formatting and unassigned characters) is written as ⟨U+202E⟩, and a
// byte that is no UTF-8 as ⟨0xFF⟩. What was cut off ends in an ellipsis.
func Line(s string, max int) string {
	return show(s, max, true)
}

// Text is [Line] for more than one line: line breaks and tabs stay.
func Text(s string, max int) string {
	return show(s, max, false)
}

// Middle is [Line] that cuts in the middle, so that the end of s can still be seen.
func Middle(s string, max int) string {
	if max <= 0 || utf8.RuneCountInString(s) <= max {
		return Line(s, 0)
	}
	head := max * 2 / 3
	tail := max - head - 1
	r := []rune(s)
	return Line(string(r[:head]), 0) + "…" + Line(string(r[len(r)-tail:]), 0)
}

func show(s string, max int, oneLine bool) string {
	var b strings.Builder
	marks, count := 0, 0
	for i := 0; i < len(s); {
		if max > 0 && count >= max {
			b.WriteRune('…')
			break
		}
		count++
		r, n := utf8.DecodeRuneInString(s[i:])
		raw := s[i : i+n]
		i += n
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "⟨0x%02X⟩", raw[0])
			continue
		}
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == '\r' && i < len(s) && s[i] == '\n':
			count-- // the line feed that follows stands for both
		case r == '\n' && oneLine:
			b.WriteRune('↵')
		case r == '\t' && oneLine:
			b.WriteRune('⇥')
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == '\u00a0' || r == '\u202f':
			b.WriteByte(' ')
		case !unicode.IsPrint(r) || marks > maxMarks:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
