package webview

import (
	"context"
	"encoding/base64"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
)

// prompt is a system dialog that is up. Its page lives in a browsing context of
// its own: the app has no handle to it, and shares no storage with it.
type prompt struct {
	session *session
	owner   string   // the package that it belongs to
	chosen  chan int // gets one
	buttons int
}

// Prompt draws the dialog over a dimmed picture of the app; see
// [android.Process]. Prompts come one after the other.
func (p *process) Prompt(ctx context.Context, ask android.Prompt) (int, error) {
	select {
	case p.prompts <- struct{}{}:
		defer func() { <-p.prompts }()
	case <-ctx.Done():
		return -1, fmt.Errorf("prompt over %s: %w", p.launch.Package, context.Cause(ctx))
	case <-p.done:
		return -1, nil
	}
	up, dispose, err := p.putUp(ctx, ask)
	if dispose != nil {
		defer dispose() // after it is down
	}
	if err != nil {
		if p.ctx.Err() != nil {
			return -1, nil // the app ended meanwhile
		}
		return -1, fmt.Errorf("prompt over %s: %w", p.launch.Package, err)
	}
	p.show(up)
	defer p.show(nil)
	select {
	case n := <-up.chosen:
		return n, nil
	case <-p.ctx.Done():
		return -1, nil
	case <-up.session.gone:
		return -1, nil
	case <-ctx.Done():
		return -1, fmt.Errorf("prompt over %s: %w", p.launch.Package, context.Cause(ctx))
	}
}

func (p *process) show(up *prompt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialog = up
}

// putUp makes the prompt's page.
func (p *process) putUp(ctx context.Context, ask android.Prompt) (up *prompt, dispose func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	b := p.browser.wire.browser()
	made, err := call(ctx, b, target.CreateBrowserContext, target.CreateBrowserContextParams{DisposeOnDetach: new(true)})
	if err != nil {
		return nil, nil, err
	}
	dispose = func() {
		tell(b, target.DisposeBrowserContext, target.DisposeBrowserContextParams(made))
	}
	came := make(chan *session, 1)
	p.mu.Lock()
	p.awaited, p.awaiting = made.BrowserContextID, came
	p.mu.Unlock()
	size := cssSize(p.launch.Device)
	if _, err := call(ctx, b, target.CreateTarget, target.CreateTargetParams{
		URL: "about:blank", BrowserContextID: made.BrowserContextID, Width: int64(size.X), Height: int64(size.Y),
	}); err != nil {
		return nil, dispose, err
	}
	var s *session
	select {
	case s = <-came:
	case <-ctx.Done():
		return nil, dispose, context.Cause(ctx)
	case <-p.ctx.Done():
		return nil, dispose, errClosed
	}
	up = &prompt{session: s, owner: ask.Package, chosen: make(chan int, 1), buttons: len(ask.Buttons)}
	text, err := p.promptPage(ctx, ask)
	if err != nil {
		return nil, dispose, err
	}
	tree, err := call(ctx, s, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return nil, dispose, err
	}
	tell(s, runtime.Enable, cdp.Empty{})
	if _, err := call(ctx, s, runtime.AddBinding, runtime.AddBindingParams{Name: "choose"}); err != nil {
		return nil, dispose, err
	}
	if _, err := call(ctx, s, page.SetDocumentContent, page.SetDocumentContentParams{FrameID: tree.FrameTree.Frame.ID, HTML: text}); err != nil {
		return nil, dispose, err
	}
	return up, dispose, nil
}

// pressed notes the button that was tapped.
func (p *process) pressed(s *session, payload string) {
	p.mu.Lock()
	up := p.dialog
	p.mu.Unlock()
	if up == nil || up.session != s {
		return
	}
	if n, err := strconv.Atoi(payload); err == nil && n >= 0 && n < up.buttons {
		select {
		case up.chosen <- n:
		default: // the second tap of two
		}
	}
}

var promptTemplate = template.Must(template.New("prompt").Parse(`<!doctype html>
<meta name="viewport" content="width=device-width">
<style>
	* { box-sizing: border-box; -webkit-user-select: none; user-select: none; touch-action: manipulation }
	html, body { height: 100%; margin: 0; overflow: hidden; background: #000 }
	body { display: flex; align-items: center; justify-content: center; font: 16px/1.4 Roboto, "Noto Sans", sans-serif; color: #1b1b1f }
	#app { position: fixed; inset: 0; width: 100vw; height: 100vh; opacity: .4 }
	#card { position: relative; width: min(320px, 90vw); padding: 24px; border-radius: 28px; background: #f3edf7 }
	p { margin: 0 0 24px; text-align: center; white-space: pre-line; overflow-wrap: anywhere }
	button { display: block; width: 100%; min-height: 48px; margin-top: 4px; border: 0; border-radius: 12px; background: #e8def8; font: inherit; font-weight: 500; color: #21005d }
</style>
{{with .Picture}}<img id="app" role="presentation" src="{{.}}">{{end}}
<div id="card"><p id="{{.MessageID}}">{{.Message}}</p>{{range $i, $b := .Buttons}}<button id="{{$b.ID}}" onclick="choose('{{$i}}')">{{$b.Text}}</button>{{end}}</div>`))

// promptPage writes the dialog's page. Its words may come from the app.
func (p *process) promptPage(ctx context.Context, ask android.Prompt) (string, error) {
	// An app that does not paint does not keep the dialog away.
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var picture template.URL
	if shot, err := capture(ctx, p.page(), page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatJpeg, Quality: new(int64(60))}); err == nil {
		picture = template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(shot))
	}
	var out strings.Builder
	err := promptTemplate.Execute(&out, map[string]any{
		"Picture": picture, "Message": ask.Message, "Buttons": ask.Buttons, "MessageID": ask.Package + ":id/permission_message",
	})
	return out.String(), err
}
