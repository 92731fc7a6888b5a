package webview

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/runtime"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

// agent is what a WebView of Android 14 says of itself.
const agent = "Mozilla/5.0 (Linux; Android 14; sdk_gphone64_x86_64 Build/UE1A.230829.050; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/113.0.5672.136 Mobile Safari/537.36"

// world is a device's surroundings with an internet and one app's files.
type world struct {
	t        *testing.T
	internet *internet.Internet
	seen     *internet.Recorder
	assets   fstest.MapFS
	bridge   android.Bridge
	device   android.Surroundings
	dataDir  string

	mu   sync.Mutex
	log  []Message
	cond *sync.Cond
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	for _, tool := range []string{"certutil"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is needed: sudo apt-get install libnss3-tools", tool)
		}
	}
	seen := &internet.Recorder{}
	in, err := internet.New(internet.WithRecorder(seen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	w := &world{t: t, internet: in, seen: seen, assets: fstest.MapFS{}, dataDir: t.TempDir()}
	w.cond = sync.NewCond(&w.mu)
	w.device = android.Surroundings{
		Screen: image.Pt(1080, 2400), Density: 2.625, UserAgent: agent, Locale: "en-US", TimeZone: "Europe/Berlin",
		Authorities: [][]byte{in.CAPEM()},
	}
	return w
}

// file adds an asset.
func (w *world) file(name, content string) { w.assets[name] = &fstest.MapFile{Data: []byte(content)} }

// page adds the first page, whose body it is given.
func (w *world) page(body string) {
	w.file("www/index.html", `<!doctype html><meta name="viewport" content="width=device-width"><title>App</title><style>body{margin:0;font:16px sans-serif}</style>`+body)
}

// origin adds an origin that answers every request with this page.
func (w *world) origin(host, body string, opts ...internet.OriginOption) {
	w.t.Helper()
	err := w.internet.Handle(host, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(rw, body)
	}), opts...)
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) heard(m Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, m)
	w.cond.Broadcast()
}

func (w *world) context() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), 60*time.Second)
	w.t.Cleanup(cancel)
	return ctx
}

// start launches the app and stops it at the end of the test.
func (w *world) start() *running {
	w.t.Helper()
	if w.assets["www/index.html"] == nil {
		w.page("")
	}
	rt := New(Options{Internet: w.internet, Console: w.heard})
	p, err := rt.Start(w.context(), android.Launch{
		Package: "org.example.app", Label: "App", UID: 10100, PID: 4321, DataDir: w.dataDir,
		Assets: w.assets, Entry: "www/index.html", Bridge: w.bridge, Device: w.device,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	r := &running{process: p.(*process), world: w}
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		p.Stop(ctx)
	})
	return r
}

// waitLog waits for a line that starts with prefix and returns the rest of it.
func (w *world) waitLog(prefix string) string {
	w.t.Helper()
	const patience = 60 * time.Second
	deadline := time.Now().Add(patience)
	stop := time.AfterFunc(patience, w.cond.Broadcast)
	defer stop.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for _, m := range w.log {
			if rest, ok := strings.CutPrefix(m.Text, prefix); ok {
				return rest
			}
		}
		if !time.Now().Before(deadline) {
			w.t.Fatalf("no line %q on the console; it has %+v", prefix, w.log)
		}
		w.cond.Wait()
	}
}

// running is an app under test.
type running struct {
	*process
	world *world
}

// eval reads a value out of the page, for what a test cannot see otherwise.
func (r *running) eval(expression string) any {
	r.world.t.Helper()
	res, err := call(r.world.context(), r.process.page(), runtime.Evaluate, runtime.EvaluateParams{Expression: expression, AwaitPromise: new(true), ReturnByValue: new(true)})
	if err != nil {
		r.world.t.Fatalf("%s: %v", expression, err)
	}
	if res.ExceptionDetails != nil {
		r.world.t.Fatalf("%s: %s %s", expression, res.ExceptionDetails.Text, res.ExceptionDetails.Exception.Description)
	}
	var v any
	if len(res.Result.Value) > 0 {
		if err := json.Unmarshal(res.Result.Value, &v); err != nil {
			r.world.t.Fatal(err)
		}
	}
	return v
}

// painted waits until the page has loaded and is on the screen, where a person could tap it.
func (r *running) painted() {
	r.world.t.Helper()
	r.eval(`(async () => {
		if (document.readyState !== 'complete') await new Promise((done) => addEventListener('load', done));
		for (let i = 0; i < 2; i++) await new Promise((done) => requestAnimationFrame(done));
	})()`)
}

// must fails the test on an error.
func (r *running) must(err error) {
	r.world.t.Helper()
	if err != nil {
		r.world.t.Fatal(err)
	}
}

// calls is a bridge that remembers.
type calls struct {
	mu     sync.Mutex
	made   []string
	answer func(method string, args []json.RawMessage) (any, error)
}

func (c *calls) Call(_ context.Context, method string, args []json.RawMessage) (any, error) {
	c.mu.Lock()
	c.made = append(c.made, fmt.Sprintf("%s%s", method, args))
	c.mu.Unlock()
	if c.answer == nil {
		return "ok", nil
	}
	return c.answer(method, args)
}

func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.made)
}

func TestTapReallyTaps(t *testing.T) {
	w := newWorld(t)
	w.page(`<button id="yes" style="position:absolute;left:100px;top:200px;width:120px;height:48px" onclick="console.log('yes', event.isTrusted, event.pointerType)">Yes</button>
		<button id="no" style="position:absolute;left:100px;top:300px;width:120px;height:48px" onclick="console.log('no')">No</button>`)
	r := w.start()
	r.painted()
	r.must(r.Tap(w.context(), 420, 588))
	if got := w.waitLog("yes"); got != " true touch" {
		t.Errorf("the click was %q, want a trusted one by touch", got)
	}
	r.must(r.Tap(w.context(), 420, 850))
	w.waitLog("no")
}

func TestScreenshotIsTheScreen(t *testing.T) {
	w := newWorld(t)
	w.device.Screen, w.device.Density = image.Pt(540, 1200), 1.3125 // 411.43 CSS pixels wide, and pictures that are quick to read
	w.page(`<body style="background:#00ff00;height:5000px"><div style="position:fixed;right:0;bottom:0;width:40px;height:40px;background:#ff0000"></div>
		<script>let resized = 0; addEventListener('resize', () => resized++); visualViewport.addEventListener('resize', () => resized++)</script>`)
	r := w.start()
	if got := r.eval("history.length"); got != 1.0 {
		t.Errorf("the page's history has %v entries, want 1", got)
	}
	r.painted()
	r.eval("resized = 0") // a page that is new on the screen is told of its size
	for _, scroll := range []int{0, 1234} {
		r.eval(fmt.Sprintf("scrollTo(0, %d)", scroll))
		shot, err := r.Screenshot(w.context())
		r.must(err)
		img, err := png.Decode(bytes.NewReader(shot))
		r.must(err)
		if img.Bounds() != image.Rect(0, 0, 540, 1200) {
			t.Fatalf("the screenshot is %v, want 540 by 1200", img.Bounds())
		}
		if got := img.At(10, 10); !same(got, 0, 255, 0) {
			t.Errorf("scrolled by %d: the page is %v, want green", scroll, got)
		}
		if got := img.At(530, 1190); !same(got, 255, 0, 0) {
			t.Errorf("scrolled by %d: the corner is %v, want red", scroll, got)
		}
		if got := r.eval("scrollY"); got != float64(scroll) {
			t.Errorf("the page was scrolled to %v by a screenshot, want %d", got, scroll)
		}
	}
	if got := r.eval("resized"); got != 0.0 {
		t.Errorf("the page noticed %v changes of its size", got)
	}
}

func same(c interface{ RGBA() (r, g, b, a uint32) }, r, g, b uint32) bool {
	x, y, z, _ := c.RGBA()
	return x>>8 == r && y>>8 == g && z>>8 == b
}

func TestBridgeIsSynchronous(t *testing.T) {
	w := newWorld(t)
	bridge := &calls{answer: func(method string, args []json.RawMessage) (any, error) {
		switch method {
		case "androidId":
			return "a1b2c3d4e5f60718", nil
		case "sum":
			var a, b float64
			json.Unmarshal(args[0], &a)
			json.Unmarshal(args[1], &b)
			return a + b, nil
		case "none":
			return nil, nil
		}
		return nil, fmt.Errorf("SecurityException: %s needs READ_CONTACTS", method)
	}}
	w.bridge = bridge
	w.page(`<script>
		let caught; try { AndroidBridge.contacts() } catch (e) { caught = e.message }
		console.log('got', JSON.stringify([typeof AndroidBridge.androidId(), AndroidBridge.androidId(), AndroidBridge.sum(2, 3), AndroidBridge.none(), caught]));
	</script>`)
	w.start()
	if got, want := w.waitLog("got "), `["string","a1b2c3d4e5f60718",5,null,"SecurityException: contacts needs READ_CONTACTS"]`; got != want {
		t.Errorf("the page got %s, want %s", got, want)
	}
	if n := bridge.count(); n != 5 {
		t.Errorf("the bridge was called %d times, want 5", n)
	}
}

// until waits for an expression to hold in the page.
func (r *running) until(expression string) {
	r.world.t.Helper()
	ctx := r.world.context()
	for ctx.Err() == nil {
		res, err := call(ctx, r.process.page(), runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ReturnByValue: new(true)})
		if err == nil && string(res.Result.Value) == "true" {
			return
		}
		time.Sleep(10 * time.Millisecond) // between two looks at another process
	}
	r.world.t.Fatalf("%s never became true", expression)
}
