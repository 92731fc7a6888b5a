package webview

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
)

func TestTextAndKeys(t *testing.T) {
	w := newWorld(t)
	w.page(`<form onsubmit="event.preventDefault(); console.log('submitted', document.getElementById('a').value + '/' + document.getElementById('b').value)">
		<input id="a" style="position:absolute;left:10px;top:100px;width:200px;height:40px">
		<input id="b" style="position:absolute;left:10px;top:200px;width:200px;height:40px"><input type="submit" style="position:absolute;left:10px;top:300px">
		</form><script>let trusted = true; document.getElementById('a').addEventListener('keydown', (e) => trusted &&= e.isTrusted)</script>`)
	r := w.start()
	r.painted()
	r.must(r.Tap(w.context(), 200, 315))
	r.until("document.activeElement.id === 'a'")
	r.must(r.Text(w.context(), "Ada_x+1@mail.examplé 日本"))
	r.must(r.Key(w.context(), "Backspace"))
	r.must(r.Key(w.context(), "Tab"))
	r.must(r.Text(w.context(), `"quotes" & <tags>`))
	if got := byID(r.tree(), "b"); got == nil || !got.Focused || got.Text != `"quotes" & <tags>` {
		t.Errorf("the second field is %+v, want it focused and written", got)
	}
	r.must(r.Key(w.context(), "Enter"))
	if got, want := w.waitLog("submitted "), `Ada_x+1@mail.examplé 日/"quotes" & <tags>`; got != want {
		t.Errorf("the form holds %s, want %s", got, want)
	}
	if r.eval("trusted") != true {
		t.Error("the page saw keys that no person pressed")
	}
	if err := r.Key(w.context(), "NoSuchKey"); err == nil || !strings.Contains(err.Error(), "NoSuchKey") {
		t.Errorf("a key that does not exist gives %v", err)
	}
}

func TestEveryKeyOfThePhoneIsOneKey(t *testing.T) {
	for _, name := range []string{"ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Enter", "Tab", "Backspace", "Delete", "Escape", "PageUp", "PageDown", "Home", "End", " ", ",", ".", "-", "@", "a", "Z", "7"} {
		if runes := keyed(name); len(runes) != 1 {
			t.Errorf("%q is %q, want one key", name, runes)
		}
	}
}

func TestSwipeScrolls(t *testing.T) {
	w := newWorld(t)
	w.page(`<div style="height:5000px">long</div>`)
	r := w.start()
	r.painted()
	r.must(r.Swipe(w.context(), image.Pt(500, 1800), image.Pt(500, 600), 200))
	r.until("scrollY > 300")
	short, cancel := context.WithTimeout(w.context(), 30*time.Millisecond)
	defer cancel()
	if err := r.Swipe(short, image.Pt(500, 1800), image.Pt(500, 600), 5000); err == nil {
		t.Error("a swipe outlived its context")
	}
}

func TestPromptIsOutOfTheAppsReach(t *testing.T) {
	w := newWorld(t)
	w.device.Screen, w.device.Density = image.Pt(824, 1830), 2
	w.page(`<body style="background:#00ff00"><button id="under" style="position:absolute;inset:0;width:100%;height:100vh;background:#00ff00;border:0" onclick="console.log('the app was tapped')">Under</button>
		<script>window.open('', 'prompt'); for (let i = 0; i < frames.length; i++) console.log('frame', i); new BroadcastChannel('x').onmessage = (m) => console.log('heard', m.data)</script>`)
	r := w.start()
	r.painted()
	type result struct {
		n   int
		err error
	}
	ask := android.Prompt{
		Package: "com.android.permissioncontroller", Message: "Allow <b>App</b> to access this device's location?",
		Buttons: []android.PromptButton{
			{ID: "com.android.permissioncontroller:id/permission_allow_foreground_only_button", Text: "While using the app"},
			{ID: "com.android.permissioncontroller:id/permission_deny_button", Text: `Don't allow`},
		},
	}
	for _, want := range []int{1, 0} {
		answers := make(chan result, 1)
		go func() {
			n, err := r.Prompt(w.context(), ask)
			answers <- result{n, err}
		}()
		tree := r.treeWith(ask.Buttons[want].ID)
		button := byID(tree, ask.Buttons[want].ID)
		if button.Package != ask.Package || !button.Clickable || button.Text != ask.Buttons[want].Text || button.Class != "android.widget.Button" {
			t.Errorf("the button is %+v", button)
		}
		if m := byID(tree, "com.android.permissioncontroller:id/permission_message"); m == nil || m.Text != ask.Message {
			t.Errorf("the message is %+v, want %s", m, ask.Message)
		}
		if byID(tree, "under") != nil {
			t.Error("the app is in the tree of the prompt")
		}
		shot, err := r.Screenshot(w.context())
		r.must(err)
		img, err := png.Decode(bytes.NewReader(shot))
		r.must(err)
		if _, green, _, _ := img.At(20, 20).RGBA(); img.Bounds() != image.Rect(0, 0, 824, 1830) || green>>8 < 60 || green>>8 > 200 {
			t.Errorf("the picture is %v with %v in the corner, want the app's green, dimmed", img.Bounds(), img.At(20, 20))
		}
		if ok, err := r.Back(w.context()); !ok || err != nil {
			t.Errorf("back while a prompt is up: %v, %v", ok, err)
		}
		at := button.Bounds.Min.Add(button.Bounds.Max).Div(2)
		r.must(r.Tap(w.context(), at.X, at.Y))
		if got := <-answers; got.n != want || got.err != nil {
			t.Errorf("the prompt was answered %d, %v; want %d", got.n, got.err, want)
		}
	}
	targets, err := call(w.context(), r.browser.wire.browser(), target.GetTargets, target.GetTargetsParams{})
	r.must(err)
	for _, info := range targets.TargetInfos {
		if info.Type == "page" && !strings.HasPrefix(info.URL, origin) {
			t.Errorf("a page is left behind: %+v", info)
		}
	}
	for _, m := range w.log {
		t.Errorf("the app noticed the prompt: %s", m.Text)
	}
	r.must(r.Tap(w.context(), 400, 900))
	w.waitLog("the app was tapped")
}

func TestPromptEndsWithTheApp(t *testing.T) {
	w := newWorld(t)
	r := w.start()
	answers := make(chan int, 1)
	go func() {
		n, err := r.Prompt(w.context(), android.Prompt{Package: "p", Message: "m", Buttons: []android.PromptButton{{ID: "p:id/ok", Text: "OK"}}})
		if err != nil {
			t.Error(err)
		}
		answers <- n
	}()
	r.treeWith("p:id/ok")
	r.must(r.Stop(w.context()))
	if n := <-answers; n != -1 {
		t.Errorf("the prompt of an app that ended was answered %d, want -1", n)
	}
	if n, err := r.Prompt(w.context(), android.Prompt{}); n != -1 || err != nil {
		t.Errorf("a prompt after the end: %d, %v; want -1", n, err)
	}
}

func TestForeground(t *testing.T) {
	w := newWorld(t)
	w.page(`<script>document.addEventListener('visibilitychange', () => console.log('now ' + document.visibilityState))</script>`)
	r := w.start()
	r.painted()
	r.must(r.SetForeground(w.context(), false))
	w.waitLog("now hidden")
	r.must(r.SetForeground(w.context(), true))
	w.waitLog("now visible")
	if shot, err := r.Screenshot(w.context()); err != nil || len(shot) == 0 {
		t.Errorf("no picture after the app came back: %v", err)
	}
}
