package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
)

// clock ticks a second a look, from a fixed day on.
func clock() func() time.Time {
	var mu sync.Mutex
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
}

func mustCreate(t *testing.T, dir string) *Log {
	t.Helper()
	l, err := Create(dir, clock())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustAppend(t *testing.T, l *Log, kind string, data any) Event {
	t.Helper()
	ev, err := l.Append(kind, data)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func mustPut(t *testing.T, l *Log, text string) Digest {
	t.Helper()
	d, n, err := l.PutBlob(strings.NewReader(text))
	if err != nil || n != int64(len(text)) {
		t.Fatalf("PutBlob = %d bytes, %v", n, err)
	}
	return d
}

// small writes and seals a bundle with three events and two blobs.
func small(t *testing.T, dir string) {
	t.Helper()
	l := mustCreate(t, dir)
	mustAppend(t, l, KindAuditStart, AuditStart{Tool: "unasked 0.0.0", Protocol: "quick", Seed: "00ff"})
	l.Position("a", "launch", Untouched)
	d := mustPut(t, l, "a body <with> ümlauts & \x00 bytes")
	mustPut(t, l, "")
	mustAppend(t, l, KindExhibit, Exhibit{Kind: ExhibitScreen, Media: "text/xml", Blob: d, Size: 32})
	if err := l.Seal(Manifest{Tool: "unasked 0.0.0", Protocol: "quick", End: AuditEnd{How: Completed}, Identity: canary.Identity{Label: "X"}}); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, dir string) []Problem {
	t.Helper()
	problems, err := Verify(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "audit")
	small(t, dir)
	if problems := verify(t, dir); len(problems) != 0 {
		t.Fatalf("a fresh bundle has problems: %v", problems)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var _ Evidence = b
	var got []string
	for ev, err := range b.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s %s/%s/%s", ev.Seq, ev.Kind, ev.Arm, ev.Phase, ev.Consent))
	}
	want := "[1 audit.start // 2 exhibit a/launch/untouched 3 audit.end a/launch/untouched]"
	if fmt.Sprint(got) != want {
		t.Errorf("events are %v, want %v", got, want)
	}
	m := b.Manifest()
	if m.Format != Format || m.Events != 3 || len(m.Blobs) != 2 || m.End.How != Completed || m.Started.IsZero() || !m.Sealed.After(m.Started) {
		t.Errorf("manifest is %+v", m)
	}
	r, err := b.Blob(m.Blobs[0].SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if body, err := io.ReadAll(r); err != nil || DigestOf(body) != m.Blobs[0].SHA256 {
		t.Errorf("blob is %q, %v", body, err)
	}
	if _, err := b.Blob(DigestOf([]byte("never put"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a blob that is not there: %v, want fs.ErrNotExist", err)
	}
	if _, err := b.Blob("../manifest.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path as a digest: %v, want fs.ErrNotExist", err)
	}
}

func TestOnlyTheOwnerReads(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	small(t, dir)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 4 {
		t.Errorf("the sealed folder holds %v, %v", left, err)
	}
}

func TestCreateRefusesAFolderInUse(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, nil); !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("Create = %v, want ErrNotEmpty and what is in the way", err)
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrNotBundle) {
		t.Errorf("Open of an empty folder = %v, want ErrNotBundle", err)
	}
	if _, err := Verify(t.Context(), dir); !errors.Is(err, ErrNotBundle) {
		t.Errorf("Verify of an empty folder = %v, want ErrNotBundle", err)
	}
	l := mustCreate(t, dir)
	if _, err := Open(dir); !errors.Is(err, ErrUnsealed) {
		t.Errorf("Open of a running audit = %v, want ErrUnsealed", err)
	}
	if err := SealInterrupted(dir, "no reason"); !errors.Is(err, ErrInUse) {
		t.Errorf("SealInterrupted of a running audit = %v, want ErrInUse", err)
	}
	if err := l.Seal(Manifest{}); err != nil {
		t.Fatal(err)
	}
	if err := SealInterrupted(dir, "no reason"); !errors.Is(err, ErrSealed) {
		t.Errorf("SealInterrupted of sealed evidence = %v, want ErrSealed", err)
	}
	if _, err := l.Append(KindAction, Action{}); !errors.Is(err, ErrSealed) {
		t.Errorf("Append after Seal = %v, want ErrSealed", err)
	}
	if _, err := l.NewBlob(); !errors.Is(err, ErrSealed) {
		t.Errorf("NewBlob after Seal = %v, want ErrSealed", err)
	}
	if err := l.Seal(Manifest{}); !errors.Is(err, ErrSealed) {
		t.Errorf("Seal after Seal = %v, want ErrSealed", err)
	}
}

func TestManyWriteAtOnce(t *testing.T) {
	dir := t.TempDir()
	l := mustCreate(t, dir)
	var seen []uint64
	l.Subscribe(func(ev Event) { seen = append(seen, ev.Seq) }) // one at a time: no lock
	const writers, each = 8, 50
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				l.Position("a", fmt.Sprint("phase", w), Untouched)
				if _, _, err := l.PutBlob(strings.NewReader(fmt.Sprint(i % 7))); err != nil {
					t.Error(err)
				}
				if _, err := l.Append(KindAction, Action{Verb: "launch", Detail: strings.Repeat("x", i)}); err != nil {
					t.Error(err)
				}
				l.Next("flow")
			}
		})
	}
	group.Wait()
	if n := l.Next("flow"); n != writers*each+1 {
		t.Errorf("Next = %d, want %d", n, writers*each+1)
	}
	if err := l.Seal(Manifest{End: AuditEnd{How: Completed}}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != writers*each+1 {
		t.Fatalf("the subscriber saw %d events, want %d", len(seen), writers*each+1)
	}
	for i, seq := range seen {
		if seq != uint64(i+1) {
			t.Fatalf("the subscriber saw event %d at place %d", seq, i+1)
		}
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Error(problems)
	}
	if b, err := Open(dir); err != nil || len(b.Manifest().Blobs) != 7 {
		t.Errorf("Open = %v; the same bytes must be one blob", err)
	}
}

func TestASubscriberMayAppend(t *testing.T) {
	l := mustCreate(t, t.TempDir())
	var kinds []string
	l.Subscribe(func(ev Event) {
		kinds = append(kinds, ev.Kind)
		if ev.Kind == KindTap {
			mustAppend(t, l, KindAction, Action{Verb: "noted"})
		}
	})
	mustAppend(t, l, KindTap, Tap{})
	if fmt.Sprint(kinds) != "[tap action]" {
		t.Errorf("saw %v", kinds)
	}
	if err := l.Seal(Manifest{}); err != nil {
		t.Fatal(err)
	}
}

func TestAppendAtKeepsThePositionOfTheBeginning(t *testing.T) {
	l := mustCreate(t, t.TempDir())
	l.Position("a", "untouched", Untouched)
	began := l.Where()
	l.Position("a", "reject", Rejected)
	ev, err := l.AppendAt(began, KindRequest, struct{}{})
	if err != nil || ev.Phase != "untouched" || ev.Consent != Untouched {
		t.Errorf("AppendAt = %+v, %v", ev, err)
	}
	if ev := mustAppend(t, l, KindRequest, struct{}{}); ev.Phase != "reject" {
		t.Errorf("Append = %+v", ev)
	}
	if err := l.Seal(Manifest{}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	dir := t.TempDir()
	l := mustCreate(t, dir)
	if _, err := l.Append(KindAction, func() {}); err == nil {
		t.Error("a function was logged")
	}
	if _, err := l.Append(KindAction, strings.Repeat("x", maxLine)); err == nil {
		t.Error("a line was logged that no reader would take")
	}
	mustAppend(t, l, KindAction, json.RawMessage(`{"verb":"launch","spaced" : [1, 2]}`))
	if err := l.Seal(Manifest{}); err != nil {
		t.Fatal(err)
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Error(problems)
	}
}

// A blob that is still being written when the evidence is sealed is evidence too.
func TestSealKeepsWhatIsBeingWritten(t *testing.T) {
	dir := t.TempDir()
	l := mustCreate(t, dir)
	w, err := l.NewBlob()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("half of a bo")); err != nil {
		t.Fatal(err)
	}
	dropped, err := l.NewBlob()
	if err != nil {
		t.Fatal(err)
	}
	dropped.Abort()
	if err := l.Seal(Manifest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("dy")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Seal = %v, want fs.ErrClosed", err)
	}
	if _, _, err := w.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit after Seal = %v, want fs.ErrClosed", err)
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Error(problems)
	}
	if got := exhibits(t, dir); fmt.Sprint(got) != "[half of a bo]" {
		t.Errorf("partial exhibits are %q", got)
	}
}

// exhibits are the bytes of the partial exhibits of a bundle.
func exhibits(t *testing.T, dir string) []string {
	t.Helper()
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for ev, err := range b.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		var x Exhibit
		if ev.Kind != KindExhibit || json.Unmarshal(ev.Data, &x) != nil || x.Kind != ExhibitPartial {
			continue
		}
		r, err := b.Blob(x.Blob)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	return got
}
