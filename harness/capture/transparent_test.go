package capture

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// transparent is a rig whose proxy takes redirected connections too.
func transparent(t *testing.T, with func(*Options)) *rig {
	return newRigWith(t, func(o *Options) {
		o.Transparent, o.UID = "127.0.0.1:0", 10123
		with(o)
	})
}

// dial opens a connection to the transparent port.
func (r *rig) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.proxy.TransparentAddr())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Where nobody knows the address, the client's own words say the name.
func TestARedirectedConnectionGoesWhereItSays(t *testing.T) {
	r := transparent(t, func(*Options) {})
	hello := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { fmt.Fprintf(w, "%s %s", q.Proto, q.Host) })
	r.origin("api.example", hello)
	r.plain("old.example", hello)
	for _, test := range []struct {
		name, want string
		https      bool
	}{{"api.example", "HTTP/1.1 api.example", true}, {"old.example", "HTTP/1.1 old.example", false}} {
		c := r.dial()
		if test.https {
			c = tls.Client(c, r.trustFor(test.name))
		}
		fmt.Fprintf(c, "GET /x HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", test.name)
		if answer, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(answer), test.want) {
			t.Errorf("%s: %q, %v", test.name, answer, err)
		}
		_ = c.Close()
	}
	rec := r.sealed()
	if len(rec.flows) != 2 || len(rec.connections) != 0 {
		t.Fatalf("%d flows; connections %+v", len(rec.flows), rec.connections)
	}
	for i, want := range []string{"https://api.example/x", "http://old.example/x"} {
		if f := rec.flows[i]; f.Request.URL != want || f.Request.UID != 10123 || f.Request.Target != "" {
			t.Errorf("request %+v", f.Request)
		}
	}
}

func TestARedirectedConnectionGoesToItsAddress(t *testing.T) {
	var to atomic.Value
	to.Store(netip.MustParseAddrPort("203.0.113.7:443"))
	r := transparent(t, func(o *Options) {
		o.Original = func(net.Conn) (netip.AddrPort, bool) { return to.Load().(netip.AddrPort), true }
		o.NameOf = func(a netip.Addr) string {
			if a == netip.MustParseAddr("203.0.113.8") {
				return "Push.Example."
			}
			return ""
		}
	})
	s := r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, q.Host) }))
	r.world.put("203.0.113.7:443", s.Listener.Addr().String())
	c := tls.Client(r.dial(), r.trustFor("api.example"))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n")
	if answer, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(answer), "api.example") {
		t.Errorf("%q, %v", answer, err)
	}
	_ = c.Close()

	to.Store(netip.MustParseAddrPort("203.0.113.8:5224"))
	r.tcp("203.0.113.8:5224", func(c net.Conn) {
		_, _ = io.WriteString(c, "hello first\n")
		_, _ = io.Copy(io.Discard, c)
	})
	p := r.dial()
	if line, err := bufio.NewReader(p).ReadString('\n'); err != nil || line != "hello first\n" {
		t.Errorf("%q, %v", line, err)
	}
	_ = p.Close()
	r.waitFor(evidence.KindConnection, 1)
	rec := r.sealed()
	if len(rec.flows) != 1 || len(rec.connections) != 1 {
		t.Fatalf("%d flows; connections %+v", len(rec.flows), rec.connections)
	}
	if q := rec.flows[0].Request; q.URL != "https://api.example/" || q.Target != "203.0.113.7:443" {
		t.Errorf("request %+v", q)
	}
	if got := rec.connections[0]; got.Host != "push.example" || got.Port != 5224 || got.Reason != flow.NoHTTP || rec.body(t, got.Down) != "hello first\n" || got.UID != 10123 {
		t.Errorf("connection %+v", got)
	}
}

func TestARedirectedConnectionThatSaysNothingOfItsWay(t *testing.T) {
	r := transparent(t, func(*Options) {})
	c := r.dial()
	_, _ = c.Write([]byte{1, 2, 3})
	_, _ = io.ReadAll(c)
	if got, rec := r.only(flow.NoOrigin); rec.body(t, got.Up) != "\x01\x02\x03" || !strings.Contains(got.Detail, "nobody knows") {
		t.Errorf("connection %+v", got)
	}
}

// CONNECT to an address, as the Android emulator's -http-proxy asks for.
func TestConnectToAnAddress(t *testing.T) {
	r := newRig(t)
	s := r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, "yes") }))
	r.world.put("203.0.113.7:443", s.Listener.Addr().String())
	c := tls.Client(r.connect("203.0.113.7:443"), r.trustFor("api.example"))
	_, _ = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n") // not even a Host
	if answer, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(answer), "yes") {
		t.Errorf("%q, %v", answer, err)
	}
	_ = c.Close()
	if f, _ := r.one(); f.Request.URL != "https://api.example/" || f.Request.Target != "203.0.113.7:443" || f.Request.TLS.SNI != "api.example" {
		t.Errorf("request %+v", f.Request)
	}
}

func TestTheTransparentPortIsLoopbackUnlessSaid(t *testing.T) {
	r := newRig(t)
	if p, err := Start(t.Context(), Options{Log: r.log, CA: r.ca, Transparent: "0.0.0.0:0"}); err == nil {
		t.Error(p.Close(t.Context()))
	}
	p, err := Start(t.Context(), Options{Log: r.log, CA: r.ca, Transparent: "0.0.0.0:0", TransparentOpen: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A real REDIRECT of the kernel's, in a network namespace of the test's own.
func TestIptablesRedirect(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can redirect")
	}
	if os.Getenv("UNASKED_IN_NAMESPACE") == "" {
		for _, name := range []string{"unshare", "ip", "iptables", "curl"} {
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("%s is not installed", name)
			}
		}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		script := `ip link set lo up && ip addr add 203.0.113.1/24 dev lo && exec "$0" -test.run '^TestIptablesRedirect$' -test.v`
		cmd := exec.Command("unshare", "--net", "sh", "-c", script, self)
		cmd.Env = append(os.Environ(), "UNASKED_IN_NAMESPACE=1")
		out, err := cmd.CombinedOutput()
		switch {
		case strings.Contains(string(out), "--- SKIP") || strings.Contains(string(out), "Operation not permitted"):
			t.Skipf("this kernel does not redirect: %s", out)
		case err != nil:
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	r := transparent(t, func(*Options) {})
	s := r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, "redirected ", q.Host) }))
	r.world.put("203.0.113.7:443", s.Listener.Addr().String())
	_, port, _ := net.SplitHostPort(r.proxy.TransparentAddr())
	rule := []string{"-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-d", "203.0.113.7", "-j", "REDIRECT", "--to-ports", port}
	if out, err := exec.Command("iptables", rule...).CombinedOutput(); err != nil {
		t.Skipf("iptables %v: %v %s", rule, err, out)
	}
	out, errs, err := program(t, nil, "curl", "-sS", "--cacert", r.caFile(), "--resolve", "api.example:443:203.0.113.7", "https://api.example/r")
	if err != nil || out != "redirected api.example" {
		t.Errorf("curl: %q %v %s", out, err, errs)
	}
	if f, _ := r.one(); f.Request.URL != "https://api.example/r" || f.Request.Target != "203.0.113.7:443" {
		t.Errorf("request %+v", f.Request)
	}
}
