package webview

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
)

// handle deals with what the browser says by itself. It runs in the goroutine
// that delivers events and never waits for an answer.
func (p *process) handle(e event) {
	switch e.method {
	case target.AttachedToTarget.Method:
		if a, ok := read(target.AttachedToTarget, e); ok {
			p.attach(e.session, a)
		}
	case target.DetachedFromTarget.Method:
		if d, ok := read(target.DetachedFromTarget, e); ok {
			p.detached(d.SessionID)
		}
	case fetch.RequestPaused.Method:
		if r, ok := read(fetch.RequestPaused, e); ok && e.session.id == "" {
			go p.answer(e.session, r)
		}
	case inspector.TargetCrashed.Method:
		// An app whose renderer is gone is gone, as on Android.
		if e.session == p.page() {
			p.end()
		}
	case page.JavascriptDialogOpening.Method:
		// A WebView without a WebChromeClient shows no dialogs: an alert returns
		// at once, a question is answered no. Only leaving a page is allowed.
		if d, ok := read(page.JavascriptDialogOpening, e); ok {
			tell(e.session, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: d.Type == page.DialogTypeBeforeunload})
		}
	case page.WindowOpen.Method:
		// A WebView without multiple windows opens them in place.
		if w, ok := read(page.WindowOpen, e); ok && e.session == p.page() && (strings.HasPrefix(w.URL, "https://") || strings.HasPrefix(w.URL, "http://")) {
			tell(e.session, page.Navigate, page.NavigateParams{URL: w.URL})
		}
	case page.FrameNavigated.Method:
		if n, ok := read(page.FrameNavigated, e); ok && n.Frame != nil {
			p.frames.navigated(n.Frame.ID, n.Frame.SecurityOrigin)
		}
	case page.FrameDetached.Method:
		// A frame that is swapped only goes to another process.
		if d, ok := read(page.FrameDetached, e); ok && d.Reason == page.FrameDetachedReasonRemove {
			p.frames.detached(d.FrameID)
		}
	case consoleMessageAdded.Method:
		if m, ok := read(consoleMessageAdded, e); ok {
			p.logged(m)
		}
	case runtime.BindingCalled.Method:
		if b, ok := read(runtime.BindingCalled, e); ok {
			p.pressed(e.session, b.Payload)
		}
	}
}

// attach sets a new target up before anything runs in it.
func (p *process) attach(from *session, a target.EventAttachedToTarget) {
	s := p.browser.wire.session(a.SessionID)
	if s == nil {
		return // gone already
	}
	info := a.TargetInfo
	switch info.Type {
	case "page":
		if from.id != "" {
			break
		}
		role, awaiting := p.claim(s, info)
		if role == stray {
			// A popup: its address was taken from the event of its opening. It
			// must not ask for anything, but neither may it be held: it can
			// share the app's thread.
			tell(s, fetch.Enable, fetch.EnableParams{})
			tell(p.browser.wire.browser(), target.CloseTarget, target.CloseTargetParams{TargetID: info.TargetID})
			tell(s, runtime.RunIfWaitingForDebugger, cdp.Empty{})
			return
		}
		p.dress(s)
		tell(s, page.Enable, page.EnableParams{})
		if role == app {
			tell(s, consoleEnable, cdp.Empty{})
			tell(s, inspector.Enable, cdp.Empty{})
			tell(s, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: bridgeScript})
		}
		follow(s)
		if role == app {
			p.attached <- s // open lets it go
			return
		}
		awaiting <- s
	case "iframe":
		p.dress(s)
		tell(s, page.Enable, page.EnableParams{})
		tell(s, consoleEnable, cdp.Empty{})
		tell(s, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: bridgeScript})
	default: // workers of all kinds
		p.identify(s)
		tell(s, consoleEnable, cdp.Empty{})
	}
	if info.Type != "page" {
		follow(s)
	}
	tell(s, runtime.RunIfWaitingForDebugger, cdp.Empty{})
}

// follow has the targets that a target makes attached too, and held until they are set up.
func follow(s *session) {
	tell(s, target.SetAutoAttach, target.SetAutoAttachParams{
		AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: new(true),
		// These are the browser's to announce, or they would come twice.
		Filter: target.Filter{{Exclude: true, Type: "service_worker"}, {Exclude: true, Type: "shared_worker"}, {}},
	})
}

// role is what a page is here for.
type role int

const (
	stray role = iota
	app
	over
)

// claim says what a new page is: the browser's first is the app's, one in the
// context that a prompt made is the prompt's.
func (p *process) claim(s *session, info *target.Info) (role, chan<- *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.main == nil:
		p.main = s
		return app, nil
	case p.awaited != "" && info.BrowserContextID == p.awaited:
		p.awaited = ""
		return over, p.awaiting
	}
	return stray, nil
}

// detached ends the app when its page was closed.
func (p *process) detached(id target.SessionID) {
	if main := p.page(); main != nil && main.id == id {
		p.quit()
	}
}

// dress gives a page the phone's screen, its touch and its identity.
func (p *process) dress(s *session) {
	d := p.launch.Device
	size := cssSize(d)
	tell(s, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(size.X), Height: int64(size.Y), DeviceScaleFactor: density(d), Mobile: true,
		ScreenWidth: int64(size.X), ScreenHeight: int64(size.Y),
		ScreenOrientation: &emulation.ScreenOrientation{Type: emulation.ScreenOrientationTypePortraitPrimary},
	})
	tell(s, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 5})
	if d.Locale != "" {
		tell(s, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: d.Locale})
	}
	p.identify(s)
}

// identify gives a target the phone's user agent, in words and in client hints.
func (p *process) identify(s *session) {
	d := p.launch.Device
	if d.UserAgent == "" {
		return
	}
	o := emulation.SetUserAgentOverrideParams{UserAgent: d.UserAgent, Platform: "Linux armv8l", UserAgentMetadata: hints(d.UserAgent)}
	if d.Locale != "" {
		o.AcceptLanguage = acceptLanguages(d.Locale)
	}
	tell(s, emulation.SetUserAgentOverride, o)
}

// answer serves one request to the app's own origin.
func (p *process) answer(s *session, e fetch.EventRequestPaused) {
	select {
	case p.answers <- struct{}{}:
		defer func() { <-p.answers }()
	case <-p.ctx.Done():
		return
	}
	r := p.reply(e)
	headers := []*fetch.HeaderEntry{
		{Name: "Content-Type", Value: r.mime},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}
	tell(s, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: e.RequestID, ResponseCode: int64(r.status), ResponsePhrase: http.StatusText(r.status), ResponseHeaders: headers, Body: r.body,
	})
}

// reply says what the app's origin answers to a request.
func (p *process) reply(e fetch.EventRequestPaused) reply {
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		return refusal(http.StatusBadRequest)
	}
	if p.foreign(e) {
		return refusal(http.StatusForbidden)
	}
	method, ok := strings.CutPrefix(u.Path, bridgePath)
	if !ok {
		return asset(p.launch.Assets, e.Request.Method, u)
	}
	// A page cannot forge Origin: a foreign frame's is its own, a sandboxed
	// one's is null, a navigation's by address is none.
	if e.Request.Method != http.MethodPost || e.Request.Headers["Origin"] != origin {
		return refusal(http.StatusForbidden)
	}
	var body []byte
	for _, entry := range e.Request.PostDataEntries {
		if len(body)+len(entry.Bytes) > maxBridgeBody {
			return refusal(http.StatusRequestEntityTooLarge)
		}
		body = append(body, entry.Bytes...)
	}
	return ask(p.ctx, p.launch.Bridge, method, body)
}
