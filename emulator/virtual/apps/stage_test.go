package apps

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"mime"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/unasked-audit/unasked/emulator/virtual/internet"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// person is who holds the phone in a test.
type person struct {
	SSAID, AdvertisingID, Mail string
	Latitude, Longitude        float64
	Granted                    []string // permissions that the app has from the start
	Answer                     bool     // what the person answers when an app asks for more
	Clip                       []byte   // what the camera sees
}

func somebody() person {
	return person{
		SSAID: "8c1f0d3ab27e5946", AdvertisingID: "5b1c9f0e-27d4-4a43-9c1a-0d6f3a1be972", Mail: "Nora.Field@mail.example",
		Latitude: 47.123457, Longitude: 8.654321, Answer: true, Clip: clip(200 << 10),
		Granted: []string{
			"android.permission.ACCESS_FINE_LOCATION", "android.permission.ACCESS_COARSE_LOCATION",
			"android.permission.GET_ACCOUNTS", "android.permission.READ_CONTACTS", "android.permission.CAMERA",
		},
	}
}

// clip is n bytes that repeat nowhere.
func clip(n int) []byte {
	out := make([]byte, 0, n+sha256.Size)
	sum := sha256.Sum256([]byte("clip"))
	for len(out) < n {
		out = append(out, sum[:]...)
		sum = sha256.Sum256(sum[:])
	}
	return out[:n]
}

// stage is an app's pages in a real browser, with a bridge that is a stub and services that are the real ones.
type stage struct {
	t      *testing.T
	ctx    context.Context
	ledger *Ledger
	net    *internet.Internet

	serving sync.WaitGroup // answers to the page's requests for the app's own files
}

const appOrigin = "https://appassets.androidplatform.net"

// play starts an app as at its first launch. A stage before it may lend its
// services, as when an app is installed anew.
func play(t *testing.T, app App, who person, before *stage) *stage {
	t.Helper()
	s := &stage{t: t}
	if before != nil {
		s.net, s.ledger = before.net, before.ledger
	} else {
		in, err := internet.New()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { in.Close() })
		if s.ledger, err = app.Serve(in); err != nil {
			t.Fatal(err)
		}
		s.net = in
	}
	gateway, err := s.net.Gateway()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gateway.Close() })
	s.browse(gateway)
	s.open(app, who)
	return s
}

// browse starts a browser that trusts the internet's authority and reaches nothing else.
func (s *stage) browse(gateway *internet.Gateway) {
	s.t.Helper()
	block, _ := pem.Decode(s.net.CAPEM())
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		s.t.Fatal(err)
	}
	pin := sha256.Sum256(ca.RawSubjectPublicKeyInfo)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(s.t)), chromedp.NoSandbox, chromedp.UserDataDir(s.t.TempDir()),
		chromedp.Flag("host-resolver-rules", gateway.Rules()),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(pin[:])),
		// The gateway is on the loopback, which a page of the internet may not talk to.
		chromedp.Flag("ip-address-space-overrides", strings.Join(gateway.Addrs(), "=public,")+"=public"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	tab, leave := chromedp.NewContext(allocator)
	s.t.Cleanup(func() { leave(); stop(); s.serving.Wait() })
	s.ctx = tab
	s.do() // starts it
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("UNASKED_CHROMIUM"), "chromium-headless-shell", "chromium", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && name != "" {
			return found
		}
	}
	t.Skip("NOT TESTED: the calibration apps' pages need Chromium; apt-get install chromium-headless-shell")
	return ""
}

// open loads the app's entry page out of its APK.
func (s *stage) open(app App, who person) {
	s.t.Helper()
	file, err := apkfile.Read(bytes.NewReader(app.APK), int64(len(app.APK)))
	if err != nil {
		s.t.Fatal(err)
	}
	launcher, ok := file.Manifest().Launcher()
	if !ok {
		s.t.Fatal("no launcher activity")
	}
	assets := file.Assets()
	if err := chromedp.Listen(s.ctx, func(ev any) {
		switch ev := ev.(type) {
		case *fetch.EventRequestPaused:
			s.serving.Go(func() { s.serve(assets, ev) })
		case *runtime.EventExceptionThrown:
			s.t.Errorf("the page threw: %s", ev.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			for _, a := range ev.Args {
				s.t.Logf("console: %s", a.Value)
			}
		}
	}); err != nil {
		s.t.Fatal(err)
	}
	stub, err := os.ReadFile("testdata/bridge.js")
	if err != nil {
		s.t.Fatal(err)
	}
	about, err := json.Marshal(map[string]any{
		"ssaid": who.SSAID, "adid": who.AdvertisingID, "mail": who.Mail, "latitude": who.Latitude, "longitude": who.Longitude,
		"granted": who.Granted, "answer": who.Answer, "clip": base64.StdEncoding.EncodeToString(who.Clip),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.call(func() error {
		_, err := chromedp.Call(s.ctx, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: appOrigin + "/*"}}})
		return err
	})
	s.call(func() error {
		_, err := chromedp.Call(s.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: "const WHO = " + string(about) + ";\n" + string(stub),
		})
		return err
	})
	s.do(chromedp.EmulateViewport(412, 915, chromedp.EmulateScale(2.625)),
		chromedp.Navigate(appOrigin+"/assets/"+launcher.MetaData["org.unasked.web_entry"]))
}

func (s *stage) call(f func() error) {
	s.t.Helper()
	if err := f(); err != nil {
		s.t.Fatal(err)
	}
}

// serve answers for the app's own origin from the APK's assets.
func (s *stage) serve(assets fs.FS, ev *fetch.EventRequestPaused) {
	name, _, _ := strings.Cut(strings.TrimPrefix(ev.Request.URL, appOrigin+"/assets/"), "?")
	b, err := fs.ReadFile(assets, name)
	status := int64(200)
	if err != nil {
		s.t.Errorf("the page asks for %s, which is not in the APK", ev.Request.URL)
		status = 404
	}
	// An error means that the browser is gone, and the test with it.
	_, _ = chromedp.Call(s.ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: ev.RequestID, ResponseCode: status, Body: b,
		ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: mime.TypeByExtension(path.Ext(name))}},
	})
}

func (s *stage) do(actions ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, actions...); err != nil {
		s.t.Fatal(err)
	}
}

// tap touches the visible button with that label.
func (s *stage) tap(label string) {
	s.t.Helper()
	quoted, _ := json.Marshal(label)
	var at []float64
	s.eventually("a button "+label, func() bool {
		var err error
		at, err = chromedp.Run(s.ctx, chromedp.Evaluate[[]float64](`(() => {
			const b = [...document.querySelectorAll('button')].find((b) => (b.getAttribute('aria-label') ?? b.innerText).trim() === `+string(quoted)+`
				&& b.checkVisibility() && !b.closest('[inert]'));
			if (!b) return [];
			b.scrollIntoView({ block: 'nearest' });
			const r = b.getBoundingClientRect();
			return [r.x + r.width / 2, r.y + r.height / 2];
		})()`))
		return err == nil && len(at) == 2
	})
	s.do(chromedp.MouseClickXY(at[0], at[1]))
}

// script runs a script in the page and returns its value as text.
func (s *stage) script(js string) string {
	s.t.Helper()
	out, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](js, chromedp.EvalAwaitPromise))
	if err != nil {
		s.t.Fatalf("%s: %v", js, err)
	}
	return out
}

// eventually waits for a condition.
func (s *stage) eventually(what string, ok func() bool) {
	s.t.Helper()
	over := time.NewTimer(15 * time.Second)
	defer over.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-over.C:
			s.t.Fatalf("waited in vain for %s; received: %+v", what, s.ledger.Entries())
		case <-look.C:
		}
	}
}

// received waits until a service has got something of a purpose, with a value of that kind where one is named.
func (s *stage) received(purpose, kind, value string) {
	s.t.Helper()
	s.eventually(purpose+" with "+kind+" "+value, func() bool {
		for _, e := range s.ledger.Entries(purpose) {
			if kind == "" || e.Got[kind] == value {
				return true
			}
		}
		return false
	})
}

// quiet lets the page run for a while, to see what it does unasked.
func (s *stage) quiet(d time.Duration) {
	s.t.Helper()
	s.do(chromedp.Sleep(d))
}

// picture keeps a screenshot where UNASKED_PICTURES names a folder, to be looked at.
func (s *stage) picture(name string) {
	s.t.Helper()
	dir := os.Getenv("UNASKED_PICTURES")
	if dir == "" {
		return
	}
	s.quiet(400 * time.Millisecond)
	png, err := chromedp.Run(s.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		s.t.Fatal(err)
	}
}
