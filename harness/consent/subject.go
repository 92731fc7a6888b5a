package consent

import (
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

// subject is what the texts of a surface are about.
type subject struct {
	topic, hint, terms, other, signup, age, onboard int // how many different words
	otherTitle                                      bool
	policy                                          bool                       // a hint is more than one word, as "privacy policy" is
	words                                           map[knowledge.Sense]string // the first, for the reason
	texts                                           []*screen.Node             // those that speak of consent
	fields                                          int
	password                                        bool
	count                                           int // texts in all
	prices                                          bool
	signupButtons                                   int
	ageButtons                                      int
}

// strong reports whether the texts surely speak of consent.
func (s *subject) strong() bool { return s.topic >= 1 || s.hint >= 2 }

// buttonWords is how long a text on a button may be to count among its words.
const buttonWords = 8

// titleRunes is how long a text at the top may be to be a title.
const titleRunes = 70

// spaceless is where the scripts begin that are written without spaces.
const spaceless = 0x0e00

// about reads all texts of a surface. Of each sense it counts the language that has
// the most, among those that the screen is likely to be in.
func (r *reader) about(root *screen.Node, controls []control) subject {
	s := subject{words: map[knowledge.Sense]string{}}
	button := map[*screen.Node]bool{}
	for _, c := range controls {
		if len(strings.Fields(c.label)) <= buttonWords && len(c.label) <= 2*labelRunes {
			for n := range c.node.All() {
				button[n] = true
			}
		}
	}
	found := map[knowledge.Sense]map[string]map[string]bool{}
	note := func(sense knowledge.Sense, reading *knowledge.Reading) bool {
		for _, w := range reading.Words(sense) {
			if found[sense] == nil {
				found[sense] = map[string]map[string]bool{}
			}
			if found[sense][reading.Language] == nil {
				found[sense][reading.Language] = map[string]bool{}
			}
			found[sense][reading.Language][w] = true
			if s.words[sense] == "" {
				s.words[sense] = w
			}
		}
		return reading.Has(sense)
	}
	for n := range root.All() {
		if !n.Visible() {
			continue
		}
		if n.Editable() {
			s.fields++
			s.password = s.password || n.Password
			for _, reading := range r.likely(n.Hint + " " + n.Text + " " + n.Desc) {
				note(knowledge.SenseSignup, &reading)
				note(knowledge.SenseAge, &reading)
			}
			continue
		}
		text := trim(n.Text + " " + n.Desc)
		if n.Text != "" && n.Text == n.Desc {
			text = trim(n.Text)
		}
		if text == "" {
			continue
		}
		s.count++
		s.prices = s.prices || price.MatchString(text)
		title := s.count <= 2 && utf8.RuneCountInString(text) <= titleRunes
		for _, reading := range r.likely(text) {
			if button[n] {
				note(knowledge.SenseOther, &reading)
				if note(knowledge.SenseSignup, &reading) && (n.Clickable || r.parents[n] != nil && r.parents[n].Clickable) {
					s.signupButtons++
				}
				if note(knowledge.SenseAge, &reading) {
					s.ageButtons++
				}
				note(knowledge.SenseOnboard, &reading)
				continue
			}
			if note(knowledge.SenseOther, &reading) && title {
				s.otherTitle = true
			}
			topic := note(knowledge.SenseTopic, &reading)
			hint := note(knowledge.SenseHint, &reading)
			terms := note(knowledge.SenseTerms, &reading)
			note(knowledge.SenseSignup, &reading)
			note(knowledge.SenseAge, &reading)
			note(knowledge.SenseOnboard, &reading)
			if topic || hint || terms {
				s.texts = append(s.texts, n)
			}
		}
	}
	for _, words := range found[knowledge.SenseHint] {
		for w := range words {
			first, _ := utf8.DecodeRuneInString(w)
			s.policy = s.policy || strings.Contains(w, " ") || first >= spaceless
		}
	}
	most := func(sense knowledge.Sense) int {
		n := 0
		for _, words := range found[sense] {
			stems := map[string]bool{} // "cookie" and "cookies" are one
			for w := range words {
				stems[stem(w)] = true
			}
			n = max(n, len(stems))
		}
		return n
	}
	s.topic, s.hint, s.terms, s.other = most(knowledge.SenseTopic), most(knowledge.SenseHint), most(knowledge.SenseTerms), most(knowledge.SenseOther)
	s.signup, s.age, s.onboard = most(knowledge.SenseSignup), most(knowledge.SenseAge), most(knowledge.SenseOnboard)
	return s
}

// stem is the beginning of a word, by which its forms are one.
func stem(word string) string {
	const letters = 6
	for i := range word {
		if utf8.RuneCountInString(word[:i]) == letters {
			return word[:i]
		}
	}
	return word
}

// likely reads a text in the languages that the screen may be in.
func (r *reader) likely(text string) []knowledge.Reading {
	most := 0
	for _, n := range r.languages {
		most = max(most, n)
	}
	var out []knowledge.Reading
	for _, reading := range r.lex.Read(text) {
		if 5*r.languages[reading.Language] >= 2*most {
			out = append(out, reading)
		}
	}
	return out
}
