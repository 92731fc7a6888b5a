package consent

import (
	"slices"

	"github.com/unasked-audit/unasked/harness/screen"
)

// surfaces are the parts of a screen that may be what it asks, the topmost first and
// the whole window last: dialogs over the app, sheets and banners over a page.
func (r *reader) surfaces(root *screen.Node) []*screen.Node {
	window := r.topWindow(root)
	if window == nil {
		return nil
	}
	var found []*screen.Node
	var walk func(n *screen.Node)
	walk = func(n *screen.Node) {
		for i, c := range n.Children {
			if i > 0 && hasContent(c) && coversSibling(n.Children[:i], c) {
				found = append(found, c)
			}
			walk(c)
		}
	}
	walk(window)
	r.overlays = found
	out := make([]*screen.Node, 0, len(found)+1)
	for i := len(found) - 1; i >= 0; i-- {
		out = append(out, found[i])
	}
	return append(out, window)
}

// topWindow is the window that lies on top: where the dump says how they lie, the last;
// else a dialog, which is smaller than what it covers, and of several the last.
func (r *reader) topWindow(root *screen.Node) *screen.Node {
	var windows []*screen.Node
	var collect func(n *screen.Node)
	known := false
	collect = func(n *screen.Node) {
		for _, c := range n.Children {
			if structural(c) {
				known = known || c.Layer != 0
				collect(c)
			} else if hasContent(c) && !r.lex.IsBeside(c.Package) {
				windows = append(windows, c)
			}
		}
	}
	collect(root)
	if !structural(root) {
		return root
	}
	if len(windows) == 0 {
		return nil
	}
	if len(windows) > 1 && flat(windows) {
		return root // no windows, but a list of nodes that somebody put together
	}
	if asking := slices.DeleteFunc(slices.Clone(windows), func(w *screen.Node) bool { return !frames(w) }); len(asking) > 0 {
		windows = asking // a toast asks nothing
	}
	top := windows[len(windows)-1]
	if known {
		return top
	}
	most := 0
	for _, w := range windows {
		most = max(most, area(w.Bounds))
	}
	for i := len(windows) - 1; i >= 0; i-- {
		if 10*area(windows[i].Bounds) < 9*most {
			return windows[i]
		}
	}
	return top
}

// flat reports whether none of the nodes has any below it.
func flat(nodes []*screen.Node) bool {
	for _, n := range nodes {
		if len(n.Children) > 0 {
			return false
		}
	}
	return true
}

// hasContent reports whether something below can be read.
func hasContent(n *screen.Node) bool {
	for c := range n.All() {
		if c.Visible() && c.Own() != "" {
			return true
		}
	}
	return false
}

// coversSibling reports whether what stands in c lies for the most part over what was
// drawn before it, as a dialog does and the next part of a page does not.
func coversSibling(before []*screen.Node, c *screen.Node) bool {
	box := contentBox(c)
	for _, b := range before {
		if b.Visible() && hasContent(b) && 2*area(box.Intersect(b.Bounds)) > area(box) {
			return true
		}
	}
	return false
}

// contentBox is the smallest rectangle around what can be read or touched.
func contentBox(n *screen.Node) screen.Rect {
	var box screen.Rect
	for c := range n.All() {
		if !c.Visible() || c.Own() == "" && !(c.Clickable && len(c.Children) == 0 && c != n) {
			continue
		}
		if box.Empty() {
			box = c.Bounds
			continue
		}
		box = screen.Rect{Left: min(box.Left, c.Bounds.Left), Top: min(box.Top, c.Bounds.Top), Right: max(box.Right, c.Bounds.Right), Bottom: max(box.Bottom, c.Bounds.Bottom)}
	}
	return box
}

func area(r screen.Rect) int { return r.Width() * r.Height() }
