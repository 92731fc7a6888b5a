package knowledge

import (
	"strings"
	"testing"
)

func TestReadingTakesTheLongest(t *testing.T) {
	l := &embeddedBase(t).Consent
	has := func(text, language string, s Sense) bool {
		for _, r := range l.Read(text) {
			if r.Language == language && r.Has(s) {
				return true
			}
		}
		return false
	}
	for _, c := range []struct {
		text, language string
		sense          Sense
		want           bool
	}{
		{"I do NOT\u00a0accept", "en", SenseNot, true},
		{"I do not accept", "en", SenseYes, true},
		{"Allow non-essential", "en", SenseNecessary, false}, // "non essential" is longer
		{"Allow non-essential", "en", SenseAll, true},
		{"AKZEP\u00adTIEREN", "de", SenseYes, true},
		{"Ｒｅｊｅｃｔ", "en", SenseNo, true},
		{"DEFINICOES", "pt", SenseOptions, true}, // accents are left out at will
		{"KABUL ETMİYORUM", "tr", SenseNo, true},
		{"KABUL ETMİYORUM", "tr", SenseYes, false},
		{"不同意", "zh", SenseYes, false},
		{"\u200fرفض الكل", "ar", SenseNo, true},
		{"أُوافِقُ", "ar", SenseYes, true}, // vowel marks
		{"Accept", "en", SenseAcceptLabel, false},
		{"No thanks", "en", SenseRejectLabel, true},
		{"No thanks to you all", "en", SenseRejectLabel, false}, // a label is the whole text
		{"✕", "en", SenseCloseLabel, true},
		{"", "en", SenseYes, false},
	} {
		if got := has(c.text, c.language, c.sense); got != c.want {
			t.Errorf("%q in %s: sense %d is %v", c.text, c.language, c.sense, got)
		}
	}
	if got := l.Read(strings.Repeat("我同意 accept ", 1<<16)); len(got) == 0 {
		t.Error("a long text says nothing")
	}
}

// A pattern with a word in the middle that may be anything would take in a negation.
func TestLexiconRefusesPatternsThatSwallowNegations(t *testing.T) {
	for _, pattern := range []string{"stimme * zu", "*", "…", "a*"} {
		l := Lexicon{Languages: []Vocabulary{{Language: "de", Yes: []string{pattern}}}}
		if err := l.prepare(); err == nil && pattern != "…" {
			t.Errorf("%q is taken", pattern)
		}
	}
	l := Lexicon{Languages: []Vocabulary{{Language: "de"}, {Language: "de"}}}
	if err := l.prepare(); err == nil {
		t.Error("a language that stands twice is taken")
	}
}

func FuzzRead(f *testing.F) {
	kb, err := Embedded()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"Accept all", "不同意", "ปฏิเสธ", "\u202e\u00ad", "İıſß", "*", "قبول"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range kb.Consent.Read(s) {
			if r.Covered > r.Length {
				t.Errorf("%q: %d of %d covered", s, r.Covered, r.Length)
			}
		}
	})
}
