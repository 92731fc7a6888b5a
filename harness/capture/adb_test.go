package capture

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual"
	"github.com/unasked-audit/unasked/harness/adb"
)

// The device reaches the proxy through the real adb: a port of its own leads here, as in
// an audit. What connects to that port comes by adb too.
func TestThroughADB(t *testing.T) {
	if _, err := exec.LookPath("adb"); err != nil {
		t.Skip("adb is not installed")
	}
	t.Setenv("ADB_LOCAL_TRANSPORT_MAX_PORT", "5000") // the server must not find other emulators
	t.Setenv("ANDROID_SERIAL", "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	client, err := adb.NewWithConfig(t.Context(), adb.ServerConfig{Port: port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.KillServer(context.Background()) })
	lease, err := virtual.New(virtual.Options{Dir: t.TempDir()}).Acquire(t.Context(), emulator.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lease.Release(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := client.Connect(t.Context(), lease.ConnectTo()); err != nil {
		t.Fatal(err)
	}
	device := client.Device(adb.DeviceWithSerial(lease.Serial()))

	r := newRig(t)
	r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		_, _ = w.Write(body)
	}))
	_, here, _ := net.SplitHostPort(r.proxy.Addr())
	if _, err := device.Reverse(t.Context(), adb.ForwardSpec("tcp:"+here), adb.ForwardSpec("tcp:"+here)); err != nil {
		t.Fatal(err)
	}
	entrance, err := device.Forward(t.Context(), "tcp:0", adb.ForwardSpec("tcp:"+here))
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"--http1.1", "--http2"} {
		body := strings.Repeat("video ", 100_000)
		out, errs, err := program(t, strings.NewReader(body), "curl", "-sS", version, "-x", "http://127.0.0.1:"+entrance, "--cacert", r.caFile(), "--data-binary", "@-", "https://api.example/upload")
		if err != nil || out != body {
			t.Errorf("curl %s: %d bytes, %v %s", version, len(out), err, errs)
		}
	}
	rec := r.sealed()
	if len(rec.flows) != 2 || len(rec.connections) != 0 {
		t.Fatalf("%d flows; connections %+v", len(rec.flows), rec.connections)
	}
	for _, f := range rec.flows {
		if f.Request.Body.Size != 600_000 || f.Response.Body.Size != 600_000 || f.Request.Body.Blob != f.Response.Body.Blob {
			t.Errorf("flow %+v, %+v", f.Request, f.Response)
		}
	}
}
