package recording

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/har"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// imported reads a HAR as evidence.
func imported(t *testing.T, text string, o Options) *Recording {
	t.Helper()
	rec, err := File(t.Context(), strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rec.Close(); err != nil {
			t.Error(err)
		}
	})
	return rec
}

// committed is the evidence of a whole audit.
func committed(t *testing.T) *evidence.Bundle {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xzf", "../judge/testdata/clipshare.tar.gz", "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ev, err := evidence.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// coding are the names in chains of HTTP's content codings.
var coding = []string{"gzip", "deflate", "brotli", "zstd"}

// places lists what stands where, apart from what a HAR can't have: the event, names
// that were asked for, and the coding of a body, which is off in a HAR.
func places(t *testing.T, ev evidence.Evidence) []string {
	t.Helper()
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for s, err := range judge.Sightings(t.Context(), ev, kb) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Flow == "" {
			continue
		}
		chain := s.Chain
		for strings.HasPrefix(s.Where, flow.SurfaceBody) && len(chain) > 0 && slices.Contains(coding, chain[0]) {
			chain = chain[1:]
		}
		out = append(out, fmt.Sprint(s.Kind, " ", s.Value, " ", s.Direction, " ", s.Where, " ", chain, " ", s.Host, " ", s.Decoy))
	}
	slices.Sort(out)
	return out
}

// Evidence that is written as HAR and read again shows the same, in the same places.
func TestWhatIsExportedIsFoundAgain(t *testing.T) {
	for name, ev := range map[string]*evidence.Bundle{"an audit": committed(t), "every sort of flow": sorts(t)} {
		var file bytes.Buffer
		if err := har.Write(t.Context(), &file, ev, "unasked 1"); err != nil {
			t.Fatal(err)
		}
		m := ev.Manifest()
		rec := imported(t, file.String(), Options{Name: "x.har", Identity: m.Identity, Decoys: m.Decoys})
		want, got := places(t, ev), places(t, rec)
		if len(want) < 8 {
			t.Fatalf("%s: only %d places", name, len(want))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if len(rec.Notes) > 0 {
			t.Errorf("%s: %v", name, rec.Notes)
		}
	}
}

// sorts is evidence with a value in every place that HAR has to carry.
func sorts(t *testing.T) *evidence.Bundle {
	t.Helper()
	log, err := evidence.Create(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	body := func(data string) flow.Body {
		if len(data) <= flow.MaxInline {
			return flow.Body{Inline: []byte(data), Size: int64(len(data))}
		}
		d, n, err := log.PutBlob(strings.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return flow.Body{Blob: d, Size: n}
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, `{"deep":{"m":"`+mail+`"},"fill":"`+strings.Repeat("größe ", 2000)+`"}`)
	z.Close()
	log.Position("A", "untouched", evidence.Untouched)
	json, packed := flow.Header{Name: "Content-Type", Value: "application/json"}, flow.Header{Name: "Content-Encoding", Value: "gzip"}
	for _, e := range []struct {
		kind string
		data any
	}{
		{evidence.KindRequest, flow.Request{Flow: "f1", Method: "POST", URL: "https://a.example/p/" + advertising + "?m=" + mail, Headers: []flow.Header{json, packed, {Name: "X-A", Value: advertising}, {Name: "Cookie", Value: "u=" + mail}}, Body: body(zipped.String())}},
		{evidence.KindResponse, flow.Response{Flow: "f1", Status: 200, Headers: []flow.Header{json, packed, {Name: "Set-Cookie", Value: "a=" + advertising}}, Body: body(zipped.String())}},
		{evidence.KindRequest, flow.Request{Flow: "f2", Method: "PUT", URL: "https://a.example/binary", Body: body("\x00\xff\x80" + mail + "\x01")}},
		{evidence.KindRequest, flow.Request{Flow: "f3", Method: "GET", URL: "https://s.example/ws"}},
		{evidence.KindResponse, flow.Response{Flow: "f3", Status: 101}},
		{evidence.KindMessage, flow.Message{Flow: "f3", Index: 0, Sent: true, Body: body(`{"m":"` + mail + `"}`)}},
		{evidence.KindMessage, flow.Message{Flow: "f3", Index: 1, Binary: true, Body: body("\x00\x01" + advertising)}},
		{evidence.KindConnection, flow.Connection{Flow: "f4", Host: "raw.example", Port: 5224, Reason: flow.NoHTTP, Up: body("\x00" + mail), Down: body(advertising)}},
		{evidence.KindConnection, flow.Connection{Flow: "f5", Host: "pinned.example", Port: 443, Reason: flow.Distrusted, Sent: 517}},
	} {
		if _, err := log.Append(e.kind, e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Seal(evidence.Manifest{Identity: options().Identity, End: evidence.AuditEnd{How: evidence.Completed}}); err != nil {
		t.Fatal(err)
	}
	ev, err := evidence.Open(log.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// What does not fit into memory lies in a file, and is the same; so is a bundle.
func TestEvidenceInMemoryInFilesAndInABundle(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var b strings.Builder
	b.WriteString(`{"log":{"entries":[`)
	const many = 600
	for i := range many {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"startedDateTime":"2024-01-02T03:04:05Z","request":{"method":"POST","url":"https://a.example/%d?%s","postData":{"text":"%d %s"}}}`,
			i, strings.Repeat("x", 3000), i, strings.Repeat("body ", 1200))
	}
	b.WriteString(`]}}`)
	small := options()
	small.room = room{events: 1 << 20, blobs: 1 << 20}
	bundled := options()
	bundled.Bundle = filepath.Join(t.TempDir(), "kept")
	for name, o := range map[string]Options{"memory": small, "bundle": bundled} {
		rec := imported(t, b.String(), o)
		if m, ok := rec.Evidence.(*memory); ok && (m.late.size == 0 || m.large.size == 0) {
			t.Fatal("nothing was spilled, so nothing is tested")
		}
		n, seq := 0, uint64(0)
		for e, err := range rec.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if seq++; e.Seq != seq {
				t.Fatalf("%s: event %d stands at %d", name, e.Seq, seq)
			}
		}
		for f, err := range flow.Read(t.Context(), rec) {
			if err != nil {
				t.Fatal(err)
			}
			rc, err := f.Request.Body.Open(rec)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(rc)
			if want := fmt.Sprintf("%d %s", n, strings.Repeat("body ", 1200)); err != nil || string(text) != want || Entry(f.Request.Flow) != n || f.Phase != phase {
				t.Fatalf("%s, flow %s: %d bytes, %v", name, f.Request.Flow, len(text), err)
			}
			n++
		}
		if n != many {
			t.Errorf("%s: %d flows", name, n)
		}
		if _, err := rec.Blob(evidence.DigestOf([]byte("absent"))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if problems, err := evidence.Verify(t.Context(), bundled.Bundle); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("%s stays", left[0].Name())
	}
}

// A recording says nothing of a choice or a device, so no question about these is
// answered, whatever was sent.
func TestQuestionsThatARecordingCantAnswer(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	file := `{"log":{"entries":[{"request":{"method":"GET","url":"https://a.example/?m=` + mail + `"}}]}}`
	j, err := judge.Judge(t.Context(), imported(t, file, options()), kb)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range j.Questions {
		want := judge.NotApplicable
		switch q.ID {
		case judge.QuestionIdentifier:
			want = judge.Violated
		case judge.QuestionAccount:
			want = judge.NotObserved
		}
		if q.Verdict != want {
			t.Errorf("%s: %s (%s), want %s", q.ID, q.Verdict, q.Because, want)
		}
	}
	// A hole in the recording leaves open what could have been in it.
	j, err = judge.Judge(t.Context(), imported(t, `{"log":{"entries":[{}]}}`, Options{Identity: canary.Identity{Canaries: options().Identity.Canaries}}), kb)
	if err != nil {
		t.Fatal(err)
	}
	if j.Verdict != judge.Inconclusive {
		t.Errorf("with a hole: %s", j.Verdict)
	}
}

func TestImportsThatFail(t *testing.T) {
	o := options()
	o.Bundle = filepath.Join(t.TempDir(), "kept")
	if _, err := File(t.Context(), strings.NewReader(`{"log":{"entries":[{"request":{"url":"https://a.example/"}},`), o); err == nil || !strings.Contains(err.Error(), "breaks off") {
		t.Errorf("%v", err)
	}
	ev, err := evidence.Open(o.Bundle)
	if err != nil || ev.Manifest().End.How != evidence.Failed {
		t.Errorf("what was imported so far is sealed as failed: %v", err)
	}
	for text, want := range map[string]string{
		"": "it is empty", "PK\x03\x04": "unpack it", "\x1f\x8b": "gzip -dc", "<html>": "neither a HAR", "   ": "neither a HAR", "{}": "no list log.entries",
	} {
		if _, err := File(t.Context(), strings.NewReader(text), options()); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "capture: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if Entry("f1") != 0 || Entry("") != -1 || Entry("x") != -1 || Entry("f0") != -1 {
		t.Error("entries are counted from 0")
	}
}
