package flow

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// fake is evidence in memory.
type fake struct {
	events []evidence.Event
	blobs  map[evidence.Digest][]byte
	scans  int
}

func (f *fake) Manifest() evidence.Manifest { return evidence.Manifest{} }

func (f *fake) Events(context.Context) iter.Seq2[evidence.Event, error] {
	f.scans++
	return func(yield func(evidence.Event, error) bool) {
		for _, e := range f.events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (f *fake) Blob(d evidence.Digest) (io.ReadCloser, error) {
	if b, ok := f.blobs[d]; ok {
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	return nil, fs.ErrNotExist
}

func (f *fake) add(t *testing.T, kind string, data any) {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	f.events = append(f.events, evidence.Event{Seq: uint64(len(f.events) + 1), Kind: kind, Phase: fmt.Sprint("p", len(f.events)), Data: raw})
}

func (f *fake) ask(t *testing.T, id string) { f.add(t, evidence.KindRequest, Request{Flow: ID(id)}) }
func (f *fake) answer(t *testing.T, id string) {
	f.add(t, evidence.KindResponse, Response{Flow: ID(id), Status: 200})
}

func collect(t *testing.T, f *fake, window int) []Flow {
	t.Helper()
	var got []Flow
	for x, err := range read(t.Context(), f, window) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, x)
	}
	return got
}

func show(flows []Flow) string {
	var b strings.Builder
	for _, x := range flows {
		fmt.Fprintf(&b, "%s:%d-%d@%s ", x.Request.Flow, x.RequestEvent, x.ResponseEvent, x.Phase)
	}
	return strings.TrimSpace(b.String())
}

func TestRequestsAreJoinedWithTheirResponses(t *testing.T) {
	f := &fake{}
	f.ask(t, "f1")
	f.ask(t, "f2")
	f.add(t, evidence.KindTap, evidence.Tap{})
	f.answer(t, "f2")
	f.ask(t, "f3") // never answered
	f.ask(t, "f4")
	f.answer(t, "f1")
	f.answer(t, "f4")
	f.answer(t, "f9") // an answer to nothing
	if got, want := show(collect(t, f, window)), "f1:1-7@p0 f2:2-4@p1 f3:5-0@p4 f4:6-8@p5"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if f.scans != 1 {
		t.Errorf("a short log was read %d times", f.scans)
	}
}

// A connection that stays open, and one that never answers, must not hold up
// the rest for longer than the window.
func TestLateResponsesAreFoundAhead(t *testing.T) {
	const window, n = 16, 400
	f := &fake{}
	f.ask(t, "open")
	f.ask(t, "dead")
	for i := range n {
		f.ask(t, fmt.Sprint("a", i))
		if i == n/2 {
			f.ask(t, "open2")
		}
		if i >= 3 {
			f.answer(t, fmt.Sprint("a", i-3))
		}
	}
	f.answer(t, "open2")
	f.answer(t, "open")
	held, most := 0, 0
	seen := map[ID]bool{}
	var order []uint64
	for x, err := range read(t.Context(), &counting{f, &held}, window) {
		if err != nil {
			t.Fatal(err)
		}
		held--
		most = max(most, held)
		seen[x.Request.Flow] = true
		order = append(order, x.RequestEvent)
		answered := x.Response != nil
		if want := x.Request.Flow != "dead" && !slices.Contains([]ID{"a397", "a398", "a399"}, x.Request.Flow); answered != want {
			t.Errorf("%s is answered: %v, want %v", x.Request.Flow, answered, want)
		}
		if answered && x.Response.Flow != x.Request.Flow {
			t.Errorf("%s has the answer of %s", x.Request.Flow, x.Response.Flow)
		}
	}
	if len(seen) != n+3 || !slices.IsSorted(order) {
		t.Errorf("%d flows, in order: %v", len(seen), slices.IsSorted(order))
	}
	if most > 2*window {
		t.Errorf("%d flows were held at a time, with a window of %d", most, window)
	}
	if f.scans != 2 {
		t.Errorf("the log was read %d times, want 2", f.scans)
	}
}

// counting counts the requests that the first reading has handed out.
type counting struct {
	*fake
	held *int
}

func (c *counting) Events(ctx context.Context) iter.Seq2[evidence.Event, error] {
	first := c.scans == 0
	events := c.fake.Events(ctx)
	return func(yield func(evidence.Event, error) bool) {
		for e, err := range events {
			if first && e.Kind == evidence.KindRequest {
				*c.held++
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func TestReadingEndsWithTheFirstError(t *testing.T) {
	f := &fake{}
	f.ask(t, "f1")
	f.answer(t, "f1")
	f.add(t, evidence.KindRequest, "no request at all")
	f.ask(t, "f2")
	n := 0
	var last error
	for _, err := range Read(t.Context(), f) {
		n++
		last = err
	}
	if n != 2 || last == nil || !strings.Contains(last.Error(), "event 3") {
		t.Errorf("%d flows, then %v", n-1, last)
	}
	for range Read(t.Context(), f) {
		break // must not go on: range would panic
	}
}

func packed(t *testing.T, coding string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	case "flate":
		w, err = flate.NewWriter(&b, 9)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (f *fake) body(b []byte) Body {
	d := evidence.DigestOf(b)
	f.blobs = map[evidence.Digest][]byte{d: b}
	return Body{Blob: d, Size: int64(len(b))}
}

func TestContentCodingsAreTakenOff(t *testing.T) {
	text := bytes.Repeat([]byte("advertising_id=1234&"), 1000)
	for _, test := range []struct {
		header string
		packed []byte
		chain  string
	}{
		{"", text, "[]"},
		{"identity", text, "[]"},
		{"gzip", packed(t, "gzip", text), "[gzip]"},
		{"X-GZIP", packed(t, "gzip", text), "[gzip]"},
		{"deflate", packed(t, "zlib", text), "[deflate]"},
		{"deflate", packed(t, "flate", text), "[deflate]"},
		{"br", packed(t, "br", text), "[br]"},
		{"zstd", packed(t, "zstd", text), "[zstd]"},
		{"gzip, br", packed(t, "br", packed(t, "gzip", text)), "[br gzip]"},
		{"gzip", append(packed(t, "gzip", text[:500]), packed(t, "gzip", text[500:])...), "[gzip]"},
	} {
		f := &fake{}
		r, chain, err := Content(f, f.body(test.packed), []Header{{"content-ENCODING", test.header}}, int64(len(text)))
		if err != nil || fmt.Sprint(chain) != test.chain {
			t.Errorf("%q: %v, %v", test.header, chain, err)
			continue
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%q: %d bytes, %v", test.header, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		r, _, err = Content(f, f.body(test.packed), []Header{{"Content-Encoding", test.header}}, int64(len(text)-1))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); !errors.Is(err, ErrBudget) || len(got) != len(text)-1 {
			t.Errorf("%q with one byte too little: %d bytes, %v", test.header, len(got), err)
		}
		if test.chain == "[]" {
			continue
		}
		r, _, err = Content(f, f.body(test.packed[:len(test.packed)-5]), []Header{{"Content-Encoding", test.header}}, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err == nil || !bytes.HasPrefix(text, got) {
			t.Errorf("%q, cut: %d bytes, %v", test.header, len(got), err)
		}
	}
}

func TestContentThatCannotBeRead(t *testing.T) {
	f := &fake{}
	if _, _, err := Content(f, f.body([]byte("x")), []Header{{"Content-Encoding", "gzip, rot13"}}, 10); !errors.Is(err, ErrCoding) || !strings.Contains(err.Error(), "rot13") {
		t.Errorf("an unknown coding: %v", err)
	}
	if _, _, err := Content(f, f.body([]byte("x")), []Header{{"Content-Encoding", strings.Repeat("gzip,", 50)}}, 10); !errors.Is(err, ErrCoding) {
		t.Errorf("fifty codings: %v", err)
	}
	if _, _, err := Content(f, f.body([]byte("no gzip at all")), []Header{{"Content-Encoding", "gzip"}}, 10); err == nil {
		t.Error("what is no gzip was read as gzip")
	}
	if _, _, err := Content(f, Body{Blob: "gone", Size: 3}, nil, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a blob that is not there: %v", err)
	}
	r, _, err := Content(f, Body{}, []Header{{"Content-Encoding", "gzip"}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || len(got) != 0 {
		t.Errorf("an empty body: %q, %v", got, err)
	}
}

func FuzzContent(f *testing.F) {
	for _, coding := range []string{"gzip", "deflate", "br", "zstd", "gzip, br"} {
		f.Add(coding, []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"))
		f.Add(coding, []byte("\x28\xb5\x2f\xfd\x04\x00"))
	}
	f.Fuzz(func(t *testing.T, coding string, body []byte) {
		const budget = 1 << 16
		ev := &fake{}
		r, _, err := Content(ev, ev.body(body), []Header{{"Content-Encoding", coding}}, budget)
		if err != nil {
			return
		}
		if n, _ := io.Copy(io.Discard, r); n > budget {
			t.Errorf("%d bytes came of a budget of %d", n, budget)
		}
		_ = r.Close()
	})
}

func TestSurfaces(t *testing.T) {
	q := Request{URL: "https://API.example:8443/a?b=c", Headers: []Header{{"Host", "API.example:8443"}, {"cookie", "sid=1; ab = x=y;lone"}}, Trailers: []Header{{"X-Sum", "9"}}}
	var got []string
	for name, text := range q.Surfaces() {
		got = append(got, name+" "+text)
	}
	want := []string{"url https://API.example:8443/a?b=c", "host api.example", "header:Host API.example:8443", "header:cookie sid=1; ab = x=y;lone", "cookie:sid 1", "cookie:ab x=y", "cookie:lone ", "header:X-Sum 9"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	got = nil
	for name, text := range (Response{Headers: []Header{{"Set-Cookie", "token=abc; Path=/; HttpOnly"}}}).Surfaces() {
		got = append(got, name+" "+text)
	}
	if fmt.Sprint(got) != "[header:Set-Cookie token=abc; Path=/; HttpOnly cookie:token abc]" {
		t.Errorf("got %q", got)
	}
	for want, steps := range map[string][]any{
		"$":                       nil,
		"$.user.id":               {"user", "id"},
		"$.user['e-mail'][0]":     {"user", "e-mail", 0},
		`$['it\'s']['a\\b']['1']`: {"it's", `a\b`, "1"},
	} {
		if got := Path(steps...); got != want {
			t.Errorf("Path(%q) = %s, want %s", steps, got, want)
		}
	}
}
