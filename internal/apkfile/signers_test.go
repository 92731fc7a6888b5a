package apkfile

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAgainstApksigner compares certificates and schemes with what apksigner says.
func TestAgainstApksigner(t *testing.T) {
	apk := rich(t)
	off := func(schemes ...string) []string {
		var flags []string
		for _, s := range schemes {
			flags = append(flags, "--"+s+"-signing-enabled", "false")
		}
		return flags
	}
	rsa2048, rsa3200 := []string{"-newkey", "rsa:2048"}, []string{"-newkey", "rsa:3200"} // beyond 3072 bits apksigner takes SHA-512
	p256 := []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"}
	p521 := []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"}
	parameters := filepath.Join(t.TempDir(), "dsa.pem")
	run(t, "openssl", "dsaparam", "-out", parameters, "1024")
	dsa := []string{"-newkey", "dsa:" + parameters}
	made := map[string][]string{}
	for _, kind := range [][]string{rsa2048, rsa3200, p256, p521, dsa} {
		made[strings.Join(kind, " ")] = keys(t, kind...)
	}
	for _, c := range []struct {
		name    string
		key     []string
		flags   []string
		schemes []int
	}{
		{"all", rsa2048, nil, []int{3, 2}},
		{"v1", rsa2048, off("v2", "v3"), []int{1}},
		{"v2", rsa2048, off("v1", "v3"), []int{2}},
		{"v3", rsa2048, off("v1", "v2"), []int{3}},
		{"v1-ec", p256, off("v2", "v3"), []int{1}},
		{"rsa-sha512", rsa3200, nil, []int{3, 2}},
		{"ec-sha256", p256, nil, []int{3, 2}},
		{"v1-dsa", dsa, off("v2", "v3"), []int{1}},
		{"v2-dsa", dsa, off("v1", "v3"), []int{2}},
		{"ec-sha512", p521, nil, []int{3, 2}},
		{"merkle-tree", rsa2048, []string{"--verity-enabled"}, []int{3, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			signed := sign(t, apk, made[strings.Join(c.key, " ")], c.flags...)
			least := "21"
			if strings.HasPrefix(c.name, "v2") || strings.HasPrefix(c.name, "v3") {
				least = "28" // older ones know only JAR signatures
			}
			said := run(t, "apksigner", "verify", "-v", "--print-certs", "--min-sdk-version", least, signed)
			digest := regexp.MustCompile(`certificate SHA-256 digest: ([0-9a-f]{64})`).FindStringSubmatch(said)
			certs, schemes, err := open(t, signed).Signers()
			if err != nil {
				t.Fatalf("%v; apksigner says\n%s", err, said)
			}
			if sum := sha256.Sum256(certs[0].Raw); len(certs) != 1 || hex.EncodeToString(sum[:]) != digest[1] {
				t.Errorf("certificate %x, apksigner says %s", sum, digest[1])
			}
			if !slices.Equal(schemes, c.schemes) {
				t.Errorf("schemes %v, want %v", schemes, c.schemes)
			}
			for _, n := range schemes {
				if !strings.Contains(said, fmt.Sprintf("v%d scheme", n)) || strings.Contains(said, fmt.Sprintf("using v%d scheme (JAR signing): false", n)) {
					t.Errorf("scheme %d, and apksigner says\n%s", n, said)
				}
			}
		})
	}
}

func TestTwoSigners(t *testing.T) {
	apk := rich(t)
	args := append(keys(t, "-newkey", "rsa:2048"), "--v3-signing-enabled", "false", "--v1-signing-enabled", "false", "--next-signer")
	certs, schemes, err := open(t, sign(t, apk, append(args, keys(t, "-newkey", "rsa:2048")...))).Signers()
	if err != nil || len(certs) != 2 || !slices.Equal(schemes, []int{2}) || bytes.Equal(certs[0].Raw, certs[1].Raw) {
		t.Errorf("certificates %d, schemes %v, %v", len(certs), schemes, err)
	}
}

// signersOf reads an APK out of memory, as after a change.
func signersOf(t *testing.T, b []byte) ([]int, error) {
	t.Helper()
	f, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	_, schemes, err := f.Signers()
	return schemes, err
}

// TestAnyChangedByte changes single bytes all over a signed file: none may pass.
func TestAnyChangedByte(t *testing.T) {
	whole, err := os.ReadFile(calibration(t, "pantry"))
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(whole)
	l, err := readLayout(r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	block, err := readSigningBlock(r, l)
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at < r.Size(); at += 211 {
		b := bytes.Clone(whole)
		b[at] ^= 0x40
		f, err := Read(bytes.NewReader(b), int64(len(b)))
		if err == nil {
			_, _, err = f.Signers()
		}
		var fault *Error
		switch {
		case errors.As(err, &fault):
		case err != nil:
			t.Errorf("byte %d changed: %v has no kind", at, err)
		case at < block.start || at >= l.directory: // within the block, padding is signed by nobody
			t.Errorf("byte %d changed, and the signature still verifies", at)
		}
	}
}

func TestTakenAwaySignatures(t *testing.T) {
	apk := rich(t)
	key := keys(t, "-newkey", "rsa:2048")
	both, err := os.ReadFile(sign(t, apk, key))
	if err != nil {
		t.Fatal(err)
	}
	v3 := []byte{0xc0, 0x68, 0x53, 0xf0}
	renamed := bytes.Replace(both, v3, []byte{1, 2, 3, 4}, 1)
	if _, err := signersOf(t, renamed); !errors.Is(err, ErrBadSignature) || !strings.Contains(err.Error(), "taken away") {
		t.Errorf("v3 taken away: %v", err)
	}
	// Without the whole block only the JAR signature is left, which says that there was more.
	magic := bytes.Replace(both, blockMagic, []byte("APK Sig Block 41"), 1)
	if _, err := signersOf(t, magic); !errors.Is(err, ErrBadSignature) || !strings.Contains(err.Error(), "taken away") {
		t.Errorf("the block taken away: %v", err)
	}
}

func TestUnsigned(t *testing.T) {
	if _, _, err := open(t, rich(t)).Signers(); !errors.Is(err, ErrUnsigned) {
		t.Errorf("an unsigned APK: %v", err)
	}
}

// TestChangedJAR changes what a JAR signature covers, leaving the archive itself in order.
func TestChangedJAR(t *testing.T) {
	signed := sign(t, rich(t), keys(t, "-newkey", "rsa:2048"), "--v2-signing-enabled", "false", "--v3-signing-enabled", "false")
	for name, change := range map[string]func(name string, b []byte) []byte{
		"an entry": func(name string, b []byte) []byte {
			if name == "assets/www/index.html" {
				return append(b, ' ')
			}
			return b
		},
		"the manifest": func(name string, b []byte) []byte {
			if name == jarManifest {
				return append(b, "\r\n"...)
			}
			return b
		},
		"the signature file": func(name string, b []byte) []byte {
			if path := filepath.Ext(name); path == ".SF" {
				return append(b, "\r\n"...)
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := signersOf(t, rewrite(t, signed, change, nil)); !errors.Is(err, ErrBadSignature) {
				t.Errorf("changed, and: %v", err)
			}
		})
	}
	added := rewrite(t, signed, func(_ string, b []byte) []byte { return b }, map[string]string{"assets/more": "x"})
	if _, err := signersOf(t, added); !errors.Is(err, ErrBadSignature) || !strings.Contains(err.Error(), "added") {
		t.Errorf("an entry added: %v", err)
	}
	same := rewrite(t, signed, func(_ string, b []byte) []byte { return b }, nil)
	if schemes, err := signersOf(t, same); err != nil || !slices.Equal(schemes, []int{1}) {
		t.Errorf("only packed anew, which a JAR signature allows: %v %v", schemes, err)
	}
}

// rewrite packs an archive anew with changed or added entries.
func rewrite(t *testing.T, path string, change func(string, []byte) []byte, add map[string]string) []byte {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	put := func(name string, b []byte) {
		e, err := w.Create(name)
		if err == nil {
			_, err = e.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range r.File {
		in, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		put(e.Name, change(e.Name, b))
	}
	for name, s := range add {
		put(name, []byte(s))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
