package scenarios_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/scenarios"
)

// bundleEnv names a bundle to ask, so that an audit can be asked by go test:
//
//	UNASKED_BUNDLE=$PWD/audits/today go test -count=1 ./scenarios -run TestScenarios
//
// A violated question then fails the test. Without it a judgement in which nothing was seen is asked.
const bundleEnv = "UNASKED_BUNDLE"

func TestScenarios(t *testing.T) {
	j := quiet()
	if dir := os.Getenv(bundleEnv); dir != "" {
		var err error
		if j, err = judged(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := scenarios.Run(t.Context(), j, scenarios.Options{Output: os.Stdout, T: t}); err != nil {
		t.Fatal(err)
	}
}

// judged judges a bundle. A relative folder is looked for from here and from the module's root,
// since go test changes into the package's folder.
func judged(ctx context.Context, dir string) (*judge.Judgement, error) {
	bundle, err := evidence.Open(dir)
	if !filepath.IsAbs(dir) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, evidence.ErrNotBundle)) {
		bundle, err = evidence.Open(filepath.Join("..", dir))
	}
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", bundleEnv, dir, err)
	}
	kb, err := knowledge.Embedded()
	if err != nil {
		return nil, err
	}
	return judge.Judge(ctx, bundle, kb)
}

// The whole way from a bundle to a verdict of go test, in a process of its own.
func TestABundleIsAsked(t *testing.T) {
	log, err := evidence.Create(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Seal(evidence.Manifest{End: evidence.AuditEnd{How: evidence.Completed}}); err != nil {
		t.Fatal(err)
	}
	out, err := rerun(t, "TestScenarios$", bundleEnv+"="+log.Dir())
	if err != nil {
		t.Errorf("an audit in which nothing happened violates something: %v\n%s", err, out)
	}
	out, err = rerun(t, "TestScenarios$", bundleEnv+"="+filepath.Join(t.TempDir(), "nowhere"))
	if err == nil {
		t.Errorf("a bundle that is not there is asked:\n%s", out)
	}
}
