package adb

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRootAndUnroot(t *testing.T) {
	a := server(t)
	fake := &daemon{features: modern}
	d := attach(t, a, fake)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, as := range []string{"0", "2000"} {
		change := d.Root
		if as != "0" {
			change = d.Unroot
		}
		if err := change(ctx); err != nil {
			t.Fatal(err)
		}
		if out, err := d.RunCommand(ctx, "id", "-u"); strings.TrimSpace(out) != as || err != nil {
			t.Errorf("%q, %v", out, err)
		}
	}
	fake.serve = func(f *daemon, service string, s *stream) bool {
		if service != "root:" {
			return false
		}
		s.send("OKAY", nil)
		io.WriteString(s, "adbd cannot run as root in production builds\n")
		return true
	}
	if err := d.Root(ctx); !errors.Is(err, ErrNotRootable) {
		t.Errorf("%v", err)
	}
}

func TestForwardAndReverse(t *testing.T) {
	a := server(t)
	d := attach(t, a, &daemon{features: modern})
	ctx := t.Context()
	port, err := d.Forward(ctx, "tcp:0", "localabstract:socket")
	if err != nil || port == "" || port == "0" {
		t.Fatalf("%q, %v", port, err)
	}
	list, err := d.ListForwards(ctx)
	if err != nil || len(list) != 1 || list[0].Local != "tcp:"+port || list[0].Remote != "localabstract:socket" {
		t.Errorf("%v, %v", list, err)
	}
	if err := d.RemoveForward(ctx, "tcp:"+port); err != nil {
		t.Error(err)
	}
	if err := d.RemoveForward(ctx, "tcp:"+port); err == nil {
		t.Error("a forward that isn't there was removed")
	}
	for _, ask := range []string{"tcp:0", "tcp:8080"} {
		want := map[string]string{"tcp:0": "40001", "tcp:8080": "8080"}[ask]
		if port, err = d.Reverse(ctx, ask, "tcp:9090"); port != want || err != nil {
			t.Errorf("reverse %s: %q, %v", ask, port, err)
		}
	}
	list, err = d.ListReverses(ctx)
	if err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	if err := d.RemoveReverse(ctx, "tcp:8080"); err != nil {
		t.Error(err)
	}
	if err := d.RemoveReverse(ctx, "tcp:8080"); err == nil {
		t.Error("a reverse that isn't there was removed")
	}
	if _, err := d.Reverse(ctx, "tcp:1", "tcp:2"); err == nil || !strings.Contains(err.Error(), "Permission denied") {
		t.Errorf("%v", err)
	}
}

func TestFeaturesAndWaitFor(t *testing.T) {
	a := server(t)
	fake := &daemon{features: modern}
	d := attach(t, a, fake)
	f, err := d.Features(t.Context())
	if err != nil || !slices.Contains(f, "shell_v2") {
		t.Errorf("%v, %v", f, err)
	}
	if err := d.WaitFor(t.Context(), StateOnline); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := a.Device(DeviceWithSerial("nobody")).WaitFor(ctx, StateOnline); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestWatcher(t *testing.T) {
	a := server(t)
	w, err := a.NewDeviceWatcher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fake := &daemon{features: modern}
	d := attach(t, a, fake)
	next := func(is func(DeviceStateChangedEvent) bool) {
		t.Helper()
		for {
			select {
			case e, ok := <-w.C():
				if !ok {
					t.Fatal(w.Err())
				}
				if e.Serial == d.String() && is(e) {
					return
				}
			case <-time.After(10 * time.Second):
				t.Fatal("no event")
			}
		}
	}
	next(DeviceStateChangedEvent.CameOnline)
	fake.unplug()
	next(DeviceStateChangedEvent.WentOffline)
	w.Shutdown()
	if _, open := <-w.C(); open || w.Err() != nil {
		t.Errorf("after the end: %v", w.Err())
	}

	if w, err = a.NewDeviceWatcher(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.KillServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range w.C() {
	}
	if w.Err() == nil {
		t.Error("the server ended and the watcher says nothing")
	}
}
