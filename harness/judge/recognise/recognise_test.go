package recognise

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

var (
	person = canary.Derive([]byte("a seed"), "X")
	decoys = canary.Decoys([]byte("a seed"), "X")
)

func tools(t testing.TB) (*Needles, *unwrap.Opener) {
	t.Helper()
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	n, refused, err := Build([]Planted{{Identity: person}, {Identity: decoys, Decoy: true}}, kb)
	if err != nil {
		t.Fatal(err)
	}
	if len(refused) > 0 {
		t.Fatalf("refused: %+v", refused)
	}
	o, err := unwrap.New(kb.Disguises.Containers, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n, o
}

func hitsIn(n *Needles, o *unwrap.Opener, m unwrap.Message) []Hit {
	c := n.Collector()
	o.Walk(m, c.Part)
	return c.Hits()
}

func body(data string) unwrap.Message {
	return unwrap.Message{URL: "https://a.example/x", Body: []byte(data)}
}

// wrapped is a way to put a text into a message, and the chain that finds it there.
type wrapped struct {
	name  string
	put   func(string) string
	chain []string
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// disguises hide a value, one layer.
var disguises = []wrapped{
	{"plain", func(s string) string { return s }, nil},
	{"url", url.QueryEscape, []string{"url"}},
	{"url twice", func(s string) string { return url.QueryEscape(url.QueryEscape(s)) }, []string{"url", "url"}},
	{"base64", b64, []string{"base64"}},
	{"base64 raw", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }, []string{"base64"}},
	{"base64 url", func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }, []string{"base64"}},
	{"base64 url raw", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }, []string{"base64"}},
	{"base64 at 1", func(s string) string { return b64("\x01" + s + "\x02\x03") }, []string{"base64"}},
	{"base64 at 2", func(s string) string { return b64("\x01\x02" + s) }, []string{"base64"}},
	{"base64 of json", func(s string) string { return b64(fmt.Sprintf(`{"a":%q,"b":1}`, s)) }, []string{"base64"}},
	{"hex", func(s string) string { return hex.EncodeToString([]byte(s)) }, []string{"hex"}},
	{"HEX", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }, []string{"hex"}},
	{"hex of more", func(s string) string { return hex.EncodeToString([]byte("{id=" + s + "}")) }, []string{"hex"}},
	{"md5 hex", func(s string) string { x := md5.Sum([]byte(s)); return hex.EncodeToString(x[:]) }, []string{"md5", "hex"}},
	{"sha1 HEX", func(s string) string {
		x := sha1.Sum([]byte(s))
		return strings.ToUpper(hex.EncodeToString(x[:]))
	}, []string{"sha1", "hex"}},
	{"sha256 hex", func(s string) string { x := sha256.Sum256([]byte(s)); return hex.EncodeToString(x[:]) }, []string{"sha256", "hex"}},
	{"md5 base64", func(s string) string { x := md5.Sum([]byte(s)); return b64(string(x[:])) }, []string{"md5", "base64"}},
	{"sha1 base64", func(s string) string { x := sha1.Sum([]byte(s)); return b64(string(x[:])) }, []string{"sha1", "base64"}},
	{"sha256 base64 url", func(s string) string {
		x := sha256.Sum256([]byte(s))
		return base64.RawURLEncoding.EncodeToString(x[:])
	}, []string{"sha256", "base64"}},
	{"base64 of sha256 hex", func(s string) string {
		x := sha256.Sum256([]byte(s))
		return b64(hex.EncodeToString(x[:]))
	}, []string{"base64", "sha256", "hex"}},
	{"base64 of base64", func(s string) string { return b64(b64("x=" + s)) }, []string{"base64", "base64"}},
	{"base64 of gzip", func(s string) string { return b64(compressed("gzip", `{"id":"`+s+`"}`)) }, []string{"base64", "gzip"}},
}

func compressed(coding, s string) string {
	var b bytes.Buffer
	var w interface {
		Write([]byte) (int, error)
		Close() error
	}
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	}
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

// places put a text somewhere in a message.
var places = []struct {
	name, surface string
	before        []string // of the chain
	put           func(string) unwrap.Message
}{
	{"query", "url", nil, func(s string) unwrap.Message {
		return unwrap.Message{URL: "https://a.example/p?x=1&id=" + url.QueryEscape(s)}
	}},
	{"path", "url", nil, func(s string) unwrap.Message { return unwrap.Message{URL: "https://a.example/u/" + s + "/me"} }},
	{"header", "header:X-Device", nil, func(s string) unwrap.Message {
		return unwrap.Message{URL: "https://a.example/", Headers: []flow.Header{{Name: "X-Device", Value: s}}}
	}},
	{"cookie", "cookie:did", nil, func(s string) unwrap.Message {
		return unwrap.Message{URL: "https://a.example/", Headers: []flow.Header{{Name: "Cookie", Value: "a=b; did=" + s + "; c=d"}}}
	}},
	{"text", "body", nil, func(s string) unwrap.Message { return body("some text " + s + " and more") }},
	{"json", "body:$.device.ids[1]", nil, func(s string) unwrap.Message { return body(fmt.Sprintf(`{"device":{"ids":[7,%q]},"z":null}`, s)) }},
	{"json in json", "body:$.data.id", nil, func(s string) unwrap.Message {
		return body(fmt.Sprintf(`{"data":%q}`, fmt.Sprintf(`{"id":%q}`, s)))
	}},
	{"form", "body:$.id", nil, func(s string) unwrap.Message { return body("a=1&id=" + url.QueryEscape(s)) }},
	{"json in form", "body:$.d.id", nil, func(s string) unwrap.Message {
		return body("v=2&d=" + url.QueryEscape(fmt.Sprintf(`{"id":%q}`, s)))
	}},
	{"multipart", "body:$.id", nil, func(s string) unwrap.Message {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		w.WriteField("id", s)
		w.Close()
		return unwrap.Message{URL: "https://a.example/", Headers: []flow.Header{{Name: "Content-Type", Value: w.FormDataContentType()}}, Body: b.Bytes()}
	}},
	{"gzip json", "body:$.id", []string{"gzip"}, coded("gzip")},
	{"deflate json", "body:$.id", []string{"deflate"}, coded("deflate")},
	{"brotli json", "body:$.id", []string{"brotli"}, coded("br")},
	{"zstd json", "body:$.id", []string{"zstd"}, coded("zstd")},
	{"gzip unannounced", "body:$.id", []string{"gzip"}, func(s string) unwrap.Message { return body(compressed("gzip", fmt.Sprintf(`{"id":%q}`, s))) }},
}

func coded(coding string) func(string) unwrap.Message {
	return func(s string) unwrap.Message {
		return unwrap.Message{
			URL: "https://a.example/", Headers: []flow.Header{{Name: "Content-Encoding", Value: coding}},
			Body: []byte(compressed(coding, fmt.Sprintf(`{"id":%q}`, s))),
		}
	}
}

// Every canary in every disguise, every disguise in every place, and nothing of the decoys.
func TestEveryDisguiseInEveryPlace(t *testing.T) {
	n, o := tools(t)
	for i, d := range disguises {
		for j, p := range places {
			for k, c := range person.Canaries {
				if p.name != "json" && (i+j+k)%4 != 0 {
					continue // every pair of two, and a quarter of the triples
				}
				if p.name == "path" && strings.ContainsAny(d.put(c.Value), "/ ") {
					continue // two segments, or no URL
				}
				m := p.put(d.put(c.Value))
				hits := hitsIn(n, o, m)
				i := slices.IndexFunc(hits, func(h Hit) bool { return h.Kind == string(c.Kind) })
				if i < 0 {
					t.Errorf("%s as %s in %s is not found", c.Kind, d.name, p.name)
					continue
				}
				want := append(slices.Clone(p.before), d.chain...)
				if d.chain != nil && slices.Contains(d.chain, "url") && url.QueryEscape(c.Value) == c.Value {
					continue // nothing was escaped
				}
				if !slices.Equal(hits[i].Chain, want) {
					t.Errorf("%s as %s in %s: chain %v, want %v", c.Kind, d.name, p.name, hits[i].Chain, want)
				}
				if d.name != "base64 of json" && d.name != "base64 of gzip" && d.name != "base64 of base64" && hits[i].Surface != p.surface {
					t.Errorf("%s as %s in %s: at %s, want %s", c.Kind, d.name, p.name, hits[i].Surface, p.surface)
				}
				for _, h := range hits {
					if h.Decoy || h.Kind != string(c.Kind) {
						t.Errorf("%s as %s in %s is taken for %s (decoy %v)", c.Kind, d.name, p.name, h.Kind, h.Decoy)
					}
				}
			}
		}
	}
}

func TestSpellings(t *testing.T) {
	n, o := tools(t)
	mac, ad, phone := person.Value(canary.MAC), person.Value(canary.AdvertisingID), person.Value(canary.Phone)
	location := person.Value(canary.Location)
	lat, lon, _ := strings.Cut(location, ",")
	hash := func(s string) string { x := sha256.Sum256([]byte(s)); return hex.EncodeToString(x[:]) }
	for text, want := range map[string]string{
		strings.ToUpper(ad):                         "advertising_id",
		strings.ReplaceAll(ad, "-", ""):             "advertising_id",
		hash(strings.ToUpper(ad)):                   "advertising_id",
		hash(strings.ReplaceAll(ad, "-", "")):       "advertising_id",
		strings.ReplaceAll(mac, ":", ""):            "mac",
		strings.ReplaceAll(mac, ":", "-"):           "mac",
		hash(strings.ToUpper(mac)):                  "mac",
		phone[1:]:                                   "phone",
		phone[2:]:                                   "phone",
		"00" + phone[1:]:                            "phone",
		hash(phone):                                 "phone",
		hash(phone[1:]):                             "phone",
		" " + person.Value(canary.Email) + " ":      "email",
		hash(person.Value(canary.Email)):            "email",
		strings.ToUpper(person.Value(canary.Email)): "email",
		lat + ", " + lon:                            "location",
		lon + "," + lat:                             "location",
		hash(location):                              "location",
		strings.ToUpper(person.Value(canary.SSAID)): "ssaid",
	} {
		hits := hitsIn(n, o, body(fmt.Sprintf(`{"v":%q}`, text)))
		if len(hits) == 0 || hits[0].Kind != want {
			t.Errorf("%q: %+v, want %s", text, hits, want)
		}
	}
}

func TestLocationInTwoPlaces(t *testing.T) {
	n, o := tools(t)
	lat, lon, _ := strings.Cut(person.Value(canary.Location), ",")
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"numbers":       {`{"lat":` + lat + `,"lng":` + lon + `,"acc":12.5}`, 2},
		"strings":       {`{"pos":{"y":"` + lat + `","x":"` + lon + `"}}`, 2},
		"four decimals": {`{"lat":` + lat[:len(lat)-2] + `,"lng":` + lon[:len(lon)-2] + `}`, 2},
		"form":          {"lat=" + lat + "&lon=" + lon, 2},
		"three":         {`{"lat":` + lat[:len(lat)-3] + `,"lng":` + lon[:len(lon)-3] + `}`, 2},
		"one only":      {`{"lat":` + lat + `}`, 0},
		"one of two":    {`{"lat":` + lat + `,"lng":12.345678}`, 0},
		"longer number": {`{"lat":1` + lat + `,"lng":1` + strings.TrimPrefix(lon, "-") + `}`, 0},
		"other sign":    {`{"lat":-` + lat + `,"lng":` + lon + `}`, 0},
	} {
		hits := hitsIn(n, o, body(c.body))
		if len(hits) != c.want {
			t.Errorf("%s: %+v, want %d", name, hits, c.want)
		}
		for _, h := range hits {
			if possible := h.Confidence < 0.5; possible != (name == "three") { // others may be that near
				t.Errorf("%s: a confidence of %.2f", name, h.Confidence)
			}
			if h.Kind != "location" || h.Half == "" {
				t.Errorf("%s: %+v", name, h)
			}
		}
	}
}

func TestPiecesOfOtherValuesAreNoHits(t *testing.T) {
	n, o := tools(t)
	imei, phone, name := person.Value(canary.IMEI), person.Value(canary.Phone)[1:], person.Value(canary.Name)
	for _, text := range []string{
		"9" + imei, imei + "7", "1." + imei, imei + ".25", // digits of a longer number
		phone + "123", "77" + phone, "a0" + phone + "ff", // a piece of a digest
		name + "son", "x" + name,
		imei[:13], imei[1:], person.Value(canary.SSAID)[:15],
		strings.Repeat("0", 4000), strings.Repeat("deadbeef", 500), "00000000-0000-0000-0000-000000000000",
		"1600000000000", "Pixel 6", "en_US", "generate_204",
	} {
		if hits := hitsIn(n, o, body(`{"v":"`+text+`"}`)); len(hits) != 0 {
			t.Errorf("%q: %+v", text, hits)
		}
	}
	// Sixteen random hexadecimal digits can't stand in a longer run by chance: whoever
	// glues something to them sends them all the same, and the hit says so.
	ssaid := person.Value(canary.SSAID)
	for _, text := range []string{"and" + ssaid, ssaid + "0001", "ffffffff-" + ssaid} {
		hits := hitsIn(n, o, body(`{"v":"`+text+`"}`))
		if len(hits) != 1 || hits[0].Kind != "ssaid" {
			t.Errorf("%q: %+v", text, hits)
		} else if hits[0].Embedded == strings.Contains(text, "-") {
			t.Errorf("%q: embedded is %v", text, hits[0].Embedded)
		}
	}
}

func TestDecoysAreMarked(t *testing.T) {
	n, o := tools(t)
	if c, d := n.Targets(); c != 15 || d != 15 {
		t.Errorf("%d canaries and %d decoys are looked for", c, d)
	}
	for _, c := range decoys.Canaries {
		hits := hitsIn(n, o, body(`{"v":"`+c.Value+`"}`))
		if len(hits) == 0 || !hits[0].Decoy {
			t.Errorf("%s: %+v", c.Kind, hits)
		}
	}
}

func TestShortValuesAreRefused(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	_, refused, err := Build([]Planted{{Identity: canary.Identity{Canaries: []canary.Canary{
		{Kind: canary.Phone, Value: "12345678"}, {Kind: canary.Name, Value: "Li Wu"}, {Kind: canary.SSAID, Value: "9774d56d682e549c"},
		{Kind: canary.Email, Value: ""}, {Kind: "customer", Value: "C-19283746-QX"},
	}}}}, kb)
	if err != nil || len(refused) != 3 {
		t.Fatalf("%+v, %v", refused, err)
	}
	for _, r := range refused {
		if r.Why == "" {
			t.Errorf("%v is refused without a reason", r.Canary)
		}
	}
}

// A message that repeats a canary a million times is a message with a canary in it.
func TestHostileRepetition(t *testing.T) {
	n, o := tools(t)
	text := strings.Repeat(person.Value(canary.SSAID)+" ", 25_000)
	if hits := hitsIn(n, o, body(text)); len(hits) == 0 || len(hits) > most {
		t.Errorf("%d hits", len(hits))
	}
}

func BenchmarkMessage(b *testing.B) {
	n, o := tools(b)
	text := bytes.Repeat([]byte(`{"event":"app_open","ts":1718000000000,"session":"c0ffee00-1234-4abc-9def-0123456789ab","props":{"screen":"home","items":[1,2,3]}}
`), 160)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c := n.Collector()
		o.Walk(unwrap.Message{URL: "https://a.example/x", Body: text}, c.Part)
		c.Hits()
	}
}
