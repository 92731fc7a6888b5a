package adbd_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestTwoClients has two adb servers work on one device at once, each with several streams.
func TestTwoClients(t *testing.T) {
	_, addr := newDevice(t)
	hosts := []*host{connect(t, addr), connect(t, addr)}
	var wg sync.WaitGroup
	for i, h := range hosts {
		data := make([]byte, 2<<20)
		rand.Read(data)
		file := filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for j := range 3 {
			wg.Go(func() {
				want := fmt.Sprintf("%d-%d\n", i, j)
				if got := h.adb("shell", "for n in 1 2 3; do sleep 0.02; done; echo "+strings.TrimSpace(want)); got.out != want {
					t.Errorf("shell %d of client %d: %+v", j, i, got)
				}
			})
		}
		wg.Go(func() {
			there := fmt.Sprintf("/data/local/tmp/data%d", i)
			if got := h.adb("push", file, there); got.code != 0 {
				t.Errorf("push: %+v", got)
			}
			if got := h.adb("exec-out", "cat "+there); !bytes.Equal([]byte(got.out), data) {
				t.Errorf("client %d got %d bytes back, or others: %s", i, len(got.out), got.err)
			}
		})
	}
	wg.Wait()
	// Each has reverses of its own; one that leaves takes only those with it.
	for i, h := range hosts {
		if got := h.adb("reverse", fmt.Sprintf("tcp:%d", 8000+i), "tcp:9"); got.code != 0 {
			t.Errorf("reverse: %+v", got)
		}
	}
	hosts[0].adb("disconnect", addr)
	if got := hosts[1].adb("reverse", "--list"); !strings.Contains(got.out, "tcp:8001 tcp:9") || strings.Contains(got.out, "8000") {
		t.Errorf("the other client's reverses: %+v", got)
	}
}

// TestPrivateFiles reads an app's folder as an audit does: as root, through tar.
func TestPrivateFiles(t *testing.T) {
	d, addr := newDevice(t)
	image := d.tree.Image()
	if err := image.MkdirAll("/data/data/org.example.one/shared_prefs", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := image.WriteFile("/data/data/org.example.one/shared_prefs/token.xml", []byte("<map/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.tree.SetOwner("/data/data/org.example.one", 10100, 10100, 0o700); err != nil {
		t.Fatal(err)
	}
	h := connect(t, addr)
	if got := h.adb("exec-out", "tar -C /data/data/org.example.one -cf - . 2>/dev/null"); got.out != "" {
		t.Errorf("shell reads an app's files: %d bytes", len(got.out))
	}
	h.adb("root")
	archive := h.adb("wait-for-device", "exec-out", "tar -C /data/data/org.example.one -cf - . | gzip -c")
	if !strings.HasPrefix(archive.out, "\x1f\x8b") {
		t.Fatalf("%q", archive.out)
	}
	if got := h.adb("shell", "cd /data/local/tmp; tar -C /data/data/org.example.one -cf - . | tar -t"); got.out != "./\n./shared_prefs/\n./shared_prefs/token.xml\n" {
		t.Errorf("%+v", got)
	}
}
