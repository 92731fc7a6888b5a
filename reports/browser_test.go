package reports_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/unasked-audit/unasked/reports"
	"github.com/unasked-audit/unasked/reports/internal/specimen"
)

// browser starts a Chromium; the test is skipped where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	program := os.Getenv("UNASKED_CHROMIUM")
	for _, name := range []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "google-chrome"} {
		if program == "" {
			program, _ = exec.LookPath(name)
		}
	}
	if program == "" {
		t.Skip("no Chromium on PATH; apt-get install chromium-headless-shell")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancelAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancelAlloc)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(cancelTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// watch collects what a page should not do: messages on the console, exceptions, and requests.
func watch(t *testing.T, ctx context.Context) (seen func() []string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	add := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, fmt.Sprintf(format, args...))
	}
	err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			add("exception: %s", e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			add("console.%s", e.Type)
		case *log.EventEntryAdded:
			add("log: %s", e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "data:") && !strings.HasPrefix(e.Request.URL, "file:") {
				add("request: %s", e.Request.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := all
		all = nil
		return out
	}
}

// save writes a page to a file and returns its URL.
func save(t *testing.T, a specimen.Audit) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, write(t, reports.FormatHTML, a), 0o600); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: file}).String()
}

// Scripts that measure; each returns a list of what is wrong.
const (
	overflowing = `(() => {
	const bad = [], w = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth > w) bad.push('the page is ' + document.documentElement.scrollWidth + ' wide');
	const inside = e => { for (let p = e.parentElement; p; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return true; return false; };
	for (const e of document.querySelectorAll('body *')) {
		const r = e.getBoundingClientRect();
		if (r.width && r.right > w + 1 && !inside(e)) bad.push(e.tagName + '.' + (e.getAttribute('class') || '') + ' ends at ' + Math.round(r.right) + ': ' + e.textContent.slice(0, 60));
	}
	return bad.slice(0, 8);
})()`
	// Text against what is painted behind it: 4.5 to 1, or 3 to 1 for large text, as WCAG 2.2 (1.4.3) asks.
	faint = `(() => {
	const rgb = s => s.match(/[\d.]+/g).map(Number);
	const lum = c => { const f = c.slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
	const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
	const bad = new Set();
	for (const e of document.querySelectorAll('body *:not(svg *)')) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
		const s = getComputedStyle(e), a = lum(rgb(s.color)), b = lum(behind(e));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), size = parseFloat(s.fontSize);
		if (ratio < (size >= 24 || size >= 18.66 && s.fontWeight >= 700 ? 3 : 4.5)) bad.add(e.tagName + '.' + (e.getAttribute('class') || '') + ' ' + ratio.toFixed(2));
	}
	return [...bad].slice(0, 8);
})()`
	tooSmall = `[...document.querySelectorAll('svg.flow text, svg.flow')].filter(e => e.tagName === 'svg' && e.getClientRects().length && e.getBoundingClientRect().width / e.viewBox.baseVal.width < .8).map(e => 'a picture is shown at ' + e.getBoundingClientRect().width)`
)

func TestPageInABrowser(t *testing.T) {
	ctx := browser(t)
	seen := watch(t, ctx)
	for _, c := range []struct {
		name  string
		audit specimen.Audit
	}{{"guilty", specimen.Guilty(t)}, {"unread", specimen.Unread(t)}, {"armed", specimen.Armed(t)}, {"hostile", specimen.Hostile(t)}} {
		at := save(t, c.audit)
		for _, width := range []int64{1280, 768, 390, 320} {
			for _, theme := range []string{"light", "dark"} {
				if theme == "dark" && width != 390 {
					continue // colours don't depend on the width
				}
				t.Run(fmt.Sprintf("%s at %d, %s", c.name, width, theme), func(t *testing.T) {
					media(t, ctx, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
					do(t, ctx, chromedp.EmulateViewport(width, 844), chromedp.Navigate(at))
					for _, measure := range []string{overflowing, faint, tooSmall} {
						for _, w := range eval[[]string](t, ctx, measure) {
							t.Error(w)
						}
					}
					name := eval[string](t, ctx, `document.title`)
					colour := eval[string](t, ctx, `getComputedStyle(document.body).backgroundColor`)
					for _, s := range seen() {
						t.Error(s)
					}
					if !strings.HasSuffix(name, "unasked audit report") {
						t.Errorf("the title is %q", name)
					}
					if want := map[string]string{"light": "rgb(253, 252, 250)", "dark": "rgb(21, 22, 26)"}[theme]; colour != want {
						t.Errorf("the page is %s, want %s: is the style sheet applied?", colour, want)
					}
				})
			}
		}
	}
}

// Whatever slipped through would still be stopped by the policy.
func TestPolicyStopsScriptsAndRequests(t *testing.T) {
	ctx := browser(t)
	seen := watch(t, ctx)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	called := make(chan struct{}, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Close()
			called <- struct{}{}
		}
	}()
	do(t, ctx, chromedp.Navigate(save(t, specimen.Guilty(t))))
	stopped := eval[[]string](t, ctx, `new Promise(done => {
			const stopped = new Set();
			addEventListener('securitypolicyviolation', e => { stopped.add(e.effectiveDirective); if (stopped.size === 4) done([...stopped].sort()); });
			const s = document.createElement('script'); s.textContent = "document.title = 'owned'"; document.body.append(s);
			const i = document.createElement('img'); i.src = 'http://`+l.Addr().String()+`/i.png'; document.body.append(i);
			const y = document.createElement('style'); y.textContent = 'body { display: none }'; document.body.append(y);
			document.body.insertAdjacentHTML('beforeend', '<p style="color: red">');
		})`, chromedp.EvalAwaitPromise)
	if got, want := strings.Join(stopped, " "), "img-src script-src-elem style-src-attr style-src-elem"; got != want {
		t.Errorf("stopped: %s; want %s", got, want)
	}
	if eval[string](t, ctx, `document.title`) == "owned" {
		t.Error("a script ran")
	}
	select {
	case <-called:
		t.Error("a request went out")
	default:
	}
	seen()
}

func TestPageByKeyboardAndOnPaper(t *testing.T) {
	ctx := browser(t)
	at := save(t, specimen.Guilty(t))
	do(t, ctx, chromedp.Navigate(at), chromedp.KeyEvent(kb.Tab))
	if first := eval[string](t, ctx, `document.activeElement.className`); first != "skip" {
		t.Errorf("the first thing that Tab reaches is %q, want the link that skips to the answers", first)
	}
	const closed = `document.querySelector('details.place:not([open]) > summary')`
	eval[bool](t, ctx, `window.s = `+closed+`; s.focus(); s.parentElement.open`)
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	if !eval[bool](t, ctx, `s.parentElement.open`) {
		t.Error("Enter does not open a request")
	}

	do(t, ctx, chromedp.Navigate(at))
	media(t, ctx, emulation.SetEmulatedMediaParams{Media: "print"})
	for _, h := range eval[[]string](t, ctx, `[...document.querySelectorAll('details.place:not([open]) .opened')].filter(e => !e.checkVisibility()).map(e => e.textContent.slice(0, 50))`) {
		t.Errorf("not on paper: %s", h)
	}
	media(t, ctx, emulation.SetEmulatedMediaParams{})
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	if len(pdf) < 50_000 {
		t.Errorf("the PDF has %d bytes", len(pdf))
	}
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, js string, opts ...chromedp.EvaluateOption) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, opts...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func media(t *testing.T, ctx context.Context, p emulation.SetEmulatedMediaParams) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, p); err != nil {
		t.Fatal(err)
	}
}
