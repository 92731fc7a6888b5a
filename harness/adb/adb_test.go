package adb

import (
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
