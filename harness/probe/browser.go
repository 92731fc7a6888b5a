package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/unasked-audit/unasked/emulator"
)

// browser is a Chromium that nobody has used before, with one page.
type browser struct {
	ctx     context.Context // chromedp's
	seen    *traffic
	closers []func() error // run in reverse
}

// starting bounds how long a browser may take to be there.
const starting = 30 * time.Second

// open starts a browser. Its profile is empty and goes when it is closed.
func open(ctx context.Context, program, userAgent string, through emulator.Network) (_ *browser, err error) {
	b := &browser{seen: &traffic{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	home, err := os.MkdirTemp("", "unasked-probe-")
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, func() error { return os.RemoveAll(home) })
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserAgent(userAgent), chromedp.WindowSize(1280, 900),
		chromedp.Env("HOME="+home), chromedp.Flag("disable-quic", true), chromedp.Flag("mute-audio", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("lang", "en-US"), chromedp.Flag("accept-lang", "en-US,en"))
	if through.Dial != nil {
		g, err := newGateway(ctx, home, through)
		if err != nil {
			return nil, err
		}
		b.closers = append(b.closers, g.close)
		options = append(options, g.flags()...)
	}
	ctx, cancelAlloc := chromedp.NewExecAllocator(ctx, options...)
	b.closers = append(b.closers, func() error { cancelAlloc(); return nil })
	ctx, cancelTab := chromedp.NewContext(ctx, chromedp.WithLogf(silent), chromedp.WithErrorf(silent))
	b.closers = append(b.closers, func() error { cancelTab(); return nil })
	b.ctx = ctx
	late := time.AfterFunc(starting, cancelTab)
	err = b.prepare()
	if !late.Stop() {
		return nil, fmt.Errorf("%s did not start within %s", program, starting)
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return b, nil
}

func silent(string, ...any) {}

// prepare makes the page ready: its traffic is noted, and what would stop it or leave
// something behind is refused.
func (b *browser) prepare() error {
	if err := chromedp.Do(b.ctx); err != nil {
		return err
	}
	frame := string(chromedp.FromContext(b.ctx).Target.TargetID)
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if _, ok := ev.(*page.EventJavascriptDialogOpening); ok {
			go func() { // a handler must not wait for the browser
				_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: false})
			}()
			return
		}
		b.seen.take(frame, ev)
	}); err != nil {
		return err
	}
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	_, err := chromedp.CallBrowser(b.ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{Behavior: cdpbrowser.SetDownloadBehaviorBehaviorDeny})
	return err
}

// close ends the browser and removes what it left.
func (b *browser) close() error {
	var errs []error
	for i := len(b.closers) - 1; i >= 0; i-- {
		errs = append(errs, b.closers[i]())
	}
	b.closers = nil
	return errors.Join(errs...)
}

// navigate goes to an address. failed is Chromium's name for why it could not.
func (b *browser) navigate(ctx context.Context, address string) (failed string, err error) {
	res, err := chromedp.Call(ctx, page.Navigate, page.NavigateParams{URL: address})
	if err != nil {
		return "", err
	}
	if res.IsDownload {
		return "net::ERR_DOWNLOAD", nil
	}
	return res.ErrorText, nil
}

// netErrors are Chromium's reasons in words (net/base/net_error_list.h).
var netErrors = map[string]string{
	"NAME_NOT_RESOLVED": "no website has that name", "CONNECTION_REFUSED": "nothing listens there", "CONNECTION_TIMED_OUT": "the website does not answer",
	"TIMED_OUT": "the website does not answer", "CONNECTION_RESET": "the website ended the connection", "CONNECTION_CLOSED": "the website ended the connection",
	"EMPTY_RESPONSE": "the website ended the connection without an answer", "INTERNET_DISCONNECTED": "this machine has no network",
	"TUNNEL_CONNECTION_FAILED": "the way to the website is closed", "ADDRESS_UNREACHABLE": "there is no way to the website",
	"TOO_MANY_REDIRECTS": "it leads in a circle", "DOWNLOAD": "it is a file and no page",
}

// netError says one of Chromium's reasons in words.
func netError(name string) string {
	short := strings.TrimPrefix(name, "net::ERR_")
	if words, ok := netErrors[short]; ok {
		return words
	}
	if strings.HasPrefix(short, "CERT_") || strings.HasPrefix(short, "SSL_") {
		return "its certificate or its TLS is refused (" + short + ")"
	}
	return short
}

// action does something to the page.
type action = chromedp.Action[chromedp.Void]

func fill(selector, value string) action {
	return chromedp.Steps(chromedp.Clear(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), value))
}

func click(selector string) action {
	return chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)
}

func press(key string) action {
	return chromedp.KeyEvent(map[string]string{"Enter": kb.Enter, "Escape": kb.Escape, "Space": " ", "Tab": kb.Tab}[key])
}

func (b *browser) do(ctx context.Context, a action) error { return chromedp.Do(ctx, a) }

// look asks which of the signs the page shows.
func (b *browser) look(ctx context.Context, signs []wanted) (looked, error) {
	list, err := json.Marshal(signs)
	if err != nil {
		return looked{}, err
	}
	return chromedp.Run(ctx, chromedp.Evaluate[looked](lookJS+"("+string(list)+")"))
}

// likenessOf is a page as it is at a moment.
type likenessOf struct {
	URL   string `json:"url"`
	Title string `json:"title"`
	HTML  string `json:"html"`
}

// maxHTML bounds what is kept of a page, in UTF-16 units.
const maxHTML = 4 << 20

func (b *browser) page(ctx context.Context) (likenessOf, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[likenessOf](fmt.Sprintf(
		`({ url: location.href.slice(0, 4096), title: document.title.slice(0, 1000), html: document.documentElement.outerHTML.slice(0, %d) })`, maxHTML)))
}

func (b *browser) screenshot(ctx context.Context) ([]byte, error) {
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}
