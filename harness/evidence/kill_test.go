//go:build linux

package evidence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
)

// The environment by which this test's program is told to be the one that is killed.
const victim = "UNASKED_EVIDENCE_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		beKilled(dir)
	}
	if dir := os.Getenv(limited); dir != "" {
		if err := beLimited(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beKilled writes evidence until it is killed, and prints the number of each
// event once Append has returned.
func beKilled(dir string) {
	fatal := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	l, err := Create(dir, nil)
	fatal(err)
	id := canary.Derive([]byte{1, 2}, "X")
	_, err = l.Append(KindAuditStart, AuditStart{Tool: "unasked 0.0.0", Protocol: "quick", Seed: "0102", Identity: id})
	fatal(err)
	_, err = l.Append(KindDevice, Device{Serial: "emulator-1", Simulated: true})
	fatal(err)
	_, err = l.Append(KindApp, App{Package: "org.example.app"})
	fatal(err)
	_, err = l.Append(KindApp, App{Package: "org.example.app", UID: 10101})
	fatal(err)
	l.Position("a", "launch", Untouched)
	w, err := l.NewBlob()
	fatal(err)
	_, err = w.Write([]byte("an upload that is under way"))
	fatal(err)
	for i := 0; ; i++ {
		d, size, err := l.PutBlob(strings.NewReader(fmt.Sprint("body ", i)))
		fatal(err)
		ev, err := l.Append(KindExhibit, Exhibit{Kind: ExhibitLog, Media: "text/plain", Blob: d, Size: size})
		fatal(err)
		fmt.Println(ev.Seq)
	}
}

func TestAKilledAuditLosesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var promised uint64
	for in := bufio.NewScanner(out); in.Scan(); {
		if _, err := fmt.Sscan(in.Text(), &promised); err != nil {
			t.Fatal(err)
		}
		if promised == 60 {
			if err := SealInterrupted(dir, ""); !errors.Is(err, ErrInUse) {
				t.Errorf("sealing while the audit runs: %v, want ErrInUse", err)
			}
			if err := cmd.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if _, err := Open(dir); !errors.Is(err, ErrUnsealed) {
		t.Fatalf("Open = %v, want ErrUnsealed", err)
	}
	if problems := verify(t, dir); len(problems) == 0 || problems[0].File != manifestName {
		t.Errorf("unsealed evidence verifies as %v", problems)
	}
	if err := SealInterrupted(dir, "the process was killed"); err != nil {
		t.Fatal(err)
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Fatal(problems)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := b.Manifest()
	if m.Tool != "unasked 0.0.0" || m.Protocol != "quick" || m.Device.Serial != "emulator-1" || m.App.UID != 10101 || m.Started.IsZero() {
		t.Errorf("the manifest is not the log's: %+v", m)
	}
	if len(m.Identity.Canaries) != len(canary.Kinds()) || len(m.Decoys.Canaries) != len(canary.Kinds()) {
		t.Errorf("identity %v, decoys %v", m.Identity, m.Decoys)
	}
	if m.End.How != Interrupted || !strings.Contains(m.End.Error, "killed") || !strings.Contains(m.End.Error, "first 27 bytes") {
		t.Errorf("it ended %+v", m.End)
	}
	if m.Events < promised+2 {
		t.Errorf("%d events, and %d were promised besides the two of sealing", m.Events, promised)
	}
	var last Event
	for ev, err := range b.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		last = ev
	}
	if last.Kind != KindAuditEnd || last.Phase != "launch" || last.Arm != "a" {
		t.Errorf("the last event is %+v", last)
	}
	if got := exhibits(t, dir); !strings.Contains(strings.Join(got, "|"), "an upload that is under way") {
		t.Errorf("partial exhibits are %q", got)
	}
}

// What a crash of the machine can leave: a torn line, and blobs without their bytes.
func TestTornEvidenceIsKeptAndSaid(t *testing.T) {
	for _, test := range []struct {
		name, tail string
	}{
		{"half a line", `{"seq":3,"at":"2026-`},
		{"half a line's worth of zeros", "\x00\x00\x00\x00\x00"},
		{"lines of another log", `{"seq":9,"at":"2026-03-01T09:00:01Z","kind":"tap","data":{},"prev":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}` + "\n" + "more\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			l := mustCreate(t, dir)
			mustAppend(t, l, KindAuditStart, AuditStart{Tool: "unasked"})
			whole := mustPut(t, l, "a whole blob")
			torn := mustPut(t, l, "a blob that the disk loses")
			empty := mustPut(t, l, "another")
			mustAppend(t, l, KindExhibit, Exhibit{Blob: torn})
			l.close() // as a crash does
			if f, err := os.OpenFile(filepath.Join(dir, logName), os.O_APPEND|os.O_WRONLY, 0); err != nil {
				t.Fatal(err)
			} else if _, err := f.WriteString(test.tail); err != nil {
				t.Fatal(err)
			} else if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			change(t, filepath.Join(dir, blobsName, string(torn)), func(b []byte) []byte { return b[:6] })
			change(t, filepath.Join(dir, blobsName, string(empty)), func(b []byte) []byte { return nil })
			if err := sealInterrupted(dir, "power failed", clock()); err != nil {
				t.Fatal(err)
			}
			if problems := verify(t, dir); len(problems) != 0 {
				t.Fatal(problems)
			}
			b, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			end := b.Manifest().End
			if want := fmt.Sprintf("the last %d bytes of the log are no whole event", len(test.tail)); !strings.Contains(end.Error, want) || !strings.Contains(end.Error, "power failed") {
				t.Errorf("it ended %+v", end)
			}
			got := exhibits(t, dir)
			if len(got) != 2 || got[0] != test.tail || got[1] != "a blob" {
				t.Errorf("partial exhibits are %q", got)
			}
			if r, err := b.Blob(whole); err != nil {
				t.Error(err)
			} else if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCanariesAreHadFromThePlantings(t *testing.T) {
	dir := t.TempDir()
	l := mustCreate(t, dir)
	mustAppend(t, l, KindAuditStart, AuditStart{Tool: "unasked", Seed: "0102"})
	for _, p := range []Planting{{Kind: "ssaid", Value: "753b11840c754a7b", OK: true}, {Kind: "imei", Value: "001010648496246", Error: "refused"}, {Kind: "ssaid", Value: "753b11840c754a7b", OK: true}} {
		mustAppend(t, l, KindPlanting, p)
	}
	l.close()
	if err := SealInterrupted(dir, "killed"); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(b.Manifest().Identity); got != "{ [{ssaid 753b11840c754a7b} {imei 001010648496246}]}" {
		t.Errorf("the identity is %s", got)
	}
}

func TestAnAuditThatEndedAndWasNotSealed(t *testing.T) {
	dir := t.TempDir()
	l := mustCreate(t, dir)
	mustAppend(t, l, KindAuditStart, AuditStart{Tool: "unasked"})
	mustAppend(t, l, KindAuditEnd, AuditEnd{How: Completed})
	l.close()
	if err := sealInterrupted(dir, "whatever", func() time.Time { return time.Unix(0, 0) }); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m := b.Manifest(); m.End.How != Completed || m.Events != 2 {
		t.Errorf("manifest %+v", m)
	}
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil || !json.Valid(text) {
		t.Errorf("manifest %s, %v", text, err)
	}
}
