package groundtruth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
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
	world, err := New(context.WithoutCancel(t.Context()), kb)
	if err != nil {
		t.Fatal(err)
	}
	var (
		matrix  Matrix
		mu      sync.Mutex
		getting sync.WaitGroup
	)
	// The SDKs come while those are played that need none.
	getting.Go(func() { _ = world.Prepare() }) // the first page says what is wrong
	t.Cleanup(func() {
		getting.Wait()
		if err := world.Close(); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
	services := Services()
	slices.SortStableFunc(services, func(a, b Service) int { return strings.Compare(a.Page, b.Page) })
	t.Run("play", func(t *testing.T) {
		for _, s := range services {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				r, err := world.Play(t.Context(), s, filepath.Join(t.TempDir(), "bundle"))
				if errors.Is(err, ErrNoPages) {
					t.Skip("NOT TESTED: " + err.Error())
				}
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
				if r.Hangs != s.Hangs {
					t.Errorf("the account hangs on %q, and was found to hang on %q", s.Hangs, r.Hangs)
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

// There is a service for every signature: the knowledge claims nothing that is not tried.
func TestEverySignatureHasAService(t *testing.T) {
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	tried, names := map[string]Label{}, map[string]bool{}
	for _, s := range Services() {
		if names[s.Name] || s.About == "" || (s.App == nil) == (s.Page == "") {
			t.Errorf("%s stands twice, says nothing of itself, or has not one app", s.Name)
		}
		names[s.Name] = true
		if s.Signature != "" {
			tried[s.Signature] = s.Label
		}
	}
	for _, s := range kb.Signatures {
		if string(tried[s.ID]) != s.Kind {
			t.Errorf("signature %s (%s) has a service that is labelled %q", s.ID, s.Kind, tried[s.ID])
		}
	}
	if len(names) < 40 {
		t.Errorf("%d services; at least 40 are wanted", len(names))
	}
}

// The matrix counts, and knows which mistakes are grave.
func TestMatrixCounts(t *testing.T) {
	var m Matrix
	for _, c := range [][2]Label{{Account, Account}, {Installation, Account}, {Account, Session}, {Session, Nothing}, {Nothing, Nothing}} {
		m.Add(Result{Service: Service{Name: string(c[0]) + "-" + string(c[1]), Label: c[0]}, Found: c[1]})
	}
	var grave []string
	for _, r := range m.Grave() {
		grave = append(grave, r.Service.Name)
	}
	if got := strings.Join(grave, " "); got != "account-session installation-account" || len(m.Wrong()) != 3 || m.Count(Account, Account) != 1 {
		t.Errorf("grave: %s; wrong: %d", got, len(m.Wrong()))
	}
}
