package consent

import (
	"slices"

	"github.com/unasked-audit/unasked/harness/screen"
)

// maxOverlays is how many parts of a window are looked at by themselves, from the top.
const maxOverlays = 16

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
			if i > 0 && !r.box[c].Empty() && r.coversSibling(n.Children[:i], c) {
				found = append(found, c)
			}
			walk(c)
		}
	}
	walk(window)
	found = found[max(0, len(found)-maxOverlays):]
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
			} else if !r.box[c].Empty() && !r.lex.IsBeside(c.Package) {
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

// siblings is how many parts before one are looked at: a dialog lies over the last few.
const siblings = 64

// coversSibling reports whether what stands in c lies for the most part over what was
// drawn before it, as a dialog does and the next part of a page does not.
func (r *reader) coversSibling(before []*screen.Node, c *screen.Node) bool {
	box := r.box[c]
	for _, b := range before[max(0, len(before)-siblings):] {
		if b.Visible() && !r.box[b].Empty() && 2*area(box.Intersect(b.Bounds)) > area(box) {
			return true
		}
	}
	return false
}

// union is the smallest rectangle around both, of which one may be empty.
func union(a, b screen.Rect) screen.Rect {
	switch {
	case a.Empty():
		return b
	case b.Empty():
		return a
	}
	return screen.Rect{Left: min(a.Left, b.Left), Top: min(a.Top, b.Top), Right: max(a.Right, b.Right), Bottom: max(a.Bottom, b.Bottom)}
}

func area(r screen.Rect) int { return r.Width() * r.Height() }
