// Package screen reads a screen as uiautomator describes it.
//
// [Parse] makes a tree of [Node] of what `uiautomator dump` wrote. The text on a
// screen is the app's to choose, so nothing in it is trusted: size, depth and
// number of nodes have limits, and what real devices get wrong in their XML is mended.
package screen

import (
	"iter"
	"strings"
)

// Rect is a rectangle in pixels; Right and Bottom are outside it. Real trees hold
// inverted and empty ones.
type Rect struct{ Left, Top, Right, Bottom int }

// Empty reports whether there is nothing inside, as for inverted bounds.
func (r Rect) Empty() bool { return r.Right <= r.Left || r.Bottom <= r.Top }

// Width is the width in pixels; 0 for an empty rectangle.
func (r Rect) Width() int { return max(0, r.Right-r.Left) }

// Height is the height in pixels; 0 for an empty rectangle.
func (r Rect) Height() int { return max(0, r.Bottom-r.Top) }

// Center is the pixel in the middle, which is where a tap goes.
func (r Rect) Center() (x, y int) {
	return r.Left + (r.Right-r.Left)/2, r.Top + (r.Bottom-r.Top)/2
}

// Contains reports whether a pixel is inside.
func (r Rect) Contains(x, y int) bool {
	return x >= r.Left && x < r.Right && y >= r.Top && y < r.Bottom
}

// Intersect is what two rectangles have in common; it may be empty.
func (r Rect) Intersect(o Rect) Rect {
	return Rect{max(r.Left, o.Left), max(r.Top, o.Top), min(r.Right, o.Right), min(r.Bottom, o.Bottom)}
}

// Node is one node of uiautomator's tree.
type Node struct {
	Text, Desc, ID, Class, Package, Hint                         string
	Bounds                                                       Rect
	Clickable, Checkable, Checked, Enabled, Scrollable, Password bool
	// Hidden is said of what has a place on the screen and can't be seen all the same.
	Hidden bool
	// Layer is the depth of a window in a dump of all windows; a higher one lies on top.
	Layer    int
	Children []*Node
}

// All yields the node and everything below it, parents first, in the tree's order.
func (n *Node) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.walk(yield) }
}

func (n *Node) walk(yield func(*Node) bool) bool {
	if n == nil {
		return true
	}
	if !yield(n) {
		return false
	}
	for _, c := range n.Children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// Path returns the nodes from n down to the node sought, both included, or nil.
func (n *Node) Path(sought *Node) []*Node {
	if n == nil {
		return nil
	}
	if n == sought {
		return []*Node{n}
	}
	for _, c := range n.Children {
		if below := c.Path(sought); below != nil {
			return append([]*Node{n}, below...)
		}
	}
	return nil
}

// labelLimit bounds a label that is put together from several texts, in bytes.
const labelLimit = 1000

// Label is what a person reads on the node: its text, else its content
// description, else its hint. A clickable node without any, such as the frame
// around a button's text, is labelled by what stands in it.
func (n *Node) Label() string {
	if s := n.own(); s != "" {
		return s
	}
	if !n.Clickable {
		return ""
	}
	var parts []string
	size := 0
	var collect func(*Node)
	collect = func(c *Node) {
		if c.Clickable || size > labelLimit {
			return // a control of its own
		}
		if s := c.own(); s != "" {
			parts = append(parts, s)
			size += len(s)
			return
		}
		for _, g := range c.Children {
			collect(g)
		}
	}
	for _, c := range n.Children {
		collect(c)
	}
	return strings.Join(parts, " ")
}

// Own is what the node says itself, its white space made single: text, else description, else hint.
func (n *Node) Own() string { return n.own() }

func (n *Node) own() string {
	for _, s := range []string{n.Text, n.Desc, n.Hint} {
		if s = strings.Join(strings.Fields(s), " "); s != "" {
			return s
		}
	}
	return ""
}

// Visible reports whether any pixel of the node can be on the screen.
func (n *Node) Visible() bool { return !n.Hidden && !n.Bounds.Empty() }

// Editable reports whether text can be typed into the node.
func (n *Node) Editable() bool {
	return strings.HasSuffix(n.Class, "EditText") || strings.HasSuffix(n.Class, "AutoCompleteTextView")
}
