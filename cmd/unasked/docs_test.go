package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual"
	"github.com/unasked-audit/unasked/internal/adbtest"
)

// TestDocs runs the commands of the README and of every page in docs, in a fresh
// clone, in the order in which they stand: the lines of sh blocks, and those of
// console blocks that begin with "$ ". A phone is attached for them (the embedded
// device plays it), app.apk is the innocent calibration app, and audits/today is
// what the first page makes.
func TestDocs(t *testing.T) {
	t.Parallel() // most of it is an audit's own waiting
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	clone := filepath.Join(t.TempDir(), "unasked")
	run(t, repository, nil, 0, "git", "clone", "--quiet", "--no-hardlinks", repository, clone)
	copyFile(t, filepath.Join(clone, "emulator/virtual/apps/pantry.apk"), filepath.Join(clone, "app.apk"))

	// Go's caches stay; what else a person's home holds is not there.
	home := t.TempDir()
	vars, stop, err := adbtest.Server(home)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Log(err)
		}
	})
	env := append(os.Environ(), vars...)
	env = append(env, "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "GOCACHE="+goEnv(t, "GOCACHE"), "NO_COLOR=1")
	attachPhone(t, env)

	pages := []string{"docs/first-audit.md", "README.md"}
	more, err := filepath.Glob(filepath.Join(clone, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range more {
		if page, _ = filepath.Rel(clone, page); !slices.Contains(pages, page) {
			pages = append(pages, page)
		}
	}
	ran := map[string]bool{}
	for _, page := range pages {
		text, err := os.ReadFile(filepath.Join(clone, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range commands(string(text)) {
			if command == "make test" || ran[command] {
				continue // the one is what runs this, the other was shown to work
			}
			ran[command] = true
			t.Log(page + ": " + command)
			// A verdict is no failure of the command; a failed audit and wrong usage are.
			run(t, clone, env, exitInconclusive, "sh", "-c", onPath(command))
		}
	}
	for _, must := range []string{"make demo", "make build"} {
		if !ran[must] {
			t.Errorf("no page tells to run %q", must)
		}
	}
}

var block = regexp.MustCompile("(?ms)^```(sh|console)\n(.*?)^```$")

// commands lists the commands of a page.
func commands(page string) []string {
	var out []string
	for _, b := range block.FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(b[2]) {
			line, prompted := strings.CutPrefix(strings.TrimSpace(line), "$ ")
			if b[1] == "console" && !prompted {
				continue // output
			}
			line, _, _ = strings.Cut(line, " #")
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	return out
}

// onPath makes `unasked` mean the program that was built.
func onPath(command string) string {
	return `PATH="$PWD/bin:$PATH"; ` + command
}

// attachPhone attaches the embedded device as if somebody had plugged a phone in.
func attachPhone(t *testing.T, env []string) {
	t.Helper()
	lease, err := virtual.New(virtual.Options{}).Acquire(t.Context(), emulator.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lease.Release(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	run(t, ".", env, 0, "adb", "connect", lease.ConnectTo())
}

// run runs a program that must not exit with a code above most.
func run(t *testing.T, dir string, env []string, most int, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() > 0 && ended.ExitCode() <= most {
		return
	}
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out.String())
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
