package coding

import (
	"bytes"
	"compress/gzip"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime/quotedprintable"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/mr-tron/base58"
	"github.com/pierrec/lz4/v4"
)

// decoders are all decoders of text, by name.
var decoders = map[string]func(dst, src []byte) ([]byte, Sure){
	"base64": Base64, "base32": Base32, "base32hex": Base32Hex, "base58": Base58, "ascii85": Ascii85, "z85": Z85, "base85": Base85, "hex": Hex,
	"url": Percent, "form": FormValue, "html": HTML, "escapes": Escapes, "quoted-printable": QuotedPrintable, "punycode": Punycode,
	"utf-16":   func(dst, src []byte) ([]byte, Sure) { out, _, sure := UTF16(dst, src); return out, sure },
	"lzstring": func(dst, src []byte) ([]byte, Sure) { return LZString(dst, src, 1<<20) },
	"reversed": func(dst, src []byte) ([]byte, Sure) { return Reverse(dst, src), Weak },
	"rot13":    func(dst, src []byte) ([]byte, Sure) { return ROT13(dst, src), Weak },
	"xor":      func(dst, src []byte) ([]byte, Sure) { return XOR(dst, src, 0x5a), Weak },
}

func quoted(s string) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func a85(s string) string {
	b := make([]byte, ascii85.MaxEncodedLen(len(s)))
	return string(b[:ascii85.Encode(b, []byte(s))])
}

const sample = "8c7f2b1a-9d3e-4f50 Anna?>~ Müller"

// ours are texts in each form, as others write them; sure is what the decoder says at least.
var ours = []struct {
	decoder, text, want string
	sure                Sure
}{
	{"base64", base64.StdEncoding.EncodeToString([]byte(sample)), sample, Weak},
	{"base64", base64.StdEncoding.EncodeToString([]byte("a" + sample)), "a" + sample, Strong},
	{"base64", base64.RawURLEncoding.EncodeToString([]byte("\xfb\xff\xfe" + sample)), "\xfb\xff\xfe" + sample, Weak},
	{"base64", "OGM3ZjJiMWEtOWQz\r\nZS00ZjUw\r\n", "8c7f2b1a-9d3e-4f50", Weak},
	{"base64", "OGM3 ZjJi\tMWE=", "8c7f2b1a", Strong},
	{"base32", base32.StdEncoding.EncodeToString([]byte(sample)), sample, Strong},
	{"base32", strings.ToLower(strings.TrimRight(base32.StdEncoding.EncodeToString([]byte(sample)), "=")), sample, Weak},
	{"base32hex", base32.HexEncoding.EncodeToString([]byte(sample)), sample, Strong},
	{"base58", base58.Encode([]byte(sample)), sample, Weak},
	{"ascii85", a85(sample), sample, Weak},
	{"ascii85", "<~" + a85(sample) + "~>", sample, Strong},
	{"ascii85", "zz" + a85("abcd"), "\x00\x00\x00\x00\x00\x00\x00\x00abcd", Weak},
	{"z85", "HelloWorld", "\x86\x4f\xd2\x6f\xb5\x59\xf7\x5b", Weak}, // the test case of ZeroMQ RFC 32
	{"base85", `Xk~0{Z!92pZ*l`, "hello, wor", Weak},                 // Python's b85encode
	{"hex", hex.EncodeToString([]byte(sample)), sample, Weak},
	{"hex", strings.ToUpper(hex.EncodeToString([]byte(sample))), sample, Weak},
	{"hex", "0x616263", "abc", Strong},
	{"hex", "61:62:63:64", "abcd", Strong},
	{"hex", "61-62-63-64", "abcd", Strong},
	{"hex", "61 62 63 64", "abcd", Strong},
	{"hex", `\x61\x62\x63\x64`, "abcd", Strong},
	{"hex", "0x61, 0x62, 0x63, 0x64", "abcd", Strong},
	{"url", url.QueryEscape(sample), strings.ReplaceAll(sample, " ", "+"), Strong},
	{"url", "100%%41%4", "100%A%4", Strong},
	{"form", url.QueryEscape(sample), sample, Strong},
	{"html", "a&amp;b&#64;&#x4D;&eacute;&nothing;", "a&b@Mé&nothing;", Strong},
	{"escapes", `\u0061\x62\u{63}\ud83d\ude00\n`, "abc😀\n", Strong},
	{"escapes", `\"a\\b\/`, `"a\b/`, Weak},
	{"quoted-printable", quoted(strings.Repeat(sample, 5)), strings.Repeat(sample, 5), Strong},
	{"punycode", "mller-kva.xn--mller-kva.example", "mller-kva.müller.example", Strong},
	{"punycode", "xn--8c7f2b1a-", "8c7f2b1a", Strong},
	{"utf-16", "a\x00n\x00n\x00a\x00", "anna", Weak},
	{"utf-16", "\xfe\xff\x00a\x00n\xd8\x3d\xde\x00", "an😀", Strong},
	{"reversed", "relläM", "Mäller", Weak},
	{"reversed", "\xffab", "ba\xff", Weak},
	{"rot13", "Naan 8p", "Anna 8c", Weak},
}

func TestDecoders(t *testing.T) {
	for _, c := range ours {
		out, sure := decoders[c.decoder]([]byte("before "), []byte(c.text))
		if string(out) != "before "+c.want || sure < c.sure {
			t.Errorf("%s of %q: %q, %d; want %q, %d", c.decoder, c.text, out, sure, c.want, c.sure)
		}
	}
}

func TestOthersAreRefused(t *testing.T) {
	for decoder, texts := range map[string][]string{
		"base64":           {"", "a", "abcde", "a+b-cdef", "abc!defg", "ab==cd==", "abcdefg=="},
		"base32":           {"ABCDEFGhijk", "ABC1", "A", "ABCDEFGHI8"},
		"base58":           {"0OIl", "", strings.Repeat("a", longestBase58+1)},
		"ascii85":          {"vwxy", "a", "abcdez"[:4], "ünfug"},
		"z85":              {"abcd", "abcd\"", "#####"},
		"base85":           {"abcd", "abcd\"", "|||||", "abcdef"},
		"hex":              {"abc", "6g", "61:62:63", "61:62-63:64:65", "0xzz"},
		"url":              {"plain", "100%", "%zz"},
		"html":             {"a & b", "&nothing;", "plain&", "a=1&copy=2"},
		"escapes":          {"plain", `\q\u12`, `\`},
		"quoted-printable": {"a=b", "plain", "=4", "=ZZ", "abc="},
		"punycode":         {"plain", "xn--", "a--b"},
		"utf-16":           {"abcdefgh", "a\x00", "a\x00b\x00\x00c\x00d"},
		"lzstring":         {"", "abc", "BYUwNmD2AEoTcp", "BYUwNmD2AEoTcpD="},
	} {
		for _, text := range texts {
			if out, sure := decoders[decoder]([]byte("x"), []byte(text)); sure != No || string(out) != "x" {
				t.Errorf("%s takes %q for %q", decoder, text, out)
			}
		}
	}
}

// The vectors were written by the npm package lz-string 1.5.0.
func TestLZString(t *testing.T) {
	data, err := os.ReadFile("testdata/lzstring.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Text, Base64, URI, UTF16, Bytes string }
	if err := json.Unmarshal(data, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(err)
	}
	for _, v := range vectors {
		raw, _ := hex.DecodeString(v.Bytes)
		want := v.Text
		if want == "\x01\x02ÿ" {
			want = "\x01\x02\xff" // bytes, not characters
		}
		for form, text := range map[string]string{"base64": v.Base64, "uri": v.URI, "utf16": v.UTF16, "bytes": string(raw)} {
			if len(text) < 4 && form != "base64" {
				continue
			}
			out, sure := LZString(nil, []byte(text), 1<<20)
			if string(out) != want || sure == No {
				t.Errorf("%s of %.40q: %.60q", form, v.Text, out)
			}
			if out, sure := LZString(nil, []byte(text), len(v.Text)/8); len(v.Text) > 16 && sure != No {
				t.Errorf("%s of %.40q: %d bytes came out beyond the limit", form, v.Text, len(out))
			}
		}
	}
}

func packed(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	switch name {
	case "gzip":
		w := gzip.NewWriter(&b)
		w.Write(data)
		w.Close()
	case "deflate":
		w, _ := flate.NewWriter(&b, 9)
		w.Write(data)
		w.Close()
	case "brotli":
		w := brotli.NewWriter(&b)
		w.Write(data)
		w.Close()
	case "snappy":
		w := snappy.NewBufferedWriter(&b)
		w.Write(data)
		w.Close()
	case "snappy-block":
		return snappy.Encode(nil, data)
	case "lz4":
		w := lz4.NewWriter(&b)
		w.Write(data)
		w.Close()
	case "lz4-block":
		out := make([]byte, lz4.CompressBlockBound(len(data)))
		n, err := lz4.CompressBlock(data, out, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 { // it can't be made shorter: a block of literals
			token := byte(min(len(data), 15) << 4)
			out = append(out[:0], token)
			for rest := len(data) - 15; rest >= 0; rest -= 255 {
				out = append(out, byte(min(rest, 255)))
			}
			return append(out, data...)
		}
		return out[:n]
	}
	return b.Bytes()
}

func TestDecompressor(t *testing.T) {
	long := bytes.Repeat([]byte(sample+" and more. "), 300)
	var d Decompressor
	for range 2 { // readers are used again
		for _, name := range []string{"gzip", "deflate", "brotli", "snappy", "snappy-block", "lz4", "lz4-block"} {
			for _, text := range [][]byte{[]byte("8c7f2b1a9d3e4f50"), []byte(sample), long} {
				data := packed(t, name, text)
				out, err := d.OpenAll(name, []byte("x"), data, 1<<20)
				if err != nil || string(out) != "x"+string(text) {
					t.Errorf("%s of %d bytes: %.40q, %v", name, len(text), out, err)
				}
				if out, err := d.Open(name, nil, data, len(text)/2); !errors.Is(err, ErrBudget) && len(out) > len(text)/2 {
					t.Errorf("%s of %d bytes: %d bytes came out, %v", name, len(text), len(out), err)
				}
				if _, err := d.OpenAll(name, nil, append(bytes.Clone(data), "trailing"...), 1<<20); err == nil && name != "gzip" {
					t.Errorf("%s of %d bytes: what follows the end is not seen", name, len(text))
				}
			}
		}
	}
}

func TestPlausible(t *testing.T) {
	long := bytes.Repeat([]byte(sample+" and more. "), 30)
	for _, name := range Bare {
		for _, text := range [][]byte{[]byte("8c7f2b1a9d3e4f50"), []byte(sample), long} {
			data := packed(t, name, text)
			for _, key := range []byte{0, 1, 0x5a, 0xff} {
				if !Plausible(name, XOR(nil, data, key), key) {
					t.Errorf("%s of %d bytes with key %#x is not plausible", name, len(text), key)
				}
			}
		}
		x, yes := uint32(2463534242), 0
		for range 2000 {
			noise := make([]byte, 48)
			for i := range noise {
				x ^= x << 13
				x ^= x >> 17
				x ^= x << 5
				noise[i] = byte(x >> 8)
			}
			if Plausible(name, noise, 1) {
				yes++
			}
		}
		if yes > 400 {
			t.Errorf("%s: %d of 2000 random blocks are plausible", name, yes)
		}
		t.Logf("%s: %d of 2000 random blocks are plausible", name, yes)
	}
}

func TestBombs(t *testing.T) {
	// 2 GB of zeros in some 10 kB, twice compressed.
	inner := packed(t, "brotli", make([]byte, 1<<28))
	var d Decompressor
	start := time.Now()
	out, err := d.Open("brotli", nil, inner, 1<<20)
	if !errors.Is(err, ErrBudget) || len(out) != 1<<20 || time.Since(start) > 2*time.Second {
		t.Errorf("%d bytes in %s, %v", len(out), time.Since(start), err)
	}
}
