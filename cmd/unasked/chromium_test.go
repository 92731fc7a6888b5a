package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/capture"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/har"
)

// The key that testdata/chromium/page.js signs with and sends along.
const pageKey = "s3ss10n-K3y-9f27c1"

// sentByPage is what the page sends to each path under /t/: where the value stands, and
// its chain, as `unasked scan` is to print them.
var sentByPage = map[string][]sent{
	"fetch":       {{canary.SSAID, "body:$.context.device", nil}},
	"urlencoded":  {{canary.Email, "body:$.mail", nil}},
	"multipart":   {{canary.Name, "body:$.who", nil}},
	"xhr":         {{canary.Phone, "body:$.user.id", chain("base64")}},
	"beacon":      {{canary.AdvertisingID, "body:$.user.id", nil}},
	"gzip":        {{canary.Serial, "body:$.user.id", chain("gzip")}},
	"deflate":     {{canary.Serial, "body:$.user.id", chain("zlib")}},
	"deflate-raw": {{canary.Serial, "body:$.user.id", chain("deflate")}},
	"gzip64":      {{canary.IMEI, "body:$.batch.user.id", chain("base64", "gzip")}},
	"sha256":      {{canary.Email, "body:$.em", chain("sha256", "hex")}},
	"sha1":        {{canary.Email, "body:$.em", chain("sha1", "hex")}},
	"sha512":      {{canary.Phone, "body:$.ph", chain("sha512", "base64")}},
	"sha384raw":   {{canary.SSAID, "body", chain("sha384", "raw")}},
	"twice":       {{canary.ContactEmail, "body:$.h", chain("sha256", "hex", "sha1", "hex")}},
	"deep":        {{canary.AdvertisingID, "body:$.b.user.id", chain("base64", "gzip", "sha256", "hex")}},
	"hmac":        {{canary.IMEI, "body:$.mac", chain("hmac-sha256", "hex")}},
	"lzuri":       {{canary.MAC, "url", chain("lzstring")}},
	"lz64":        {{canary.ContactName, "body:$.d.user.id", chain("lzstring")}},
	"lzutf16":     {{canary.Clipboard, "body:$.d.user.id", chain("lzstring")}},
	"lzbytes":     {{canary.CalendarEvent, "body:$.user.id", chain("lzstring")}},
	"formpost":    {{canary.ContactPhone, "body:$.tel", nil}},
	"formget":     {{canary.Location, "url", nil}},
	"pixel":       {{canary.Email, "url", chain("url")}},
	"cookie":      {{canary.AdvertisingID, "cookie:did", nil}},
	"header":      {{canary.SSAID, "header:x-device-id", nil}},
	"utf16":       {{canary.DeviceName, "body", chain("utf-16le")}},
	"xor":         {{canary.ContactEmail, "body", chain("xor")}},
	"hex":         {{canary.Clipboard, "body:$.h", chain("hex")}},
	"nested":      {{canary.Serial, "body:$.payload.inner.id", nil}},
	"reflect":     {{canary.IMEI, "body:$.you", nil}},
	"socket": {
		{canary.MAC, "ws:0", nil}, {canary.Name, "ws:1", nil}, {canary.DeviceName, "ws:2", chain("gzip")},
	},
	"clean": nil,
}

// sent is an identifier at a place.
type sent struct {
	kind  canary.Kind
	where string
	chain []string
}

func chain(names ...string) []string { return names }

// A real browser runs a page that sends identifiers by every means that a page has, through
// the proxy; the evidence is written as a HAR; and `unasked scan` finds in that file what was
// sent, where it was sent, how it was disguised, and nothing else.
func TestChromiumsTrafficIsScanned(t *testing.T) {
	person := canary.Derive([]byte("the seed of the page"), "X")
	page := newPage(t, person)
	traffic, urls := browse(t, page)
	found := scanned(t, traffic, person)

	got := map[string][]match{}
	for _, f := range found {
		path := urls[f.Entry]
		got[path] = append(got[path], match{f.Kind, f.Value, f.Where, strings.Join(f.Chain, " "), f.Direction})
	}
	for path, want := range sentByPage {
		direction := "request"
		if path == "reflect" {
			direction = "response"
		}
		if !slices.Contains(urls, path) {
			t.Errorf("%s: the HAR has no such entry", path)
			continue
		}
		for _, w := range want {
			f := match{string(w.kind), person.Value(w.kind), w.where, strings.Join(w.chain, " "), direction}
			if !slices.ContainsFunc(got[path], f.matches) {
				t.Errorf("%s: %+v was not found; found were %+v", path, f, got[path])
			}
		}
	}
	for path, list := range got {
		for _, f := range list {
			if !slices.ContainsFunc(sentByPage[path], func(w sent) bool { return f.Kind == string(w.kind) }) {
				t.Errorf("%s: %+v was found and not sent", path, f)
			}
		}
	}
}

// match is a finding without what the test does not ask for.
type match struct{ Kind, Value, Where, Chain, Direction string }

// matches compares. A finding may tell the place more exactly, and names of headers in
// any case.
func (f match) matches(got match) bool {
	where, wanted := strings.ToLower(got.Where), strings.ToLower(f.Where)
	got.Where = f.Where
	return got == f && (where == wanted || strings.HasPrefix(where, wanted+":$"))
}

// page is a web site that serves the page and takes what it sends.
type page struct {
	server *httptest.Server
	roots  *x509.CertPool
	done   chan string // what went wrong in the page, or ""
}

const pageHost = "app.service.example"

func newPage(t *testing.T, person canary.Identity) *page {
	t.Helper()
	script, err := os.ReadFile("testdata/chromium/page.js")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[canary.Kind]string{}
	for _, c := range person.Canaries {
		ids[c.Kind] = c.Value
	}
	known, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	lz := fromNPM(t, "lz-string@1.5.0", "package/libs/lz-string.min.js")
	p := &page{done: make(chan string, 1), roots: x509.NewCertPool()}
	var once sync.Once
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		path, isTest := strings.CutPrefix(q.URL.Path, "/t/")
		switch {
		case q.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, `<!doctype html><link rel=icon href=data:,><body><script src=/lz.js></script><script src=/page.js></script>`)
		case q.URL.Path == "/lz.js":
			_, _ = w.Write(lz)
		case q.URL.Path == "/page.js":
			// The identifiers reach the page as character codes, so that the script itself sends none.
			fmt.Fprintf(w, "const key = %q;\nconst ids = JSON.parse(new TextDecoder().decode(new Uint8Array(%s.map((c) => 300 - c))));\n%s",
				pageKey, codes(known), script)
		case q.URL.Path == "/done":
			what, _ := io.ReadAll(q.Body)
			once.Do(func() { p.done <- string(what) })
		case path == "reflect":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"you":%q}`, ids[canary.IMEI])
		case path == "socket":
			answerAll(w, q)
		case isTest:
			_, _ = io.Copy(io.Discard, q.Body) // what a client breaks off is the proxy's matter
			w.Header().Set("Content-Type", "text/html")
		default:
			http.NotFound(w, q)
		}
	}))
	cert, parsed := pageCertificate(t)
	p.roots.AddCert(parsed)
	p.server.EnableHTTP2 = true
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	return p
}

// codes writes bytes as a list of numbers that no decoding takes for text.
func codes(b []byte) string {
	numbers := make([]string, len(b))
	for i, c := range b {
		numbers[i] = strconv.Itoa(300 - int(c))
	}
	return "[" + strings.Join(numbers, ",") + "]"
}

// answerAll reads a WebSocket's messages to the one that is the end, and answers that.
func answerAll(w http.ResponseWriter, q *http.Request) {
	c, err := websocket.Accept(w, q, nil)
	if err != nil {
		return
	}
	defer c.CloseNow() //nolint:errcheck // it was closed by the page
	for {
		_, m, err := c.Read(q.Context())
		if err != nil {
			return
		}
		if string(m) == "end" && c.Write(q.Context(), websocket.MessageText, []byte("ok")) != nil {
			return
		}
	}
}

// pageCertificate is one for the page's host, signed by itself.
func pageCertificate(t *testing.T) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{pageHost}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, parsed
}

// browse has Chromium open the page through the proxy, and writes what passed as a HAR. It
// returns the file, and for each entry the path under /t/.
func browse(t *testing.T, p *page) (file string, paths []string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "evidence")
	recorded, err := evidence.Create(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := capture.NewCA("unasked test")
	if err != nil {
		t.Fatal(err)
	}
	recorded.Position("A", "untouched", evidence.Untouched)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host != pageHost {
			return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
		}
		return new(net.Dialer).DialContext(ctx, network, p.server.Listener.Addr().String())
	}
	proxy, err := capture.Start(t.Context(), capture.Options{Log: recorded, CA: ca, Network: emulator.Network{Dial: dial, Roots: p.roots}})
	if err != nil {
		t.Fatal(err)
	}
	stop := chromium(t, ca, proxy.Addr())
	select {
	case wrong := <-p.done:
		if wrong != "" {
			t.Errorf("the page failed: %s", wrong)
		}
	case <-time.After(time.Minute):
		t.Error("the page did not come to its end within a minute")
	}
	stop()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	defer cancel()
	if err := proxy.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := recorded.Seal(evidence.Manifest{End: evidence.AuditEnd{How: evidence.Completed}}); err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := har.Write(t.Context(), &out, bundle, tool()); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "traffic.har")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Log struct {
			Entries []struct {
				Request struct{ URL string }
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &parsed); err != nil {
		t.Fatal(err)
	}
	for _, e := range parsed.Log.Entries {
		_, path, _ := strings.Cut(e.Request.URL, "/t/")
		path, _, _ = strings.Cut(path, "?")
		paths = append(paths, path)
	}
	return file, paths
}

// chromium opens the page until the function that it returns is called.
func chromium(t *testing.T, ca *capture.CA, proxy string) (stop func()) {
	t.Helper()
	browser := "chromium-headless-shell"
	if b := os.Getenv("UNASKED_CHROMIUM"); b != "" {
		browser = b
	}
	path, err := exec.LookPath(browser)
	if err != nil {
		t.Skipf("%s is not installed", browser)
	}
	sum := sha256.Sum256(ca.Certificate().RawSubjectPublicKeyInfo)
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, path, "--no-sandbox", "--user-data-dir="+t.TempDir(), "--proxy-server=http://"+proxy,
		"--ignore-certificate-errors-spki-list="+base64.StdEncoding.EncodeToString(sum[:]), "--remote-debugging-port=0", "https://"+pageHost+"/")
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		cancel()
		_ = cmd.Wait() // it was told to end
	})
}

// scanned runs `unasked scan` over a HAR and returns the findings that are identifiers.
func scanned(t *testing.T, file string, person canary.Identity) []found {
	t.Helper()
	ids := filepath.Join(t.TempDir(), "ids.json")
	text, err := json.Marshal(person.Canaries)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ids, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := root()
	cmd.SetArgs([]string{"scan", file, "--identities", ids, "--json"})
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err = cmd.ExecuteContext(t.Context())
	if verdict := (*exitError)(nil); err != nil && (!errors.As(err, &verdict) || verdict.code != exitViolated && verdict.code != exitInconclusive) {
		t.Fatalf("unasked scan: %v\n%s", err, errs.Bytes())
	}
	var list []found
	for line := range bytes.Lines(out.Bytes()) {
		var f found
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatalf("unasked scan printed %q: %v", line, err)
		}
		if f.Claim == "identifier" {
			list = append(list, f)
		}
	}
	return list
}

// fromNPM is a file of a package of the npm registry.
func fromNPM(t *testing.T, pkg, file string) []byte {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pack := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", dir, pkg)
	pack.Dir = dir
	if out, err := pack.CombinedOutput(); err != nil {
		t.Skipf("npm pack %s: %v: %s", pkg, err, out)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("npm pack %s left %v, %v", pkg, archives, err)
	}
	text, err := exec.CommandContext(ctx, "tar", "-xzOf", archives[0], file).Output()
	if err != nil {
		t.Fatalf("unpack %s: %v", pkg, err)
	}
	return text
}
