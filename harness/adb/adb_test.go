package adb

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// server gives a test an adb server of its own, the real one, on a free port.
func server(t *testing.T) *Adb {
	t.Helper()
	if _, err := exec.LookPath("adb"); err != nil {
		t.Fatal("these tests talk to the real adb server: apt-get install adb")
	}
	// The server must not find other emulators of this machine.
	t.Setenv("ADB_LOCAL_TRANSPORT_MAX_PORT", "5000")
	t.Setenv("ANDROID_SERIAL", "")
	a, err := NewWithConfig(t.Context(), ServerConfig{Port: freePort(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.KillServer(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// attach connects a daemon to the server and returns the device.
func attach(t *testing.T, a *Adb, d *daemon) *Device {
	t.Helper()
	address := startDaemon(t, d)
	if err := a.Connect(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	return a.Device(DeviceWithSerial(address))
}

func TestServer(t *testing.T) {
	a := server(t)
	v, err := a.ServerVersion(t.Context())
	if err != nil || v < 39 {
		t.Errorf("version %d, %v", v, err)
	}
	if err := a.StartServer(t.Context()); err != nil {
		t.Errorf("starting a server that runs: %v", err)
	}
	if err := a.KillServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.KillServer(t.Context()); err != nil {
		t.Errorf("killing a server that doesn't run: %v", err)
	}
	// The next question starts it again.
	if _, err := a.ListDevices(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestServerFromTheEnvironment(t *testing.T) {
	t.Setenv("ANDROID_ADB_SERVER_ADDRESS", "10.1.2.3")
	t.Setenv("ANDROID_ADB_SERVER_PORT", "6001")
	t.Setenv("ANDROID_SERIAL", "phone-1")
	c, err := ServerConfig{}.completed()
	if err != nil || c.address() != "10.1.2.3:6001" || c.Serial != "phone-1" {
		t.Errorf("%+v, %v", c, err)
	}
	if got := (&Adb{config: c}).Device(AnyDevice()).String(); got != "phone-1" {
		t.Errorf("AnyDevice is %s", got)
	}
	c, err = ServerConfig{Host: "::1", Port: 7}.completed()
	if err != nil || c.address() != "[::1]:7" || !c.local() {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("ANDROID_ADB_SERVER_PORT", "http")
	if _, err := New(t.Context()); err == nil || !strings.Contains(err.Error(), "ANDROID_ADB_SERVER_PORT") {
		t.Errorf("%v", err)
	}
}

func TestNoAdb(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("ANDROID_HOME", "")
	t.Setenv("ANDROID_SDK_ROOT", "")
	_, err := NewWithConfig(t.Context(), ServerConfig{Port: freePort(t)})
	if !errors.Is(err, ErrAdbMissing) {
		t.Errorf("%v", err)
	}
	_, err = NewWithConfig(t.Context(), ServerConfig{Port: freePort(t), PathToAdb: "/nowhere/adb"})
	if !errors.Is(err, ErrAdbMissing) {
		t.Errorf("%v", err)
	}
}

func TestSomethingElseListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		io.Copy(io.Discard, c)
		c.Close()
	}()
	_, err = NewWithConfig(t.Context(), ServerConfig{Port: l.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "is something else listening there?") {
		t.Errorf("%v", err)
	}
	<-done
}

func TestServerThatNeverAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = NewWithConfig(ctx, ServerConfig{Port: l.Addr().(*net.TCPAddr).Port})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestNoneOneAndTwoDevices(t *testing.T) {
	a := server(t)
	any := a.Device(AnyDevice())
	if _, err := any.Shell(t.Context(), "true"); !errors.Is(err, ErrNoDevice) {
		t.Errorf("none: %v", err)
	}
	if s, err := any.State(t.Context()); s != StateDisconnected || err != nil {
		t.Errorf("none: %q, %v", s, err)
	}
	first := attach(t, a, &daemon{features: modern})
	if out, err := any.RunCommand(t.Context(), "echo", "it's one"); out != "it's one\n" || err != nil {
		t.Errorf("one: %q, %v", out, err)
	}
	if s, err := any.Serial(t.Context()); s != first.String() || err != nil {
		t.Errorf("one: serial %q, %v", s, err)
	}
	if s, err := a.Device(AnyLocalDevice()).State(t.Context()); s != StateOnline || err != nil {
		t.Errorf("one: state %q, %v", s, err)
	}
	if _, err := a.Device(AnyUsbDevice()).Shell(t.Context(), "true"); !errors.Is(err, ErrNoDevice) {
		t.Errorf("on USB: %v", err)
	}
	attach(t, a, &daemon{features: modern})
	_, err := any.Shell(t.Context(), "true")
	if !errors.Is(err, ErrManyDevices) {
		t.Errorf("two: %v", err)
	}
	list, err := a.ListDevices(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	i := slices.IndexFunc(list, func(d *DeviceInfo) bool { return d.Serial == first.String() })
	if i < 0 || list[i].Model != "Fake_Phone" || list[i].State != StateOnline || list[i].TransportID == "" || list[i].IsUsb() {
		t.Errorf("%+v", list[0])
	}
	_, err = a.Device(DeviceWithSerial("nobody")).Shell(t.Context(), "true")
	if !errors.Is(err, ErrNoDevice) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("named: %v", err)
	}
	if err := a.Disconnect(t.Context(), first.String()); err != nil {
		t.Error(err)
	}
	if err := a.Disconnect(t.Context(), first.String()); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if err := a.Connect(t.Context(), net.JoinHostPort("127.0.0.1", "9")); err == nil || !strings.Contains(err.Error(), "127.0.0.1:9") {
		t.Errorf("connect to nothing: %v", err)
	}
}

func TestUnauthorized(t *testing.T) {
	a := server(t)
	address := startDaemon(t, &daemon{features: modern, auth: true})
	if err := a.Connect(t.Context(), address); !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), address) {
		t.Errorf("connect: %v", err)
	}
	d := a.Device(DeviceWithSerial(address))
	eventually(t, func() bool { _, err := d.Shell(t.Context(), "true"); return errors.Is(err, ErrUnauthorized) })
	if s, err := d.State(t.Context()); s != StateUnauthorized || err != nil {
		t.Errorf("%q, %v", s, err)
	}
}

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came about")
		}
	}
}

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
