package capture

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// rig is a proxy between a client and an internet of its own.
type rig struct {
	t     testing.TB
	dir   string
	log   *evidence.Log
	ca    *CA // the proxy's
	web   *CA // the internet's
	proxy *Proxy
	world *world
	once  sync.Once
}

// world is names and where they lead.
type world struct {
	mu    sync.Mutex
	hosts map[string]string // host:port to a listener's address
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	real, ok := w.hosts[address]
	w.mu.Unlock()
	if !ok {
		host, _, _ := net.SplitHostPort(address)
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return new(net.Dialer).DialContext(ctx, network, real)
}

func (w *world) put(name, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[name] = address
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigWith(t, func(*Options) {})
}

// newRigWith is a rig whose proxy has other options.
func newRigWith(t testing.TB, with func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), world: &world{hosts: map[string]string{}}}
	var err error
	if r.log, err = evidence.Create(r.dir, nil); err != nil {
		t.Fatal(err)
	}
	if r.ca, err = NewCA("unasked test"); err != nil {
		t.Fatal(err)
	}
	if r.web, err = NewCA("the web's"); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(r.web.Certificate())
	r.log.Position("a", "untouched", evidence.Untouched)
	o := Options{Log: r.log, CA: r.ca, Network: emulator.Network{Dial: r.world.dial, Roots: roots}, Packets: true, patience: 50 * time.Millisecond}
	with(&o)
	r.proxy, err = Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.close() })
	return r
}

// origin serves a name with TLS, on port 443, and returns the server.
func (r *rig) origin(name string, h http.Handler) *httptest.Server {
	r.t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return r.web.certificate(name) }, NextProtos: []string{"h2", "http/1.1", "http/1.0"}}
	s.StartTLS()
	s.TLS.Certificates = nil // httptest's own, for another name
	r.t.Cleanup(s.Close)
	r.world.put(name+":443", s.Listener.Addr().String())
	return s
}

// plain serves a name without TLS, on port 80.
func (r *rig) plain(name string, h http.Handler) *httptest.Server {
	r.t.Helper()
	s := httptest.NewServer(h)
	r.t.Cleanup(s.Close)
	r.world.put(name+":80", s.Listener.Addr().String())
	return s
}

// tcp serves a name at a port without HTTP.
func (r *rig) tcp(address string, serve func(net.Conn)) {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.world.put(address, l.Addr().String())
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	r.t.Cleanup(func() {
		_ = l.Close()
		group.Wait()
	})
}

// trust is what a client needs to trust the proxy.
func (r *rig) trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(r.ca.Certificate())
	return &tls.Config{RootCAs: pool}
}

// client goes through the proxy and trusts it.
func (r *rig) client(h2 bool) *http.Client {
	t := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: r.proxy.Addr()}),
		TLSClientConfig: r.trust(), DisableCompression: true, ForceAttemptHTTP2: h2, ExpectContinueTimeout: 5 * time.Second,
	}
	if !h2 {
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	r.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// connect opens a tunnel.
func (r *rig) connect(target string) net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.proxy.Addr())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, "CONNECT "+target+" HTTP/1.1\r\nHost: "+target+"\r\n\r\n"); err != nil {
		r.t.Fatal(err)
	}
	const want = "HTTP/1.1 200 Connection established\r\n\r\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		r.t.Fatalf("CONNECT %s: %q, %v", target, got, err)
	}
	return c
}

// count reads the unsealed log, as it is.
func (r *rig) count(kind string) int {
	text, err := os.ReadFile(filepath.Join(r.dir, "log.jsonl"))
	if err != nil {
		r.t.Fatal(err)
	}
	n := 0
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var ev evidence.Event
		if err := dec.Decode(&ev); err != nil {
			return n
		}
		if ev.Kind == kind {
			n++
		}
	}
}

func (r *rig) close() {
	r.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := r.proxy.Close(ctx); err != nil {
			r.t.Errorf("Close: %v", err)
		}
		if ctx.Err() != nil {
			r.t.Error("Close waited until its time was up")
		}
	})
}

// record is what a log says of the network.
type record struct {
	flows       []flow.Flow
	connections []flow.Connection
	wires       []flow.Wire
	messages    []flow.Message
	bundle      *evidence.Bundle
}

// sealed closes the proxy and reads the evidence.
func (r *rig) sealed() record {
	r.t.Helper()
	r.close()
	if err := r.log.Seal(evidence.Manifest{End: evidence.AuditEnd{How: evidence.Completed}}); err != nil && !errors.Is(err, evidence.ErrSealed) {
		r.t.Fatal(err)
	}
	if problems, err := evidence.Verify(r.t.Context(), r.dir); err != nil || len(problems) > 0 {
		r.t.Errorf("the evidence is %v, %v", problems, err)
	}
	b, err := evidence.Open(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	rec := record{bundle: b}
	for f, err := range flow.Read(r.t.Context(), b) {
		if err != nil {
			r.t.Fatal(err)
		}
		rec.flows = append(rec.flows, f)
	}
	for ev, err := range b.Events(r.t.Context()) {
		if err != nil {
			r.t.Fatal(err)
		}
		switch ev.Kind {
		case evidence.KindConnection:
			rec.connections = append(rec.connections, decoded[flow.Connection](r.t, ev))
		case evidence.KindWire:
			rec.wires = append(rec.wires, decoded[flow.Wire](r.t, ev))
		case evidence.KindMessage:
			rec.messages = append(rec.messages, decoded[flow.Message](r.t, ev))
		}
	}
	return rec
}

func decoded[T any](t testing.TB, ev evidence.Event) (v T) {
	t.Helper()
	if err := json.Unmarshal(ev.Data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// one is the only flow.
func (r *rig) one() (flow.Flow, record) {
	r.t.Helper()
	rec := r.sealed()
	if len(rec.flows) != 1 {
		r.t.Fatalf("%d flows, want 1: %+v; connections %+v", len(rec.flows), rec.flows, rec.connections)
	}
	return rec.flows[0], rec
}

// body is the bytes of a body.
func (rec record) body(t testing.TB, b flow.Body) string {
	t.Helper()
	f, err := b.Open(rec.bundle)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil || int64(len(text)) != b.Size {
		t.Errorf("body of %d bytes, recorded as %d: %v", len(text), b.Size, err)
	}
	return string(text)
}

// discard is for servers whose complaints are expected.
var discard = log.New(io.Discard, "", 0)
