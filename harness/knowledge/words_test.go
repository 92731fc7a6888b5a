package knowledge

import "testing"

func TestWords(t *testing.T) {
	w := &embeddedBase(t).Words
	for role, texts := range map[string][]string{
		RoleRecord:  {"Record", "START RECORDING", "Aufnehmen", "Grabar", " Record a clip! "},
		RoleStop:    {"Stop", "Stop recording", "Aufnahme beenden"},
		RoleDiscard: {"Discard", "Delete draft", "Verwerfen", "Don't save", "Don’t save"},
	} {
		if !w.Has(role) {
			t.Errorf("there are no words for %s", role)
		}
		for _, text := range texts {
			if lang, pattern, ok := w.Match(role, text); !ok || lang == "" || pattern == "" {
				t.Errorf("%q is not recognised as %s", text, role)
			}
		}
	}
}

// A wrong tap is worse than none.
func TestNegationsDoNothing(t *testing.T) {
	w := &embeddedBase(t).Words
	for role, texts := range map[string][]string{
		RoleRecord:  {"Do not record", "Never record", "Nicht aufnehmen", "", "   ", "…", "Off the record, as they say", "no grabar"},
		RoleDiscard: {"Don't discard", "Nicht verwerfen", "Ne pas abandonner"},
	} {
		for _, text := range texts {
			if lang, pattern, ok := w.Match(role, text); ok {
				t.Errorf("%q is %s, by %s %q", text, role, lang, pattern)
			}
		}
	}
	if _, _, ok := w.Match("no such role", "Record"); ok {
		t.Error("an unknown role matches")
	}
}
