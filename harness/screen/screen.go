// Package screen reads a screen as uiautomator describes it.
package screen

// Rect is a rectangle in pixels; Right and Bottom are outside it. Real trees hold
// inverted and empty ones.
type Rect struct{ Left, Top, Right, Bottom int }

// Node is one node of uiautomator's tree.
type Node struct {
	Text, Desc, ID, Class, Package, Hint                         string
	Bounds                                                       Rect
	Clickable, Checkable, Checked, Enabled, Scrollable, Password bool
	Children                                                     []*Node
}
