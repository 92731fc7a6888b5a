// Package consent recognises what a screen is for, above all those on which an app
// asks for consent, and the nodes that give, refuse or leave it.
//
// It is pure: a tree and words in, an opinion out. The words come from the knowledge
// base. Where it isn't sure it says [Unknown], and a person writes down what to tap:
// an audit that stops and says so is worth more than one that tapped the wrong button.
package consent

import (
	"github.com/unasked-audit/unasked/harness/screen"
)

// Kind is what a screen is for.
type Kind string

// The kinds of screens.
const (
	Unknown    Kind = "unknown"    // nothing was recognised, or not surely
	Consent    Kind = "consent"    // the app asks for consent
	Notice     Kind = "notice"     // the app tells of privacy or terms, and leaves no choice
	Permission Kind = "permission" // Android asks whether the app may have a permission
	Signup     Kind = "signup"     // the app asks for an account
	AgeGate    Kind = "agegate"    // the app asks how old one is
	Onboarding Kind = "onboarding" // the app introduces itself
	Ordinary   Kind = "ordinary"   // something else, also a dialog that asks for something else
	Stuck      Kind = "stuck"      // Android says that something isn't responding
)

// Threshold is the confidence below which a screen is [Unknown].
const Threshold = 0.5

// Screen is an opinion of a screen. A node is the one that a finger touches: where a
// clickable frame is around a button's text, the frame.
type Screen struct {
	Kind       Kind
	Confidence float64 // from 0 to 1
	Reason     string  // in a sentence, for the log
	// The nodes to tap, best first. For a permission, Accept and Reject are Android's own
	// buttons; for a stuck app, Close is the button that waits.
	Accept, Reject, Settings, Save, Close, Continue []*screen.Node
	// Pay are buttons that refuse against money: they are no refusal.
	Pay     []*screen.Node
	Toggles []Toggle
	// Scroll is, in a consent dialog that shows no refusal, a list that may hold more
	// buttons out of sight; nil if there is none.
	Scroll *screen.Node
}

// Toggle is something that is switched or ticked.
type Toggle struct {
	Node    *screen.Node
	Label   string // what it switches; it may stand beside the node
	Checked bool
}
