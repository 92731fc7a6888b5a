package consent

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// intent is what a button does, by its text.
type intent uint8

const (
	none intent = iota
	accepts
	rejects
	opens  // settings
	saves  // what was chosen
	closes // without an answer
	acknowledges
	proceeds
	informs
	pays
	unclear // reads as more than one of these
)

// A button's text is short; what is longer is a text that can be touched.
const (
	labelWords = 12
	labelRunes = 90
)

// price is a sum of money, by which a button is known that sells something.
var price = regexp.MustCompile(`[€$£₺₽₹¥￥₩]\s?\d|\d[\d.,]*\s?(?:[€$£₺₽₹₩]|zł|kr\b|Kč|Ft\b|円|元|EUR\b|USD\b)`)

// languages ranks the languages of a screen: how many of their words are on it.
type languages map[string]int

// meaning says what a button with this text does.
func (r *reader) meaning(label string) intent {
	label = trim(strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Cf, c) {
			return -1 // soft hyphens, marks of direction
		}
		return c
	}, label))
	if label == "" || utf8.RuneCountInString(label) > labelRunes || len(strings.Fields(label)) > labelWords {
		return none
	}
	if strings.HasSuffix(label, "?") || strings.HasSuffix(label, "？") || strings.HasSuffix(label, "؟") {
		return none // a question is answered elsewhere
	}
	if price.MatchString(label) {
		return pays
	}
	first, rest := interjection(label)
	whole := r.plainMeaning(label)
	if first == "" {
		return whole
	}
	// "No, I don't agree": the first word decides, unless the rest says something else.
	lead, tail := r.plainMeaning(first), r.plainMeaning(rest)
	if isWholeAnswer(r.lex, first) {
		switch {
		case tail == none, tail == lead, tail == proceeds, tail == acknowledges, tail == closes, tail == informs:
			return lead
		case lead == rejects && tail == pays:
			return pays
		}
		if lead == rejects || lead == accepts {
			if tail == opens || tail == saves {
				return tail
			}
			return unclear
		}
	}
	return whole
}

// isWholeAnswer reports whether a text is a yes or a no by itself.
func isWholeAnswer(lex *knowledge.Lexicon, text string) bool {
	return slices.ContainsFunc(lex.Read(text), func(r knowledge.Reading) bool {
		return r.Has(knowledge.SenseAcceptLabel, knowledge.SenseRejectLabel)
	})
}

// interjection splits "No, thanks" at its first punctuation.
func interjection(label string) (first, rest string) {
	i := strings.IndexAny(label, ",.!;:–—，。！；、،")
	if i <= 0 {
		return "", ""
	}
	_, n := utf8.DecodeRuneInString(label[i:])
	first, rest = strings.TrimSpace(label[:i]), strings.TrimSpace(label[i+n:])
	if rest == "" {
		return "", ""
	}
	return first, rest
}

// plainMeaning asks each language, that which knows most of the words first. An
// answer that another language, which knows as many, turns around is unclear.
func (r *reader) plainMeaning(label string) intent {
	readings := slices.Clone(r.lex.Read(label))
	slices.SortStableFunc(readings, func(a, b knowledge.Reading) int {
		return cmp.Or(cmp.Compare(b.Covered, a.Covered), cmp.Compare(r.languages[b.Language], r.languages[a.Language]))
	})
	best, by := none, knowledge.Reading{}
	for _, reading := range readings {
		is := inLanguage(&reading)
		switch {
		case is == none:
		case best == none:
			best, by = is, reading
		case is != best && opposed(is, best) && reading.Covered >= by.Covered && 2*r.languages[reading.Language] > r.languages[by.Language]:
			return unclear
		}
	}
	return best
}

func opposed(a, b intent) bool {
	answers := func(i intent) bool { return i == accepts || i == rejects || i == pays || i == unclear }
	return answers(a) && answers(b)
}

// inLanguage says what a button's words mean together, in one language.
func inLanguage(r *knowledge.Reading) intent {
	yes, no, not := r.Has(knowledge.SenseYes), r.Has(knowledge.SenseNo), r.Has(knowledge.SenseNot)
	all := r.Has(knowledge.SenseAll)
	switch {
	case r.Has(knowledge.SensePay) && !(not && yes):
		return pays
	case r.Has(knowledge.SenseRejectLabel):
		return rejects
	case r.Has(knowledge.SenseAcceptLabel):
		return accepts
	case r.Has(knowledge.SenseCloseLabel):
		return closes
	case r.Has(knowledge.SenseAcknowledgeLabel):
		return acknowledges
	case r.Has(knowledge.SenseProceedLabel):
		return proceeds
	}
	limited := r.Has(knowledge.SenseNecessary) || r.Has(knowledge.SenseMinimal) && r.Has(knowledge.SenseOnly)
	switch {
	case no && (yes || not):
		if r.Has(knowledge.SenseOnly) && limited && !not {
			return rejects // "reject, and accept only the necessary"
		}
		return unclear
	case no:
		if r.Has(knowledge.SenseSave) {
			return unclear
		}
		if r.Has(knowledge.SenseManage) || r.Has(knowledge.SenseOptions) && !all {
			return opens // "settings or reject": to refuse takes another screen
		}
		return rejects
	case r.Has(knowledge.SenseSelected) && (yes || r.Has(knowledge.SenseSave, knowledge.SenseOnly)) && !not:
		return saves
	case r.Has(knowledge.SenseOnly) && limited && !all:
		return rejects
	case limited && yes && !not:
		if all {
			return unclear
		}
		return rejects
	case r.Has(knowledge.SenseSave) && !not:
		if yes && (all || !r.Has(knowledge.SenseOptions)) {
			return accepts
		}
		return saves
	case r.Has(knowledge.SenseLater):
		return closes
	case r.Has(knowledge.SenseManage) && (!yes || !all) && !not:
		return managing(r, yes)
	case r.Has(knowledge.SenseOptions) && !not && !(yes && all):
		return opens
	case yes && not:
		return rejects
	case yes && r.Has(knowledge.SenseOnly):
		return unclear
	case yes:
		return accepts
	case r.Has(knowledge.SenseMore):
		return informs
	}
	return none
}

// managing says what a verb such as "manage" or "show" does. Alone, or with what is
// chosen, it opens the choices; with anything else it is some other button.
func managing(r *knowledge.Reading, yes bool) intent {
	if r.Has(knowledge.SenseOptions) || yes || r.Has(knowledge.SenseHint, knowledge.SenseTopic) {
		return opens
	}
	if r.Has(knowledge.SenseMore, knowledge.SenseAll) || 2*r.Covered >= r.Length {
		return opens
	}
	return none
}
