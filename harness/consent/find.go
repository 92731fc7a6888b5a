package consent

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/screen"
)

// Words tells whether a text has a role, in which language and by which pattern.
// *knowledge.Words is one.
type Words interface {
	Match(role, text string) (lang, pattern string, ok bool)
}

// Find returns the nodes to tap for a role, such as [knowledge.RoleRecord], best first. A
// label that can't be touched itself counts only where nothing else does.
func Find(root *screen.Node, words Words, role string) []*screen.Node {
	if root == nil {
		return nil
	}
	var touch, labels []*screen.Node
	for n := range root.All() {
		if !n.Visible() || !n.Enabled || n.Editable() || n.Checkable {
			continue
		}
		button := n.Clickable || strings.HasSuffix(n.Class, "Button")
		if !button && len(n.Children) > 0 {
			continue
		}
		if _, _, ok := words.Match(role, n.Label()); !ok {
			continue
		}
		if button {
			touch = append(touch, n)
		} else {
			labels = append(labels, n)
		}
	}
	if len(touch) == 0 {
		touch = labels
	}
	slices.SortStableFunc(touch, func(a, b *screen.Node) int {
		return cmp.Compare(utf8.RuneCountInString(a.Label()), utf8.RuneCountInString(b.Label()))
	})
	return touch
}
