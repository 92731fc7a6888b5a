package capture

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// A real client that trusts only its own service is let through once it has refused
// often enough, and another client to the same host is read all the time.
func TestAPinningClientIsLetThrough(t *testing.T) {
	r := newRigWith(t, func(o *Options) { o.PassAfter = 2 })
	r.origin("pinned.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = io.WriteString(w, "hello") }))
	own := filepath.Join(t.TempDir(), "own.pem")
	if err := os.WriteFile(own, r.web.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	pinning := func() (string, error) {
		out, _, err := program(t, nil, "curl", "-sS", "-x", "http://"+r.proxy.Addr(), "--cacert", own, "https://pinned.example/")
		return out, err
	}
	for i := range 2 {
		if out, err := pinning(); err == nil {
			t.Errorf("attempt %d: curl took the proxy's certificate: %q", i, out)
		}
		r.waitFor(evidence.KindConnection, i+1)
	}
	if text := get(t, r.client(true), "https://pinned.example/read"); text != "hello" {
		t.Errorf("another client got %q", text)
	}
	if out, err := pinning(); err != nil || out != "hello" {
		t.Errorf("after two refusals curl got %q, %v", out, err)
	}
	r.waitFor(evidence.KindConnection, 3)
	if text := get(t, r.client(false), "https://pinned.example/again"); text != "hello" {
		t.Errorf("another client got %q", text)
	}
	rec := r.sealed()
	if len(rec.flows) != 2 || len(rec.connections) != 3 {
		t.Fatalf("%d flows; connections %+v", len(rec.flows), rec.connections)
	}
	for i, want := range []string{flow.Distrusted, flow.Distrusted, flow.Passed} {
		if c := rec.connections[i]; c.Reason != want || c.Host != "pinned.example" || c.SNI != "pinned.example" || c.JA3 == "" || !strings.HasPrefix(c.JA4, "t13d") {
			t.Errorf("connection %+v, want %s", c, want)
		}
	}
	c := rec.connections[2]
	if c.Server == "" || c.Sent < 300 || c.Received < 500 || !c.Ended.After(c.Started) || !strings.Contains(c.Detail, "2 times") || c.Up.Size+c.Down.Size != 0 {
		t.Errorf("connection %+v", c)
	}
	if c.JA3 != rec.connections[0].JA3 || c.JA4 != rec.connections[0].JA4 {
		t.Errorf("one client has two fingerprints: %+v", rec.connections)
	}
}

func TestPassAfterNeverPasses(t *testing.T) {
	r := newRigWith(t, func(o *Options) { o.PassAfter = -1 })
	r.origin("pinned.example", http.NotFoundHandler())
	for i := range 6 {
		if tls.Client(r.connect("pinned.example:443"), &tls.Config{ServerName: "pinned.example", RootCAs: x509.NewCertPool()}).Handshake() == nil {
			t.Error("the client trusts the proxy")
		}
		r.waitFor(evidence.KindConnection, i+1)
	}
	for _, c := range r.sealed().connections {
		if c.Reason != flow.Distrusted {
			t.Errorf("connection %+v", c)
		}
	}
}

// A client that has once taken the certificate gives up for another reason.
func TestAClientThatWasReadIsNotPassed(t *testing.T) {
	var p pins
	k := pin{"api.example", "x"}
	p.accept(k)
	for range 5 {
		p.refuse(k)
	}
	if _, pass := p.passes(k, 3); pass {
		t.Error("it is passed")
	}
	other := pin{"api.example", "y"}
	for i := range 4 {
		if n, pass := p.passes(other, 3); n != i || pass != (i >= 3) {
			t.Errorf("after %d refusals: %d, %v", i, n, pass)
		}
		p.refuse(other)
	}
	for i := range maxPins * 2 {
		p.refuse(pin{string(rune(i)), ""})
	}
	if len(p.seen) > maxPins {
		t.Errorf("%d are remembered", len(p.seen))
	}
}
