package capture

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// spy keeps what passes on a client's connection.
type spy struct {
	net.Conn
	sent, received bytes.Buffer
}

func (s *spy) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	s.sent.Write(p[:n])
	return n, err
}

func (s *spy) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	s.received.Write(p[:n])
	return n, err
}

// The packets are what the device sent and got, byte for byte, and the keys are those
// of its connection.
func TestAWireIsKeptByteForByte(t *testing.T) {
	r := newRig(t)
	r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 300_000))
	}))
	var keys bytes.Buffer
	raw, err := net.Dial("tcp", r.proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	device := &spy{Conn: raw}
	_, _ = io.WriteString(device, "CONNECT api.example:443 HTTP/1.1\r\n\r\n")
	established := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
	if _, err := io.ReadFull(device, established); err != nil {
		t.Fatal(err)
	}
	config := r.trustFor("api.example")
	config.KeyLogWriter = &keys
	c := tls.Client(device, config)
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || len(body) != 300_000 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
	r.waitFor(evidence.KindWire, 1) // what lies in the kernel when the proxy is closed never came
	rec := r.sealed()
	if len(rec.wires) != 1 || len(rec.flows) != 1 {
		t.Fatalf("wires %+v, %d flows", rec.wires, len(rec.flows))
	}
	w := rec.wires[0]
	if w.ID == "" || rec.flows[0].Request.Wire != w.ID || w.Client != raw.LocalAddr().String() || w.Proxy != r.proxy.Addr() || w.Server == "" || w.Connect <= 0 || w.TLS <= 0 || !w.Ended.After(w.Started) {
		t.Errorf("wire %+v", w)
	}
	if w.Sent != int64(device.sent.Len()) || w.Received != int64(device.received.Len()) {
		t.Errorf("%d and %d bytes are recorded, %d and %d passed", w.Sent, w.Received, device.sent.Len(), device.received.Len())
	}
	blob, err := rec.bundle.Blob(w.Packets)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	var sent, received bytes.Buffer
	last := time.Time{}
	for p, err := range flow.Packets(blob) {
		if err != nil {
			t.Fatal(err)
		}
		if p.At.Before(last) {
			t.Error("packets are not in order")
		}
		last = p.At
		if p.Sent {
			sent.Write(p.Data)
		} else {
			received.Write(p.Data)
		}
	}
	if !bytes.Equal(sent.Bytes(), device.sent.Bytes()) || !bytes.Equal(received.Bytes(), device.received.Bytes()) {
		t.Error("the packets are not what passed")
	}
	for _, line := range strings.Split(strings.TrimSpace(keys.String()), "\n") {
		if !strings.Contains(strings.Join(w.Keys, "\n"), line) {
			t.Errorf("the secret %.30s... is not kept", line)
		}
	}
}

// Requests with an absolute target go each to its own origin, on one connection.
func TestRequestsInAbsoluteForm(t *testing.T) {
	r := newRig(t)
	var conns [2]map[string]bool
	serve := func(i int) http.Handler {
		conns[i] = map[string]bool{}
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			conns[i][q.RemoteAddr] = true
			body, _ := io.ReadAll(q.Body)
			if q.Header.Get("Proxy-Connection")+q.Header.Get("Proxy-Authorization") != "" {
				t.Errorf("the origin saw %v", q.Header)
			}
			_, _ = io.WriteString(w, q.Host+q.RequestURI+string(body))
		})
	}
	r.plain("one.example", serve(0))
	r.origin("two.example", serve(1))
	c, err := net.Dial("tcp", r.proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	ask := func(target, body, want string) {
		t.Helper()
		_, _ = io.WriteString(c, "POST "+target+" HTTP/1.1\r\nHOST: false.example\r\nproxy-connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"+body+"\r\n0\r\n\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(resp.Body); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", target, text, err)
		}
	}
	ask("http://one.example/a?b", "body1", "one.example/a?bbody1")
	ask("http://one.example", "body2", "one.example/body2")
	ask("https://two.example/c", "body3", "two.example/cbody3")
	ask("http://one.example/d", "body4", "one.example/dbody4")
	_ = c.Close()
	rec := r.sealed()
	if len(rec.flows) != 4 || len(conns[0]) != 2 || len(conns[1]) != 1 || len(rec.wires) != 1 {
		t.Fatalf("%d flows, connections %v, wires %+v", len(rec.flows), conns, rec.wires)
	}
	if f := rec.flows[2]; f.Request.URL != "https://two.example/c" || f.Response.TLS == nil || header(f.Request.Headers, "Proxy-Authorization") != "Basic eDp5" || rec.body(t, f.Request.Body) != "body3" {
		t.Errorf("flow %+v, %+v", f.Request, f.Response)
	}
}

// What the origin speaks is what the device is offered.
func TestTheProtocolIsTheOrigins(t *testing.T) {
	r := newRig(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = io.WriteString(w, q.Proto) }))
	s.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return r.web.certificate("old.example") }, MaxVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	s.TLS.Certificates = nil
	r.world.put("old.example:443", s.Listener.Addr().String())
	r.origin("new.example", s.Config.Handler)
	c := r.client(true)
	if text := get(t, c, "https://old.example/"); text != "HTTP/1.1" {
		t.Errorf("the old origin was asked in %s", text)
	}
	if text := get(t, c, "https://new.example/"); text != "HTTP/2.0" {
		t.Errorf("the new origin was asked in %s", text)
	}
	rec := r.sealed()
	if len(rec.flows) != 2 || rec.flows[0].Response.TLS.Version != "TLS 1.2" || rec.flows[0].Request.TLS.ALPN != "http/1.1" || rec.flows[1].Request.TLS.ALPN != "h2" {
		t.Errorf("flows %+v", rec.flows)
	}
}

// An origin that wants a certificate of the client's is a blind spot, and asked all the same.
func TestAnOriginThatWantsAClientCertificate(t *testing.T) {
	for _, must := range []bool{false, true} {
		r := newRig(t)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = io.WriteString(w, "welcome") }))
		s.Config.ErrorLog = discard
		s.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return r.web.certificate("bank.example") }, ClientAuth: tls.RequestClientCert}
		if must {
			s.TLS.ClientAuth = tls.RequireAnyClientCert
		}
		s.StartTLS()
		s.TLS.Certificates = nil
		r.world.put("bank.example:443", s.Listener.Addr().String())
		resp, err := r.client(false).Get("https://bank.example/")
		if err == nil {
			_ = resp.Body.Close()
		}
		if (err == nil) == must {
			t.Errorf("must=%v: %v", must, err)
		}
		s.Close()
		rec := r.sealed()
		found := false
		for _, c := range rec.connections {
			found = found || c.Reason == flow.ClientCert && c.Host == "bank.example" && c.Detail != ""
		}
		if !found {
			t.Errorf("must=%v: connections %+v", must, rec.connections)
		}
		if must && len(rec.flows) > 0 && !strings.Contains(rec.flows[0].Response.Error, "certificate") {
			t.Errorf("response %+v", rec.flows[0].Response)
		}
	}
}

// A device is heard though its origin takes its time.
func TestAnOriginThatIsSlowToShakeHands(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRigWith(t, func(o *Options) { o.prompt = 20 * time.Millisecond })
		slow := make(chan struct{})
		s := r.origin("slow.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			_, _ = io.Copy(w, q.Body)
		}))
		r.world.put("slow.example:443", "")
		r.tcp("slow.example:443", func(c net.Conn) {
			<-slow
			to, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer to.Close()
			done := make(chan struct{})
			go func() { defer close(done); _, _ = io.Copy(to, c); _ = to.(*net.TCPConn).CloseWrite() }()
			_, _ = io.Copy(c, to)
			_ = c.Close()
			<-done
		})
		got := make(chan string)
		go func() {
			resp, err := r.client(h2).Post("https://slow.example/", "text/plain", strings.NewReader("patience"))
			if err != nil {
				got <- err.Error()
				return
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			got <- string(text)
		}()
		time.AfterFunc(200*time.Millisecond, func() { close(slow) })
		if text := <-got; text != "patience" {
			t.Errorf("the client got %q", text)
		}
		if f, rec := r.one(); rec.body(t, f.Request.Body) != "patience" || len(rec.connections) != 0 {
			t.Errorf("flow %+v; connections %+v", f, rec.connections)
		}
	})
}

// A connection on which nothing passes any more is given up.
func TestADeadConnectionIsGivenUp(t *testing.T) {
	r := newRigWith(t, func(o *Options) { o.idle = 200 * time.Millisecond })
	stalled := make(chan struct{})
	r.tcp("stall.example:80", func(c net.Conn) { _, _ = io.Copy(io.Discard, c); close(stalled) })
	resp, err := r.client(false).Get("http://stall.example/")
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("an answer: %s", resp.Status)
	}
	<-stalled
	if f, _ := r.one(); f.Response == nil || !strings.Contains(f.Response.Error, "nothing came any more") {
		t.Errorf("response %+v", f.Response)
	}
}

// Once a connection was cut, and its observer has written all down, nothing passes any more.
func TestNothingPassesAfterTheCut(t *testing.T) {
	r := newRig(t)
	device, other := net.Pipe()
	defer other.Close()
	c := r.proxy.newConn(device, false)
	var out bytes.Buffer
	if err := c.pass(&out, []byte("before"), []byte("before"), func([]byte) error { return nil }); err != nil {
		t.Error(err)
	}
	c.cut("the test")
	if err := c.pass(&out, []byte("after"), []byte("after"), func([]byte) error { return nil }); err == nil || out.String() != "before" {
		t.Errorf("%q passed, %v", out.String(), err)
	}
}
