package audit_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual"
	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/protocol"
	"github.com/unasked-audit/unasked/internal/adbtest"
)

// client is an adb client with a server that only these tests use.
var client = sync.OnceValues(func() (*adb.Adb, error) { return adb.New(context.Background()) })

func TestMain(m *testing.M) { os.Exit(withServer(m)) }

func withServer(m *testing.M) int {
	dir, err := os.MkdirTemp("", "unasked-audit-test")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	env, stop, err := adbtest.Server(dir)
	if err != nil {
		panic(err)
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		os.Setenv(name, value)
	}
	defer stop()
	return m.Run()
}

// rig is all that one audit needs: a device of the program's own with an
// internet, and what the services there really received.
type rig struct {
	internet *internet.Internet
	ledger   *apps.Ledger
	kb       *knowledge.Base
	options  audit.Options
}

func newRig(t *testing.T, app apps.App) *rig {
	t.Helper()
	in, err := internet.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	ledger, err := app.Serve(in)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, app.Package+".apk")
	if err := os.WriteFile(file, app.APK, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &rig{internet: in, ledger: ledger, kb: knowledgeBase(t)}
	r.options = audit.Options{
		Files: []string{file}, Protocol: load(t, "quick"), Out: filepath.Join(dir, "bundle"),
		Provider: virtual.New(virtual.Options{Internet: in}), Adb: server(t), Knowledge: r.kb,
		Seed: []byte("a seed for " + app.Package), Tool: "test",
	}
	return r
}

func server(t *testing.T) *adb.Adb {
	t.Helper()
	c, err := client()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func knowledgeBase(t *testing.T) *knowledge.Base {
	t.Helper()
	kb, err := knowledge.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return kb
}

func load(t *testing.T, name string) *protocol.Protocol {
	t.Helper()
	p, err := protocol.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// judged opens and judges the bundle that an audit left.
func (r *rig) judged(t *testing.T) (*evidence.Bundle, *judge.Judgement) {
	t.Helper()
	b, err := evidence.Open(r.options.Out)
	if err != nil {
		t.Fatal(err)
	}
	j, err := judge.Judge(t.Context(), b, r.kb)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := evidence.Verify(t.Context(), r.options.Out)
	if err != nil || len(problems) > 0 {
		t.Errorf("the bundle is not whole: %v %v", problems, err)
	}
	return b, j
}

// kept lends a device that outlives the audit and is connected already, so that a
// test can look at what is left on it.
type kept struct{ emulator.Lease }

func (k kept) ConnectTo() string                                              { return "" }
func (k kept) Acquire(context.Context, emulator.Spec) (emulator.Lease, error) { return k, nil }
func (k kept) Release(context.Context) error                                  { return nil }
