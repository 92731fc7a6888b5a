package disguise

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// The vectors are what npm's lz-string 1.5.0 writes.
func TestLZStringWritesWhatTheLibraryWrites(t *testing.T) {
	file, err := os.ReadFile("testdata/lzstring-1.5.0.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Text, Base64, URI, UTF16, Bytes string }
	if err := json.Unmarshal(file, &vectors); err != nil || len(vectors) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, v := range vectors {
		raw, err := hex.DecodeString(v.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"lzstring/base64": v.Base64, "lzstring/uri": v.URI, "lzstring/utf16": v.UTF16, "lzstring/bytes": string(raw),
		} {
			d, _ := Named(name)
			if got := d.Encode([]byte(v.Text), nil); string(got) != want {
				t.Errorf("%s of %q is %q, want %q", name, v.Text, got, want)
			}
		}
	}
}

// Fixed results, from the programs and documents that define each.
func TestKnownAnswers(t *testing.T) {
	for _, test := range []struct{ name, kind, value, want string }{
		{"md5/hex", "", "abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"sha1/hex-upper", "", "abc", "A9993E364706816ABA3E25717850C26C9CD0D89D"},
		{"sha3-256/hex", "", "abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
		{"ripemd160/hex", "", "abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
		{"xxhash64/hex", "", "abc", "44bc2cf5ad770999"},
		{"md5/cut-16", "", "abc", "900150983cd24fb0"},
		{"base32/std", "", "fooba", "MZXW6YTB"},
		{"base58", "", "Hello World!", "2NEpo7TZRRrLZSi2U"},
		{"ascii85/adobe", "", "Man sure", "<~9jqo^F*2M7~>"},
		{"quoted-printable/every", "", "A=", "=41=3D"},
		{"punycode", "name", "Bücher", "xn--Bcher-kva"},
		{"url/component", "", "a b+c", "a%20b%2Bc"},
		{"url/form", "", "a b+c", "a+b%2Bc"},
		{"html/decimal", "", "ü1", "&#252;&#49;"},
		{"unicode/utf16", "", "a😀", `\u0061\ud83d\ude00`},
		{"utf-16/be-marked", "", "A", "\xfe\xff\x00A"},
		{"raw/varint", "imei", "300", "\x08\x2a\x18\xac\x02"},
		{"raw/bytes", "mac", "3e:0f:18:6c:a7:b0", "\x3e\x0f\x18\x6c\xa7\xb0"},
		{"hex/escapes", "", "A1", `\x41\x31`},
		{"rot13", "", "Hello", "Uryyb"},
		{"reversed", "", "añb", "bña"},
	} {
		d, ok := Named(test.name)
		if !ok {
			t.Errorf("no disguise is named %q", test.name)
			continue
		}
		p, why := Plant(test.kind, []byte(test.value), []Disguise{d}, NewEnv(1))
		if why != "" || string(p.Data) != test.want {
			t.Errorf("%s of %q is %q (%s), want %q", test.name, test.value, p.Data, why, test.want)
		}
	}
}

func TestDisguisesAreWhatTheySay(t *testing.T) {
	values := map[string]string{
		"ssaid": "753b11840c754a7b", "advertising_id": "2a590b50-c00c-41c1-807d-71bbc6891404", "email": "copper.pelican8775@kitepost.example",
		"name": "Zoë Okonjowell", "phone": "+19365550162", "imei": "001010648496246", "mac": "3e:0f:18:6c:a7:b0",
		"location": "38.250486,-85.743077", "number": "3141592653", "loyalty_card": "LC-99185-BCL83",
	}
	names := map[string]bool{}
	for _, d := range All() {
		if names[d.Name] {
			t.Errorf("%s stands twice", d.Name)
		}
		names[d.Name] = true
		applied := 0
		for kind, value := range values {
			one, why := Plant(kind, []byte(value), []Disguise{d}, NewEnv(7))
			if why != "" {
				continue
			}
			applied++
			two, _ := Plant(kind, []byte(value), []Disguise{d}, NewEnv(7))
			other, _ := Plant(kind, []byte(value), []Disguise{d}, NewEnv(8))
			if !bytes.Equal(one.Data, two.Data) {
				t.Errorf("%s of %q: one seed gives two results", d.Name, value)
			}
			if d.Canonical && !bytes.Equal(one.Data, other.Data) {
				t.Errorf("%s of %q: it is said to be canonical and depends on the seed", d.Name, value)
			}
			if !d.Binary && !IsText(one.Data) && d.Name != "form" {
				t.Errorf("%s of %q gives %q, which is no text", d.Name, value, one.Data)
			}
			if d.Digest && d.Binary && strings.Contains(string(one.Data), value) {
				t.Errorf("%s of %q: the value stands in its digest", d.Name, value)
			}
		}
		if applied == 0 {
			t.Errorf("%s is for no value", d.Name)
		}
	}
	if len(names) < 100 {
		t.Errorf("only %d disguises", len(names))
	}
}

func TestChainsAreOutermostFirst(t *testing.T) {
	chain := func(names ...string) (list []Disguise) {
		for _, n := range names {
			d, ok := Named(n)
			if !ok {
				t.Fatalf("no disguise is named %q", n)
			}
			list = append(list, d)
		}
		return list
	}
	p, why := Plant("ssaid", []byte("753b11840c754a7b"), chain("base64/std", "json", "gzip", "sha256/hex", "url/component", "upper"), NewEnv(1))
	if why != "json writes text only" {
		t.Errorf("gzip in JSON: %q", why)
	}
	p, why = Plant("ssaid", []byte("753b11840c754a7b"), chain("base64/std", "gzip", "json", "sha256/hex", "url/component", "upper"), NewEnv(1))
	if got := strings.Join(p.Chain, " "); why != "" || got != "base64 gzip sha256 hex" {
		t.Errorf("the chain is %q (%s)", got, why)
	}
	if rule := Senseless(chain("base64/std", "sha256/hex", "gzip")); rule == "" {
		t.Error("a digest of gzip's output is said to make sense")
	}
	if rule := Senseless(chain("gzip", "base64/std", "sha256/hex", "base64/std")); rule != "" {
		t.Errorf("gzip of base64 of a digest of base64 is left out: %s", rule)
	}
}
