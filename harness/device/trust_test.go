package device

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"
)

func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}, &x509.Certificate{}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestTrustCA(t *testing.T) {
	for _, api := range []int{30, 34} {
		t.Run(strconv.Itoa(api), func(t *testing.T) {
			d := embedded(t, api)
			ctx := t.Context()
			if err := d.Root(ctx); err != nil {
				t.Fatal(err)
			}
			folder := map[int]string{30: systemCerts, 34: moduleCerts}[api]
			list := func() string {
				out, err := d.shell(ctx, "ls "+folder+" "+systemCerts)
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			before := list()
			cert := certificate(t)
			undo, err := d.TrustCA(ctx, cert, "00c0ffee")
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.shell(ctx, "cat "+folder+"/00c0ffee.0")
			if err != nil || strings.TrimSpace(got) != strings.TrimSpace(string(cert)) {
				t.Errorf("%q, %v", got, err)
			}
			if mode, err := d.shell(ctx, "stat -c '%a %u' "+folder+"/00c0ffee.0"); err != nil || mode != "644 0\n" {
				t.Errorf("mode and owner %q, %v", mode, err)
			}
			for _, name := range strings.Fields(before) {
				if !strings.Contains(list(), name) {
					t.Errorf("%s got lost", name)
				}
			}
			if err := undo(ctx); err != nil {
				t.Fatal(err)
			}
			if after := list(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			if err := undo(ctx); err != nil {
				t.Errorf("a second time: %v", err)
			}
			if _, err := d.TrustCA(ctx, cert, "../../x"); err == nil {
				t.Error("a name that leads elsewhere is taken")
			}
		})
	}
}
