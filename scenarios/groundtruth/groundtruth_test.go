package groundtruth

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// The judge finds of every service what it is, and no account where there is none. What
// comes out is the matrix that make groundtruth prints.
func TestMatrix(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	world, pages := open(t, kb)
	var (
		matrix Matrix
		mu     sync.Mutex
	)
	t.Run("play", func(t *testing.T) {
		for _, s := range Services() {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				if s.Page != "" && !pages {
					t.Skip("NOT TESTED: its page needs Chromium and npm")
				}
				r, err := world.Play(t.Context(), s, filepath.Join(t.TempDir(), "bundle"))
				if err != nil {
					t.Fatal(err)
				}
				mu.Lock()
				defer mu.Unlock()
				matrix.Add(r)
				if r.Found != s.Label {
					t.Errorf("is %s (%s), and was found to be %s", s.Label, s.About, r.Found)
				} else if r.Signature != s.Signature {
					t.Errorf("was known by %q, want %q", r.Signature, s.Signature)
				}
			})
		}
	})
	var text strings.Builder
	if err := matrix.Write(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("what each service is, and what it was found to be:\n%s", text.String())
	for _, r := range matrix.Grave() {
		t.Errorf("%s is %s, and was found to be %s", r.Service.Name, r.Service.Label, r.Found)
	}
}

// open makes a world, with a browser where there is one.
func open(t *testing.T, kb *knowledge.Base) (w *World, pages bool) {
	t.Helper()
	chromium, modules := "", ""
	for _, name := range []string{os.Getenv("UNASKED_CHROMIUM"), "chromium-headless-shell", "chromium", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && name != "" {
			chromium = found
			break
		}
	}
	if _, err := exec.LookPath("npm"); err != nil {
		chromium = ""
	}
	if chromium != "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		if modules, err = Modules(t.Context(), cache); err != nil {
			t.Fatal(err)
		}
	}
	w, err := New(context.WithoutCancel(t.Context()), kb, chromium, modules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
	return w, chromium != ""
}
