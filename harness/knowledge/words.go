package knowledge

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The roles that words on a screen can have.
const (
	RoleRecord  = "record"  // a button that starts a recording or a draft
	RoleStop    = "stop"    // a button that ends a recording
	RoleDiscard = "discard" // a button that throws a draft away
)

// The roles that words on the way to a sign-up form, and in it, can have.
const (
	RoleRegister  = "register" // a button that leads to a sign-up form, or sends it
	RoleProfile   = "profile"  // a button that leads to where an account is offered
	RoleByMail    = "by_mail"  // a button that chooses the mail address among the ways to sign up
	RoleNext      = "next"     // a button that sends a step of a form
	RoleFieldMail = "mail"     // a field for a mail address
	RoleFieldName = "name"     // for a person's name
	RoleFieldUser = "user"     // for a name that the person makes up
	RoleTerms     = "terms"    // a box to tick before a form is taken
)

// Words are the words on screens, grouped by role and language.
type Words struct {
	Source `yaml:",inline"`
	// Negations turn a phrase around, by language: with one of them in front or
	// behind, a phrase of an action does not count.
	Negations []Language `yaml:"negations"`
	Roles     []Role     `yaml:"roles"`
}

// Role is what a text on a screen is for.
type Role struct {
	Role string `yaml:"role"`
	// Action marks roles of buttons, whose phrases a negation turns around.
	Action bool `yaml:"action"`
	// MaxWords is how long a text may be for a phrase in it to count; 0 for any length.
	MaxWords int `yaml:"max_words"`
	// Blocked lists words that forbid a phrase of this role.
	Blocked   []Language `yaml:"blocked"`
	Languages []Language `yaml:"languages"`
}

// Language holds the words of one language.
type Language struct {
	Language string   `yaml:"language"` // BCP 47
	Labels   []string `yaml:"labels"`   // the whole text
	Phrases  []string `yaml:"phrases"`  // within a text, on word borders
}

// Match reports whether a text on a screen has a role, and the language and the
// pattern that say so. A pattern that is the whole text goes before one that
// stands in it. Case, punctuation and spaces do not matter. A negation or a
// blocked word that the pattern does not hold itself keeps a phrase from
// matching, so "do not record" records nothing.
func (w *Words) Match(role string, text string) (lang, pattern string, ok bool) {
	i := slices.IndexFunc(w.Roles, func(r Role) bool { return r.Role == role })
	if i < 0 {
		return "", "", false
	}
	r := &w.Roles[i]
	words := normalise(text)
	if words == "" {
		return "", "", false
	}
	for _, l := range r.Languages {
		for _, label := range l.Labels {
			if words == label {
				return l.Language, label, true
			}
		}
	}
	if r.MaxWords > 0 && strings.Count(words, " ")+1 > r.MaxWords {
		return "", "", false
	}
	for _, l := range r.Languages {
		for _, phrase := range l.Phrases {
			if holds(words, phrase) && !w.turned(r, words, phrase) {
				return l.Language, phrase, true
			}
		}
	}
	return "", "", false
}

// Has reports whether there are words for a role.
func (w *Words) Has(role string) bool {
	return slices.ContainsFunc(w.Roles, func(r Role) bool { return r.Role == role })
}

// turned reports whether words beside the phrase take its meaning away.
func (w *Words) turned(r *Role, words, phrase string) bool {
	return oneIn(words, r.Blocked) && !oneIn(phrase, r.Blocked) ||
		r.Action && oneIn(words, w.Negations) && !oneIn(phrase, w.Negations)
}

func oneIn(words string, list []Language) bool {
	for _, l := range list {
		for _, word := range l.Phrases {
			if holds(words, word) {
				return true
			}
		}
	}
	return false
}

func (w *Words) prepare() error {
	tidy := func(where string, list []Language) error {
		for i := range list {
			for _, words := range []*[]string{&list[i].Labels, &list[i].Phrases} {
				for j, word := range *words {
					if (*words)[j] = normalise(word); (*words)[j] == "" {
						return fmt.Errorf("%s, language %s: %q holds no word", where, list[i].Language, word)
					}
				}
			}
		}
		return nil
	}
	if err := tidy("negations", w.Negations); err != nil {
		return err
	}
	for i, r := range w.Roles {
		if slices.ContainsFunc(w.Roles[:i], func(o Role) bool { return o.Role == r.Role }) {
			return fmt.Errorf("role %q stands twice", r.Role)
		}
		if err := tidy("role "+r.Role, r.Languages); err != nil {
			return err
		}
		if err := tidy("role "+r.Role, r.Blocked); err != nil {
			return err
		}
	}
	return nil
}

// holds reports whether the words of part follow each other in words.
func holds(words, part string) bool {
	for from := 0; ; {
		i := strings.Index(words[from:], part)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(part)
		if (i == 0 || words[i-1] == ' ') && (end == len(words) || words[end] == ' ') {
			return true
		}
		from = i + 1
	}
}

// normalise folds case and leaves only words: letters, digits and apostrophes,
// with one space between. A text without any word, such as "✕", is kept as it is.
func normalise(text string) string {
	folded := cases.Fold().String(norm.NFKC.String(text))
	var b strings.Builder
	gap := false
	for _, r := range folded {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r):
		case r == '’' || r == '\'' || r == '`':
			r = '\''
		default:
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return strings.TrimSpace(folded)
	}
	return b.String()
}
