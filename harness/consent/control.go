package consent

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

// control is a node that answers a tap like a button.
type control struct {
	node   *screen.Node
	label  string
	intent intent
}

// reader reads one screen.
type reader struct {
	lex       *knowledge.Lexicon
	languages languages
	parents   map[*screen.Node]*screen.Node
	order     map[*screen.Node]int // of drawing: what is drawn later lies on top
	clip      map[*screen.Node]screen.Rect
	box       map[*screen.Node]screen.Rect // around what can be read or touched in it
	overlays  []*screen.Node
}

func newReader(root *screen.Node, lex *knowledge.Lexicon) *reader {
	r := &reader{lex: lex, languages: languages{}, parents: map[*screen.Node]*screen.Node{}, order: map[*screen.Node]int{}, clip: map[*screen.Node]screen.Rect{}, box: map[*screen.Node]screen.Rect{}}
	var walk func(n *screen.Node, clip screen.Rect)
	walk = func(n *screen.Node, clip screen.Rect) {
		r.order[n] = len(r.order)
		if n.Scrollable && !n.Bounds.Empty() {
			clip = clip.Intersect(n.Bounds)
		}
		r.clip[n] = clip
		if n.Visible() {
			for _, reading := range lex.Read(n.Own()) {
				r.languages[reading.Language] += len(reading.Words(knowledge.SenseCommon)) + min(reading.Covered, 3) +
					2*len(reading.Words(knowledge.SenseTopic)) + len(reading.Words(knowledge.SenseTerms))
			}
		}
		for _, c := range n.Children {
			r.parents[c] = n
			window := clip
			if structural(n) {
				window = c.Bounds
			}
			walk(c, window)
			r.box[n] = union(r.box[n], r.box[c])
		}
		if n.Visible() && (n.Own() != "" || n.Clickable && len(n.Children) == 0) {
			r.box[n] = union(r.box[n], n.Bounds)
		}
	}
	walk(root, root.Bounds)
	return r
}

// structural reports whether a node stands for the whole, a display or a window.
func structural(n *screen.Node) bool {
	return n.Class == "hierarchy" || n.Class == "displays" || n.Class == "display" || n.Class == "window"
}

// touchable reports whether a finger at the node's middle touches it: it can be seen
// there, and nothing that was drawn later lies over it.
func (r *reader) touchable(n *screen.Node) bool {
	x, y := n.Bounds.Center()
	if !n.Visible() || !r.clip[n].Contains(x, y) {
		return false
	}
	for _, o := range r.overlays {
		if r.order[o] > r.order[n] && !r.within(n, o) && r.box[o].Contains(x, y) {
			return false
		}
	}
	return true
}

// within reports whether n is o or below it.
func (r *reader) within(n, o *screen.Node) bool {
	for ; n != nil; n = r.parents[n] {
		if n == o {
			return true
		}
	}
	return false
}

// maxControls bounds the buttons, and the switches, of one screen; a list of all vendors has some hundred.
const maxControls = 1000

// controls are the buttons below a node, each once. A box to tick is none: ticking it
// says nothing before a button is tapped too.
func (r *reader) controls(root *screen.Node) []control {
	var out []control
	for n := range root.All() {
		if len(out) == maxControls {
			break
		}
		if !n.Enabled || n.Editable() || n.Checkable || !isButton(n) || !r.touchable(n) {
			continue
		}
		c := control{node: n}
		c.label, c.intent = r.labelled(n)
		if c.label == "" && c.intent == none {
			continue
		}
		if i := slices.IndexFunc(out, func(o control) bool { return r.within(n, o.node) }); i >= 0 {
			if out[i].intent == c.intent || !n.Clickable {
				continue // the button in its own frame
			}
		}
		out = append(out, c)
	}
	return out
}

func isButton(n *screen.Node) bool {
	return n.Clickable || strings.HasSuffix(n.Class, "Button") && !strings.HasSuffix(n.Class, "RadioButton")
}

// labels are texts that read as both answers, yes and no, though Android doesn't know
// that they can be touched; none where one of the two is missing.
func (r *reader) labels(root *screen.Node, controls []control) []control {
	var out []control
	has := map[intent]bool{}
	for n := range root.All() {
		text := first(trim(n.Text), trim(n.Desc))
		if text == "" || len(n.Children) > 0 || !n.Enabled || n.Checkable || n.Editable() || !r.touchable(n) ||
			slices.ContainsFunc(controls, func(c control) bool { return r.within(n, c.node) }) {
			continue
		}
		if is := r.meaning(text); is == accepts || is == rejects {
			out = append(out, control{n, text, is})
			has[is] = true
		}
	}
	if !has[accepts] || !has[rejects] {
		return nil
	}
	return out
}

// isButtonClass reports whether a node is drawn as a button, rather than as a link.
func isButtonClass(n *screen.Node) bool { return strings.HasSuffix(n.Class, "Button") }

// labelled is what a button says, and does. A frame around other controls speaks for
// itself only. What its text doesn't tell, its description or its id may.
func (r *reader) labelled(n *screen.Node) (string, intent) {
	text, desc := trim(n.Text), trim(n.Desc)
	if text == "" && desc == "" && !frames(n) {
		text = n.Label()
	}
	for _, label := range []string{text, desc} {
		if is := r.meaning(label); is != none && is != closes || is == closes && desc == "" {
			return label, is
		}
	}
	if is := r.byID(n.ID); is != none && (text == "" && desc == "" || utf8.RuneCountInString(text+desc) <= 2) {
		return first(text, desc), is
	}
	if is := r.meaning(text); is != none {
		return text, is
	}
	if desc != "" {
		return first(text, desc), r.meaning(desc)
	}
	return text, none
}

func trim(s string) string { return strings.Join(strings.Fields(s), " ") }

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// frames reports whether there are controls of their own in a node.
func frames(n *screen.Node) bool {
	for c := range n.All() {
		if c != n && c.Visible() && (c.Clickable || c.Checkable || c.Editable()) {
			return true
		}
	}
	return false
}

// byID tells a platform's button by the last part of its id.
func (r *reader) byID(id string) intent {
	if i := strings.LastIndexByte(id, '/'); i >= 0 {
		id = id[i+1:]
	}
	ids := &r.lex.IDs
	for _, of := range []struct {
		list []string
		is   intent
	}{{ids.Accept, accepts}, {ids.Reject, rejects}, {ids.Settings, opens}, {ids.Save, saves}, {ids.Close, closes}} {
		if id != "" && slices.Contains(of.list, id) {
			return of.is
		}
	}
	return none
}

// toggles are the switches and boxes below a node that can be touched.
func (r *reader) toggles(root *screen.Node) []Toggle {
	var out []Toggle
	for n := range root.All() {
		if len(out) < maxControls && n.Checkable && n.Enabled && r.touchable(n) && !slices.ContainsFunc(out, func(t Toggle) bool { return r.within(n, t.Node) }) {
			out = append(out, Toggle{Node: n, Label: r.switches(n), Checked: n.Checked})
		}
	}
	return out
}

// switches is what a toggle is for: its own text, that in it, or that beside it.
func (r *reader) switches(n *screen.Node) string {
	own := first(trim(n.Text), trim(n.Desc))
	if utf8.RuneCountInString(own) > 3 {
		return own
	}
	for c := range n.All() {
		if s := c.Own(); c != n && utf8.RuneCountInString(s) > 3 {
			return s
		}
	}
	for up, below := r.parents[n], n; up != nil && !structural(up); up, below = r.parents[up], up {
		if s := beside(up, below, n); s != "" {
			return s
		}
	}
	return own
}

// beside finds the text that stands next to a toggle in a row or list.
func beside(up, below, toggle *screen.Node) string {
	_, middle := toggle.Bounds.Center()
	best, distance := "", 1<<30
	for _, c := range up.Children {
		if c == below || holdsToggle(c) {
			continue
		}
		for t := range c.All() {
			s := t.Own()
			if s == "" || !t.Visible() || t.Checkable {
				continue
			}
			_, y := t.Bounds.Center()
			if d := max(y-middle, middle-y); d < distance {
				best, distance = s, d
			}
			break
		}
	}
	if distance > 4*max(toggle.Bounds.Height(), 40) {
		return ""
	}
	return best
}

func holdsToggle(n *screen.Node) bool {
	for c := range n.All() {
		if c.Checkable {
			return true
		}
	}
	return false
}
