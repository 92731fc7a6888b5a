package har

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/har"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

var began = time.Date(2026, 3, 2, 9, 14, 0, 0, time.UTC)

// scribe writes a log for a test.
type scribe struct {
	t   testing.TB
	log *evidence.Log
}

func newScribe(t testing.TB) *scribe {
	t.Helper()
	log, err := evidence.Create(t.TempDir(), func() time.Time { return began })
	if err != nil {
		t.Fatal(err)
	}
	return &scribe{t, log}
}

func (s *scribe) add(kind string, data any) {
	s.t.Helper()
	if _, err := s.log.Append(kind, data); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scribe) body(data string) flow.Body {
	s.t.Helper()
	if len(data) <= flow.MaxInline {
		return flow.Body{Inline: []byte(data), Size: int64(len(data))}
	}
	d, n, err := s.log.PutBlob(strings.NewReader(data))
	if err != nil {
		s.t.Fatal(err)
	}
	return flow.Body{Blob: d, Size: n}
}

func (s *scribe) seal() *evidence.Bundle {
	s.t.Helper()
	if err := s.log.Seal(evidence.Manifest{End: evidence.AuditEnd{How: evidence.Completed}}); err != nil {
		s.t.Fatal(err)
	}
	b, err := evidence.Open(s.log.Dir())
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

// sample is evidence with one flow of each sort.
func sample(t testing.TB) *evidence.Bundle {
	s := newScribe(t)
	s.log.Position("A", "untouched", evidence.Untouched)
	s.add(evidence.KindPhaseStart, evidence.Phase{Name: "untouched"})
	at := func(n int) time.Time { return began.Add(time.Duration(n) * time.Millisecond) }
	head := []flow.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Cookie", Value: "sid=1; u=x=y"}}
	long := strings.Repeat(`{"text":"größer \u0001 \\ " 😀"}`, 5000)
	s.add(evidence.KindRequest, flow.Request{Flow: "f1", Started: at(10), Method: "POST", URL: "https://a.example/p?q=a%20b&n", Proto: "HTTP/2.0",
		Headers: head, Body: s.body(`{"id":"x"}`), UID: 10123, Wire: "w1", Size: 99, TLS: &flow.TLS{Version: "TLS 1.3", ALPN: "h2", SNI: "a.example", Fingerprint: "fp"}})
	s.add(evidence.KindResponse, flow.Response{Flow: "f1", Started: at(110), Ended: at(150), Status: 200, Proto: "HTTP/2.0", Server: "192.0.2.1:443",
		Headers: []flow.Header{{Name: "Content-Encoding", Value: "gzip"}, {Name: "Set-Cookie", Value: "s=t; Path=/; HttpOnly"}}, Body: s.body(zipped(long)),
		TLS: &flow.TLS{Version: "TLS 1.2", ALPN: "http/1.1", Chain: []evidence.Digest{evidence.DigestOf([]byte("leaf")), evidence.DigestOf([]byte("ca"))}}, Size: 200})
	s.add(evidence.KindRequest, flow.Request{Flow: "f2", Started: at(20), Method: "GET", URL: "https://a.example/img", Proto: "HTTP/1.1", Wire: "w1"})
	s.add(evidence.KindResponse, flow.Response{Flow: "f2", Started: at(30), Ended: at(31), Status: 302, Headers: []flow.Header{{Name: "Location", Value: "/n"}}, Body: s.body("\x89PNG\x00\xff")})
	s.add(evidence.KindRequest, flow.Request{Flow: "f3", Started: at(40), Method: "GET", URL: "https://a.example/ws"})
	s.add(evidence.KindResponse, flow.Response{Flow: "f3", Started: at(41), Ended: at(42), Status: 101})
	s.add(evidence.KindMessage, flow.Message{Flow: "f3", Index: 0, At: at(43), Sent: true, Body: s.body("hello 😀")})
	s.add(evidence.KindMessage, flow.Message{Flow: "f3", Index: 1, At: at(44), Binary: true, Body: s.body("\x00\xff")})
	s.add(evidence.KindRequest, flow.Request{Flow: "f4", Started: at(50), Method: "PUT", URL: "https://gone.example/", Headers: []flow.Header{{Name: "Content-Encoding", Value: "gzip"}}, Body: s.body("\x1f\x8bbroken\x00")})
	s.add(evidence.KindConnection, flow.Connection{Flow: "f4", Started: at(50), Ended: at(51), Host: "gone.example", Port: 443, Reason: flow.NoOrigin, Detail: "refused"})
	s.add(evidence.KindConnection, flow.Connection{Flow: "f5", Started: at(60), Ended: at(61), Host: "pinned.example", Port: 443, SNI: "pinned.example", Reason: flow.Distrusted, Sent: 517, JA3: "j3", JA4: "j4"})
	s.add(evidence.KindConnection, flow.Connection{Flow: "f6", Started: at(62), Ended: at(63), Host: "192.0.2.9", Port: 5224, Reason: flow.NoHTTP, Sent: 5, Up: s.body("\x01bytes"), Down: s.body("back")})
	s.add(evidence.KindWire, flow.Wire{ID: "w1", Started: at(1), Ended: at(160), Connect: 20 * time.Millisecond, TLS: 30 * time.Millisecond})
	return s.seal()
}

func export(t testing.TB, ev evidence.Evidence) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, ev, "unasked 1.2.3"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWrite(t *testing.T) {
	text := export(t, sample(t))
	var file cdp.HAR // another reader's types, with another JSON decoder
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if file.Log.Version != "1.2" || file.Log.Creator.Version != "1.2.3" || len(file.Log.Pages) != 1 || len(file.Log.Entries) != 6 {
		t.Fatalf("%+v, %d entries", file.Log, len(file.Log.Entries))
	}
	first := file.Log.Entries[0]
	if first.Pageref != file.Log.Pages[0].ID || first.ServerIPAddress != "192.0.2.1" || first.Connection != "w1" {
		t.Errorf("%+v", first)
	}
	if c := first.Response.Content; string(c.Text) != strings.Repeat(`{"text":"größer \u0001 \\ " 😀"}`, 5000) || *c.Compression != c.Size-first.Response.BodySize || c.Size != int64(len(c.Text)) {
		t.Errorf("content of %d bytes, compression %d", c.Size, *c.Compression)
	}
	if q := first.Request; q.PostData.Text != `{"id":"x"}` || len(q.QueryString) != 2 || q.QueryString[0].Value != "a b" || len(q.Cookies) != 2 || q.Cookies[1].Value != "x=y" {
		t.Errorf("%+v", q)
	}
	if tm := first.Timings; *tm.Connect != 50 || *tm.Ssl != 30 || tm.Wait != 50 || tm.Receive != 40 || first.Time != 140 {
		t.Errorf("%+v, %v in all", tm, first.Time)
	}
	if second := file.Log.Entries[1]; *second.Timings.Connect != -1 || second.Response.RedirectURL != "/n" || string(second.Response.Content.Text) != "\x89PNG\x00\xff" || second.Response.Content.Encoding != "base64" {
		t.Errorf("%+v", second)
	}
	var ours struct {
		Log struct {
			Entries []struct {
				Unasked struct {
					Unasked
					Opaque *struct {
						Opaque
						Up, Down []byte
					} `json:"opaque"`
				} `json:"_unasked"`
				Messages json.RawMessage `json:"_webSocketMessages"`
				Response struct {
					Error string `json:"_error"`
				}
			}
		}
	}
	if err := json.Unmarshal(text, &ours); err != nil {
		t.Fatal(err)
	}
	e := ours.Log.Entries
	if u := e[0].Unasked; u.Flow != "f1" || u.UID != 10123.0 || u.Phase != "untouched" || u.Consent != "untouched" || u.Arm != "A" || u.Wire != "w1" || len(u.Chain) != 2 ||
		u.Device.ALPN != "h2" || u.Origin.Version != "TLS 1.2" || u.Origin.Chain != nil || u.Sizes.RequestWire != 99 || u.Sizes.ResponseContent < 100000 {
		t.Errorf("%+v", u)
	}
	if e[1].Unasked.UID != "unknown" {
		t.Errorf("uid %v", e[1].Unasked.UID)
	}
	want := `[{"type":"send","time":1772442840.043000,"opcode":1,"data":"hello 😀"},{"type":"receive","time":1772442840.044000,"opcode":2,"data":"AP8="}]`
	if string(e[2].Messages) != want {
		t.Errorf("messages %s", e[2].Messages)
	}
	if u := e[3].Unasked; u.Became == nil || u.Became.Reason != flow.NoOrigin || !strings.Contains(u.Cut.Request, "coding on") || e[3].Response.Error == "" {
		t.Errorf("%+v", u)
	}
	if u := e[4].Unasked; u.Opaque == nil || u.Opaque.Reason != flow.Distrusted || u.Opaque.Sent != 517 || u.Opaque.JA4 != "j4" {
		t.Errorf("%+v", u)
	}
	if u := e[5].Unasked; u.Opaque == nil || string(u.Opaque.Up) != "\x01bytes" || string(u.Opaque.Down) != "back" || u.Flow != "f6" {
		t.Errorf("%+v", u)
	}
}

// What is written is read back as it was.
func TestWriteAndRead(t *testing.T) {
	ev := sample(t)
	list, notes, err := read(bytes.NewReader(export(t, ev)))
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	i := 0
	for f, err := range flow.Read(t.Context(), ev) {
		if err != nil {
			t.Fatal(err)
		}
		e := list[i]
		i++
		q := e.Request
		if q.URL != f.Request.URL || q.Method != f.Request.Method || q.Proto != f.Request.Proto || !q.Started.Equal(f.Request.Started) || f.Request.Flow != "f4" && !slices.EqualFunc(q.Headers, f.Request.Headers, func(a, b flow.Header) bool { return a == b }) {
			t.Errorf("%+v, want %+v", q, f.Request)
		}
		content := func(b flow.Body, headers []flow.Header) string {
			rc, _, err := flow.Content(ev, b, headers, 1<<20)
			if err != nil {
				rc, _ = b.Open(ev)
			}
			text, _ := io.ReadAll(rc)
			return string(text)
		}
		if f.Request.Flow != "f4" && string(e.RequestBody) != content(f.Request.Body, f.Request.Headers) {
			t.Errorf("%s: request %q", f.Request.Flow, e.RequestBody)
		}
		if f.Response != nil && string(e.ResponseBody) != content(f.Response.Body, f.Response.Headers) {
			t.Errorf("%s: response of %d bytes", f.Request.Flow, len(e.ResponseBody))
		}
	}
	if string(list[3].RequestBody) != "\x1f\x8bbroken\x00" || len(list[2].Messages) != 2 || string(list[2].Messages[1].Data) != "\x00\xff" {
		t.Errorf("%+v", list[2:4])
	}
	if c := list[5]; c.Connection == nil || c.Connection.Reason != flow.NoHTTP || c.Connection.Port != 5224 || string(c.Up) != "\x01bytes" || string(c.Down) != "back" || c.Of != -1 {
		t.Errorf("%+v", c)
	}
}

// required are the members that HAR 1.2 says an object must have, by its place.
var required = map[string][]string{
	"log": {"version", "creator", "entries"}, "creator": {"name", "version"},
	"pages":    {"startedDateTime", "id", "title", "pageTimings"},
	"entries":  {"startedDateTime", "time", "request", "response", "cache", "timings"},
	"request":  {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"},
	"response": {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize"},
	"cookies":  {"name", "value"}, "headers": {"name", "value"}, "queryString": {"name", "value"},
	"postData": {"mimeType", "params", "text"}, "content": {"size", "mimeType"}, "timings": {"send", "wait", "receive"},
}

func TestWhatIsWrittenIsWhatTheSpecificationAsksFor(t *testing.T) {
	var file map[string]any
	text := export(t, sample(t))
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	var check func(name string, v any)
	check = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			seen[name]++
			for _, m := range required[name] {
				if _, ok := v[m]; !ok {
					t.Errorf("%s lacks %s: %v", name, m, v)
				}
			}
			for m, inner := range v {
				if !strings.HasPrefix(m, "_") {
					check(m, inner)
				}
			}
		case []any:
			for _, inner := range v {
				check(name, inner)
			}
		case nil:
			t.Errorf("%s is null", name)
		}
	}
	check("", file)
	for name := range required {
		if seen[name] == 0 {
			t.Errorf("the sample has no %s", name)
		}
	}
	validate(t, text)
}

// validate asks npm's har-validator, which has a JSON schema of HAR of its own.
func validate(t *testing.T, text []byte) {
	t.Helper()
	if testing.Short() {
		t.Skip("asks npm for har-validator")
	}
	dir := t.TempDir()
	for _, tool := range []string{"npm", "node"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%v: har-validator is not asked", err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", dir, "har-validator@5.1.5")
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm does not serve har-validator here: %v\n%.500s", err, out)
	}
	path := filepath.Join(dir, "out.har")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	script := `require('har-validator').har(JSON.parse(require('fs').readFileSync(process.argv[1],'utf8'))).then(()=>console.log('valid'),e=>{console.log(JSON.stringify(e.errors));process.exit(1)})`
	node := exec.CommandContext(t.Context(), "node", "-e", script, path)
	node.Dir = dir
	if out, err := node.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "valid" {
		t.Errorf("har-validator: %v\n%s", err, out)
	}
}

// A hundred thousand flows are written in memory that does not grow with them.
func TestWriteManyFlows(t *testing.T) {
	if testing.Short() {
		t.Skip("writes many flows")
	}
	s := newScribe(t)
	body := s.body(strings.Repeat("some words of a body. ", 90))
	many := 100_000
	if raced {
		many = 12_000 // still more than the heap may hold
	}
	for i := range many {
		id := flow.ID(fmt.Sprintf("f%d", i+1))
		s.add(evidence.KindRequest, flow.Request{Flow: id, Started: began, Method: "POST", URL: "https://a.example/" + string(id), Body: body})
		s.add(evidence.KindResponse, flow.Response{Flow: id, Started: began, Ended: began, Status: 200, Body: body})
	}
	ev := s.seal()
	var w peak
	if err := Write(t.Context(), &w, ev, "unasked 1"); err != nil {
		t.Fatal(err)
	}
	if w.written < many*4000 || w.heap > 32<<20 {
		t.Errorf("%d bytes written with %d MiB of heap in use", w.written, w.heap>>20)
	}
}

// peak counts what is written, and looks at the memory from time to time.
type peak struct {
	written, looked int
	heap            uint64
}

func (p *peak) Write(b []byte) (int, error) {
	p.written += len(b)
	if p.written-p.looked > 32<<20 {
		p.looked = p.written
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.heap = max(p.heap, m.HeapAlloc)
	}
	return len(b), nil
}
