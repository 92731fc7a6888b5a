package screen

import (
	"strings"
	"unicode"
)

// Render is the screen in plain text, one thing a line, in the tree's order:
// text as it is, [buttons] in brackets, [x] and [ ] for what can be checked, and
// ____ for what can be typed into. A password is never shown.
func (n *Node) Render() string {
	var b strings.Builder
	n.render(&b, 0)
	return b.String()
}

func (n *Node) render(b *strings.Builder, depth int) {
	inside := depth
	if line := n.line(); line != "" && n.Visible() {
		b.WriteString(strings.Repeat("  ", min(depth, 20)))
		b.WriteString(line)
		b.WriteByte('\n')
		inside++
	}
	framed := n.own() == "" && n.Clickable
	for _, c := range n.Children {
		if framed && !c.Clickable && c.quiet() {
			continue // its text is the button's label already
		}
		c.render(b, inside)
	}
}

// quiet reports whether nothing below can be touched.
func (n *Node) quiet() bool {
	for c := range n.All() {
		if c.Clickable || c.Checkable || c.Editable() {
			return false
		}
	}
	return true
}

func (n *Node) line() string {
	label := printable(n.Label())
	if n.Editable() {
		switch {
		case n.Password:
			label = "•••• (password)"
		case n.Text == "" && label != "":
			label = "____ (" + label + ")"
		default:
			label = "____ " + label
		}
		return strings.TrimSpace(label) + n.disabled()
	}
	switch {
	case label == "":
		return ""
	case n.Checkable && n.Checked:
		return "[x] " + label + n.disabled()
	case n.Checkable:
		return "[ ] " + label + n.disabled()
	case n.Clickable:
		return "[" + label + "]" + n.disabled()
	}
	return label
}

func (n *Node) disabled() string {
	if n.Enabled {
		return ""
	}
	return " (disabled)"
}

// printable leaves out what could move a terminal's cursor or turn the reading direction.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}
