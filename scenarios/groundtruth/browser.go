package groundtruth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// browser is one Chromium for all plays. Each installation of an app is a browser
// context of its own, with its own storage, cookies and proxy.
type browser struct {
	ctx     context.Context
	stop    func()
	profile string
	modules string

	mu      sync.Mutex
	bundles map[string][]byte
}

// startBrowser starts Chromium, which trusts ca and reaches only the proxies.
func startBrowser(ctx context.Context, program, modules string, ca *x509.Certificate) (*browser, error) {
	profile, err := os.MkdirTemp("", "unasked-groundtruth")
	if err != nil {
		return nil, err
	}
	pin := sha256.Sum256(ca.RawSubjectPublicKeyInfo)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.Env("HOME="+profile),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(pin[:])),
		// What has no proxy leads nowhere, and the proxies are on the loopback.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND,EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-features", "Translate,BlockInsecurePrivateNetworkRequests,LocalNetworkAccessChecks,OptimizationHints,MediaRouter"),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("disable-quic", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, free := chromedp.NewExecAllocator(context.WithoutCancel(ctx), options...)
	first, leave := chromedp.NewContext(allocator)
	b := &browser{ctx: first, profile: profile, modules: modules, bundles: map[string][]byte{}, stop: func() { leave(); free() }}
	if err := chromedp.Do(first); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", program, err), b.close())
	}
	return b, nil
}

func (b *browser) close() error {
	b.stop()
	return os.RemoveAll(b.profile)
}

// appOrigin is where an Android app's assets are, for the pages of a WebView
// (androidx.webkit.WebViewAssetLoader).
const appOrigin = "https://appassets.androidplatform.net"

// patience is how long an app may take for all that it does at a launch.
const patience = 20 * time.Second

// run starts an app as newly installed, and again as often as launches says: its
// script must define app.run, which is called with what the phone tells, in a page
// of its own each time, and must come to an end.
func (b *browser) run(ctx context.Context, proxy string, files map[string][]byte, phone map[string]string, launches int) error {
	installed, uninstall := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(func(p *target.CreateBrowserContextParams) {
		p.ProxyServer, p.ProxyBypassList = "http://"+proxy, "<-loopback>"
	}))
	defer uninstall()
	if err := chromedp.Do(installed); err != nil { // makes it, for the launches to be in it
		return err
	}
	about, err := json.Marshal(phone)
	if err != nil {
		return err
	}
	for launch := range launches {
		if err := b.launch(ctx, installed, files, string(about)); err != nil {
			return fmt.Errorf("launch %d of the page: %w", launch+1, err)
		}
	}
	return nil
}

func (b *browser) launch(ctx context.Context, installed context.Context, files map[string][]byte, about string) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	tab, leave := chromedp.NewContext(installed)
	defer leave()
	tab, cancel := context.WithTimeout(tab, patience)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	if err := chromedp.Listen(tab, func(ev any) {
		if ev, ok := ev.(*fetch.EventRequestPaused); ok {
			serving.Go(func() { serveAsset(tab, files, ev) })
		}
	}); err != nil {
		return err
	}
	if _, err := chromedp.Call(tab, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: appOrigin + "/*"}}}); err != nil {
		return err
	}
	if err := chromedp.Do(tab, chromedp.Navigate(appOrigin+"/assets/index.html")); err != nil {
		return err
	}
	_, err := chromedp.Run(tab, chromedp.Evaluate[string]("app.run("+about+").then(() => 'done')", chromedp.EvalAwaitPromise))
	return err
}

const indexPage = `<!doctype html><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,"><script src="app.js"></script>`

// serveAsset answers for the app's own files.
func serveAsset(tab context.Context, files map[string][]byte, ev *fetch.EventRequestPaused) {
	name, _, _ := strings.Cut(strings.TrimPrefix(ev.Request.URL, appOrigin+"/"), "?")
	status, media, body := int64(200), "text/javascript", files[name]
	switch {
	case name == "assets/index.html":
		media, body = "text/html", []byte(indexPage)
	case body == nil:
		status = 404
	}
	// An error means that the page is gone.
	_, _ = chromedp.Call(tab, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: ev.RequestID, ResponseCode: status, Body: body,
		ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: media}},
	})
}
