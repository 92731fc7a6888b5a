package adb

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestShell(t *testing.T) {
	a := server(t)
	for name, features := range map[string]string{"v2": modern, "v1": "cmd"} {
		t.Run(name, func(t *testing.T) {
			d := attach(t, a, &daemon{features: features})
			ctx := t.Context()
			res, err := d.Shell(ctx, "echo out; echo err >&2; exit 7")
			if err != nil || res.ExitCode != 7 {
				t.Fatalf("%+v, %v", res, err)
			}
			if name == "v2" && (string(res.Stdout) != "out\n" || string(res.Stderr) != "err\n") {
				t.Errorf("%q, %q", res.Stdout, res.Stderr)
			}
			if name == "v1" && string(res.Stdout) != "out\nerr\n" {
				t.Errorf("%q", res.Stdout)
			}
			// A command that prints no new line at the end, and one that reads stdin.
			res, err = d.Shell(ctx, "cat; printf end")
			if err != nil || string(res.Stdout) != "end" || res.ExitCode != 0 {
				t.Errorf("%+v, %v", res, err)
			}
			out, err := d.RunCommand(ctx, "printf", "%s|", "", "a b", `it's "$HOME" \n`, "*", "-x")
			if want := `|a b|it's "$HOME" \n|*|-x|`; out != want || err != nil {
				t.Errorf("%q, %v", out, err)
			}
			_, err = d.RunCommand(ctx, "ls", "/no such folder")
			var exit *ExitError
			if !errors.As(err, &exit) || exit.Code == 0 || !strings.Contains(err.Error(), "no such folder") {
				t.Errorf("%v", err)
			}
			big, err := d.Shell(ctx, "head -c 3000000 /dev/zero | tr '\\0' x")
			if err != nil || len(big.Stdout) != 3_000_000 {
				t.Errorf("%d bytes, %v", len(big.Stdout), err)
			}
			short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
			defer cancel()
			start := time.Now()
			if _, err := d.Shell(short, "exec sleep 3"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
		})
	}
	d := a.Device(AnyDevice())
	if _, err := d.RunCommand(t.Context(), " "); err == nil {
		t.Error("an empty command runs")
	}
	if _, err := d.RunCommand(t.Context(), "echo", "a\x00b"); err == nil {
		t.Error("an argument with NUL runs")
	}
}

func TestExec(t *testing.T) {
	a := server(t)
	d := attach(t, a, &daemon{features: modern})
	r, err := d.Exec(t.Context(), `printf 'a\r\nb\0c'`)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if string(b) != "a\r\nb\x00c" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	r.Close()
}

func TestDeviceGoesAwayInTheMiddle(t *testing.T) {
	a := server(t)
	fake := &daemon{features: modern}
	d := attach(t, a, fake)
	fake.serve = func(f *daemon, service string, s *stream) bool {
		if strings.Contains(service, "pull the cable") {
			s.send("OKAY", nil)
			s.Write([]byte{shellStdout, 4, 0, 0, 0, 'h', 'a', 'l', 'f'})
			f.unplug()
			return true
		}
		return false
	}
	// Meant as the only one: the server, not the client, knows its name.
	_, err := a.Device(AnyDevice()).Shell(t.Context(), "pull the cable")
	if !errors.Is(err, ErrDeviceGone) {
		t.Errorf("shell: %v", err)
	}
	// The server keeps a device on TCP in its list, and tries to reach it again.
	eventually(t, func() bool { _, err := d.Shell(t.Context(), "true"); return errors.Is(err, ErrOffline) })
	if s, err := d.State(t.Context()); s != StateOffline || err != nil {
		t.Errorf("%q, %v", s, err)
	}
}

func TestDeviceGoesAwayDuringAStream(t *testing.T) {
	a := server(t)
	fake := &daemon{features: modern}
	d := attach(t, a, fake)
	fake.serve = func(f *daemon, service string, s *stream) bool {
		if strings.HasPrefix(service, "exec:") {
			s.send("OKAY", nil)
			s.Write(bytes.Repeat([]byte("x"), 1000))
			f.unplug()
			return true
		}
		return false
	}
	r, err := d.Exec(t.Context(), "tar")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if !errors.Is(err, ErrDeviceGone) || !strings.Contains(err.Error(), d.String()) {
		t.Errorf("%d bytes that pass for whole: %v", len(b), err)
	}
}

func TestServiceThatTheDeviceLacks(t *testing.T) {
	a := server(t)
	d := attach(t, a, &daemon{features: modern})
	_, err := d.readAll(t.Context(), "frobnicate:")
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "frobnicate") {
		t.Errorf("%v", err)
	}
}
