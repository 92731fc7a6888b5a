package capture

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestLeavesAreWhatClientsTake(t *testing.T) {
	ca, err := NewCA("unasked test")
	if err != nil {
		t.Fatal(err)
	}
	if hash := ca.SubjectHashOld(); len(hash) != 8 || strings.Trim(hash, "0123456789abcdef") != "" {
		t.Errorf("hash %q", hash)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca.PEM()) {
		t.Fatal("the PEM is none")
	}
	long := strings.Repeat("a.", 60) + "example"
	for _, host := range []string{"api.example", "API.Example.", "192.0.2.7", "2001:db8::7", long, "x--y_z.example"} {
		c, err := ca.certificate(host)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: strings.TrimSuffix(host, "."), Roots: roots}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if life := c.Leaf.NotAfter.Sub(c.Leaf.NotBefore); life > 398*24*time.Hour {
			t.Errorf("%s lives %v", host, life)
		}
		if again, err := ca.certificate(host); err != nil || again != c {
			t.Errorf("%s was made twice, %v", host, err)
		}
	}
	if a, _ := ca.certificate("api.example"); a != nil {
		if b, _ := ca.certificate("api.example."); b != a {
			t.Error("the same host has two certificates")
		}
	}
	for i := range maxLeaves + 10 {
		if _, err := ca.certificate(fmt.Sprintf("h%d.example", i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(ca.leaves) > maxLeaves {
		t.Errorf("%d certificates are kept", len(ca.leaves))
	}
	other, err := NewCA("unasked test")
	if err != nil {
		t.Fatal(err)
	}
	if other.Certificate().SerialNumber.Cmp(ca.Certificate().SerialNumber) == 0 || other.Certificate().Equal(ca.Certificate()) {
		t.Error("two authorities are one")
	}
}
