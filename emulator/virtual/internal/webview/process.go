package webview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
	"github.com/unasked-audit/unasked/internal/chromium"
)

// process is a running app: one browser with one page, and at times a prompt.
type process struct {
	launch  android.Launch
	console func(Message)
	browser *browser
	address string // of the debugging port
	home    string // the browser's HOME, which goes when it goes
	relay   *internet.Relay
	gateway *internet.Gateway

	ctx      context.Context // ends when the app ends
	cancel   context.CancelFunc
	done     chan struct{}
	stopping sync.Once
	answers  chan struct{} // a place for each request that is being answered

	attached chan *session // the first page
	prompts  chan struct{} // a place for the one prompt that may be up

	frames  frames
	logging sync.Mutex // held while a line goes to the console

	mu       sync.Mutex
	main     *session
	dialog   *prompt              // what is over the app; nil for nothing
	awaited  cdp.BrowserContextID // whose next page is the prompt's
	awaiting chan *session
}

// start launches an app; see [android.Runtime].
func (e *engine) start(ctx context.Context, launch android.Launch) (*process, error) {
	if !fs.ValidPath(launch.Entry) {
		return nil, fmt.Errorf("launch %s: its first page %q is no path within the APK's assets", launch.Package, launch.Entry)
	}
	if info, err := fs.Stat(launch.Assets, launch.Entry); err != nil || info.IsDir() {
		return nil, fmt.Errorf("launch %s: the APK's assets hold no page %s", launch.Package, launch.Entry)
	}
	browser, err := chromium.Find(e.options.Chromium)
	if err != nil {
		return nil, fmt.Errorf("launch %s: %w", launch.Package, err)
	}
	p := &process{
		launch: launch, console: e.options.Console, done: make(chan struct{}),
		answers: make(chan struct{}, 16), attached: make(chan *session, 1), prompts: make(chan struct{}, 1),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if err := e.prepare(ctx, p, browser); err != nil {
		p.release()
		return nil, fmt.Errorf("launch %s: %w", launch.Package, err)
	}
	go p.attend()
	if err := p.open(ctx); err != nil {
		p.end()
		<-p.done
		return nil, fmt.Errorf("launch %s: %w", launch.Package, err)
	}
	return p, nil
}

// prepare makes everything that the browser stands on, and starts it.
func (e *engine) prepare(ctx context.Context, p *process, chromium string) error {
	profile := filepath.Join(p.launch.DataDir, "app_webview")
	if err := os.MkdirAll(profile, 0o700); err != nil {
		return fmt.Errorf("make the browser's profile: %w", err)
	}
	var err error
	if p.home, err = os.MkdirTemp("", "unasked-webview-"); err != nil {
		return fmt.Errorf("make a home for the browser: %w", err)
	}
	if err := e.stores.write(ctx, p.home, p.launch.Device.Authorities); err != nil {
		return err
	}
	r, err := p.route(e.options.Internet)
	if err != nil {
		return err
	}
	p.browser, err = startBrowser(chromium, flags(profile, p.launch.Device, r), environment(p.home, p.launch.Device), newTail(p.uncaught), p.handle)
	return err
}

// open waits for the browser's first page, sets it up and asks for the entry.
func (p *process) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("the browser took more than 30 seconds"))
	defer cancel()
	b := p.browser.wire.browser()
	// Fetch is restricted to the app's own origin: everything else stays with
	// the browser's network stack.
	if _, err := call(ctx, b, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: origin + "/*"}}}); err != nil {
		return p.explain(ctx, err)
	}
	tell(b, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{Behavior: cdpbrowser.SetDownloadBehaviorBehaviorDeny})
	if _, err := call(ctx, b, target.SetAutoAttach, target.SetAutoAttachParams{AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: new(true)}); err != nil {
		return p.explain(ctx, err)
	}
	var err error
	if p.address, err = p.browser.devTools(ctx); err != nil {
		return err
	}
	size := cssSize(p.launch.Device)
	// The page is held until it is set up; see attach.
	if _, err := call(ctx, b, target.CreateTarget, target.CreateTargetParams{
		URL: origin + path.Join(assetsPath, p.launch.Entry), Width: int64(size.X), Height: int64(size.Y),
	}); err != nil {
		return p.explain(ctx, err)
	}
	select {
	case main := <-p.attached:
		_, err := call(ctx, main, runtime.RunIfWaitingForDebugger, cdp.Empty{})
		return p.explain(ctx, err)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.browser.exited:
		return p.explain(ctx, errClosed)
	}
}

// explain adds what the browser printed, when it is the browser that failed.
func (p *process) explain(ctx context.Context, err error) error {
	if !errors.Is(err, errClosed) {
		return err
	}
	select {
	case <-p.browser.exited:
	case <-ctx.Done():
	}
	return fmt.Errorf("%s ended while it started: %s", p.browser.cmd.Path, p.browser.output)
}

// route opens the app's way to the world, where its bytes are counted.
func (p *process) route(in *internet.Internet) (route, error) {
	if proxy := p.launch.Device.Proxy; proxy != "" {
		var err error
		if p.relay, err = internet.NewRelay(dialTo(proxy)); err != nil {
			return route{}, err
		}
		return route{proxy: p.relay.Addr()}, nil
	}
	if in == nil {
		return route{rules: "MAP * ~NOTFOUND"}, nil
	}
	var err error
	if p.gateway, err = in.Gateway(); err != nil {
		return route{}, err
	}
	return route{rules: p.gateway.Rules()}, nil
}

// attend waits for the browser's end and clears up after it.
func (p *process) attend() {
	<-p.browser.exited
	p.release()
	close(p.done)
}

// release frees what the process holds besides the browser, which is gone.
func (p *process) release() {
	p.cancel()
	if p.relay != nil {
		p.relay.Close()
	}
	if p.gateway != nil {
		p.gateway.Close()
	}
	if p.home != "" {
		os.RemoveAll(p.home)
	}
}

// end kills the browser.
func (p *process) end() { p.browser.kill() }

func (p *process) Done() <-chan struct{} { return p.done }

// Stop lets the browser write its cookies and storage down and end; when ctx
// ends first, the browser is killed. It returns when no process is left. The
// bridge's calls in flight are cancelled and not waited for, since a page may
// ask to be ended through the bridge.
func (p *process) Stop(ctx context.Context) error {
	p.quit()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	case <-time.After(grace):
	}
	p.end()
	<-p.done
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("stop %s: %w; its browser was killed", p.launch.Package, err)
	}
	return fmt.Errorf("stop %s: its browser did not end within %v and was killed", p.launch.Package, grace)
}

// quit asks the browser to end and does not wait.
func (p *process) quit() {
	p.stopping.Do(func() {
		p.cancel()
		tell(p.browser.wire.browser(), cdpbrowser.Close, cdp.Empty{})
	})
}

// Emit hands an event to the page; it is dispatched when the page comes to it,
// and only on a page of the app's own. Events arrive in the order of the calls.
func (p *process) Emit(ctx context.Context, event string, detail any) error {
	name, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("emit %s: %w", event, err)
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("emit %s: %w", event, err)
	}
	// JSON in a string literal, parsed by the page: no detail can be code.
	literal, err := json.Marshal(string(text))
	if err != nil {
		return fmt.Errorf("emit %s: %w", event, err)
	}
	if err := p.alive(ctx); err != nil {
		return fmt.Errorf("emit %s: %w", event, err)
	}
	tell(p.page(), runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf(
		"if (self.origin === '%s') dispatchEvent(new CustomEvent(%s, { detail: JSON.parse(%s) })); 0", origin, name, literal)})
	return nil
}

// alive reports why there is nobody to talk to.
func (p *process) alive(ctx context.Context) error {
	select {
	case <-p.done:
		return fmt.Errorf("%s is not running", p.launch.Package)
	default:
		return ctx.Err()
	}
}

// page is the app's page.
func (p *process) page() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.main
}

// face is what is on the screen.
type face struct {
	session *session
	owner   string // the package that it belongs to
	system  bool   // a dialog of the system's
}

// front is what is on top of the screen: the prompt, or the app.
func (p *process) front() face {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dialog != nil {
		return face{p.dialog.session, p.dialog.owner, true}
	}
	return face{p.main, p.launch.Package, false}
}

func (p *process) DevTools() string { return p.address }

func (p *process) Traffic() (sent, received uint64) {
	switch {
	case p.relay != nil:
		return p.relay.Traffic()
	case p.gateway != nil:
		return p.gateway.Traffic()
	}
	return 0, 0
}

// dialTo connects to one address on the host.
func dialTo(address string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
}
