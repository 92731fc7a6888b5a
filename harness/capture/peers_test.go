package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// program runs a real peer, and skips the test where it is not installed.
func program(t *testing.T, stdin io.Reader, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "http_proxy=", "https_proxy=", "no_proxy=")
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// caFile writes the proxy's certificate to a file.
func (r *rig) caFile() string {
	path := filepath.Join(r.t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, r.ca.PEM(), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

func TestCurl(t *testing.T) {
	r := newRig(t)
	echo := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		fmt.Fprintf(w, "%s %s %d", q.Proto, q.URL.Path, len(body))
	})
	r.origin("api.example", echo)
	r.plain("old.example", echo)
	upload := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(upload, bytes.Repeat([]byte("video"), 300_000), 0o600); err != nil {
		t.Fatal(err)
	}
	common := []string{"-sS", "-x", "http://" + r.proxy.Addr(), "--cacert", r.caFile()}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--http1.1", "https://api.example/one"}, "HTTP/1.1 /one 0"},
		{[]string{"--http2", "https://api.example/two"}, "HTTP/2.0 /two 0"},
		{[]string{"--http2", "-F", "video=@" + upload, "https://api.example/form"}, "HTTP/2.0 /form 1500"},
		{[]string{"--http1.1", "-H", "Expect: 100-continue", "-T", upload, "https://api.example/put"}, "HTTP/1.1 /put 1500000"},
		{[]string{"--http1.1", "-H", "Transfer-Encoding: chunked", "-T", upload, "https://api.example/chunked"}, "HTTP/1.1 /chunked 1500000"},
		{[]string{"http://old.example/plain"}, "HTTP/1.1 /plain 0"},
		{[]string{"--http2", "http://old.example/upgrade"}, "HTTP/1.1 /upgrade 0"}, // asks for h2c, gets none
		{[]string{"-p", "http://old.example/tunnelled"}, "HTTP/1.1 /tunnelled 0"},
		{[]string{"--http0.9", "--http1.0", "https://api.example/ten"}, "HTTP/1.0 /ten 0"},
	} {
		out, errs, err := program(t, nil, "curl", append(common, test.args...)...)
		if err != nil || !strings.HasPrefix(out, test.want) {
			t.Errorf("curl %v: %q, %v %s; want %q", test.args, out, err, errs, test.want)
		}
	}
	if _, errs, err := program(t, nil, "curl", "-sS", "-x", "http://"+r.proxy.Addr(), "https://api.example/distrusted"); err == nil || !strings.Contains(errs, "certificate") {
		t.Errorf("curl without our CA: %v %s", err, errs)
	}
	r.waitFor(evidence.KindConnection, 1)
	rec := r.sealed()
	if len(rec.flows) != 9 || len(rec.connections) != 1 || rec.connections[0].Reason != flow.Distrusted {
		t.Errorf("%d flows, connections %+v", len(rec.flows), rec.connections)
	}
	for _, f := range rec.flows {
		if f.Request.Body.Cut != "" || f.Response == nil || f.Response.Status != 200 || !strings.HasPrefix(header(f.Request.Headers, "User-Agent"), "curl/") {
			t.Errorf("flow %+v, %+v", f.Request, f.Response)
		}
	}
}

func TestOpenSSL(t *testing.T) {
	r := newRig(t)
	r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = io.WriteString(w, "hello openssl") }))
	ca := r.caFile()
	ask := strings.NewReader("GET /s HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n")
	out, errs, err := program(t, ask, "openssl", "s_client", "-quiet", "-verify_return_error", "-verify_hostname", "api.example", "-CAfile", ca,
		"-proxy", r.proxy.Addr(), "-connect", "api.example:443", "-servername", "api.example", "-ign_eof")
	if !strings.Contains(out, "hello openssl") {
		t.Errorf("s_client: %v\n%s\n%s", err, out, errs)
	}
	if out, _, err := program(t, nil, "openssl", "x509", "-in", ca, "-noout", "-subject_hash_old"); err != nil || strings.TrimSpace(out) != r.ca.SubjectHashOld() {
		t.Errorf("openssl's old subject hash is %q, %v, ours %q", out, err, r.ca.SubjectHashOld())
	}
	if f, _ := r.one(); f.Request.URL != "https://api.example/s" {
		t.Errorf("request %+v", f.Request)
	}
}

func TestWebSocket(t *testing.T) {
	r := newRig(t)
	r.origin("ws.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		c, err := websocket.Accept(w, q, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(1 << 20)
		for {
			kind, text, err := c.Read(q.Context())
			if err != nil {
				return
			}
			if err := c.Write(q.Context(), kind, bytes.ToUpper(text)); err != nil {
				return
			}
		}
	}))
	hc := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: r.proxy.Addr()}), TLSClientConfig: r.trust()}}
	c, _, err := websocket.Dial(t.Context(), "wss://ws.example/socket?room=1", &websocket.DialOptions{HTTPClient: hc})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"anna", strings.Repeat("berta", 100_000)} {
		c.SetReadLimit(1 << 20)
		if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != strings.ToUpper(text) {
			t.Fatalf("%d bytes came back, %v", len(got), err)
		}
	}
	// It stays open: Close has no end to wait for.
	f, rec := r.one()
	_ = c.CloseNow()
	if f.Request.URL != "https://ws.example/socket?room=1" || f.Response.Status != 101 || header(f.Request.Headers, "Upgrade") != "websocket" || f.Response.Error != "" {
		t.Errorf("flow %+v, %+v", f.Request, f.Response)
	}
	if len(rec.connections) != 1 || rec.connections[0].Reason != flow.Upgraded || rec.connections[0].Flow != f.Request.Flow {
		t.Fatalf("connections %+v", rec.connections)
	}
	berta := strings.Repeat("berta", 100_000)
	if len(rec.messages) != 4 {
		t.Fatalf("%d messages, want 4", len(rec.messages))
	}
	for i, want := range []string{"anna", "ANNA", berta, strings.ToUpper(berta)} {
		m := rec.messages[i]
		if m.Index != i || m.Sent != (i%2 == 0) || m.Flow != f.Request.Flow || m.Binary || rec.body(t, m.Body) != want {
			t.Errorf("message %d: %+v", i, m)
		}
	}
	w := rec.connections[0]
	if !strings.Contains(rec.body(t, w.Down), "ANNA") || !strings.Contains(rec.body(t, w.Down), "BERTABERTA") || w.Sent < 500_000 || w.Up.Size != w.Sent || w.Host != "ws.example" {
		t.Errorf("connection %+v", w)
	}
}

// A real browser: HTTP/2, compression it has asked for, a WebSocket of its own,
// and a decision of its own on whom to trust.
func TestChromium(t *testing.T) {
	browser := "chromium-headless-shell"
	if b := os.Getenv("UNASKED_CHROMIUM"); b != "" {
		browser = b
	}
	for _, trusted := range []bool{true, false} {
		t.Run(fmt.Sprint("trusted=", trusted), func(t *testing.T) {
			r := newRig(t)
			done := make(chan struct{})
			r.origin("app.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				switch q.URL.Path {
				case "/":
					w.Header().Set("Content-Type", "text/html")
					_, _ = io.WriteString(w, `<!doctype html><link rel=icon href=data:,><p id=p>start</p><img src=/wait><script>
						const say = s => { document.getElementById("p").textContent += " " + s }
						fetch("/track", {method: "POST", body: "ssaid=4cbf"}).then(r => r.text()).then(t => {
							say(t)
							const ws = new WebSocket("wss://app.example/ws")
							ws.onopen = () => ws.send("over the socket")
							ws.onmessage = m => { say(m.data); ws.close() }
						})
					</script>`)
				case "/track":
					body, _ := io.ReadAll(q.Body)
					fmt.Fprintf(w, "%s got %s", q.Proto, body)
				case "/ws":
					c, err := websocket.Accept(w, q, nil)
					if err != nil {
						t.Error(err)
						return
					}
					defer c.CloseNow()
					if kind, text, err := c.Read(q.Context()); err == nil {
						_ = c.Write(q.Context(), kind, append([]byte("back "), text...))
						_, _, _ = c.Read(q.Context())
					}
					close(done)
				case "/wait": // holds the page's load back, until all is said
					<-done
				}
			}))
			args := []string{"--no-sandbox", "--user-data-dir=" + t.TempDir(), "--proxy-server=http://" + r.proxy.Addr(), "--dump-dom"}
			if trusted {
				args = append(args, "--ignore-certificate-errors-spki-list="+spki(r.ca.Certificate()))
			}
			out, errs, err := program(t, nil, browser, append(args, "https://app.example/")...)
			if !trusted {
				r.waitFor(evidence.KindConnection, 1)
				rec := r.sealed()
				for _, c := range rec.connections {
					if c.Reason != flow.Distrusted && c.Reason != flow.Unused {
						t.Errorf("connection %+v", c)
					}
				}
				if len(rec.flows) != 0 {
					t.Errorf("flows %+v", rec.flows)
				}
				return
			}
			if err != nil || !strings.Contains(out, "HTTP/2.0 got ssaid=4cbf back over the socket") {
				t.Errorf("the page is %q, %v\n%s", out, err, errs)
			}
			rec := r.sealed()
			seen := map[string]int{}
			for _, f := range rec.flows {
				seen[f.Request.Host()+" "+f.Request.Method]++
				if f.Response == nil || f.Response.Status == 0 {
					t.Errorf("flow %+v, %+v", f.Request, f.Response)
				}
			}
			if fmt.Sprint(seen) != "map[app.example GET:3 app.example POST:1]" {
				t.Errorf("flows %v: the browser's own traffic is among them, or the page's is not", seen)
			}
			for _, c := range rec.connections {
				if c.Reason != flow.Upgraded && c.Reason != flow.Unused {
					t.Errorf("connection %+v", c)
				}
			}
		})
	}
}

// spki is how Chromium is told of a key to trust.
func spki(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}
