package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/internal/adbtest"
)

// TestTwoDevicesAndNoneChosen attaches two devices: an audit must not pick one.
func TestTwoDevicesAndNoneChosen(t *testing.T) {
	vars, stop, err := adbtest.Server(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Log(err)
		}
	})
	for _, pair := range vars {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	attachPhone(t, os.Environ())
	attachPhone(t, os.Environ())

	out := t.TempDir() + "/out"
	var stdout, stderr bytes.Buffer
	code := execute(t.Context(), []string{"audit", "../../emulator/virtual/apps/pantry.apk", "--out", out}, strings.NewReader(""), &stdout, &stderr)
	if said := stderr.String(); code != exitFailed || !strings.Contains(said, "more than one device is attached (127.0.0.1:") || !strings.Contains(said, "choose one with --serial") {
		t.Errorf("exit code %d, %q", code, said)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a bundle was begun")
	}

	stdout.Reset()
	if code := execute(t.Context(), []string{"devices"}, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := strings.Count(stdout.String(), "device"); strings.Count(stdout.String(), "127.0.0.1:") != 2 || n < 2 {
		t.Errorf("devices lists\n%s", stdout.String())
	}
}
