package opened

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

const (
	value = "9f4c1be27a60d358"
	mail  = "ines@post.example"
)

// open opens a request with one body at one place.
func open(t *testing.T, q flow.Request, body []byte, f judge.Finding, p judge.Pointer) *Message {
	t.Helper()
	log, err := evidence.Create(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	d, n, err := log.PutBlob(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Seal(evidence.Manifest{}); err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Open(log.Dir())
	if err != nil {
		t.Fatal(err)
	}
	q.Flow, q.Body = "f1", flow.Body{Blob: d, Size: n}
	if n == 0 {
		q.Body = flow.Body{}
	}
	rec := &record.Record{Flows: map[flow.ID]*record.Flow{"f1": {Flow: flow.Flow{Request: q}}}}
	p.Flow, p.Side = "f1", "request"
	m, err := Open(t.Context(), bundle, rec, f, p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// marks are the marked texts, in the message and its layers.
func marks(m *Message) []string {
	var out []string
	add := func(segments []Segment) {
		for _, s := range segments {
			if s.Mark {
				out = append(out, s.Text)
			}
		}
	}
	add(m.URL)
	for _, h := range m.Headers {
		add(h.Value)
	}
	for _, l := range m.Body.Lines {
		add(l.Segments)
	}
	for _, layer := range m.Layers {
		for _, l := range layer.Lines {
			add(l.Segments)
		}
	}
	return out
}

func squeeze(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.Bytes()
}

func TestPlaceIsMarked(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	digest := sha256.Sum256([]byte(mail))
	hashed := hex.EncodeToString(digest[:])
	for _, c := range []struct {
		name, url, surface, excerpt, value string
		headers                            []flow.Header
		body                               []byte
		chain                              []string
		want                               string // marks, joined
		check                              string
		layers                             int
	}{
		{name: "JSON", body: []byte(`{"a":[{"id":"x"},{"id":"` + value + `"}]}`), surface: "body:$.a[1].id", want: value},
		{name: "the other of two equal values", body: []byte(`{"a":"` + value + `","b":"` + value + `"}`), surface: "body:$.b", want: value},
		{name: "a key with a dot", body: []byte(`{"a.b":{"c d":"` + value + `"}}`), surface: `body:$["a.b"]["c d"]`, want: value},
		{name: "a number in JSON", body: []byte(`{"lat":48.208174}`), surface: "body:$.lat", value: "48.208174,16.373819", want: "48.208174"},
		{name: "gzip that the header names", body: squeeze(`{"id":"` + value + `"}`), headers: []flow.Header{{Name: "Content-Encoding", Value: "gzip"}}, surface: "body:$.id", chain: []string{"gzip"}, want: value},
		{name: "gzip that nothing names", body: squeeze(`{"id":"` + value + `"}`), surface: "body:$.id", chain: []string{"gzip"}, want: value},
		{name: "base64 in a form", body: []byte("v=1&d=" + url.QueryEscape(b64([]byte(`{"h":{"id":"`+value+`"}}`)))), surface: "body:$.d.h.id", chain: []string{"base64"},
			want: url.QueryEscape(b64([]byte(`{"h":{"id":"`+value+`"}}`))) + " " + value, layers: 1},
		{name: "JSON in JSON", body: []byte(`{"d":"{\"id\":\"` + value + `\"}"}`), surface: "body:$.d.id", chain: []string{"json"}, want: `{\"id\":\"` + value + `\"} ` + value, layers: 1},
		{name: "gzip in base64", body: []byte(`{"d":"` + b64(squeeze("id="+value)) + `"}`), surface: "body:$.d", chain: []string{"base64", "gzip"}, want: b64(squeeze("id="+value)) + " " + value, layers: 2},
		{name: "a hash in a URL", url: "https://ad.example/?em=" + hashed + "&x=1", surface: "url", value: mail, chain: []string{"sha256", "hex"}, want: hashed, check: "printf %s 'ines@post.example' | sha256sum"},
		{name: "an upper-case hash of the upper-case value", url: "https://ad.example/?em=" + strings.ToUpper(hexOf(strings.ToUpper(mail))), surface: "url", value: mail, chain: []string{"sha256", "hex"},
			want: strings.ToUpper(hexOf(strings.ToUpper(mail))), check: "printf %s 'INES@POST.EXAMPLE' | sha256sum"},
		{name: "a hash of the upper-case value with its dashes", url: "https://ad.example/?id=" + hexOf("3D0FA6C1-58B7"), surface: "url", value: "3d0fa6c1-58b7", chain: []string{"sha256", "hex"},
			want: hexOf("3D0FA6C1-58B7"), check: "printf %s '3D0FA6C1-58B7' | sha256sum"},
		{name: "base64 in JSON in base64", body: []byte(`{"a":"` + b64([]byte(`{"d":"`+b64([]byte(`{"id":"`+value+`"}`))+`"}`)) + `"}`), surface: "body:$.a.d.id", chain: []string{"base64", "base64"},
			want: b64([]byte(`{"d":"`+b64([]byte(`{"id":"`+value+`"}`))+`"}`)) + " " + b64([]byte(`{"id":"`+value+`"}`)) + " " + value, layers: 2},
		{name: "a hash in base64", body: []byte(`{"m":"` + b64(digest[:]) + `"}`), surface: "body:$.m", value: mail, chain: []string{"sha256", "base64"}, want: b64(digest[:]),
			check: "printf %s 'ines@post.example' | openssl dgst -sha256 -binary | base64"},
		{name: "a header", headers: []flow.Header{{Name: "Accept", Value: "*/*"}, {Name: "X-Id", Value: "v=" + value}}, surface: "header:x-id", want: value},
		{name: "a cookie", headers: []flow.Header{{Name: "Cookie", Value: "a=b; did=" + value}}, surface: "cookie:did", want: value},
		{name: "plain text", body: []byte("hello\n" + value + "\nbye"), surface: "body", want: value},
		{name: "by the excerpt", body: []byte("no value here, but this text"), surface: "body", value: "-", excerpt: "this text", want: "this text"},
		{name: "a part of a form with files", body: []byte("--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n" + value + "\r\n--b--\r\n"), surface: "body:$.id", chain: []string{"multipart"}, want: value},
		{name: "a path that is not there", body: []byte(`{"a":1}`), surface: "body:$.b.c", want: ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := judge.Finding{Value: value}
			if c.value != "" {
				f.Value = c.value
			}
			m := open(t, flow.Request{Method: "POST", URL: c.url, Headers: c.headers}, c.body, f, judge.Pointer{Surface: c.surface, Chain: c.chain, Excerpt: c.excerpt})
			if got := strings.Join(marks(m), " "); got != c.want {
				t.Errorf("marked %q, want %q\n%+v", got, c.want, m)
			}
			if m.Marked != (c.want != "") {
				t.Errorf("Marked is %v", m.Marked)
			}
			if m.Check != c.check {
				t.Errorf("the check is %q, want %q", m.Check, c.check)
			}
			if len(m.Layers) != c.layers {
				t.Errorf("%d layers, want %d", len(m.Layers), c.layers)
			}
		})
	}
}

func hexOf(s string) string {
	d := sha256.Sum256([]byte(s))
	return hex.EncodeToString(d[:])
}

func TestJSONIsLaidOutForReading(t *testing.T) {
	in := `{"a":[1,2.5,"x, y]"],"b":[[0.1,0.2],[0.3,0.4]],"c":[],"d":{"e":["` + strings.Repeat("long", 40) + `"]},"f":"[1,\"2"}`
	out, ok := indent([]byte(in))
	if !ok {
		t.Fatal("no JSON")
	}
	for _, line := range []string{`  "a": [1, 2.5, "x, y]"],`, `    [0.1, 0.2],`, `  "c": [],`, `  "f": "[1,\"2"`} {
		if !strings.Contains(string(out), "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, out)
		}
	}
	var b bytes.Buffer
	if err := json.Compact(&b, out); err != nil || b.String() != in {
		t.Errorf("more than white space changed: %s, %v", b.String(), err)
	}
}

func TestBracketsWithoutEndAreNotLaidOut(t *testing.T) {
	deep := []byte(strings.Repeat(`{"a":`, 9000) + `"` + value + `"` + strings.Repeat("}", 9000))
	m := open(t, flow.Request{}, deep, judge.Finding{Value: value}, judge.Pointer{Surface: "body:$.a"})
	if got := marks(m); len(got) != 1 || got[0] != value || m.Body.Form != "text" {
		t.Errorf("marked %q in %s", got, m.Body.Form)
	}
}

func TestLongBodiesAreCutAroundThePlace(t *testing.T) {
	lines := strings.Repeat("line\n", 5000)
	long := strings.Repeat("x", 300_000)
	m := open(t, flow.Request{}, []byte(lines+long+value+long+"\n"+lines), judge.Finding{Value: value}, judge.Pointer{Surface: "body"})
	if got := marks(m); len(got) != 1 || got[0] != value {
		t.Fatalf("marked %q", got)
	}
	size := 0
	for _, l := range m.Body.Lines {
		for _, s := range l.Segments {
			size += len(s.Text)
		}
	}
	if size > 2000 || len(m.Body.Lines) != 2*linesAround+1 || m.Body.Above != 5000-linesAround || m.Body.Below != 5000-linesAround {
		t.Errorf("%d bytes in %d lines, %d above, %d below", size, len(m.Body.Lines), m.Body.Above, m.Body.Below)
	}
}

func TestWhatCannotBeShownIsSaid(t *testing.T) {
	log, err := evidence.Create(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Seal(evidence.Manifest{}); err != nil {
		t.Fatal(err)
	}
	bundle, err := evidence.Open(log.Dir())
	if err != nil {
		t.Fatal(err)
	}
	lost := flow.Request{Body: flow.Body{Blob: evidence.Digest(strings.Repeat("0", 64)), Size: 5}}
	rec := &record.Record{Flows: map[flow.ID]*record.Flow{"f1": {Flow: flow.Flow{Request: lost}}}}
	m, err := Open(t.Context(), bundle, rec, judge.Finding{}, judge.Pointer{Flow: "f1", Side: "request", Surface: "body"})
	if err != nil || !strings.Contains(m.Body.Note, "not in the evidence") {
		t.Errorf("a lost body: %+v, %v", m, err)
	}
	if m, err := Open(t.Context(), bundle, rec, judge.Finding{}, judge.Pointer{Flow: "f2", Side: "request"}); m != nil || err != nil {
		t.Errorf("a flow that is not there: %+v, %v", m, err)
	}
	if got := Answer(rec.Flows["f1"]); got != "no answer was recorded" {
		t.Errorf("the answer is %q", got)
	}
	broken := open(t, flow.Request{Headers: []flow.Header{{Name: "Content-Encoding", Value: "gzip"}}}, []byte("no gzip at all"), judge.Finding{}, judge.Pointer{Surface: "body"})
	if broken.Body.Note == "" {
		t.Errorf("a body that is not what it says: %+v", broken.Body)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"a":"b"}`), "body:$.a", "base64,gzip,hex", value)
	f.Add([]byte("a=b&c=d"), `body:$["c"`, "url", "d")
	f.Add(squeeze("x"), "body:$.[0]..", "gzip,sha256", "")
	f.Fuzz(func(t *testing.T, body []byte, surface, chain, val string) {
		began := time.Now()
		defer func() {
			if d := time.Since(began); d > 5*time.Second {
				t.Errorf("took %s", d)
			}
		}()
		steps := strings.Split(chain, ",")
		o := opener{finding: judge.Finding{Value: val}, pointer: judge.Pointer{Surface: surface, Chain: steps[:min(len(steps), maxChain)]}}
		o.needles = needles(o.finding, o.pointer)
		path, _ := o.surface("body")
		v, _ := o.inside(body, splitPath(path))
		if v.at.start >= 0 && (v.at.end < v.at.start || v.at.end > len(v.text)) {
			t.Fatalf("the place is at %v of %d bytes", v.at, len(v.text))
		}
		m := &Message{}
		o.unfold(m, v.place, v.rest...)
		window(v)
	})
}
