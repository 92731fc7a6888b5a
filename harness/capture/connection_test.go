package capture

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// only is the one connection that was recorded, with no flow beside it.
func (r *rig) only(reason string) (flow.Connection, record) {
	r.t.Helper()
	r.waitFor(evidence.KindConnection, 1)
	rec := r.sealed()
	if len(rec.connections) != 1 || len(rec.flows) != 0 {
		r.t.Fatalf("%d connections and %d flows, want one and none: %+v, %+v", len(rec.connections), len(rec.flows), rec.connections, rec.flows)
	}
	c := rec.connections[0]
	if c.Reason != reason || c.Flow == "" || c.Detail == "" || c.Started.IsZero() || c.Ended.Before(c.Started) {
		r.t.Errorf("connection %+v, want the reason %s", c, reason)
	}
	return c, rec
}

// waitFor waits until the log holds n events of a kind.
func (r *rig) waitFor(kind string, n int) {
	r.t.Helper()
	waitUntil(r.t, func() bool { return r.count(kind) >= n })
}

func TestAClientThatDistrustsTheProxy(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			r := newRig(t)
			c := tls.Client(r.connect("pinned.example:443"), &tls.Config{ServerName: "pinned.example", RootCAs: x509.NewCertPool(), MaxVersion: version})
			if err := c.Handshake(); err == nil {
				t.Fatal("the client trusts the proxy")
			}
			got, _ := r.only(flow.Distrusted)
			if got.Host != "pinned.example" || got.Port != 443 || got.SNI != "pinned.example" {
				t.Errorf("connection %+v", got)
			}
		})
	}
}

func TestAClientThatHangsUpAfterTheHandshake(t *testing.T) {
	r := newRig(t)
	c := tls.Client(r.connect("pinned.example:443"), r.trustFor("pinned.example"))
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if got, _ := r.only(flow.HungUp); !strings.Contains(got.Detail, "pins") {
		t.Errorf("connection %+v", got)
	}
}

func TestAClientThatHangsUpInTheHandshake(t *testing.T) {
	r := newRig(t)
	c := r.connect("api.example:443")
	hello := &deaf{Conn: c}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_ = tls.Client(hello, r.trustFor("api.example")).HandshakeContext(ctx) // reads nothing: its time runs out
	_ = c.Close()
	r.only(flow.HungUp)
}

// deaf writes and never reads.
type deaf struct{ net.Conn }

func (d *deaf) Read([]byte) (int, error) { return 0, io.EOF }

func TestAConnectionOpenedInAdvanceHidesNothing(t *testing.T) {
	r := newRig(t)
	c := r.connect("later.example:443")
	_ = c.Close()
	r.only(flow.Unused)
}

func (r *rig) trustFor(name string) *tls.Config {
	c := r.trust()
	c.ServerName = name
	return c
}

func TestATunnelWithoutHTTPIsPassedAndKept(t *testing.T) {
	r := newRig(t)
	r.tcp("push.example:5224", func(c net.Conn) {
		b := make([]byte, 5)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "\x01\x02\x03\x04\x05" {
			t.Errorf("the origin got %q, %v", b, err)
		}
		_, _ = io.WriteString(c, "welcome\x00")
		rest, _ := io.ReadAll(c) // until the client's half is closed
		_, _ = io.WriteString(c, strings.ToUpper(string(rest)))
	})
	c := r.connect("push.example:5224")
	_, _ = c.Write([]byte{1, 2, 3, 4, 5})
	greeting := make([]byte, 8)
	if _, err := io.ReadFull(c, greeting); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "imei")
	_ = c.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(c); err != nil || string(rest) != "IMEI" {
		t.Errorf("the client got %q, %v", rest, err)
	}
	got, rec := r.only(flow.NoHTTP)
	if rec.body(t, got.Up) != "\x01\x02\x03\x04\x05imei" || rec.body(t, got.Down) != "welcome\x00IMEI" || got.Sent != 9 || got.Received != 12 || got.Port != 5224 {
		t.Errorf("connection %+v", got)
	}
}

func TestAnOriginThatSpeaksFirst(t *testing.T) {
	r := newRig(t)
	serve := func(c net.Conn) {
		_, _ = io.WriteString(c, "220 mail.example\r\n")
		line, _ := bufio.NewReader(c).ReadString('\n')
		_, _ = io.WriteString(c, "250 "+line)
	}
	r.tcp("mail.example:25", serve)
	c := r.connect("mail.example:25")
	in := bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || line != "220 mail.example\r\n" {
		t.Fatalf("the client got %q, %v", line, err)
	}
	_, _ = io.WriteString(c, "EHLO phone\r\n") // looks like a method
	if line, err := in.ReadString('\n'); err != nil || line != "250 EHLO phone\r\n" {
		t.Errorf("the client got %q, %v", line, err)
	}
	_ = c.Close()
	got, rec := r.only(flow.NoHTTP)
	if rec.body(t, got.Up) != "EHLO phone\r\n" || !strings.HasPrefix(rec.body(t, got.Down), "220 ") {
		t.Errorf("connection %+v", got)
	}
}

// An origin that was asked in vain, while the client was silent, is let go when the
// client turns out to speak no TLS after all.
func TestAnOriginIsLetGoWithItsClient(t *testing.T) {
	r := newRig(t)
	met, left := make(chan struct{}), make(chan struct{})
	r.tcp("api.example:443", func(c net.Conn) {
		close(met)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(make([]byte, 1)); !isTimeout(err) {
			close(left)
		}
	})
	c := r.connect("api.example:443")
	<-met
	_, _ = io.WriteString(c, "\x16\x03\x01\x00\x05\x01\x00\x00\x01x")
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
	r.waitFor(evidence.KindConnection, 1)
	select {
	case <-left:
	case <-time.After(5 * time.Second):
		t.Error("its connection is open still")
	}
}

func TestWhatIsNoHTTPInsideTLSIsKeptToo(t *testing.T) {
	r := newRig(t)
	r.tcp("mqtt.example:8883", func(c net.Conn) {
		s := tls.Server(c, &tls.Config{NextProtos: []string{"mqtt"}, GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return r.web.certificate(h.ServerName) }})
		defer s.Close()
		b := make([]byte, 4)
		if _, err := io.ReadFull(s, b); err != nil {
			t.Error(err)
		}
		_, _ = s.Write([]byte("\x20\x02\x00\x00"))
	})
	config := r.trustFor("mqtt.example")
	config.NextProtos = []string{"mqtt"}
	c := tls.Client(r.connect("mqtt.example:8883"), config)
	_, _ = c.Write([]byte("\x10\x02ab"))
	if b, err := io.ReadAll(c); err != nil || string(b) != "\x20\x02\x00\x00" {
		t.Errorf("the client got %q, %v", b, err)
	}
	_ = c.Close()
	got, rec := r.only(flow.NoHTTP)
	if rec.body(t, got.Up) != "\x10\x02ab" || rec.body(t, got.Down) != "\x20\x02\x00\x00" || got.SNI != "mqtt.example" {
		t.Errorf("connection %+v", got)
	}
}

func TestWhatIsNoHTTPAndHasNoOriginIsKeptToo(t *testing.T) {
	r := newRig(t)
	c := r.connect("nowhere.example:5224")
	_, _ = c.Write([]byte{1, 2, 3})
	_, _ = io.ReadAll(c)
	got, rec := r.only(flow.NoOrigin)
	if rec.body(t, got.Up) != "\x01\x02\x03" {
		t.Errorf("connection %+v", got)
	}
}

func TestARequestThatNoServerWouldRead(t *testing.T) {
	r := newRig(t)
	r.plain("api.example", http.NotFoundHandler())
	c := r.connect("api.example:80")
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: api.example\r\nbroken header\r\n\r\n")
	if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("the client got %q, %v", answer, err)
	}
	_ = c.Close()
	if got, _ := r.only(flow.NoHTTP); got.Host != "api.example" || got.Sent == 0 {
		t.Errorf("connection %+v", got)
	}
}

func TestWhatIsNoProxyRequest(t *testing.T) {
	r := newRig(t)
	resp, err := http.Get("http://" + r.proxy.Addr() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 400 || !strings.Contains(string(text), "capture proxy") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	c, err := net.Dial("tcp", r.proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("\x05\x01\x00 SOCKS, by the look of it\r\n\r\n"))
	_, _ = io.ReadAll(c)
	_ = c.Close()
	r.only(flow.NoHTTP)
}

func TestAnOriginThatCannotBeReached(t *testing.T) {
	for _, test := range []struct {
		name, url, says string
		prepare         func(*rig)
	}{
		{"no such name", "https://gone.example/x", "no such host", func(*rig) {}},
		{"nobody listens", "https://down.example/x", "refused", func(r *rig) { r.world.put("down.example:443", "127.0.0.1:1") }},
		{"another's certificate", "https://false.example/x", "certificate", func(r *rig) {
			s := r.origin("true.example", http.NotFoundHandler())
			r.world.put("false.example:443", s.Listener.Addr().String())
		}},
		{"no TLS", "https://bare.example/x", "TLS", func(r *rig) {
			s := r.plain("bare.example", http.NotFoundHandler())
			r.world.put("bare.example:443", s.Listener.Addr().String())
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			both(t, func(t *testing.T, h2 bool) {
				r := newRig(t)
				test.prepare(r)
				resp, err := r.client(h2).Post(test.url, "text/plain", strings.NewReader("imei=1"))
				if err != nil {
					t.Fatal(err)
				}
				text, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusBadGateway || !strings.Contains(string(text), test.says) {
					t.Errorf("%d %s", resp.StatusCode, text)
				}
				f, rec := r.one()
				if f.Response == nil || f.Response.Status != 0 || !strings.Contains(f.Response.Error, test.says) {
					t.Errorf("response %+v", f.Response)
				}
				if rec.body(t, f.Request.Body) != "imei=1" || f.Request.Body.Cut != "" {
					t.Errorf("the request's body is %+v", f.Request.Body)
				}
				if len(rec.connections) != 1 || rec.connections[0].Reason != flow.NoOrigin || rec.connections[0].Flow != f.Request.Flow || rec.connections[0].Port != 443 {
					t.Errorf("connections %+v", rec.connections)
				}
			})
		})
	}
}

func TestTheProxyIsNoWayToItselfOrToTheHost(t *testing.T) {
	r := newRig(t)
	_, port, _ := net.SplitHostPort(r.proxy.Addr())
	r.world.put("alias.example:80", r.proxy.Addr())
	c := r.client(false)
	for _, u := range []string{"http://127.0.0.1:" + port, "http://localhost:" + port, "http://[::1]:" + port, "http://0.0.0.0:" + port, "http://alias.example"} {
		resp, err := c.Get(u)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusLoopDetected {
			t.Errorf("%s: %s, want 508", u, resp.Status)
		}
	}

	// On the host's own network, the host itself is out of reach.
	secret := r.plain("x", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a device has reached the host") }))
	open, err := Start(t.Context(), Options{Log: r.log, CA: r.ca, Network: emulator.Network{}})
	if err != nil {
		t.Fatal(err)
	}
	targets := []string{secret.Listener.Addr().String(), "localhost:" + fmt.Sprint(secret.Listener.Addr().(*net.TCPAddr).Port), "169.254.169.254:80", "[::ffff:127.0.0.1]:80"}
	own, err := net.InterfaceAddrs() // what listens on all addresses can be had by each
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLinkLocalUnicast() {
			targets = append(targets, netip.AddrPortFrom(p.Addr(), 80).String())
		}
	}
	for _, target := range targets {
		conn, err := net.Dial("tcp", open.Addr())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET http://%s/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target)
		answer, _ := io.ReadAll(conn)
		_ = conn.Close()
		if !strings.HasPrefix(string(answer), "HTTP/1.1 502") || !strings.Contains(string(answer), "auditing machine itself") {
			t.Errorf("%s: %q", target, answer)
		}
	}
	if err := open.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStartSaysWhy(t *testing.T) {
	r := newRig(t)
	if _, err := Start(t.Context(), Options{Log: r.log, CA: r.ca, Listen: r.proxy.Addr()}); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), r.proxy.Addr()) {
		t.Errorf("a taken port: %v", err)
	}
	for _, address := range []string{":0", "0.0.0.0:0", "192.168.1.1:0", "[::]:0", "example.com:0"} {
		if _, err := Start(t.Context(), Options{Log: r.log, CA: r.ca, Listen: address}); !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := Start(t.Context(), Options{}); err == nil {
		t.Error("a proxy without a log")
	}
}

// A request is for whom its connection goes to, whatever it says.
func TestAFrontedRequestNamesItsTarget(t *testing.T) {
	r := newRig(t)
	r.origin("front.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = io.WriteString(w, q.Host) }))
	c := tls.Client(r.connect("front.example:443"), r.trustFor("front.example"))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: hidden.example\r\nConnection: close\r\n\r\n")
	if answer, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(answer), "hidden.example") {
		t.Errorf("the client got %q, %v", answer, err)
	}
	_ = c.Close()
	if f, _ := r.one(); f.Request.URL != "https://hidden.example/" || f.Request.Target != "front.example:443" {
		t.Errorf("request %+v", f.Request)
	}
}
