package webview

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/domsnapshot"
)

// element is a node of a page with its place on the screen and what it means
// to assistive technology, which is what uiautomator sees of a WebView.
type element struct {
	tag      string // in lower case; "#text" for text, "#document" for a page
	title    string // of a #document
	attrs    map[string]string
	text     string // of a #text, as it is laid out
	value    string // of a field
	shadow   bool   // the inside of one of the browser's own controls
	laid     bool   // it has a place
	bounds   rect   // in CSS pixels, from the screen's corner
	style    map[string]string
	content  rect                // the size of all that can be scrolled to
	client   rect                // where that shows
	presses  bool                // it, or a script for it, responds to clicks
	written  bool                // a style sheet wrote it
	meaning  *accessibility.Node // nil for what assistive technology is not told of
	children []*element
}

// rect is a rectangle in CSS pixels.
type rect struct{ x, y, w, h float64 }

func (r rect) intersect(o rect) rect {
	x, y := max(r.x, o.x), max(r.y, o.y)
	return rect{x, y, max(0, min(r.x+r.w, o.x+o.w)-x), max(0, min(r.y+r.h, o.y+o.h)-y)}
}

func (r rect) empty() bool { return r.w <= 0 || r.h <= 0 }

// styles are the computed styles that decide what shows.
var styles = []string{"visibility", "overflow-x", "overflow-y", "position"}

// snapshot reads a page as it stands. No script runs in it, so the page cannot
// notice or answer for itself.
func snapshot(ctx context.Context, s *session) (*element, error) {
	shot, err := call(ctx, s, domsnapshot.CaptureSnapshot, domsnapshot.CaptureSnapshotParams{ComputedStyles: styles, IncludeDOMRects: new(true)})
	if err != nil {
		return nil, err
	}
	if len(shot.Documents) == 0 {
		return &element{tag: "#document"}, nil
	}
	d := &decoder{strings: shot.Strings, documents: shot.Documents, meanings: map[cdp.BackendNodeID]*accessibility.Node{}}
	for _, doc := range shot.Documents {
		// A frame may be gone by now; it then counts as one without meaning.
		tree, err := call(ctx, s, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{FrameID: cdp.FrameID(d.string(int64(doc.FrameID)))})
		if err != nil && (ctx.Err() != nil || s.closed()) {
			return nil, err
		}
		for _, n := range tree.Nodes {
			if n.BackendDOMNodeID != 0 && n.Role != nil && !strings.HasPrefix(word(n.Role), "Inline") {
				d.meanings[n.BackendDOMNodeID] = n
			}
		}
	}
	return d.document(0, 0, 0, map[int]bool{}), nil
}

// decoder turns the protocol's tables into a tree.
type decoder struct {
	strings   []string
	documents []*domsnapshot.DocumentSnapshot
	meanings  map[cdp.BackendNodeID]*accessibility.Node
}

func (d *decoder) string(i int64) string {
	if i < 0 || i >= int64(len(d.strings)) {
		return ""
	}
	return d.strings[i]
}

// document decodes one document, whose corner is at dx, dy on the screen.
func (d *decoder) document(index int, dx, dy float64, above map[int]bool) *element {
	root := &element{tag: "#document"}
	if index < 0 || index >= len(d.documents) || above[index] {
		return root
	}
	above[index] = true
	defer delete(above, index)
	doc := d.documents[index]
	root.title = d.string(int64(doc.Title))
	dx -= doc.ScrollOffsetX
	dy -= doc.ScrollOffsetY
	nodes := doc.Nodes
	all := make([]*element, len(nodes.NodeType))
	for i, kind := range nodes.NodeType {
		e := &element{tag: strings.ToLower(d.at(nodes.NodeName, i))}
		switch {
		case i == 0:
			e = root
		case kind == 3:
			e.tag = "#text"
		}
		if i < len(nodes.Attributes) {
			e.attrs = d.attributes(nodes.Attributes[i])
		}
		if i < len(nodes.BackendNodeID) {
			e.meaning = d.meanings[nodes.BackendNodeID[i]]
		}
		all[i] = e
	}
	d.rare(nodes.InputValue, all, func(e *element, v string) { e.value = v })
	d.rare(nodes.TextValue, all, func(e *element, v string) { e.value = v })
	d.rare(nodes.ShadowRootType, all, func(e *element, v string) { e.shadow = v == "user-agent" })
	if nodes.IsClickable != nil {
		for _, i := range nodes.IsClickable.Index {
			if i >= 0 && i < int64(len(all)) {
				all[i].presses = true
			}
		}
	}
	d.layout(doc.Layout, all, dx, dy)
	root.content = rect{w: doc.ContentWidth, h: doc.ContentHeight}
	for i, e := range all {
		if i == 0 || i >= len(nodes.ParentIndex) {
			continue
		}
		// A parent stands before its children.
		if parent := nodes.ParentIndex[i]; parent >= 0 && parent < int64(i) {
			all[parent].children = append(all[parent].children, e)
		}
	}
	if inner := nodes.ContentDocumentIndex; inner != nil {
		for n, i := range inner.Index {
			if i >= 0 && i < int64(len(all)) && n < len(inner.Value) {
				e := all[i]
				e.children = append(e.children, d.document(int(inner.Value[n]), e.client.x, e.client.y, above))
			}
		}
	}
	return root
}

func (d *decoder) at(list []domsnapshot.StringIndex, i int) string {
	if i >= len(list) {
		return ""
	}
	return d.string(int64(list[i]))
}

func (d *decoder) attributes(flat domsnapshot.ArrayOfStrings) map[string]string {
	m := make(map[string]string, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		m[strings.ToLower(d.string(flat[i]))] = d.string(flat[i+1])
	}
	return m
}

func (d *decoder) rare(data *domsnapshot.RareStringData, all []*element, set func(*element, string)) {
	if data == nil {
		return
	}
	for n, i := range data.Index {
		if i >= 0 && i < int64(len(all)) && n < len(data.Value) {
			set(all[i], d.string(int64(data.Value[n])))
		}
	}
}

// layout gives the elements their places.
func (d *decoder) layout(l *domsnapshot.LayoutTreeSnapshot, all []*element, dx, dy float64) {
	box := func(list []domsnapshot.Rectangle, n int) rect {
		if n >= len(list) || len(list[n]) < 4 {
			return rect{}
		}
		r := list[n]
		return rect{r[0], r[1], r[2], r[3]}
	}
	for n, i := range l.NodeIndex {
		if i < 0 || i >= int64(len(all)) {
			continue
		}
		e, b := all[i], box(l.Bounds, n)
		b.x += dx
		b.y += dy
		text := d.at(l.Text, n)
		if e.tag != "#text" && text != "" {
			// What a style sheet writes has no node of its own.
			e.children = append(e.children, &element{tag: "#text", written: true, laid: true, bounds: b, text: text, meaning: e.meaning})
		}
		if e.laid {
			continue
		}
		e.laid, e.bounds, e.text = true, b, text
		if n < len(l.Styles) {
			e.style = map[string]string{}
			for k, v := range l.Styles[n] {
				if k < len(styles) {
					e.style[styles[k]] = d.string(v)
				}
			}
		}
		// Client rectangles count from the border's outer edge.
		if c := box(l.ClientRects, n); !c.empty() {
			e.client = rect{b.x + c.x, b.y + c.y, c.w, c.h}
		} else {
			e.client = b
		}
		e.content = box(l.ScrollRects, n)
	}
}

// word is a value of the accessibility tree that is a string.
func word(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	if jsonv2.Unmarshal(v.Value, &s) != nil {
		return ""
	}
	return s
}

// closed reports whether the target is gone.
func (s *session) closed() bool {
	select {
	case <-s.gone:
		return true
	case <-s.wire.done:
		return true
	default:
		return false
	}
}
