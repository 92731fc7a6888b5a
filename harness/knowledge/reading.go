package knowledge

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// hit is a pattern at a place of a text: from and to are words, or bytes of the
// joined text in languages without spaces.
type hit struct {
	entry    *entry
	from, to int
}

// read finds the patterns in a folded text.
func (x *lexiconIndex) read(folded string, languages []Vocabulary) []Reading {
	words := strings.Fields(folded)
	hits := make([][]hit, len(languages))
	try := func(list []entry, at int) {
		for i := range list {
			e := &list[i]
			if at+len(e.words) > len(words) || e.sense.whole() && len(e.words) != len(words) {
				continue
			}
			if same(e.words, words[at:at+len(e.words)]) {
				hits[e.language] = append(hits[e.language], hit{e, at, at + len(e.words)})
			}
		}
	}
	for at, word := range words {
		try(x.first[word], at)
		if key, ok := twoRunes(word); ok {
			try(x.prefix[key], at)
		}
		try(x.tails, at)
	}
	joined := strings.Join(words, "")
	if foreign(joined) || len(joined) <= 8 { // the few words in Latin letters are short
		for i := range x.joined {
			e := &x.joined[i]
			if e.sense.whole() {
				if e.pattern == joined {
					hits[e.language] = append(hits[e.language], hit{e, 0, len(joined)})
				}
				continue
			}
			for from := 0; ; {
				at := strings.Index(joined[from:], e.pattern)
				if at < 0 {
					break
				}
				at += from
				from = at + len(e.pattern)
				hits[e.language] = append(hits[e.language], hit{e, at, from})
			}
		}
	}
	var out []Reading
	for i, h := range hits {
		if len(h) > 0 {
			r := reading(languages[i].Language, h)
			r.Length = len(words)
			if !languages[i].spaced() {
				r.Length = len(joined)
			}
			out = append(out, r)
		}
	}
	return out
}

// foreign reports whether a text holds letters of a script that is written without spaces.
func foreign(s string) bool {
	for _, r := range s {
		if r >= 0x0e00 && r <= 0x0e7f || r >= 0x1100 && r <= 0x11ff || r >= 0x2e80 {
			return true
		}
	}
	return false
}

// reading keeps of the hits that overlap the longest; those of the same words all
// count. Words of buttons, whole texts, and what a text is about are judged apart.
func reading(language string, hits []hit) Reading {
	r := Reading{Language: language}
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.to-b.from, a.to-a.from), cmp.Compare(len(b.entry.pattern), len(a.entry.pattern)), cmp.Compare(a.from, b.from))
	})
	var taken [2][]hit
	for _, h := range hits {
		s := h.entry.sense
		if !s.whole() && s != SenseCommon {
			group := 0
			if s.ofText() {
				group = 1
			}
			if slices.ContainsFunc(taken[group], func(t hit) bool {
				return h.from < t.to && t.from < h.to && (h.from != t.from || h.to != t.to)
			}) {
				continue
			}
			taken[group] = append(taken[group], h)
		}
		if !s.ofText() {
			r.Covered = max(r.Covered, covered(taken[0]))
			if s.whole() {
				r.Covered = h.to
			}
		}
		if !slices.Contains(r.found[s], h.entry.pattern) {
			r.found[s] = append(r.found[s], h.entry.pattern)
		}
	}
	return r
}

// covered is how much of the text the hits are, in words, or bytes of a joined text.
func covered(hits []hit) int {
	n := 0
	for i, h := range hits {
		if !slices.ContainsFunc(hits[:i], func(o hit) bool { return o.from == h.from }) {
			n += h.to - h.from
		}
	}
	return n
}

// same reports whether words fit a pattern's.
func same(pattern, words []string) bool {
	for i, p := range pattern {
		w := words[i]
		core, open := strings.CutSuffix(p, "*")
		core, tail := strings.CutPrefix(core, "*")
		switch {
		case open && tail:
			if !strings.Contains(w, core) {
				return false
			}
		case open:
			if !strings.HasPrefix(w, core) {
				return false
			}
		case tail:
			if !strings.HasSuffix(w, core) {
				return false
			}
		case w != core:
			return false
		}
	}
	return true
}

// plain makes texts that a person reads alike the same: case, accents, full-width
// forms, marks of direction, soft hyphens and punctuation are taken off, and words
// stand with one space between. Texts of signs only, such as "×", stay as they are.
func plain(text string) string { return folding(text, false) }

// plainPattern is plain, but leaves *.
func plainPattern(text string) string { return folding(text, true) }

func folding(text string, star bool) string {
	folded := cases.Fold().String(norm.NFKC.String(text))
	var b strings.Builder
	gap := false
	put := func(r rune) {
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(r)
	}
	for _, r := range folded {
		switch {
		case unicode.Is(unicode.Cf, r) || r == '\u0640' || r == '\u093c' || r == '\u034f' || unicode.Is(unicode.Variation_Selector, r):
			// formats, soft hyphens, tatweel, nukta: nothing that is read
		case unicode.Is(unicode.Mn, r) && !keepsMarks(r):
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			put(bare(r))
		case star && r == '*':
			put(r)
		default:
			gap = true
		}
	}
	if b.Len() == 0 {
		return strings.TrimSpace(folded)
	}
	return b.String()
}

// keepsMarks reports whether a mark is more than an accent in its script, as vowels
// are in those of India and Thailand.
func keepsMarks(r rune) bool {
	return r >= 0x0900 && r <= 0x0eff || r >= 0x1000 && r <= 0x109f || r == 0x3099 || r == 0x309a
}

// bare is a letter without its accents, in the scripts where they are left out at will.
func bare(r rune) rune {
	switch r {
	case 'ø':
		return 'o'
	case 'ł':
		return 'l'
	case 'đ':
		return 'd'
	case 'ı':
		return 'i'
	case 'æ':
		return 'a'
	case 'أ', 'إ', 'آ', 'ٱ':
		return 'ا'
	case 'ى':
		return 'ي'
	case 'ة':
		return 'ه'
	case 'ς':
		return 'σ'
	}
	if r < 0x80 || !(unicode.Is(unicode.Latin, r) || unicode.Is(unicode.Greek, r) || unicode.Is(unicode.Cyrillic, r)) {
		return r
	}
	for _, first := range norm.NFD.String(string(r)) {
		return first
	}
	return r
}
