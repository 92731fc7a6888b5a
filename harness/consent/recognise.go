package consent

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

// Recognise says what a screen is for and which nodes give, refuse or leave it.
// Of an unknown screen it names no nodes: there is nothing to tap on a guess.
// app is the package of the app under audit: what it draws is never Android's own
// dialog, whatever it calls itself.
func Recognise(root *screen.Node, words Words, app string) Screen {
	if root == nil {
		return Screen{Kind: Unknown, Reason: "there is no screen"}
	}
	if s, ok := system(root, words, app); ok {
		return s
	}
	controls := controlsOf(root)
	if why := asksForAccount(root, words); why != "" {
		return Screen{Kind: Signup, Confidence: 0.8, Reason: why, Close: matching(controls, words, knowledge.RoleClose)}
	}
	said, text := consentText(root, words)
	if text == nil {
		return Screen{Kind: Unknown, Reason: "no words on it ask for consent"}
	}
	kin := kinship(root, text)
	near := func(nodes []*screen.Node) []*screen.Node {
		slices.SortStableFunc(nodes, func(a, b *screen.Node) int { return cmp.Compare(kin[b], kin[a]) })
		return nodes
	}
	accept, reject, unclear := choices(controls, words)
	s := Screen{
		Kind:     Consent,
		Accept:   near(accept),
		Reject:   near(reject),
		Settings: near(matching(controls, words, knowledge.RoleSettings)),
		Close:    near(matching(controls, words, knowledge.RoleClose)),
	}
	switch {
	case unclear != "":
		return Screen{Kind: Unknown, Reason: fmt.Sprintf("it asks for consent (%q), and %q reads as yes and as no", said, unclear)}
	case len(accept) > 0 && len(reject) > 0:
		s.Confidence, s.Reason = 0.95, fmt.Sprintf("it asks for consent (%q) and can be accepted and refused", said)
	case len(accept) > 0 && len(s.Settings) > 0:
		s.Confidence, s.Reason = 0.8, fmt.Sprintf("it asks for consent (%q) and can be accepted; to refuse it takes another screen", said)
	case len(accept) > 0:
		s.Confidence, s.Reason = 0.6, fmt.Sprintf("it asks for consent (%q) and can only be accepted", said)
	case len(reject) > 0:
		s.Confidence, s.Reason = 0.6, fmt.Sprintf("it asks for consent (%q) and can be refused", said)
	default:
		return Screen{Kind: Unknown, Reason: fmt.Sprintf("it speaks of consent (%q) and has no button known to answer it", said)}
	}
	return s
}

// Find returns the nodes to tap for a role, such as [knowledge.RoleRecord], best first. A
// label that can't be touched itself counts only where nothing else does.
func Find(root *screen.Node, words Words, role string) []*screen.Node {
	if root == nil {
		return nil
	}
	if found := matching(controlsOf(root), words, role); len(found) > 0 {
		return found
	}
	var labels []*screen.Node
	for n := range root.All() {
		if len(n.Children) == 0 && n.Visible() && n.Enabled && !n.Editable() {
			if _, _, ok := words.Match(role, n.Label()); ok {
				labels = append(labels, n)
			}
		}
	}
	shortestFirst(labels)
	return labels
}

// controlsOf are the nodes that answer a tap like a button. A box to tick is
// none: ticking it says nothing before a button is tapped too.
func controlsOf(root *screen.Node) []*screen.Node {
	var controls []*screen.Node
	for n := range root.All() {
		if !n.Visible() || !n.Enabled || n.Editable() || n.Checkable {
			continue
		}
		if (n.Clickable || strings.HasSuffix(n.Class, "Button")) && n.Label() != "" {
			controls = append(controls, n)
		}
	}
	return controls
}

func matching(controls []*screen.Node, words Words, role string) []*screen.Node {
	var found []*screen.Node
	for _, n := range controls {
		if _, _, ok := words.Match(role, n.Label()); ok {
			found = append(found, n)
		}
	}
	shortestFirst(found)
	return found
}

// choices sorts the controls into yes and no. One that reads as both makes the screen unclear.
func choices(controls []*screen.Node, words Words) (accept, reject []*screen.Node, unclear string) {
	for _, n := range controls {
		label := n.Label()
		_, _, yes := words.Match(knowledge.RoleAccept, label)
		_, _, no := words.Match(knowledge.RoleReject, label)
		switch {
		case yes && no:
			return nil, nil, label
		case yes:
			accept = append(accept, n)
		case no:
			reject = append(reject, n)
		}
	}
	shortestFirst(accept)
	shortestFirst(reject)
	return accept, reject, ""
}

// shortestFirst puts the plainest label in front.
func shortestFirst(nodes []*screen.Node) {
	slices.SortStableFunc(nodes, func(a, b *screen.Node) int {
		return cmp.Compare(utf8.RuneCountInString(a.Label()), utf8.RuneCountInString(b.Label()))
	})
}

// consentText is the first text on the screen that makes it a consent dialog. A
// link or button is none: a privacy policy is linked to from everywhere.
func consentText(root *screen.Node, words Words) (pattern string, at *screen.Node) {
	for n := range root.All() {
		if !n.Visible() || n.Editable() || n.Clickable {
			continue
		}
		for _, text := range []string{n.Text, n.Desc} {
			if _, p, ok := words.Match(knowledge.RoleConsent, text); ok {
				return p, n
			}
		}
	}
	return "", nil
}

// kinship is, for each node, the depth of the deepest node that it and text are
// both in: a button in the dialog is closer to its text than one on the page behind.
func kinship(root, text *screen.Node) map[*screen.Node]int {
	depth := map[*screen.Node]int{}
	for i, n := range root.Path(text) {
		depth[n] = i
	}
	kin := map[*screen.Node]int{}
	var walk func(n *screen.Node, shared int)
	walk = func(n *screen.Node, shared int) {
		if i, ok := depth[n]; ok {
			shared = i
		}
		kin[n] = shared
		for _, c := range n.Children {
			walk(c, shared)
		}
	}
	walk(root, 0)
	return kin
}

// asksForAccount says why a screen is a form to sign up or log in; "" where it is none.
func asksForAccount(root *screen.Node, words Words) string {
	field := ""
	for n := range root.All() {
		if !n.Visible() || !n.Editable() {
			continue
		}
		if n.Password {
			return "it has a field for a password"
		}
		field = "it has a field to fill in"
	}
	if field == "" {
		return ""
	}
	for n := range root.All() {
		if n.Visible() && !n.Editable() {
			if _, p, ok := words.Match(knowledge.RoleSignup, n.Label()); ok {
				return fmt.Sprintf("%s and the words %q", field, p)
			}
		}
	}
	return ""
}
