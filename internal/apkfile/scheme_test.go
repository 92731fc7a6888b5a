package apkfile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// names are the schemes that a file carries, with "!" behind those that do not verify.
func names(t *testing.T, f *File) string {
	t.Helper()
	schemes, _, err := f.Schemes()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range schemes {
		n := s.Name
		if s.Err != nil {
			n += "!"
		} else if len(s.Signers) == 0 || s.Signers[0].Certificate == nil {
			t.Errorf("scheme %s verifies without a signer", s.Name)
		}
		out = append(out, n)
	}
	return strings.Join(out, " ")
}

// TestSchemes signs with every scheme at once and breaks one after the other.
func TestSchemes(t *testing.T) {
	dir := t.TempDir()
	signed := sign(t, rich(t), keys(t, "-newkey", "rsa:2048"), "--v4-signing-enabled", "true")
	whole, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	side, err := os.ReadFile(signed + ".idsig")
	if err != nil {
		t.Fatal(err)
	}
	read := func(b []byte) *File {
		f, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	fourth := func(b, side []byte) error {
		s, err := read(b).VerifyIDSig(bytes.NewReader(side))
		if err != nil {
			t.Fatal(err)
		}
		if s.Err == nil && (len(s.Signers) != 1 || s.Signers[0].Certificate.Subject.CommonName != "A test of apkfile") {
			t.Errorf("v4 by %+v", s.Signers)
		}
		return s.Err
	}
	if got := names(t, read(whole)); got != "1 2 3" {
		t.Errorf("schemes %q, want 1 2 3", got)
	}
	if err := fourth(whole, side); err != nil {
		t.Errorf("v4: %v", err)
	}
	changed := func(what string) []byte {
		at := bytes.Index(whole, []byte(what))
		if at < 0 {
			t.Fatalf("%q is not in the file", what)
		}
		b := bytes.Clone(whole)
		b[at+len(what)-1] ^= 1
		return b
	}
	// Each change breaks what covers it: an asset all, the block's padding only the tree of scheme 4.
	if got := names(t, read(changed("<!doctype html>"))); got != "1! 2! 3!" {
		t.Errorf("a changed asset: %q", got)
	}
	if err := fourth(changed("<!doctype html>"), side); !errors.Is(err, ErrBadSignature) || !strings.Contains(err.Error(), "another root") {
		t.Errorf("a changed asset, v4: %v", err)
	}
	if got := names(t, read(bytes.Replace(whole, []byte{0xc0, 0x68, 0x53, 0xf0}, []byte{1, 2, 3, 4}, 1))); got != "1! 2!" {
		t.Errorf("v3 taken away: %q", got)
	}
	for at := 4; at < min(len(side), 2500); at += 37 {
		b := bytes.Clone(side)
		b[at] ^= 0x10
		if s, err := parseIDSig(b); err == nil && bytes.Equal(s.signed(1), func() []byte { w, _ := parseIDSig(side); return w.signed(1) }()) &&
			bytes.Equal(s.signature, func() []byte { w, _ := parseIDSig(side); return w.signature }()) && bytes.Equal(s.key, func() []byte { w, _ := parseIDSig(side); return w.key }()) {
			continue // in the tree, which nobody signs
		}
		if fourth(whole, b) == nil {
			t.Errorf("byte %d of the idsig changed, and it verifies", at)
		}
	}

	// A rotated key: the old one signs the new one.
	first, second := keys(t, "-newkey", "rsa:2048"), keys(t, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
	lineage := filepath.Join(dir, "lineage")
	args := append([]string{"rotate", "--out", lineage, "--old-signer"}, first...)
	run(t, "apksigner", append(append(args, "--new-signer"), second...)...)
	args = append(append(append([]string{}, first...), "--next-signer"), second...)
	rotated, err := os.ReadFile(sign(t, rich(t), append(args, "--lineage", lineage)))
	if err != nil {
		t.Fatal(err)
	}
	schemes, _, err := read(rotated).Schemes()
	if err != nil || len(schemes) != 3 || schemes[2].Err != nil {
		t.Fatalf("%+v %v", schemes, err)
	}
	line, old := schemes[2].Signers[0].Lineage, schemes[1].Signers[0].Certificate
	if len(line) != 2 || !line[0].Certificate.Equal(old) || !line[1].Certificate.Equal(schemes[2].Signers[0].Certificate) || line[0].Capabilities == 0 {
		t.Errorf("lineage %+v", line)
	}
	// The proof is covered by the signature, so a false one is only seen by who checks it: cut the link.
	b, err := readSigningBlock(bytes.NewReader(rotated), read(rotated).layout)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := b.value(blockV3)
	signers, err := parseSigners(v, scheme3)
	if err != nil {
		t.Fatal(err)
	}
	one := verified{signers[0], schemes[2].Signers[0].Certificate}
	good := bytes.Clone(one.lineage.b)
	for what, at := range map[string]int{
		"the old key's certificate": bytes.Index(good, old.Raw) + len(old.Raw) - 20,
		"the new key's certificate": bytes.Index(good, line[1].Certificate.Raw) + 40,
		"the old key's signature":   len(good) - 9,
	} {
		one.lineage.b = bytes.Clone(good)
		one.lineage.b[at] ^= 0x20
		// The first certificate is nobody's but the first key's own: a change of its signature shows in the certificate only.
		if got, err := one.proof(scheme3); err == nil && got[0].Certificate.Equal(old) {
			t.Errorf("%s changed, and the proof holds", what)
		}
	}
}

// TestScheme31: apksigner of Debian does not make it, so the test does.
func TestScheme31(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v31 := forger{scheme: 3, algorithm: 0x0201, key: key, block: func(b []byte) []byte {
		return bytes.Replace(b, u32(blockV3), u32(blockV31), 1)
	}}
	good := v31.forge(t, bare(t))
	f, err := Read(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, f); got != "3.1" {
		t.Errorf("schemes %q", got)
	}
	v31.digest = func(b []byte) []byte { b[0] ^= 1; return b }
	bad := v31.forge(t, bare(t))
	if f, err = Read(bytes.NewReader(bad), int64(len(bad))); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f); got != "3.1!" {
		t.Errorf("schemes %q", got)
	}
}

// FuzzProofs reads what only signing tools write: a scheme 4 file and a proof of rotation.
func FuzzProofs(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 0}, []byte{1, 0, 0, 0})
	file, err := Open(calibration(f, "pantry"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { file.Close() })
	certs, _, err := file.Signers()
	if err != nil {
		f.Fatal(err)
	}
	node := field(field(field(certs[0].Raw), u32(0x0103)), u32(1), u32(0x0103), field([]byte("sig")))
	f.Add(append(u32(2), append(field(u32(1), []byte{12}, field(nil), field(make([]byte, 32))), field(field(nil), field(certs[0].Raw), field(nil), field(nil), u32(0x0103), field(nil))...)...), append(u32(1), node...))
	f.Fuzz(func(t *testing.T, side, proof []byte) {
		s, err := parseIDSig(side)
		onlyFaults(t, err)
		if err == nil {
			if _, err := s.verify(4096, make([]byte, 32), nil); err == nil {
				t.Error("a scheme 4 signature that nobody made")
			}
		}
		one := verified{signer{lineage: view{b: proof, part: signingBlock, kind: ErrBadSignature}}, certs[0]}
		line, err := one.proof(scheme3)
		onlyFaults(t, err)
		if err == nil && len(line) > 1 {
			t.Error("a rotation that nobody signed")
		}
	})
}
