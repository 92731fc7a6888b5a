package unwrap

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/mr-tron/base58"
	"github.com/pierrec/lz4/v4"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

func packed(w io.WriteCloser, b *bytes.Buffer, data []byte) []byte {
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// encoders write what the decoders read, by the names of chains.
var encoders = map[string]func([]byte) []byte{
	"gzip":   gzipped,
	"zlib":   func(d []byte) []byte { var b bytes.Buffer; return packed(zlib.NewWriter(&b), &b, d) },
	"brotli": func(d []byte) []byte { var b bytes.Buffer; return packed(brotli.NewWriter(&b), &b, d) },
	"lz4":    func(d []byte) []byte { var b bytes.Buffer; return packed(lz4.NewWriter(&b), &b, d) },
	"snappy": func(d []byte) []byte { return snappy.Encode(nil, d) },
	"deflate": func(d []byte) []byte {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 6)
		return packed(w, &b, d)
	},
	"zstd": func(d []byte) []byte {
		var b bytes.Buffer
		w, _ := zstd.NewWriter(&b)
		return packed(w, &b, d)
	},
	"base64": func(d []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(d)) },
	"base32": func(d []byte) []byte { return []byte(base32.StdEncoding.EncodeToString(d)) },
	"base58": func(d []byte) []byte { return []byte(base58.Encode(d)) },
	"hex":    func(d []byte) []byte { return []byte(hex.EncodeToString(d)) },
	"ascii85": func(d []byte) []byte {
		b := make([]byte, ascii85.MaxEncodedLen(len(d)))
		return b[:ascii85.Encode(b, d)]
	},
	"url": func(d []byte) []byte {
		var b bytes.Buffer
		for _, c := range d {
			fmt.Fprintf(&b, "%%%02X", c)
		}
		return b.Bytes()
	},
	"html": func(d []byte) []byte {
		var b bytes.Buffer
		for _, r := range string(d) {
			fmt.Fprintf(&b, "&#x%x;", r)
		}
		return b.Bytes()
	},
	"unicode": func(d []byte) []byte {
		var b bytes.Buffer
		for _, r := range string(d) {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		return b.Bytes()
	},
	"utf-16le": func(d []byte) []byte {
		var b []byte
		for _, c := range d {
			b = append(b, c, 0)
		}
		return b
	},
	"reversed": func(d []byte) []byte { d = bytes.Clone(d); slices.Reverse(d); return d },
	"rot13": func(d []byte) []byte {
		return bytes.Map(func(r rune) rune {
			switch {
			case r|0x20 >= 'a' && r|0x20 <= 'm':
				return r + 13
			case r|0x20 >= 'n' && r|0x20 <= 'z':
				return r - 13
			}
			return r
		}, d)
	},
	"xor": func(d []byte) []byte {
		d = bytes.Clone(d)
		for i := range d {
			d[i] ^= 0xa7
		}
		return d
	},
}

func init() { // it is made of another
	encoders["quoted-printable"] = func(d []byte) []byte { return bytes.ReplaceAll(encoders["url"](d), []byte("%"), []byte("=")) }
}

// Chains in any order, wherever a value may stand: what was put in comes out, and the
// chain says how.
func TestChains(t *testing.T) {
	o := opener(t, nil)
	const value = "anna.keller.8c7f2b1a@example.org"
	for _, chain := range []string{
		"base64 gzip hex", "hex base64 url", "rot13 base64 gzip", "reversed hex brotli", "xor zlib", "base64 utf-16le", "base32 deflate",
		"snappy lz4", "lz4 snappy", "base64 brotli", "base64 xor", "hex xor base64", "base58 gzip", "ascii85 zstd", "ascii85 deflate", "base32 xor gzip",
		"url html unicode", "html base64 hex", "quoted-printable base64", "reversed base64 gzip", "reversed html", "reversed url base64",
		"rot13 hex", "rot13 base32", "rot13 reversed base64", "reversed base64 brotli", "rot13 base64 xor", "xor deflate", "xor brotli", "xor base64 gzip",
		"xor utf-16le", "base64 snappy", "base64 lz4", "gzip gzip gzip", "zstd base64 zlib hex", "unicode base64", "base64 deflate base64",
		"hex hex hex", "base64 base64 base64 base64", "url url url", "base58 base58", "reversed ascii85", "rot13 ascii85", "brotli xor", "deflate deflate",
	} {
		names := strings.Fields(chain)
		data := []byte(value)
		for _, n := range slices.Backward(names) {
			data = encoders[n](data)
		}
		places := map[string]Message{"a body": {Body: data}}
		if !bytes.ContainsFunc(data, func(r rune) bool { return r < ' ' || r > '~' }) {
			places["a field of JSON"] = Message{Body: fmt.Appendf(nil, `{"a":{"b":%q},"n":1}`, data)}
			places["a field of a form"] = Message{Body: []byte("n=1&v=" + url.QueryEscape(string(data)))}
			places["a query"] = Message{URL: "https://a.example/p?n=1&v=" + url.QueryEscape(string(data))}
			places["a header"] = Message{Headers: []flow.Header{{Name: "X-Data", Value: string(data)}}}
			places["a response"] = Message{Response: true, Headers: []flow.Header{{Name: "Location", Value: "https://a.example/p?v=" + url.QueryEscape(string(data))}}}
		}
		for place, m := range places {
			found, others := false, []string{}
			o.Walk(m, func(p *Part) {
				if string(p.Data) == value {
					if got := strings.Join(p.Chain, " "); got == chain || strings.TrimPrefix(got, "url ") == chain {
						found = true
					} else {
						others = append(others, got)
					}
				}
			})
			if !found {
				t.Errorf("%s in %s (%.60q): it comes out as %q", chain, place, data, others)
			}
		}
	}
}

// A key that stands anywhere in the message opens what was combined with it.
func TestKeyInTheMessage(t *testing.T) {
	o := opener(t, nil)
	const value, key = `{"mail":"anna.keller@example.org"}`, "q8Zr2Lk0"
	for name, plain := range map[string][]byte{"text": []byte(value), "gzip": gzipped([]byte(value)), "brotli": encoders["brotli"]([]byte(value))} {
		data := bytes.Clone(plain)
		for i := range data {
			data[i] ^= key[i%len(key)]
		}
		for place, m := range map[string]Message{
			"before": {Headers: []flow.Header{{Name: "X-Key", Value: key}}, Body: data},
			"behind": {Body: fmt.Appendf(nil, `{"d":%q,"k":%q}`, base64.StdEncoding.EncodeToString(data), key)},
		} {
			found := false
			o.Walk(m, func(p *Part) {
				if string(p.Data) == "anna.keller@example.org" {
					found = slices.Contains(p.Chain, "xor")
				}
			})
			if !found {
				t.Errorf("%s with the key %s it is not opened", name, place)
			}
		}
	}
}

// What is done for people to read costs no tries, and is shown once.
func TestWordsAreLeftAlone(t *testing.T) {
	o := opener(t, nil)
	for _, text := range []string{
		"The quick brown fox jumps over the lazy dog, and then it rests for a while.", "getElementsByClassName", "2026-11-23T21:00:00.000Z", "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36", "こんにちは、世界。今日はいい天気ですね", "1764000000123", "application/json, text/plain, */*", "anna.keller@example.org",
	} {
		shown := 0
		o.Walk(Message{Headers: []flow.Header{{Name: "X", Value: text}}}, func(p *Part) { shown++ })
		if shown > 2 {
			t.Errorf("%q is shown in %d ways", text, shown)
		}
	}
}

// Every name that the knowledge lists can be opened, and all that can be opened is listed.
func TestKnowledgeNamesAllContainers(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(slices.Values(kb.Disguises.Containers)), slices.Sorted(slices.Values(Containers())); !slices.Equal(got, want) {
		t.Errorf("the knowledge lists %v, there are %v", got, want)
	}
}
