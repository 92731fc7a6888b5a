package internet

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func newInternet(t *testing.T) (*Internet, *Recorder) {
	t.Helper()
	r := &Recorder{}
	in, err := New(WithRecorder(r))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in, r
}

// named answers with a name, and with what it was asked.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", name, r.Proto, r.URL.Path)
	})
}

func handle(t *testing.T, in *Internet, host string, opts ...OriginOption) {
	t.Helper()
	if err := in.Handle(host, named(host), opts...); err != nil {
		t.Fatal(err)
	}
}

// client is an ordinary HTTP client in that world.
func client(t *testing.T, in *Internet, http2 bool) *http.Client {
	tr := &http.Transport{DialContext: in.Dial, TLSClientConfig: &tls.Config{RootCAs: in.Roots()}, ForceAttemptHTTP2: http2}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func TestOrigins(t *testing.T) {
	in, rec := newInternet(t)
	handle(t, in, "api.example", Plain())
	handle(t, in, "*.example")
	handle(t, in, "*.cdn.example")
	handle(t, in, "odd.example", Port(8443))
	h1, h2 := client(t, in, false), client(t, in, true)
	for _, c := range []struct {
		client    *http.Client
		url, want string
	}{
		{h2, "https://api.example/a", "api.example HTTP/2.0 /a"},
		{h1, "https://api.example/b", "api.example HTTP/1.1 /b"},
		{h1, "http://api.example/c", "api.example HTTP/1.1 /c"},
		{h2, "https://API.Example./d", "api.example HTTP/2.0 /d"},
		{h2, "https://any.example/", "*.example HTTP/2.0 /"},
		{h2, "https://a.b.example/", "*.example HTTP/2.0 /"},
		{h2, "https://eu.cdn.example/", "*.cdn.example HTTP/2.0 /"},
		{h2, "https://odd.example:8443/", "odd.example HTTP/2.0 /"},
	} {
		if got, err := get(t, c.client, c.url); got != c.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", c.url, got, err, c.want)
		}
	}
	if n := len(rec.Requests()); n != 8 {
		t.Errorf("%d requests were recorded, want 8", n)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	in, rec := newInternet(t)
	handle(t, in, "api.example")
	handle(t, in, "*.wild.example")
	for _, address := range []string{"nowhere.example:443", "example:443", "wild.example:443", "evil-api.example:443", "localhost:80", "a b:80", "*.wild.example:443"} {
		_, err := in.Dial(t.Context(), "tcp", address)
		var dns *net.DNSError
		if !errors.As(err, &dns) || !dns.IsNotFound {
			t.Errorf("%s: %v, want a name that is not found", address, err)
		}
	}
	if _, err := in.Dial(t.Context(), "tcp", "api.example:80"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a port without service: %v", err)
	}
	for _, address := range []string{"127.0.0.1:22", "[::1]:22", "8.8.8.8:443"} {
		if _, err := in.Dial(t.Context(), "tcp", address); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("%s: %v, want an unreachable network", address, err)
		}
	}
	for _, address := range []string{"api.example", "api.example:0", "api.example:99999", "api.example:http"} {
		if _, err := in.Dial(t.Context(), "tcp", address); err == nil {
			t.Errorf("%s was dialled", address)
		}
	}
	if _, err := in.Dial(t.Context(), "udp", "api.example:443"); err == nil {
		t.Error("UDP was dialled")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.Dial(gone, "tcp", "api.example:443"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if dials := rec.Dials(); len(dials) != 17 || dials[0].Address != "nowhere.example:443" || dials[0].Err == nil {
		t.Errorf("%d dials were recorded, want 17: %v", len(dials), dials)
	}
}

func TestBadRegistrations(t *testing.T) {
	in, _ := newInternet(t)
	handle(t, in, "api.example")
	for _, host := range []string{"", ".", "*.", "*", "a..b", "-a.example", "a-.example", "sp ace.example", "10.0.0.1", "::1", "a.*.example", "ü.example", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 130)} {
		if err := in.Handle(host, named(host)); err == nil {
			t.Errorf("the host %q was taken", host)
		}
	}
	if err := in.Handle("nil.example", nil); err == nil {
		t.Error("a nil handler was taken")
	}
	if err := in.HandleTCP("push.example:5224", nil); err == nil {
		t.Error("a nil service was taken")
	}
	if err := in.HandleTCP("push.example", func(net.Conn) {}); err == nil {
		t.Error("a service without port was taken")
	}
	if err := in.Handle("API.example", named("x")); !errors.Is(err, ErrTaken) {
		t.Errorf("the same host twice: %v", err)
	}
	if err := in.Handle("plain.example", named("x"), Port(80), Plain()); !errors.Is(err, ErrTaken) {
		t.Errorf("TLS and plain HTTP on one port: %v", err)
	}
}

func TestTLSIsReal(t *testing.T) {
	in, _ := newInternet(t)
	other, _ := newInternet(t)
	handle(t, in, "api.example")
	expired, err := in.Issue("expired.example", time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	handle(t, in, "expired.example", TLS(&tls.Config{Certificates: []tls.Certificate{*expired}}))
	if _, err := get(t, client(t, in, true), "https://expired.example/"); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired certificate: %v", err)
	}
	stranger := client(t, in, true)
	stranger.Transport.(*http.Transport).TLSClientConfig.RootCAs = other.Roots()
	var unknown x509.UnknownAuthorityError
	if _, err := get(t, stranger, "https://api.example/"); !errors.As(err, &unknown) {
		t.Errorf("another internet's roots: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(in.CAPEM()) || !pool.Equal(in.Roots()) {
		t.Error("CAPEM is not what Roots has")
	}
	// Whoever asks for another name is shown this one's certificate.
	c, err := in.Dial(t.Context(), "tcp", "api.example:443")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	shake := tls.Client(c, &tls.Config{ServerName: "other.example", RootCAs: in.Roots()})
	var name x509.HostnameError
	if err := shake.HandshakeContext(t.Context()); !errors.As(err, &name) || name.Certificate.DNSNames[0] != "api.example" {
		t.Errorf("a handshake for another name: %v", err)
	}
}

func TestMisdirectedRequest(t *testing.T) {
	in, rec := newInternet(t)
	handle(t, in, "api.example", Plain())
	handle(t, in, "other.example", Plain())
	c, err := in.Dial(t.Context(), "tcp", "api.example:80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 421 ") {
		t.Errorf("a request for another host: %q, %v", answer, err)
	}
	if n := len(rec.Requests()); n != 0 {
		t.Errorf("%d requests were recorded as received by an origin", n)
	}
}

func TestRawService(t *testing.T) {
	in, _ := newInternet(t)
	var mu sync.Mutex
	var seen []string
	if err := in.HandleTCP("push.example:5224", func(c net.Conn) {
		text, _ := io.ReadAll(c)
		mu.Lock()
		seen = append(seen, string(text))
		mu.Unlock()
		io.WriteString(c, strings.ToUpper(string(text)))
	}); err != nil {
		t.Fatal(err)
	}
	c, err := in.Dial(t.Context(), "tcp", "push.example:5224")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "hello")
	c.(interface{ CloseWrite() error }).CloseWrite()
	if got, err := io.ReadAll(c); string(got) != "HELLO" || err != nil {
		t.Errorf("the service answered %q, %v", got, err)
	}
	if host, port, _ := net.SplitHostPort(c.RemoteAddr().String()); !strings.HasPrefix(host, "198.18.") || port != "5224" {
		t.Errorf("the service is at %v", c.RemoteAddr())
	}
}

func TestCloseEndsEverything(t *testing.T) {
	in, err := New()
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan struct{})
	if err := in.Handle("slow.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})); err != nil {
		t.Fatal(err)
	}
	if err := in.HandleTCP("raw.example:1", func(c net.Conn) { io.Copy(io.Discard, c) }); err != nil {
		t.Fatal(err)
	}
	raw, err := in.Dial(t.Context(), "tcp", "raw.example:1")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	failed := make(chan error, 1)
	slow := client(t, in, true)
	go func() {
		_, err := get(t, slow, "https://slow.example/")
		failed <- err
	}()
	<-entered
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("a request was answered by an internet that was closed")
	}
	if _, err := raw.Read(make([]byte, 1)); err == nil {
		t.Error("a raw connection outlived its internet")
	}
	if _, err := in.Dial(t.Context(), "tcp", "raw.example:1"); err == nil {
		t.Error("a closed internet was dialled")
	}
	if err := in.Handle("late.example", named("x")); err == nil {
		t.Error("a closed internet took an origin")
	}
}

func TestRecorder(t *testing.T) {
	in, rec := newInternet(t)
	rec.MaxBody = 10
	handle(t, in, "api.example")
	body := strings.Repeat("body ", 100)
	go func() {
		res, err := client(t, in, true).Post("https://api.example/up?q=1", "text/plain", strings.NewReader(body))
		if err == nil {
			res.Body.Close()
		}
	}()
	got, err := rec.Wait(t.Context(), func(r Request) bool { return r.Done })
	if err != nil {
		t.Fatal(err)
	}
	if got.Host != "api.example" || got.Port != 443 || !got.Secure || got.Method != "POST" || got.URI != "/up?q=1" ||
		string(got.Body) != body[:10] || got.Size != int64(len(body)) || got.SHA256 != sha256.Sum256([]byte(body)) {
		t.Errorf("the request was recorded as %+v", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rec.Wait(gone, func(Request) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for what never comes: %v", err)
	}
}

func TestManyNamesUnderAWildcard(t *testing.T) {
	in, _ := newInternet(t)
	handle(t, in, "*.wild.example")
	for i := range maxLeaves + 5 {
		if _, err := in.ca.leaf(fmt.Sprintf("n%d.wild.example", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(in.ca.leaves); n > maxLeaves {
		t.Errorf("%d certificates are kept, want at most %d", n, maxLeaves)
	}
	long := strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".wild.example"
	if got, err := get(t, client(t, in, true), "https://"+long+"/"); err != nil {
		t.Errorf("a long name: %q, %v", got, err)
	}
}
