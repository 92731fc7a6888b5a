package knowledge

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Lexicon is what screens say when they ask for consent, by language, and what is
// known of the buttons of Android and of consent platforms. [Lexicon.Read] finds its
// words in a text; what they mean together is package consent's to say.
type Lexicon struct {
	Source `yaml:",inline"`
	// Beside lists packages, as patterns with *, whose windows are no part of what is asked.
	Beside     []string         `yaml:"beside"`
	Permission PermissionPrompt `yaml:"permission"`
	IDs        PlatformIDs      `yaml:"ids"`
	Languages  []Vocabulary     `yaml:"languages"`

	index lexiconIndex
}

// PermissionPrompt is how Android's own prompt is known: by package, and by the last
// part of the ids of its buttons, the one that gives least first.
type PermissionPrompt struct {
	Packages []string `yaml:"packages"`
	Allow    []string `yaml:"allow"`
	Deny     []string `yaml:"deny"`
	Settings []string `yaml:"settings"`
	Message  []string `yaml:"message"` // ids of what only a prompt has
}

// PlatformIDs are ids of consent platforms' buttons, the last part only.
type PlatformIDs struct {
	Accept   []string `yaml:"accept"`
	Reject   []string `yaml:"reject"`
	Settings []string `yaml:"settings"`
	Save     []string `yaml:"save"`
	Close    []string `yaml:"close"`
}

// Vocabulary holds the words of one language. A pattern is one or more words; a *
// stands for further letters of a word.
type Vocabulary struct {
	Language string `yaml:"language"` // BCP 47
	// Spaces is false for languages that put no space between words, or join endings to
	// them: there a pattern counts wherever it stands.
	Spaces *bool    `yaml:"spaces"`
	Common []string `yaml:"common"` // tell the language, and nothing else

	// What buttons are made of.
	Yes       []string `yaml:"yes"`
	No        []string `yaml:"no"`
	Not       []string `yaml:"not"`
	Only      []string `yaml:"only"`
	Necessary []string `yaml:"necessary"`
	Minimal   []string `yaml:"minimal"` // as Necessary, but only with a word of Only
	All       []string `yaml:"all"`
	Pay       []string `yaml:"pay"`
	Manage    []string `yaml:"manage"`
	Options   []string `yaml:"options"`
	Save      []string `yaml:"save"`
	Selected  []string `yaml:"selected"`
	More      []string `yaml:"more"`
	Later     []string `yaml:"later"`

	// Whole texts of buttons.
	Accept      []string `yaml:"accept"`
	Reject      []string `yaml:"reject"`
	Close       []string `yaml:"close"`
	Acknowledge []string `yaml:"acknowledge"`
	Proceed     []string `yaml:"proceed"`
	Allow       []string `yaml:"allow"` // of Android's permission prompt
	Deny        []string `yaml:"deny"`

	// What texts are about.
	Topic   []string `yaml:"topic"` // consent, tracking, personal data
	Hint    []string `yaml:"hint"`  // the same, but not of itself
	Terms   []string `yaml:"terms"` // terms of use
	Other   []string `yaml:"other"` // something else that is asked with two buttons
	Signup  []string `yaml:"signup"`
	Age     []string `yaml:"age"`
	Onboard []string `yaml:"onboard"`
}

// Sense is what a word on a screen says.
type Sense uint8

// The senses of words, in the order of the lists of [Vocabulary].
const (
	SenseCommon Sense = iota
	SenseYes
	SenseNo
	SenseNot
	SenseOnly
	SenseNecessary
	SenseMinimal
	SenseAll
	SensePay
	SenseManage
	SenseOptions
	SenseSave
	SenseSelected
	SenseMore
	SenseLater
	SenseAcceptLabel // this and the next ones: the whole text
	SenseRejectLabel
	SenseCloseLabel
	SenseAcknowledgeLabel
	SenseProceedLabel
	SenseAllowLabel
	SenseDenyLabel
	SenseTopic // this and the next ones: of texts
	SenseHint
	SenseTerms
	SenseOther
	SenseSignup
	SenseAge
	SenseOnboard
	senses
)

func (s Sense) whole() bool { return s >= SenseAcceptLabel && s <= SenseDenyLabel }
func (s Sense) ofText() bool {
	return s >= SenseTopic
}

// lists are the lists of a vocabulary, in the order of the senses.
func (v *Vocabulary) lists() [senses][]string {
	return [senses][]string{
		v.Common, v.Yes, v.No, v.Not, v.Only, v.Necessary, v.Minimal, v.All, v.Pay, v.Manage, v.Options, v.Save, v.Selected, v.More, v.Later,
		v.Accept, v.Reject, v.Close, v.Acknowledge, v.Proceed, v.Allow, v.Deny,
		v.Topic, v.Hint, v.Terms, v.Other, v.Signup, v.Age, v.Onboard,
	}
}

// Reading is what a text says in one language.
type Reading struct {
	Language string
	// Covered is how much of the text is words of buttons in this language: in words, in
	// languages without spaces in bytes.
	Covered int
	Length  int // of the whole text, in the same measure
	found   [senses][]string
}

// Has reports whether the text says one of these.
func (r *Reading) Has(s ...Sense) bool {
	return slices.ContainsFunc(s, func(s Sense) bool { return len(r.found[s]) > 0 })
}

// Words are the patterns of a sense that were found, each once.
func (r *Reading) Words(s Sense) []string { return r.found[s] }

// readLimit is how much of one text is read, in bytes: who writes more in a row asks nothing.
const readLimit = 8 << 10

// Read finds what a text says in each language; languages that find nothing in it
// are left out. Words that overlap count by the longest.
func (l *Lexicon) Read(text string) []Reading {
	if len(text) > readLimit {
		text = text[:readLimit]
	}
	folded := plain(text)
	if folded == "" {
		return nil
	}
	return l.index.read(folded, l.Languages)
}

// prepare checks the lexicon and makes its index.
func (l *Lexicon) prepare() error {
	for _, list := range [][]string{l.Beside, l.Permission.Packages} {
		for _, p := range list {
			if _, err := path.Match(p, "x"); err != nil {
				return fmt.Errorf("package %q: %w", p, err)
			}
		}
	}
	l.index = newLexiconIndex()
	for i := range l.Languages {
		v := &l.Languages[i]
		if slices.ContainsFunc(l.Languages[:i], func(o Vocabulary) bool { return o.Language == v.Language }) {
			return fmt.Errorf("language %q stands twice", v.Language)
		}
		for sense, list := range v.lists() {
			for _, pattern := range list {
				if err := l.index.add(i, v.spaced(), Sense(sense), pattern); err != nil {
					return fmt.Errorf("language %s: %w", v.Language, err)
				}
			}
		}
	}
	return nil
}

func (v *Vocabulary) spaced() bool { return v.Spaces == nil || *v.Spaces }

// IsBeside reports whether a package's windows are no part of what is asked.
func (l *Lexicon) IsBeside(pkg string) bool {
	return slices.ContainsFunc(l.Beside, func(p string) bool { ok, _ := path.Match(p, pkg); return ok })
}

// lexiconIndex finds patterns by their first word.
type lexiconIndex struct {
	first  map[string][]entry // whole first word
	prefix map[string][]entry // its first two runes, where a * follows
	tails  []entry            // those that begin with a *
	joined []entry            // of languages without spaces
}

// entry is one pattern.
type entry struct {
	language int
	sense    Sense
	words    []string // as folded; a * at an end stands for letters
	pattern  string   // the words with spaces between; without, for languages without
}

func newLexiconIndex() lexiconIndex {
	return lexiconIndex{first: map[string][]entry{}, prefix: map[string][]entry{}}
}

func (x *lexiconIndex) add(language int, spaced bool, sense Sense, pattern string) error {
	words := strings.Fields(plainPattern(pattern))
	if len(words) == 0 {
		return fmt.Errorf("%q holds no word", pattern)
	}
	if !spaced {
		x.joined = append(x.joined, entry{language, sense, words, strings.Join(words, "")})
		return nil
	}
	if slices.Contains(words, "*") {
		return fmt.Errorf("%q: a * stands for letters of a word, not for a word, which might be a negation", pattern)
	}
	e := entry{language, sense, words, strings.Join(words, " ")}
	core, more := strings.CutSuffix(words[0], "*")
	switch {
	case strings.HasPrefix(core, "*"):
		x.tails = append(x.tails, e)
	case more:
		key, ok := twoRunes(core)
		if !ok {
			return fmt.Errorf("%q: too short for a *", pattern)
		}
		x.prefix[key] = append(x.prefix[key], e)
	default:
		x.first[core] = append(x.first[core], e)
	}
	return nil
}

func twoRunes(s string) (string, bool) {
	_, a := utf8.DecodeRuneInString(s)
	_, b := utf8.DecodeRuneInString(s[a:])
	return s[:a+b], b > 0
}
