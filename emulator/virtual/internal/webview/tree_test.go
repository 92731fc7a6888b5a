package webview

import (
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

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

func TestTreeSpike(t *testing.T) {
	w := newWorld(t)
	w.device.Density, w.device.Screen = 2, image.Pt(800, 1600)
	w.origin("frame.example", `<style>body{margin:0}</style><button id="inner" style="position:absolute;left:30px;top:40px;width:100px;height:20px">Inner</button>`)
	w.page(`<h1>Hello   there</h1><p id="para">Some <b>bold</b> text</p>
	<button id="b1" style="position:absolute;left:100px;top:200px;width:120px;height:48px">Accept all</button>
	<button aria-label="Close" style="position:absolute;left:300px;top:200px;width:40px;height:40px">×</button>
	<a href="#x" id="lnk" style="position:absolute;left:10px;top:260px">Privacy <i>policy</i></a>
	<div onclick="1" id="card" style="position:absolute;left:10px;top:300px;width:200px;height:30px"><span>Reject</span></div>
	<label style="position:absolute;left:10px;top:340px"><input type="checkbox" id="cb" checked> I agree</label>
	<input id="name" placeholder="Your name" style="position:absolute;left:10px;top:370px;width:100px"><input id="pw" type="password" value="secret" style="position:absolute;left:200px;top:370px;width:100px">
	<select id="sel" style="position:absolute;left:10px;top:400px"><option>One<option selected>Two</select>
	<img id="im" alt="A cat" width=50 height=50 style="position:absolute;left:10px;top:430px">
	<div id="hid" style="display:none">Hidden words</div><div style="visibility:hidden">Also hidden</div><div aria-hidden="true">Aria hidden</div>
	<button disabled id="dis" style="position:absolute;left:100px;top:430px">Off</button>
	<div id="scr" style="position:absolute;left:10px;top:500px;width:200px;height:100px;overflow:auto"><div style="height:60px"></div><button id="part" style="display:block;height:80px;width:100px">Part</button><button id="gone" style="display:block;height:80px">Beyond</button></div>
	<iframe src="https://frame.example/" id="fr" style="position:absolute;left:20px;top:620px;width:300px;height:100px;border:5px solid red"></iframe>
	<div style="position:absolute;top:2000px">Below the fold</div>
	<div style="position:fixed;bottom:0;left:0;width:100px;height:20px">Fixed</div>
	<style>#gen::before{content:"Generated"}</style><div id="gen" style="position:absolute;left:250px;top:500px"></div>`)
	r := w.start()
	r.painted()
	t0 := time.Now()
	r.tree()
	t.Log(time.Since(t0))
	t0 = time.Now()
	r.tree()
	t.Log(time.Since(t0))
	var b strings.Builder
	outline(r.tree(), 0, &b)
	t.Log("\n" + b.String())
	b.Reset()
	r.eval("document.body.insertAdjacentHTML('beforeend','<dialog id=dlg>Modal <button>Fine</button></dialog>'); dlg.showModal()")
	outline(r.tree(), 0, &b)
	t.Log("\n" + b.String())
	r.eval("dlg.close(); scrollTo(0,100); document.getElementById('scr').scrollTop=40")
	b.Reset()
	outline(r.tree(), 0, &b)
	t.Log("\n" + b.String())
}
