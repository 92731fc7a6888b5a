package judge

import (
	"bytes"
	"context"
	"errors"
	"go/build"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// broken is evidence whose log or blobs can't be read.
type broken struct {
	evidence.Evidence
	events error
}

func (b broken) Events(ctx context.Context) iter.Seq2[evidence.Event, error] {
	if b.events == nil {
		return b.Evidence.Events(ctx)
	}
	return func(yield func(evidence.Event, error) bool) { yield(evidence.Event{}, b.events) }
}

func (b broken) Blob(evidence.Digest) (io.ReadCloser, error) {
	return nil, errors.New("input/output error")
}

func TestBrokenEvidence(t *testing.T) {
	kb, err := base()
	if err != nil {
		t.Fatal(err)
	}
	ev := innocent(t).seal()
	torn := errors.New("torn")
	if _, err := Judge(context.Background(), broken{ev, torn}, kb); !errors.Is(err, torn) {
		t.Errorf("a log that can't be read: %v", err)
	}
	j, err := Judge(context.Background(), broken{ev, nil}, kb)
	if err != nil || j.verdict(QuestionDraft) != Inconclusive {
		t.Errorf("blobs that can't be read: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Judge(ctx, ev, kb); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Judging must be possible anywhere, years later: no device, no network, no clock.
func TestPurity(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		for _, forbidden := range []string{"/emulator", "/harness/adb", "/harness/device", "/harness/capture", "/harness/audit", "chromedp", "/scenarios", "/reports"} {
			if strings.Contains(dep, "unasked") && strings.Contains(dep, forbidden) || forbidden == "chromedp" && strings.Contains(dep, forbidden) {
				t.Errorf("the judge depends on %s", dep)
			}
		}
	}
	for _, dir := range []string{".", "account", "draft", "recognise", "unwrap"} {
		p, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range p.Imports {
			if slices.Contains([]string{"os", "os/exec", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand"}, imported) {
				t.Errorf("%s imports %s", dir, imported)
			}
		}
		for _, file := range p.GoFiles {
			source, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range []string{"time.Now(", "time.Since(", "time.After("} {
				if bytes.Contains(source, []byte(call)) {
					t.Errorf("%s/%s calls %s", dir, file, call)
				}
			}
		}
	}
}
