package consent

import (
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

// consent recognises consent dialogs in both layers, and notices.
func (r *reader) consent(a *subject, b *Screen) (Screen, bool) {
	if a.topic+a.hint+a.terms == 0 {
		return Screen{}, false
	}
	said := a.words[knowledge.SenseTopic]
	for _, sense := range []knowledge.Sense{knowledge.SenseHint, knowledge.SenseTerms} {
		if said == "" {
			said = a.words[sense]
		}
	}
	if r.another(a) {
		return Screen{}, false
	}
	accept, reject, settings, save := len(b.Accept) > 0, len(b.Reject) > 0, len(b.Settings) > 0, len(b.Save) > 0
	goesOn := len(b.Continue) > 0
	s := *b
	if reject {
		s.Scroll = nil
	}
	is := func(confidence float64, how string) (Screen, bool) {
		s.Kind, s.Confidence = Consent, confidence
		s.Reason = fmt.Sprintf("it asks for consent (%q) and %s", said, how)
		if len(s.Pay) > 0 {
			s.Reason += "; what refuses against payment is no refusal"
		}
		if a.other > 0 {
			s.Confidence -= 0.1
		}
		if b.Reason != "" {
			s.Confidence, s.Reason = min(s.Confidence, 0.6), s.Reason+b.Reason
		}
		return s, true
	}
	switch {
	case !a.strong() && a.hint == 0: // terms of use only
		return r.notice(a, b, said)
	case accept && reject:
		if !a.strong() {
			if a.other > 0 || !a.policy {
				return Screen{}, false // two answers, and one word that may mean anything
			}
			return is(0.8, "can be accepted and refused")
		}
		return is(0.95, "can be accepted and refused")
	case !a.strong():
		return r.notice(a, b, said)
	case accept && len(b.Pay) > 0:
		return is(0.85, "can be accepted or paid for")
	case accept && (settings || save):
		return is(0.85, "can be accepted; to refuse it takes another screen")
	case reject && (settings || save):
		return is(0.8, "can be refused")
	case save && len(b.Toggles) > 0:
		return is(0.85, "its choices can be saved")
	case reject && goesOn:
		s.Accept, s.Continue = s.Continue, nil
		return is(0.75, "can be refused, or gone along with")
	case goesOn && settings:
		return is(0.7, "offers settings; to go on may be to consent")
	case reject && a.other == 0:
		return is(0.6, "can be refused")
	case accept && a.terms > 0:
		return r.notice(a, b, said)
	case accept && a.other == 0:
		return is(0.65, "can only be accepted")
	case goesOn && r.ticksYes(b.Toggles):
		return is(0.6, "is given by a tick")
	case save:
		return is(0.55, "its choices can be saved")
	}
	return r.notice(a, b, said)
}

// another reports whether a screen asks for something else, though it mentions privacy:
// a rating, a newsletter, a purchase.
func (r *reader) another(a *subject) bool {
	weight := a.other
	if a.otherTitle {
		weight += 2
	}
	if a.prices {
		weight++
	}
	strength := 2*a.topic + a.hint
	return a.other > 0 && (weight > strength || strength <= 2) || a.otherTitle && a.topic <= 1 || a.prices && a.topic == 0
}

// ticksYes reports whether a box says that one agrees.
func (r *reader) ticksYes(toggles []Toggle) bool {
	for _, t := range toggles {
		for _, reading := range r.likely(t.Label) {
			if reading.Has(knowledge.SenseYes) {
				return true
			}
		}
	}
	return false
}

// notice recognises what tells of privacy or terms and can only be taken note of.
// What leaves without agreeing is a way to close it, not to refuse consent.
func (r *reader) notice(a *subject, b *Screen, said string) (Screen, bool) {
	answers := len(b.Accept) + len(b.Continue)
	if answers == 0 && (len(b.Close) == 0 || a.count > 12) || a.other > 0 && a.topic == 0 && a.terms == 0 {
		return Screen{}, false
	}
	if len(b.Accept) == 0 && a.topic+a.hint+a.terms < 2 && a.onboard > 0 {
		return Screen{}, false // a welcome that links to its policy
	}
	if len(b.Accept) == 0 && a.signupButtons > 0 {
		return Screen{}, false
	}
	if a.count > 40 {
		return Screen{}, false // a page, not a notice
	}
	s := Screen{Kind: Notice, Confidence: 0.8, Accept: append(append([]*screen.Node(nil), b.Accept...), b.Continue...), Continue: b.Continue,
		Close: append(append([]*screen.Node(nil), b.Close...), b.Reject...), Settings: b.Settings, Toggles: b.Toggles,
		Reason: fmt.Sprintf("it tells of privacy or terms (%q) and leaves no choice", said)}
	if len(b.Accept) == 0 && a.topic == 0 && a.terms == 0 {
		s.Confidence = 0.6
	}
	return s, true
}

// account recognises forms to sign up or log in, and walls that want one or the other.
func (r *reader) account(a *subject, b *Screen) (Screen, bool) {
	s := Screen{Kind: Signup, Close: b.Close}
	asks := a.strong() && len(b.Accept) > 0 && (len(b.Reject) > 0 || len(b.Settings) > 0)
	switch {
	case asks:
		return Screen{}, false // a consent dialog over the form
	case a.password:
		s.Confidence, s.Reason = 0.9, "it has a field for a password"
	case a.fields > 0 && a.signup > 0 && a.other < a.signup && !a.otherTitle && a.age <= a.signup:
		s.Confidence, s.Reason = 0.8, fmt.Sprintf("it has a field to fill in and the words %q", a.words[knowledge.SenseSignup])
	case a.signupButtons >= 2 && a.count <= 25:
		s.Confidence, s.Reason = 0.75, fmt.Sprintf("its buttons lead to an account (%q)", a.words[knowledge.SenseSignup])
	default:
		return Screen{}, false
	}
	return s, true
}

// age recognises questions for an age.
func (r *reader) age(a *subject, b *Screen) (Screen, bool) {
	if a.age == 0 || a.count > 25 {
		return Screen{}, false
	}
	if a.strong() && len(b.Accept) > 0 && (len(b.Reject) > 0 || len(b.Settings) > 0) && a.topic >= 2 {
		return Screen{}, false // a consent dialog that says who is too young to give it
	}
	if a.topic >= 2 && a.ageButtons == 0 && a.fields == 0 && len(b.Reject) > 0 {
		return Screen{}, false
	}
	return Screen{Kind: AgeGate, Confidence: 0.8, Reason: fmt.Sprintf("it asks for an age (%q)", a.words[knowledge.SenseAge]), Close: b.Close, Continue: b.Continue}, true
}

// introduction recognises the pages that an app shows once, at its beginning.
func (r *reader) introduction(a *subject, b *Screen) (Screen, bool) {
	controls := len(b.Continue) + len(b.Close) + len(b.Accept) + len(b.Settings)
	if a.other > 0 || a.count > 15 || len(b.Continue) == 0 || controls > 6 {
		return Screen{}, false
	}
	why := ""
	switch {
	case a.onboard > 0:
		why = a.words[knowledge.SenseOnboard]
	case len(b.Close) > 0 && a.count <= 8:
		why = strings.TrimSpace(b.Close[0].Label())
	default:
		return Screen{}, false
	}
	return Screen{Kind: Onboarding, Confidence: 0.7, Reason: fmt.Sprintf("it introduces the app (%q)", why), Continue: b.Continue, Close: b.Close}, true
}
