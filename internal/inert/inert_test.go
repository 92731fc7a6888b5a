package inert_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/internal/inert"
)

func TestLine(t *testing.T) {
	for _, c := range []struct {
		name, in string
		max      int
		want     string
	}{
		{"plain text stays", "Grüße, 漢字, 😀", 0, "Grüße, 漢字, 😀"},
		{"an escape sequence is spelt out", "\x1b[31mred", 0, "⟨U+001B⟩[31mred"},
		{"a right-to-left override is spelt out", "exe\u202egpj", 0, "exe⟨U+202E⟩gpj"},
		{"isolates are spelt out", "\u2066a\u2069", 0, "⟨U+2066⟩a⟨U+2069⟩"},
		{"zero width is spelt out", "pay\u200bpal", 0, "pay⟨U+200B⟩pal"},
		{"invisible tag characters are spelt out", "a\U000E0041", 0, "a⟨U+E0041⟩"},
		{"a byte that is no UTF-8", "a\xffb", 0, "a⟨0xFF⟩b"},
		{"line breaks", "a\r\nb\nc\td", 0, "a↵b↵c⇥d"},
		{"a lone carriage return can't overwrite", "good\rbad", 0, "good⟨U+000D⟩bad"},
		{"marks that pile up", "a" + strings.Repeat("\u0301", 5), 0, "a\u0301\u0301\u0301⟨U+0301⟩⟨U+0301⟩"},
		{"cut", "abcdef", 3, "abc…"},
		{"not cut", "abc", 3, "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := inert.Line(c.in, c.max); got != c.want {
				t.Errorf("Line(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestTextKeepsLines(t *testing.T) {
	if got, want := inert.Text("a\n\tb\x00", 0), "a\n\tb⟨U+0000⟩"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMiddle(t *testing.T) {
	got := inert.Middle("https://host.example/"+strings.Repeat("x", 500)+"/end", 40)
	if utf8.RuneCountInString(got) != 40 || !strings.HasSuffix(got, "/end") || !strings.HasPrefix(got, "https://host") {
		t.Errorf("got %q", got)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("\x1b]0;x\x07")
	f.Fuzz(func(t *testing.T, s string) {
		got := inert.Line(s, 100)
		if !utf8.ValidString(got) {
			t.Errorf("%q: no UTF-8: %q", s, got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("%q: %U is not inert", s, r)
			}
		}
	})
}
