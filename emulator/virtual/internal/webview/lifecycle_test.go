package webview

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
	"github.com/unasked-audit/unasked/internal/chromium"
)

// ended waits for the app's end.
func (r *running) ended(why string) {
	r.world.t.Helper()
	select {
	case <-r.Done():
	case <-time.After(30 * time.Second):
		r.world.t.Fatalf("the app still runs after %s", why)
	}
}

func TestStopLeavesTheProfileAndNothingElse(t *testing.T) {
	w := newWorld(t)
	r := w.start()
	r.painted()
	home := r.home
	group := r.browser.cmd.Process.Pid
	if n := len(groupMembers(t, group)); n == 0 {
		t.Fatal("the browser has no processes, so this test would see nothing")
	}
	r.must(r.Stop(w.context()))
	r.must(r.Stop(w.context())) // a second time does nothing
	if left := groupMembers(t, group); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the browser's home is left: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Join(w.dataDir, "app_webview")); err != nil || len(entries) == 0 {
		t.Errorf("the profile is gone: %v", err)
	}
	for name, err := range map[string]error{
		"tap": r.Tap(w.context(), 1, 1), "emit": r.Emit(w.context(), "x", 1), "foreground": r.SetForeground(w.context(), true),
	} {
		if err == nil || !strings.Contains(err.Error(), "not running") {
			t.Errorf("%s after the end: %v", name, err)
		}
	}
}

func TestRendererCrashEndsTheApp(t *testing.T) {
	w := newWorld(t)
	r := w.start()
	r.painted()
	tell(r.page(), page.Crash, cdp.Empty{})
	r.ended("its renderer crashed")
}

func TestBrowserDeathEndsTheApp(t *testing.T) {
	w := newWorld(t)
	r := w.start()
	if err := r.browser.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	r.browser.kill()
	r.ended("its browser was killed")
}

func TestPageThatClosesItselfEndsTheApp(t *testing.T) {
	w := newWorld(t)
	w.page(`<script>onload = () => window.close()</script>`)
	w.start().ended("its page closed itself")
}

func TestStopFromWithinTheBridge(t *testing.T) {
	w := newWorld(t)
	var r *running
	started := make(chan struct{})
	w.bridge = &calls{answer: func(string, []json.RawMessage) (any, error) {
		<-started
		return nil, r.Stop(context.Background())
	}}
	w.page(`<script>onload = () => setTimeout(() => AndroidBridge.finish())</script>`)
	r = w.start()
	close(started)
	r.ended("its page asked for it")
}

func TestBusyPageHangsNothing(t *testing.T) {
	w := newWorld(t)
	w.page(`<script>onload = () => setTimeout(() => { console.log('busy'); for (;;); })</script>`)
	r := w.start()
	w.waitLog("busy")
	r.must(r.Tap(w.context(), 10, 10))
	r.must(r.Emit(w.context(), "x", nil))
	short, cancel := context.WithTimeout(w.context(), 300*time.Millisecond)
	defer cancel()
	if _, err := r.Tree(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a tree of a busy page: %v, want a deadline", err)
	}
	if _, err := r.Screenshot(short); err == nil {
		t.Log("a busy page can be photographed, which is fine")
	}
	r.must(r.Stop(w.context()))
}

func TestDevToolsIsThere(t *testing.T) {
	w := newWorld(t)
	r := w.start()
	res, err := http.Get("http://" + r.DevTools() + "/json/list")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list []struct{ Type, URL string }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Type != "page" || list[0].URL != origin+"/assets/www/index.html" {
		t.Errorf("DevTools lists %+v, want the app's page", list)
	}
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	w.page("")
	launch := android.Launch{Package: "org.example.app", DataDir: w.dataDir, Assets: w.assets, Entry: "www/index.html", Device: w.device}
	noPage, broken := launch, filepath.Join(t.TempDir(), "broken")
	noPage.Entry = "www/none.html"
	outside := launch
	outside.Entry = "../index.html"
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho 'error while loading shared libraries: libnss3.so' >&2\nexit 127\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		options  Options
		launch   android.Launch
		says     []string
		sentinel error
	}{
		{"no browser", Options{Chromium: "/nonexistent/chromium"}, launch, []string{"/nonexistent/chromium"}, ErrNoChromium},
		{"broken browser", Options{Chromium: broken}, launch, []string{broken, "libnss3.so"}, nil},
		{"no page", Options{}, noPage, []string{"www/none.html"}, nil},
		{"page outside", Options{}, outside, []string{"../index.html"}, nil},
	} {
		p, err := New(c.options).Start(w.context(), c.launch)
		if err == nil {
			p.Stop(w.context())
			t.Errorf("%s: the app was started", c.name)
			continue
		}
		for _, text := range append(c.says, "org.example.app") {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v; it does not say %s", c.name, err, text)
			}
		}
		if c.sentinel != nil && !errors.Is(err, c.sentinel) {
			t.Errorf("%s: %v is not %v", c.name, err, c.sentinel)
		}
	}
}

func TestStartWithoutToolsNamesThePackages(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("UNASKED_CHROMIUM", "")
	if _, err := chromium.Find(""); !errors.Is(err, ErrNoChromium) || !strings.Contains(err.Error(), "apt-get install chromium-headless-shell") {
		t.Errorf("without a browser: %v", err)
	}
	if err := new(stores).write(t.Context(), t.TempDir(), nil); !errors.Is(err, ErrNoCertutil) || !strings.Contains(err.Error(), "apt-get install libnss3-tools") {
		t.Errorf("without certutil: %v", err)
	}
}

func TestConsole(t *testing.T) {
	w := newWorld(t)
	w.page("<script>console.log('a', 1, { b: 2 }); console.warn('careful'); console.error('bad'); console.debug('fine')</script>\n<script>\nnobody.caught();\n</script><script>Promise.reject(new Error('two\\nlines'))</script>")
	w.start()
	w.waitLog("Uncaught (in promise) Error: two")
	w.waitLog("fine")
	w.mu.Lock()
	defer w.mu.Unlock()
	page := origin + "/assets/www/index.html"
	for _, want := range []Message{
		{Level: "info", Text: "a 1 [object Object]", Source: page, Line: 1}, {Level: "warning", Text: "careful", Source: page, Line: 1},
		{Level: "error", Text: "bad", Source: page, Line: 1}, {Level: "debug", Text: "fine", Source: page, Line: 1},
		{Level: "error", Text: "Uncaught ReferenceError: nobody is not defined", Source: page, Line: 3},
	} {
		want.Package, want.PID = "org.example.app", 4321
		if !slices.Contains(w.log, want) {
			t.Errorf("%+v is not in the log %+v", want, w.log)
		}
	}
}
