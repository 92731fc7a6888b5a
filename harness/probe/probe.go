// Package probe asks a service's own website, as anyone sees it, whether it knows a
// person: it opens a page in a real Chromium, fills in an invented identity, and reads
// which of several answers comes.
//
// A probe is a YAML file; [Parse] reads it and [Run] asks once. It enters nothing but
// canaries of one identity, says in its User-Agent what it is, and tries once. What a
// website does not answer, such as a captcha or a page that never comes, is no error but
// an answer of its own with the reason.
package probe

import (
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// Probe is a question to a website.
type Probe struct {
	Name     string              `yaml:"name"`
	Title    string              `yaml:"title"`    // one line for a person
	URL      text                `yaml:"url"`      // the page that it begins with
	Deadline strictyaml.Duration `yaml:"deadline"` // for the whole; UsualDeadline if absent
	Patience strictyaml.Duration `yaml:"patience"` // for each step; UsualPatience if absent
	Steps    []Step              `yaml:"steps"`

	// Source is the file as it was read.
	Source []byte `yaml:"-"`
}

// Step does one thing. Exactly one of Open, Fill, Click, Press and Wait is given.
type Step struct {
	Open  text  `yaml:"open"`  // an address to go to
	Fill  text  `yaml:"fill"`  // a CSS selector of a field, which gets With
	With  text  `yaml:"with"`  // references to canaries, such as ${canary.email}
	Click text  `yaml:"click"` // a CSS selector
	Press text  `yaml:"press"` // a key, one of Keys, in what has the focus
	Wait  *Wait `yaml:"wait"`  // for one of several outcomes; the last step, and no other
}

// Wait lists by what each answer is known. The first that is seen counts.
type Wait struct {
	Exists  []Sign `yaml:"exists"`         // the website knows the person
	Not     []Sign `yaml:"does-not-exist"` // it does not
	Blocked []Sign `yaml:"blocked"`        // it does not say: a captcha, a rate limit
}

// Sign is something visible on a page: a text, in any case and with any white space, or
// an element that a CSS selector finds.
type Sign struct {
	Text     text `yaml:"text"`
	Selector text `yaml:"selector"`
}

// What a probe takes where its file says nothing, and what it may take at most.
const (
	UsualDeadline = 45 * time.Second
	UsualPatience = 15 * time.Second
	longest       = 10 * time.Minute
)

// Answer is what a website says of a person.
type Answer string

// The answers.
const (
	Exists  Answer = evidence.ProbeExists
	Not     Answer = evidence.ProbeNot
	Blocked Answer = evidence.ProbeBlocked // it wants a person, or less haste
	Unknown Answer = evidence.ProbeUnknown // none of what was waited for came; the reason is said
)

// Keys are the keys that a step can press.
func Keys() []string { return []string{"Enter", "Escape", "Space", "Tab"} }

// deadline bounds the whole.
func (p *Probe) deadline() time.Duration { return or(p.Deadline, UsualDeadline) }

// patience bounds one step.
func (p *Probe) patience() time.Duration { return or(p.Patience, UsualPatience) }

func or(d strictyaml.Duration, usual time.Duration) time.Duration {
	if d == 0 {
		return usual
	}
	return time.Duration(d)
}
