package capture

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"testing"

	"github.com/unasked-audit/unasked/harness/flow"
)

// A request that was read and a connection that was given up have the same
// fingerprint where it was the same TLS client, and another where it was not.
func TestFingerprintsTellClientsApart(t *testing.T) {
	r := newRig(t)
	r.origin("api.example", http.NotFoundHandler())
	resp, err := r.client(true).Get("https://api.example/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	hangUp := func(c *tls.Config) {
		c.ServerName = "api.example"
		conn := tls.Client(r.connect("api.example:443"), c)
		_ = conn.Handshake()
		_ = conn.Close()
	}
	same := r.trust()
	same.NextProtos = []string{"h2", "http/1.1"}
	hangUp(same)
	r.waitFor("connection", 1)
	other := r.trust()
	other.CipherSuites, other.MaxVersion = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, tls.VersionTLS12
	hangUp(other)
	r.waitFor("connection", 2)
	hangUp(&tls.Config{RootCAs: x509.NewCertPool()})
	r.waitFor("connection", 3)
	rec := r.sealed()
	if len(rec.flows) != 1 || len(rec.connections) != 3 || rec.flows[0].Request.TLS == nil || rec.flows[0].Request.TLS.Fingerprint == "" {
		t.Fatalf("%+v, %+v", rec.flows, rec.connections)
	}
	of := rec.flows[0].Request.TLS.Fingerprint
	if c := rec.connections[0]; c.Fingerprint != of || c.Reason != flow.HungUp {
		t.Errorf("the same client has %s and %s (%s)", of, c.Fingerprint, c.Reason)
	}
	if c := rec.connections[1]; c.Fingerprint == of || c.Fingerprint == "" {
		t.Errorf("another client has %s too", c.Fingerprint)
	}
	if c := rec.connections[2]; c.Fingerprint == of || c.Reason != flow.Distrusted || c.Fingerprint == "" {
		t.Errorf("a client that refuses the certificate: %+v", c)
	}
	if tls := rec.flows[0].Response.TLS; tls == nil || tls.Fingerprint != "" {
		t.Errorf("the origin's side has a fingerprint: %+v", tls)
	}
}

// Browsers shuffle extensions and put in values that mean nothing.
func TestFingerprintsDoNotChangeWithTheConnection(t *testing.T) {
	hello := func(change func(*tls.ClientHelloInfo)) string {
		h := &tls.ClientHelloInfo{
			ServerName: "a.example", CipherSuites: []uint16{0x1301, 0x1302}, SupportedProtos: []string{"h2", "http/1.1"},
			SupportedVersions: []uint16{tls.VersionTLS13, tls.VersionTLS12}, Extensions: []uint16{0, 10, 13, 16, 43, 51},
			SupportedCurves: []tls.CurveID{tls.X25519}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		}
		change(h)
		return fingerprint(h)
	}
	whole := hello(func(*tls.ClientHelloInfo) {})
	for name, change := range map[string]func(*tls.ClientHelloInfo){
		"shuffled": func(h *tls.ClientHelloInfo) { slices.Reverse(h.Extensions) },
		"GREASE": func(h *tls.ClientHelloInfo) {
			h.Extensions, h.CipherSuites = append(h.Extensions, 0x8a8a, 0x1a1a), append([]uint16{0x4a4a}, h.CipherSuites...)
			h.SupportedVersions, h.SupportedCurves = append(h.SupportedVersions, 0x7a7a), append(h.SupportedCurves, 0xdada)
		},
		"resumed":      func(h *tls.ClientHelloInfo) { h.Extensions = append(h.Extensions, 41, 42) },
		"another name": func(h *tls.ClientHelloInfo) { h.ServerName = "b.example" },
	} {
		if got := hello(change); got != whole {
			t.Errorf("%s: %s, not %s", name, got, whole)
		}
	}
	for name, change := range map[string]func(*tls.ClientHelloInfo){
		"extension": func(h *tls.ClientHelloInfo) { h.Extensions = append(h.Extensions, 27) },
		"suite":     func(h *tls.ClientHelloInfo) { h.CipherSuites = append(h.CipherSuites, 0x1303) },
		"ALPN":      func(h *tls.ClientHelloInfo) { h.SupportedProtos = []string{"http/1.1"} },
		"group":     func(h *tls.ClientHelloInfo) { h.SupportedCurves = []tls.CurveID{tls.CurveP256} },
	} {
		if hello(change) == whole {
			t.Errorf("%s: nothing changed", name)
		}
	}
}
