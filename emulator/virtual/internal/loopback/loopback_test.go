package loopback

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// saying is a dialer of a service that says something and hangs up.
func saying(text string) DialFunc {
	return func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			io.WriteString(far, text)
			far.Close()
		}()
		return near, nil
	}
}

func hear(t *testing.T, conn net.Conn, err error) string {
	t.Helper()
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	b, err := io.ReadAll(conn)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestTable(t *testing.T) {
	table := New()
	remove, err := table.Bind("localabstract:name", "", saying("abstract"))
	if err != nil {
		t.Fatal(err)
	}
	actual, stop, err := table.Listen("tcp:8080", saying("reversed"))
	if err != nil || actual != "tcp:8080" {
		t.Fatal(actual, err)
	}
	if _, _, err := table.Listen("tcp:8080", saying("twice")); !errors.Is(err, ErrInUse) {
		t.Errorf("the port is taken twice: %v", err)
	}
	free, stopFree, err := table.Listen("tcp:0", saying("any"))
	if err != nil || free == "tcp:0" {
		t.Errorf("port 0 became %s, %v", free, err)
	}
	defer stopFree()
	host, ok := table.Lookup(8080)
	if !ok {
		t.Fatal("8080 is not found")
	}
	dial := func(service string) string {
		conn, err := table.Dial(t.Context(), service)
		return hear(t, conn, err)
	}
	conn, err := net.Dial("tcp", host)
	if got := hear(t, conn, err); got != "reversed" {
		t.Errorf("through the host: %q", got)
	}
	for service, want := range map[string]string{
		"tcp:8080": "reversed", "tcp:8080:localhost": "reversed", free: "any", "localabstract:name": "abstract", "tcp:08080": "reversed",
		"tcp:1": "connect to tcp:1: connection refused", "tcp:80:example.org": "connect to tcp:80:example.org: the device reaches only its own loopback",
		"tcp:70000": `"70000" is no port: a number from 0 to 65535 is`, "localabstract:": `"" is no name of a socket`,
		"localfilesystem:/x": `"localfilesystem:/x" is no socket of this device: it has tcp:PORT and localabstract:NAME`,
	} {
		if got := dial(service); got != want {
			t.Errorf("%s: %q, want %q", service, got, want)
		}
	}
	stop()
	stop()
	remove()
	if _, ok := table.Lookup(8080); ok {
		t.Error("8080 is found after its end")
	}
	if conn, err := net.Dial("tcp", host); err == nil {
		conn.Close()
		t.Error("the host still listens")
	}
	if got := dial("localabstract:name"); got != "connect to localabstract:name: connection refused" {
		t.Errorf("after its end: %q", got)
	}
}

// TestStopEndsConnections checks that nothing is left after stop, even where
// both sides are silent.
func TestStopEndsConnections(t *testing.T) {
	table := New()
	far := make(chan net.Conn, 1)
	_, stop, err := table.Listen("tcp:9", func(context.Context) (net.Conn, error) {
		a, b := net.Pipe()
		far <- b
		return a, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := table.Dial(t.Context(), "tcp:9")
	if err != nil {
		t.Fatal(err)
	}
	b := <-far
	_ = conn
	host, _ := table.Lookup(9)
	viaHost, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer viaHost.Close()
	c := <-far
	done := make(chan struct{})
	go func() { stop(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("stop waits for a silent connection")
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the far end still lives")
	}
	b.Close()
	conn.Close()
}
