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

var permissionPackages = []string{".permissioncontroller", ".packageinstaller"}

// The ids of the buttons of a permission prompt, the one that gives least first.
var (
	allowButtons = []string{"permission_allow_foreground_only_button", "permission_allow_one_time_button", "permission_allow_button", "permission_allow_always_button"}
	denyButtons  = []string{"permission_deny_button", "permission_deny_and_dont_ask_again_button", "permission_no_upgrade_button", "permission_no_upgrade_and_dont_ask_again_button"}
)

// system recognises Android's own dialogs.
func system(root *screen.Node, words Words, app string) (Screen, bool) {
	var prompt []*screen.Node
	for n := range root.All() {
		if n.Package == app {
			continue
		}
		if n.Package == frameworkPackage && n.ID == waitButton {
			return Screen{Kind: Stuck, Confidence: 1, Reason: "Android says that something isn't responding", Close: []*screen.Node{n}}, true
		}
		if drawsPermissions(n.Package) && n.Enabled && n.Visible() {
			prompt = append(prompt, n)
		}
	}
	if len(prompt) == 0 {
		return Screen{}, false
	}
	s := Screen{Kind: Permission, Confidence: 1, Reason: "Android asks for a permission",
		Accept: byID(prompt, allowButtons), Reject: byID(prompt, denyButtons)}
	if len(s.Accept) == 0 && len(s.Reject) == 0 {
		s.Confidence = 0.7
		for _, n := range prompt {
			if !n.Clickable {
				continue
			}
			if _, _, ok := words.Match(knowledge.RolePermissionDeny, n.Label()); ok {
				s.Reject = append(s.Reject, n)
			} else if _, _, ok := words.Match(knowledge.RolePermissionAllow, n.Label()); ok {
				s.Accept = append(s.Accept, n)
			}
		}
	}
	if len(s.Accept) == 0 && len(s.Reject) == 0 {
		return Screen{Kind: Unknown, Reason: "Android's permission controller shows a screen without buttons that are known"}, true
	}
	return s, true
}

func drawsPermissions(pkg string) bool {
	return slices.ContainsFunc(permissionPackages, func(suffix string) bool {
		return strings.HasPrefix(pkg, "com.") && strings.HasSuffix(pkg, suffix)
	})
}

// byID finds buttons by the last part of their id, in the order of the ids.
func byID(nodes []*screen.Node, ids []string) []*screen.Node {
	var found []*screen.Node
	for _, id := range ids {
		for _, n := range nodes {
			if strings.HasSuffix(n.ID, ":id/"+id) {
				found = append(found, n)
			}
		}
	}
	return found
}
