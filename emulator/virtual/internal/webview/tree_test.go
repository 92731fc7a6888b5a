package webview

import (
	"fmt"
	"image"
	"reflect"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
)

// outline writes a tree a line a node.
func outline(n *android.Node, depth int, b *strings.Builder) {
	class := n.Class[strings.LastIndexByte(n.Class, '.')+1:]
	fmt.Fprintf(b, "%s%s %v", strings.Repeat(" ", depth), class, n.Bounds)
	for _, part := range []struct{ name, value string }{{"text", n.Text}, {"id", n.ResourceID}, {"desc", n.Desc}, {"hint", n.Hint}} {
		if part.value != "" {
			fmt.Fprintf(b, " %s=%q", part.name, part.value)
		}
	}
	for _, flag := range []struct {
		name string
		on   bool
	}{{"clickable", n.Clickable}, {"checkable", n.Checkable}, {"checked", n.Checked}, {"disabled", !n.Enabled}, {"focused", n.Focused}, {"scrollable", n.Scrollable}, {"password", n.Password}} {
		if flag.on {
			b.WriteString(" " + flag.name)
		}
	}
	b.WriteString("\n")
	for _, c := range n.Children {
		outline(c, depth+1, b)
	}
}

// find returns the first node that matches.
func find(n *android.Node, match func(*android.Node) bool) *android.Node {
	if match(n) {
		return n
	}
	for _, c := range n.Children {
		if m := find(c, match); m != nil {
			return m
		}
	}
	return nil
}

func byID(n *android.Node, id string) *android.Node {
	return find(n, func(n *android.Node) bool { return n.ResourceID == id })
}

func (r *running) tree() *android.Node {
	r.world.t.Helper()
	n, err := r.Tree(r.world.context())
	r.must(err)
	return n
}

// treePage is a page whose layout is known: one CSS pixel is two of the screen's.
const treePage = `<style>input, select, button { margin: 0; border: 0; padding: 0 } #gen::before { content: "Generated" }</style>
	<h1 id="head" style="position:absolute;left:10px;top:0;width:300px;height:40px;margin:0">Hello   there</h1>
	<p id="para" style="position:absolute;left:10px;top:60px;margin:0">Some <b>bold</b> text</p>
	<button id="accept" style="position:absolute;left:100px;top:200px;width:120px;height:48px">Accept <b>all</b></button>
	<button id="close" aria-label="Close" style="position:absolute;left:300px;top:200px;width:40px;height:40px">×</button>
	<a id="link" href="#x" style="position:absolute;left:10px;top:260px;width:150px;height:20px">Privacy <i>policy</i></a>
	<div id="card" style="position:absolute;left:10px;top:300px;width:200px;height:30px"><span>Reject</span></div>
	<label style="position:absolute;left:10px;top:340px"><input type="checkbox" id="agree" checked> I agree</label>
	<input id="name" placeholder="Your name" style="position:absolute;left:10px;top:370px;width:100px;height:20px">
	<input id="secret" type="password" value="secret" style="position:absolute;left:200px;top:370px;width:100px;height:20px">
	<select id="choice" style="position:absolute;left:10px;top:400px;width:80px;height:20px"><option>One<option selected>Two</select>
	<img id="cat" alt="A cat" style="position:absolute;left:10px;top:430px;width:50px;height:50px">
	<button id="off" disabled style="position:absolute;left:100px;top:430px;width:50px;height:20px">Off</button>
	<div style="display:none">Decoy one</div><div style="visibility:hidden">Decoy two</div>
	<div aria-hidden="true">Decoy three <button onclick="1">Decoy four</button></div><div style="position:absolute;left:-500px">Decoy five</div>
	<div id="list" style="position:absolute;left:10px;top:500px;width:200px;height:100px;overflow:auto"><div style="height:60px"></div>
		<button id="part" style="display:block;height:80px;width:100px">Part</button><button style="display:block;height:80px">Decoy six</button></div>
	<iframe id="frame" src="https://frame.example/" style="position:absolute;left:20px;top:620px;width:300px;height:100px;border:5px solid"></iframe>
	<div id="turned" role="button" style="position:absolute;left:250px;top:300px;width:40px;height:20px;transform:translate(10px,5px)">Turned</div>
	<div id="gen" style="position:absolute;left:250px;top:500px"></div>
	<div style="position:fixed;bottom:0;left:0;width:100px;height:20px" id="fixed" role="button">Fixed</div>
	<div style="position:absolute;top:2000px">Below</div>
	<script>document.getElementById('card').addEventListener('click', () => 0)</script>`

func TestTreeIsTheLayout(t *testing.T) {
	w := newWorld(t)
	w.device.Density, w.device.Screen = 2, image.Pt(800, 1600)
	w.origin("frame.example", `<style>body{margin:0}</style><button id="inner" style="position:absolute;left:30px;top:40px;width:100px;height:20px">Inner</button>
		<div style="position:absolute;top:200px">Decoy seven</div>`)
	w.page(treePage)
	r := w.start()
	r.painted()
	r.until("document.getElementById('frame').contentWindow.length === 0 && document.getElementById('cat').complete")
	tree := r.treeWith("inner")
	check := func(tree *android.Node, wants []android.Node) {
		t.Helper()
		for _, want := range wants {
			got := byID(tree, want.ResourceID)
			if got == nil {
				t.Errorf("%s is not in the tree", want.ResourceID)
				continue
			}
			flat := *got
			flat.Children = nil
			want.Package, want.Class = "org.example.app", "android."+want.Class
			// Focusability is Chromium's to say.
			flat.Focusable = want.Focusable
			if !reflect.DeepEqual(flat, want) {
				t.Errorf("%s is\n%+v, want\n%+v", want.ResourceID, flat, want)
			}
		}
	}
	at := func(x, y, w, h int) image.Rectangle { return image.Rect(2*x, 2*y, 2*(x+w), 2*(y+h)) }
	check(tree, []android.Node{
		{ResourceID: "head", Class: "widget.TextView", Text: "Hello there", Bounds: at(10, 0, 300, 40), Enabled: true},
		{ResourceID: "accept", Class: "widget.Button", Text: "Accept all", Bounds: at(100, 200, 120, 48), Enabled: true, Clickable: true},
		{ResourceID: "close", Class: "widget.Button", Text: "×", Desc: "Close", Bounds: at(300, 200, 40, 40), Enabled: true, Clickable: true},
		{ResourceID: "link", Class: "view.View", Text: "Privacy policy", Bounds: at(10, 260, 150, 20), Enabled: true, Clickable: true},
		{ResourceID: "card", Class: "view.View", Text: "Reject", Bounds: at(10, 300, 200, 30), Enabled: true, Clickable: true},
		{ResourceID: "name", Class: "widget.EditText", Hint: "Your name", Bounds: at(10, 370, 100, 20), Enabled: true, Clickable: true},
		{ResourceID: "secret", Class: "widget.EditText", Text: "••••••", Bounds: at(200, 370, 100, 20), Enabled: true, Clickable: true, Password: true},
		{ResourceID: "choice", Class: "widget.Spinner", Text: "Two", Bounds: at(10, 400, 80, 20), Enabled: true, Clickable: true},
		{ResourceID: "cat", Class: "widget.Image", Desc: "A cat", Bounds: at(10, 430, 50, 50), Enabled: true},
		{ResourceID: "off", Class: "widget.Button", Text: "Off", Bounds: at(100, 430, 50, 20), Clickable: true},
		{ResourceID: "list", Class: "view.View", Bounds: at(10, 500, 200, 100), Enabled: true, Scrollable: true},
		{ResourceID: "part", Class: "widget.Button", Text: "Part", Bounds: at(10, 560, 100, 40), Enabled: true, Clickable: true},
		{ResourceID: "inner", Class: "widget.Button", Text: "Inner", Bounds: at(55, 665, 100, 20), Enabled: true, Clickable: true},
		{ResourceID: "turned", Class: "widget.Button", Text: "Turned", Bounds: at(260, 305, 40, 20), Enabled: true, Clickable: true},
		{ResourceID: "fixed", Class: "widget.Button", Text: "Fixed", Bounds: at(0, 780, 100, 20), Enabled: true, Clickable: true},
	})
	if box := byID(tree, "agree"); box == nil || box.Text != "I agree" || !box.Checkable || !box.Checked || box.Class != "android.widget.CheckBox" {
		t.Errorf("the checkbox is %+v", box)
	}
	for _, text := range []string{"Some", "bold", "Generated"} {
		if find(tree, func(n *android.Node) bool { return n.Text == text && n.Class == "android.widget.TextView" }) == nil {
			t.Errorf("the text %q is not in the tree", text)
		}
	}
	decoys := func(tree *android.Node) {
		t.Helper()
		if n := find(tree, func(n *android.Node) bool { return strings.Contains(n.Text, "Decoy") || n.Text == "Below" }); n != nil {
			t.Errorf("what nobody can see is in the tree: %+v", n)
		}
	}
	decoys(tree)
	web := find(tree, func(n *android.Node) bool { return n.Class == "android.webkit.WebView" && n.Text == "App" })
	if tree.Class != "android.widget.FrameLayout" || tree.Bounds != image.Rect(0, 0, 800, 1600) || web == nil || !web.Scrollable {
		t.Errorf("the tree's frame is %+v, and its page %+v", tree, web)
	}

	// Scrolled, everything but the fixed one moves.
	r.eval("scrollTo(0, 100); document.getElementById('list').scrollTop = 40")
	tree = r.tree()
	check(tree, []android.Node{
		{ResourceID: "accept", Class: "widget.Button", Text: "Accept all", Bounds: at(100, 100, 120, 48), Enabled: true, Clickable: true},
		{ResourceID: "part", Class: "widget.Button", Text: "Part", Bounds: at(10, 420, 100, 80), Enabled: true, Clickable: true},
		{ResourceID: "inner", Class: "widget.Button", Text: "Inner", Bounds: at(55, 565, 100, 20), Enabled: true, Clickable: true},
		{ResourceID: "fixed", Class: "widget.Button", Text: "Fixed", Bounds: at(0, 780, 100, 20), Enabled: true, Clickable: true},
	})
	decoys(tree)
	if byID(tree, "head") != nil {
		t.Error("the heading is in the tree, which was scrolled away")
	}

	// A tap at a node's centre meets the node, in a frame too.
	r.eval("document.getElementById('accept').onclick = () => console.log('met accept')")
	centre := func(id string) image.Point {
		b := byID(tree, id).Bounds
		return b.Min.Add(b.Max).Div(2)
	}
	c := centre("accept")
	r.must(r.Tap(w.context(), c.X, c.Y))
	w.waitLog("met accept")

	// A modal dialog is all that there is while it is open.
	r.eval("document.body.insertAdjacentHTML('beforeend', '<dialog id=modal>Modal <button id=fine>Fine</button></dialog>'); document.getElementById('modal').showModal()")
	tree = r.tree()
	if d := byID(tree, "modal"); d == nil || d.Class != "android.app.Dialog" || byID(tree, "fine") == nil || byID(tree, "accept") != nil {
		var b strings.Builder
		outline(tree, 0, &b)
		t.Errorf("with a modal dialog the tree is\n%s", b.String())
	}
}

// treeWith is the tree once it holds a node, which may be in a frame that loads
// or in a prompt that comes up.
func (r *running) treeWith(id string) *android.Node {
	r.world.t.Helper()
	for ctx := r.world.context(); ctx.Err() == nil; {
		if tree := r.tree(); byID(tree, id) != nil {
			return tree
		}
	}
	r.world.t.Fatalf("%s did not come onto the screen", id)
	return nil
}

func TestTreeIsNotNoticed(t *testing.T) {
	w := newWorld(t)
	w.page(`<button id="b">B</button><script>
		const noticed = [];
		for (const [type, names] of [[Element, ['getBoundingClientRect', 'getAttribute', 'matches']], [Document, ['querySelectorAll', 'getElementById', 'elementFromPoint']]])
			for (const name of names) { const f = type.prototype[name]; type.prototype[name] = function (...a) { noticed.push(name); return f.apply(this, a) } }
		const trap = new Error('x'); Object.defineProperty(trap, 'stack', { get() { noticed.push('stack') } }); console.log(trap); console.debug({ get x() { noticed.push('getter') } });
		new MutationObserver(() => noticed.push('mutation')).observe(document, { subtree: true, childList: true, attributes: true });
	</script>`)
	r := w.start()
	r.painted()
	if byID(r.tree(), "b") == nil {
		t.Error("the button is not in the tree")
	}
	if _, err := r.Screenshot(w.context()); err != nil {
		t.Error(err)
	}
	if got := r.eval("noticed.join()"); got != "" {
		t.Errorf("the page noticed that it was looked at: %v", got)
	}
}
