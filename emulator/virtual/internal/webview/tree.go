package webview

import (
	"context"
	"fmt"
	"image"
	"math"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp/jsonv2"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
)

// Tree is the screen as uiautomator sees it; see [android.Process]. It comes
// from the browser's layout and accessibility tree and runs no script. Only
// what is within the screen is in it.
func (p *process) Tree(ctx context.Context) (*android.Node, error) {
	if err := p.alive(ctx); err != nil {
		return nil, fmt.Errorf("tree of %s: %w", p.launch.Package, err)
	}
	tree, err := look(p, func(f face) (*android.Node, error) { return p.tree(ctx, f) })
	if err != nil {
		return nil, fmt.Errorf("tree of %s: %w", p.launch.Package, err)
	}
	return tree, nil
}

// tree reads one page, the app's or a prompt's.
func (p *process) tree(ctx context.Context, face face) (*android.Node, error) {
	page, err := snapshot(ctx, face.session)
	if err != nil {
		return nil, err
	}
	d := p.launch.Device
	f := density(d)
	b := &treeBuilder{owner: face.owner, density: f, screen: image.Rectangle{Max: d.Screen}, system: face.system}
	view := rect{0, 0, float64(d.Screen.X) / f, float64(d.Screen.Y) / f}
	inside := b.inside(page, view)
	if !face.system {
		inside = []*android.Node{b.frame("android.webkit.WebView", "", &android.Node{
			Class: "android.webkit.WebView", Package: face.owner, Text: page.title, Bounds: b.screen,
			Enabled: true, Focusable: true, Scrollable: page.content.h > view.h+1, Children: inside,
		})}
	}
	content := b.frame("android.widget.FrameLayout", "android:id/content", inside...)
	return b.frame("android.widget.FrameLayout", "", b.frame("android.widget.LinearLayout", "", content)), nil
}

// treeBuilder turns a page into nodes of uiautomator's.
type treeBuilder struct {
	owner   string
	density float64
	screen  image.Rectangle
	system  bool // a dialog of the system, which is made of views and no page
}

// frame is one of the layouts that Android puts around a page.
func (b *treeBuilder) frame(class, id string, children ...*android.Node) *android.Node {
	return &android.Node{Class: class, Package: b.owner, ResourceID: id, Bounds: b.screen, Enabled: true, Children: children}
}

// inside builds what is below an element, as far as it shows within clip.
func (b *treeBuilder) inside(e *element, clip rect) []*android.Node {
	var out []*android.Node
	for _, c := range e.children {
		out = append(out, b.build(c, clip)...)
	}
	return out
}

// build is an element's node, or, for one that only arranges others, theirs.
func (b *treeBuilder) build(e *element, clip rect) []*android.Node {
	if e.shadow {
		return nil
	}
	if e.tag == "#document" {
		return b.inside(e, clip)
	}
	if !e.laid {
		// No place of its own (display: contents), but perhaps what is below it.
		return b.inside(e, clip)
	}
	within := clip
	if clips(e.style["overflow-x"]) || clips(e.style["overflow-y"]) || e.tag == "iframe" {
		within = clip.intersect(e.client)
	}
	if e.style["position"] == "fixed" {
		clip = rect{0, 0, float64(b.screen.Dx()) / b.density, float64(b.screen.Dy()) / b.density}
		within = clip
	}
	children := b.inside(e, within)
	bounds := b.pixels(e.bounds.intersect(clip))
	if bounds.Empty() || e.style["visibility"] == "hidden" || e.style["visibility"] == "collapse" {
		return children
	}
	if e.tag == "#text" {
		return b.words(e, bounds)
	}
	if ignored(e) {
		return children
	}
	return []*android.Node{b.node(e, bounds, children)}
}

// words is the node of a piece of text.
func (b *treeBuilder) words(e *element, bounds image.Rectangle) []*android.Node {
	text := collapse(e.text)
	if text == "" || e.meaning == nil || e.meaning.Ignored && (!e.written || hidden(e.meaning)) {
		return nil
	}
	return []*android.Node{{Class: "android.widget.TextView", Package: b.owner, Text: text, Bounds: bounds, Enabled: true}}
}

// node describes an element that means something.
func (b *treeBuilder) node(e *element, bounds image.Rectangle, children []*android.Node) *android.Node {
	role := word(e.meaning0().Role)
	k := kindOf(role)
	n := &android.Node{
		Class: k.class, Package: b.owner, ResourceID: e.attrs["id"], Desc: description(e), Bounds: bounds,
		Clickable: k.pressable || e.presses, Checkable: k.checkable, Checked: k.checkable && e.is("checked"),
		Enabled: !e.is("disabled"), Focusable: e.is("focusable"), Focused: e.is("focused"),
		Scrollable: scrolls(e), Password: e.tag == "input" && strings.EqualFold(e.attrs["type"], "password"),
		Children: children,
	}
	name := collapse(word(e.meaning0().Name))
	switch {
	case k.edits:
		n.Children = nil
		n.Text = e.value
		if e.value == "" && e.tag != "input" && e.tag != "textarea" {
			n.Text = word(e.meaning0().Value)
		}
		if n.Password {
			n.Text = strings.Repeat("•", len([]rune(e.value)))
		}
		if n.Hint = e.attrs["placeholder"]; n.Hint == "" && n.Desc == "" {
			n.Hint = name
		}
	case k.class == "android.widget.Spinner":
		n.Children = nil
		n.Text = word(e.meaning0().Value)
		if n.Desc == "" {
			n.Hint = name
		}
	case e.tag == "input" || len(children) == 0 && k.leaf:
		if n.Text = name; n.Text == n.Desc {
			n.Text = ""
		}
		n.Children = nil
	case (k.leaf || n.Clickable || b.system) && onlyWords(children):
		n.Text, n.Children = joined(children), nil
	}
	if b.system && n.Class == "android.view.View" && n.Text != "" {
		n.Class = "android.widget.TextView"
	}
	return n
}

// meaning0 is the element's place in the accessibility tree, empty for none.
func (e *element) meaning0() *accessibility.Node {
	if e.meaning == nil {
		return &accessibility.Node{}
	}
	return e.meaning
}

// is reports a property of the accessibility tree.
func (e *element) is(property string) bool {
	for _, p := range e.meaning0().Properties {
		if string(p.Name) != property || p.Value == nil {
			continue
		}
		var b bool
		if jsonv2.Unmarshal(p.Value.Value, &b) == nil {
			return b
		}
		return word(p.Value) == "true"
	}
	return false
}

// hidden reports whether a node is kept from assistive technology, as what is
// behind a modal dialog is, and does not only arrange others.
func hidden(n *accessibility.Node) bool {
	for _, r := range n.IgnoredReasons {
		switch string(r.Name) {
		case "ariaHiddenElement", "ariaHiddenSubtree", "inertElement", "inertSubtree", "activeModalDialog", "activeFullscreenElement":
			return true
		}
	}
	return false
}

// ignored reports whether an element only arranges others.
func ignored(e *element) bool {
	switch {
	case e.tag == "html" || e.tag == "body" || strings.HasPrefix(e.tag, "#"), e.meaning == nil:
		return true
	case scrolls(e), e.presses:
		return false
	}
	return e.meaning.Ignored || word(e.meaning.Role) == "none"
}

// description is what an element's author says of it, and not what is written in it.
func description(e *element) string {
	for _, attr := range []string{"aria-label", "alt"} {
		if text := collapse(e.attrs[attr]); text != "" {
			return text
		}
	}
	if e.attrs["aria-labelledby"] != "" || e.tag == "svg" {
		return collapse(word(e.meaning0().Name))
	}
	return ""
}

// scrolls reports whether a person could scroll an element.
func scrolls(e *element) bool {
	moves := func(overflow string) bool { return overflow == "auto" || overflow == "scroll" }
	return e.tag != "html" && e.tag != "body" &&
		(moves(e.style["overflow-y"]) && e.content.h > e.client.h+1 || moves(e.style["overflow-x"]) && e.content.w > e.client.w+1)
}

func clips(overflow string) bool {
	return overflow == "hidden" || overflow == "clip" || overflow == "auto" || overflow == "scroll"
}

// onlyWords reports whether nodes are text and nothing else.
func onlyWords(nodes []*android.Node) bool {
	for _, n := range nodes {
		if n.Class != "android.widget.TextView" || n.Clickable || len(n.Children) > 0 {
			return false
		}
	}
	return len(nodes) > 0
}

func joined(nodes []*android.Node) string {
	words := make([]string, len(nodes))
	for i, n := range nodes {
		words[i] = n.Text
	}
	return strings.Join(words, " ")
}

// collapse writes white space as it is laid out.
func collapse(text string) string { return strings.Join(strings.Fields(text), " ") }

// pixels is a rectangle in the screen's pixels.
func (b *treeBuilder) pixels(r rect) image.Rectangle {
	if r.empty() {
		return image.Rectangle{}
	}
	at := func(v float64) int { return int(math.Round(min(max(v*b.density, -1e6), 1e6))) }
	return image.Rect(at(r.x), at(r.y), at(r.x+r.w), at(r.y+r.h)).Intersect(b.screen)
}
