// Package consent recognises screens on which an app asks for consent, and the
// nodes that give, refuse or leave it.
//
// It is pure: a tree and words in, an opinion out. The words come from the
// knowledge base. Where it isn't sure it says [Unknown]: an audit that stops and
// says so is worth more than one that tapped the wrong button.
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
	Permission Kind = "permission" // Android asks whether the app may have a permission
	Signup     Kind = "signup"     // the app asks for an account
	Stuck      Kind = "stuck"      // Android says that something isn't responding
)

// Words tells whether a text has a role, in which language and by which pattern.
// *knowledge.Words is one.
type Words interface {
	Match(role, text string) (lang, pattern string, ok bool)
}

// Screen is an opinion of a screen.
type Screen struct {
	Kind       Kind
	Confidence float64 // from 0 to 1
	Reason     string  // in a sentence, for the log
	// The nodes to tap, best first. For a permission, Accept and Reject are Android's own
	// buttons; for a stuck app, Close is the button that waits.
	Accept, Reject, Settings, Close []*screen.Node
}
