package recognise

import (
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/internal/disguise"
)

// The alphabets of base 85, copied from RFC 1924, section 4.2, and ZeroMQ RFC 32.
const (
	rfc1924 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
	zeroMQ  = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)

// in85 writes text in base 85, as Python's b85encode does.
func in85(alphabet, text string) string {
	rest := (4 - len(text)%4) % 4
	var out []byte
	for b := append([]byte(text), make([]byte, rest)...); len(b) > 0; b = b[4:] {
		var group [5]byte
		for i, x := 4, binary.BigEndian.Uint32(b); i >= 0; i, x = i-1, x/85 {
			group[i] = alphabet[x%85]
		}
		out = append(out, group[:]...)
	}
	return string(out[:len(out)-rest])
}

// oneByOne writes the bytes of a text in hexadecimal digits.
func oneByOne(before, between, text string) string {
	var list []string
	for _, c := range []byte(text) {
		list = append(list, fmt.Sprintf("%s%02x", before, c))
	}
	return strings.Join(list, between)
}

// Encodings that no run of letters and digits shows are found as a token in a text as they are alone.
func TestTokensInText(t *testing.T) {
	n, o := tools(t)
	texts := map[string]string{
		"alone": "%s", "JSON": `{"v":%q}`, "prose": "The device reported %s at boot, thank you.", "prose in JSON": `{"v":%q}`,
		"HTML": `<html><body><div class="a"><p>%s</p></div></body></html>`, "an attribute": "<html><body><div data-x='%s'><p>hi</p></div></body></html>",
		"lines": "ts=12\nblob: %s\nend\n", "a log": "2026-01-01T00:00:00 INFO payload=%s status=ok",
	}
	for _, who := range []canary.Identity{person, canary.Derive([]byte("a stranger"), "X")} {
		mail := who.Value(canary.Email)
		more := `{"event":"open","id":"` + who.Value(canary.AdvertisingID) + `","m":"` + mail + `"}`
		tokens := map[string]string{
			"base85":              in85(rfc1924, more),
			"base85 of the value": in85(rfc1924, mail),
			"Z85":                 in85(zeroMQ, more+strings.Repeat(" ", 4-len(more)%4)),
			"base64, reversed":    turned(b64(compressed("gzip", more))),
		}
		b := make([]byte, ascii85.MaxEncodedLen(len(more)))
		tokens["ascii85"] = string(b[:ascii85.Encode(b, []byte(more))])
		for _, name := range []string{"lzstring/base64", "lzstring/uri"} {
			d, _ := disguise.Named(name)
			tokens[name], tokens[name+" of the value"] = string(d.Encode([]byte(more), nil)), string(d.Encode([]byte(mail), nil))
		}
		for _, between := range []string{":", " ", "-", ",", ", ", "; "} {
			tokens["hex with "+between] = oneByOne("", between, mail)
		}
		tokens["hex of C"], tokens["hex with escapes"] = oneByOne("0x", ", ", mail), oneByOne(`\x`, "", mail)
		for name, token := range tokens {
			for place, format := range texts {
				text := fmt.Sprintf(format, token)
				if place == "prose in JSON" {
					text = fmt.Sprintf(format, fmt.Sprintf(texts["prose"], token))
				}
				hits := hitsIn(n, o, body(text))
				switch found := slices.ContainsFunc(hits, func(h Hit) bool { return h.Value == mail }); {
				case who.Value(canary.Email) != person.Value(canary.Email) && len(hits) > 0:
					t.Errorf("%s in %s: a stranger's was found: %+v", name, place, hits)
				case who.Value(canary.Email) == person.Value(canary.Email) && !found:
					t.Errorf("%s in %s is not found: %s", name, place, text)
				}
			}
		}
	}
}

// A link in a header is one place: what stands in it is told once.
func TestLinksAreToldOnce(t *testing.T) {
	n, o := tools(t)
	mail, name := person.Value(canary.Email), person.Value(canary.Name)
	for link, want := range map[string]int{
		"https://a.example/p?u=" + url.QueryEscape(mail): 1, "https://a.example/p?u=" + mail: 1, "/p?u=" + url.QueryEscape(mail): 1,
		"https://a.example/p?next=" + url.QueryEscape("https://b.example/?u="+url.QueryEscape(mail)):              1,
		"https://a.example/p/" + url.PathEscape(mail) + "/x?a=b%20c":                                              1,
		"https://a.example/p#u=" + url.QueryEscape(mail):                                                          1,
		"https://a.example/p?u=" + url.QueryEscape(b64(mail)):                                                     1,
		"https://a.example/p?u=" + url.QueryEscape(name) + "&id=" + person.Value(canary.SSAID):                    2,
		"https://a.example/p?u=" + url.QueryEscape(`{"id":"`+mail+`"}`) + "&v=" + url.QueryEscape(b64(name+" %")): 2,
	} {
		for place, m := range map[string]unwrap.Message{
			"Location": {Headers: []flow.Header{{Name: "Location", Value: link}}, Response: true},
			"Referer":  {Headers: []flow.Header{{Name: "Referer", Value: link}}, URL: "https://x.example/"},
			"a URL":    {URL: link}, "JSON": body(fmt.Sprintf(`{"u":%q}`, link)),
		} {
			if hits := hitsIn(n, o, m); len(hits) != want {
				t.Errorf("%s in %s: %d hits, want %d: %+v", link, place, len(hits), want, hits)
			}
		}
	}
}

// A key of a few bytes that is sent in digits opens what it closed, in digits as well.
func TestKeysInDigits(t *testing.T) {
	n, o := tools(t)
	key := []byte{0x9f, 0x13, 0x77, 0xe2}
	for _, text := range []string{person.Value(canary.Email), `{"m":"` + person.Value(canary.Email) + `"}`, compressed("gzip", `{"m":"`+person.Value(canary.Email)+`"}`)} {
		closed := []byte(text)
		for i := range closed {
			closed[i] ^= key[i%len(key)]
		}
		for _, k := range []string{hex.EncodeToString(key), base64.StdEncoding.EncodeToString(key)} {
			for _, d := range []string{hex.EncodeToString(closed), base64.StdEncoding.EncodeToString(closed)} {
				c := n.Collector().Opening(o)
				o.Walk(body(fmt.Sprintf(`{"k":%q,"d":%q}`, k, d)), c.Part)
				if hits := c.Hits(); len(hits) == 0 || hits[0].Kind != "email" || !slices.Contains(hits[0].Chain, "xor") {
					t.Errorf("%.20q under %s as %s: %+v", text, k, d, hits)
				}
			}
		}
	}
}

// A UUID as the list of its bytes, with and without signs, and as two numbers.
func TestBytesOfAUUIDInJSON(t *testing.T) {
	n, o := tools(t)
	raw, err := hex.DecodeString(strings.ReplaceAll(person.Value(canary.AdvertisingID), "-", ""))
	if err != nil {
		t.Fatal(err)
	}
	var plain, signed []string
	for _, c := range raw {
		plain, signed = append(plain, strconv.Itoa(int(c))), append(signed, strconv.Itoa(int(int8(c))))
	}
	for _, text := range []string{
		`{"id":[` + strings.Join(plain, ",") + `]}`, `{"id":[` + strings.Join(signed, ", ") + `]}`, `[` + strings.Join(signed, ",") + `]`,
		`{"id":"[` + strings.Join(signed, ", ") + `]"}`,
		fmt.Sprintf(`{"most":%d,"least":%d}`, int64(binary.BigEndian.Uint64(raw)), int64(binary.BigEndian.Uint64(raw[8:]))),
	} {
		if hits := hitsIn(n, o, body(text)); len(hits) == 0 || hits[0].Kind != "advertising_id" {
			t.Errorf("%s: %+v", text, hits)
		}
	}
}

// What a key of the message opens is found each time that the same bytes are sent.
func TestTheSameBytesTwice(t *testing.T) {
	n, o := tools(t)
	key := "Zk3pQ9xW"
	closed := []byte(person.Value(canary.SSAID))
	for i := range closed {
		closed[i] ^= key[i%len(key)]
	}
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.DefaultCompression) // only a wrong level fails
	w.Write(closed)
	w.Close()
	for i := range 3 {
		c := n.Collector().Opening(o)
		o.Walk(unwrap.Message{URL: "https://a.example/", Headers: []flow.Header{{Name: "X-Session", Value: key}}, Body: b.Bytes()}, c.Part)
		if hits := c.Hits(); len(hits) != 1 || hits[0].Kind != "ssaid" {
			t.Errorf("time %d: %+v", i+1, hits)
		}
	}
}
