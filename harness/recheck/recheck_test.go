package recheck_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/recheck"
	"github.com/unasked-audit/unasked/internal/chromium"
)

const protocolText = `
name: patient
recheck: [7d, 30d]
arms:
- name: A
  phases:
  - {name: install, act: install, lasts: 0s}
  - {name: untouched, act: launch, lasts: 1s}
`

// earlier is an audit in which a website knew nobody, before the launch and after it.
func earlier(t *testing.T, dir, probe string) *evidence.Bundle {
	t.Helper()
	clock := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	log, err := evidence.Create(dir, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	seed := []byte("a seed for rechecks")
	blob := func(s string) evidence.Digest {
		d, _, err := log.PutBlob(strings.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	event := func(kind string, data any) {
		if _, err := log.Append(kind, data); err != nil {
			t.Fatal(err)
		}
	}
	id, decoys := canary.Derive(seed, "X"), canary.Decoys(seed, "X")
	event(evidence.KindAuditStart, evidence.AuditStart{
		Tool: "test", Protocol: "patient", Source: blob(protocolText), Seed: fmt.Sprintf("%x", seed), Identity: id, Decoys: decoys,
	})
	asked := func(when string) {
		if probe == "" {
			return
		}
		event(evidence.KindProbe, evidence.Probe{
			Name: "find", Source: blob(probe), When: when, Who: evidence.ProbeIdentity, Entered: []string{"email"}, Host: "127.0.0.1",
			Answer: evidence.ProbeNot, Because: "it says so", Page: blob("a page"), Screenshots: []evidence.Digest{blob(when)},
		})
	}
	asked(evidence.ProbeBefore)
	event(evidence.KindAction, evidence.Action{Verb: "install", OK: true})
	event(evidence.KindAction, evidence.Action{Verb: "launch", OK: true})
	asked(evidence.ProbeAfter)
	end := evidence.AuditEnd{How: evidence.Completed}
	event(evidence.KindAuditEnd, end)
	if err := log.Seal(evidence.Manifest{Tool: "test", Started: clock, End: end, Protocol: "patient", App: evidence.App{Package: "org.example.thing"}, Identity: id, Decoys: decoys}); err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRecheck asks a website that has learnt of the person since the audit.
func TestRecheck(t *testing.T) {
	if _, err := chromium.Find(""); err != nil {
		t.Skip(err)
	}
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	person := canary.Derive([]byte("a seed for rechecks"), "X").Value(canary.Email)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("q") == person {
			fmt.Fprint(w, "<p>Welcome back")
			return
		}
		fmt.Fprint(w, "<p>Nobody here")
	}))
	defer site.Close()
	dir := t.TempDir()
	b := earlier(t, filepath.Join(dir, "first"), "name: find\nurl: "+site.URL+"/?q=${canary.email}\nsteps:\n- wait:\n    exists: [{text: welcome back}]\n    does-not-exist: [{text: nobody here}]\n")

	before, err := judge.Judge(t.Context(), b, kb)
	if err != nil {
		t.Fatal(err)
	}
	if q := before.Questions[len(before.Questions)-1]; q.ID != judge.QuestionOutside || q.Verdict != judge.NotObserved {
		t.Fatalf("the audit itself: %+v", q)
	}
	due := func(at string) []bool {
		now, err := time.Parse(time.DateOnly, at)
		if err != nil {
			t.Fatal(err)
		}
		list, unread, err := recheck.Due(t.Context(), dir, now)
		if err != nil || len(unread) > 0 || len(list) != 2 || list[0].After != "7d" || list[1].After != "30d" || list[0].Bundle != filepath.Join(dir, "first") {
			t.Fatalf("%+v, %v, %v", list, unread, err)
		}
		return []bool{list[0].Due, list[1].Due}
	}
	for at, want := range map[string][]bool{"2026-01-08": {false, false}, "2026-01-09": {true, false}, "2026-02-01": {true, true}} {
		if got := due(at); !slices.Equal(got, want) {
			t.Errorf("%s: due %v, want %v", at, got, want)
		}
	}

	out := filepath.Join(dir, "second")
	later := func() time.Time { return time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC) }
	sealed, err := recheck.Run(t.Context(), b, audit.Options{Out: out, Knowledge: kb, Tool: "test", Now: later})
	if err != nil || !sealed {
		t.Fatal(sealed, err)
	}
	again, err := evidence.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := evidence.Verify(t.Context(), out); err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	j, err := judge.Judge(t.Context(), again, kb)
	if err != nil {
		t.Fatal(err)
	}
	q := j.Questions[len(j.Questions)-1]
	if q.ID != judge.QuestionOutside || q.Verdict != judge.Violated || j.Ladder != 7 {
		t.Errorf("%s: %s (%s), ladder %d; want violated at 7", q.ID, q.Verdict, q.Because, j.Ladder)
	}
	for _, f := range j.Findings {
		for _, p := range f.Proof {
			blob, err := again.Blob(p.Blob)
			if err != nil {
				t.Errorf("%s: %v", f.Title, err)
				continue
			}
			blob.Close()
		}
	}
	for e, err := range again.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == evidence.KindAuditStart && !strings.Contains(string(e.Data), `"earlier":{"manifest":"`+string(b.Digest())) {
			t.Errorf("the start does not name the earlier bundle: %s", e.Data)
		}
	}
	// The recheck of the 10th is the one that was wanted after 7 days, and not that after 30.
	if got, want := due("2026-02-01"), []bool{false, true}; !slices.Equal(got, want) {
		t.Errorf("after a recheck: due %v, want %v", got, want)
	}
}

func TestNothingToRecheck(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if _, err := recheck.Run(t.Context(), earlier(t, filepath.Join(dir, "first"), ""), audit.Options{Out: out, Knowledge: kb}); !errors.Is(err, recheck.ErrNothing) {
		t.Errorf("no probe and no device: %v", err)
	}
	if _, err := evidence.Open(out); err == nil {
		t.Error("it left a bundle all the same")
	}
}
