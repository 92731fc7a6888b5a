package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/unasked-audit/unasked/internal/adbtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"unasked": main})
}

// TestScripts runs the terminal sessions in testdata, each in a folder of its own
// and with an adb server of its own.
func TestScripts(t *testing.T) {
	t.Parallel() // most of it is an audit's own waiting
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			vars, stop, err := adbtest.Server(filepath.Join(env.WorkDir, ".home"))
			if err != nil {
				return err
			}
			env.Vars = append(env.Vars, vars...)
			repository, err := os.Getwd()
			if err != nil {
				return err
			}
			env.Setenv("REPO", repository+"/../..")
			env.Setenv("UNASKED_CHROMIUM", os.Getenv("UNASKED_CHROMIUM"))
			env.Defer(func() {
				if err := stop(); err != nil {
					t.Log(err)
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "await": await, "cmpjson": cmpjson},
	})
}

// exits runs a command that must end with an exit code: exits CODE COMMAND [ARGUMENT ...].
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("run %v: %v", args[1:], err)
	}
	if got != want {
		ts.Fatalf("%v exited with %d, want %d", args[1:], got, want)
	}
}

// await waits until a file matches a pattern: await FILE PATTERN.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE PATTERN")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	file := ts.MkAbs(args[0])
	deadline := time.Now().Add(2 * time.Minute)
	for {
		if text, err := os.ReadFile(file); err == nil && pattern.Match(text) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not match %s after two minutes", args[0], args[1])
		}
		time.Sleep(50 * time.Millisecond)
	}
}
