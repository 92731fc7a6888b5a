package consent

import (
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

// Android's own dialogs are known by the package that draws them, which must not
// be that of the app under audit, and by the ids of their buttons, which are the same in every language.
const (
	frameworkPackage = "android"
	waitButton       = "android:id/aerr_wait"
)

// system recognises Android's own dialogs.
func system(root *screen.Node, lex *knowledge.Lexicon, app string) (Screen, bool) {
	var prompt []*screen.Node
	for n := range root.All() {
		if n.Package == app && app != "" {
			continue
		}
		if n.Package == frameworkPackage && n.ID == waitButton {
			return Screen{Kind: Stuck, Confidence: 1, Reason: "Android says that something isn't responding", Close: []*screen.Node{n}}, true
		}
		if drawsPermissions(lex, n.Package) && n.Enabled && n.Visible() {
			prompt = append(prompt, n)
		}
	}
	if len(prompt) == 0 {
		return Screen{}, false
	}
	ids := &lex.Permission
	s := Screen{Kind: Permission, Confidence: 1, Reason: "Android asks for a permission",
		Accept: byIDs(prompt, ids.Allow), Reject: byIDs(prompt, ids.Deny), Settings: byIDs(prompt, ids.Settings)}
	if len(s.Accept) == 0 && len(s.Reject) == 0 {
		s.Confidence = 0.7
		for _, n := range prompt {
			if !isButton(n) || n.Checkable {
				continue
			}
			readings := lex.Read(n.Label())
			has := func(sense knowledge.Sense) bool {
				return slices.ContainsFunc(readings, func(r knowledge.Reading) bool { return r.Has(sense) })
			}
			if has(knowledge.SenseDenyLabel) {
				s.Reject = append(s.Reject, n)
			} else if has(knowledge.SenseAllowLabel) {
				s.Accept = append(s.Accept, n)
			}
		}
	}
	if len(s.Accept) > 0 || len(s.Reject) > 0 {
		return s, true
	}
	if len(byIDs(prompt, ids.Message)) > 0 {
		return unknown("Android asks for a permission and shows no button that is known"), true
	}
	// The same packages install apps and show their own pages.
	return unknown("Android's permission controller shows a screen without buttons that are known"), true
}

// drawsPermissions reports whether a package is a system's permission controller.
func drawsPermissions(lex *knowledge.Lexicon, pkg string) bool {
	return slices.Contains(lex.Permission.Packages, pkg) ||
		strings.HasPrefix(pkg, "com.") && (strings.HasSuffix(pkg, ".permissioncontroller") || strings.HasSuffix(pkg, ".packageinstaller"))
}

// byIDs finds buttons by the last part of their id, in the order of the ids.
func byIDs(nodes []*screen.Node, ids []string) []*screen.Node {
	var found []*screen.Node
	for _, id := range ids {
		for _, n := range nodes {
			if strings.HasSuffix(n.ID, ":id/"+id) && n.Enabled {
				found = append(found, n)
			}
		}
	}
	return found
}
