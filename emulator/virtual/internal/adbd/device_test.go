package adbd_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/adbd"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/loopback"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// device is a small device: a tree, a shell, a loopback, and stand-ins for two
// of Android's commands.
type device struct {
	tree   *rootfs.FS
	sh     *shell.Shell
	ports  *loopback.Table
	uid    atomic.Int64
	reboot atomic.Int64

	mu        sync.Mutex
	installed []byte
}

func (d *device) Banner() string {
	return adbd.Banner("sdk_gphone64_x86_64", "sdk_gphone64_x86_64", "emu64xa")
}
func (d *device) UID() int        { return int(d.uid.Load()) }
func (d *device) FS() *rootfs.FS  { return d.tree }
func (d *device) Remount() string { return "remount succeeded" }
func (d *device) Shell(ctx context.Context, s shell.Session, script string) int {
	return d.sh.Run(ctx, s, script)
}

func (d *device) Root(on bool) (string, bool) {
	uid, message := int64(2000), "restarting adbd as non root"
	if on {
		uid, message = 0, "restarting adbd as root"
	}
	if d.uid.Swap(uid) == uid {
		if on {
			return "adbd is already running as root", false
		}
		return "adbd not running as root", false
	}
	return message, true
}

func (d *device) Reboot(_ context.Context, target string) error {
	if target == "bootloader" {
		return fmt.Errorf("this device has no bootloader")
	}
	d.reboot.Add(1)
	return nil
}

func (d *device) Dial(ctx context.Context, service string) (net.Conn, error) {
	return d.ports.Dial(ctx, service)
}

func (d *device) Reverse(listen string, dial func(context.Context) (net.Conn, error)) (string, func(), error) {
	return d.ports.Listen(listen, dial)
}

// newDevice serves a device on a port of the host's until the test ends.
func newDevice(t *testing.T) (*device, string) {
	t.Helper()
	tree, err := rootfs.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &device{tree: tree, sh: shell.New(tree), ports: loopback.New()}
	d.uid.Store(2000)
	d.sh.Register("logcat", func(_ context.Context, c *shell.Call) int {
		c.Printf("--------- beginning of main\n%v %q\n", c.Args[1:], c.Env["ANDROID_LOG_TAGS"])
		return 0
	})
	d.sh.Register("cmd", d.install)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- adbd.Serve(ctx, l, d) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Serve still waits for a service")
		}
		tree.Close()
	})
	return d, l.Addr().String()
}

// install is "cmd package install -S SIZE".
func (d *device) install(_ context.Context, c *shell.Call) int {
	if len(c.Args) < 5 || c.Args[1] != "package" || c.Args[2] != "install" {
		return c.Errorf("not this: %q", c.Args)
	}
	n, err := strconv.ParseInt(c.Args[len(c.Args)-1], 10, 64)
	if err != nil {
		return c.Errorf("%v", err)
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, c.Stdin, n); err != nil {
		return c.Errorf("%v", err)
	}
	d.mu.Lock()
	d.installed = b.Bytes()
	d.mu.Unlock()
	c.Printf("Success\n")
	return 0
}

// host is an adb server of the test's own.
type host struct {
	t      *testing.T
	port   string
	serial string
}

// connect starts an adb server and connects it to a device.
func connect(t *testing.T, addr string) *host {
	t.Helper()
	if _, err := exec.LookPath("adb"); err != nil {
		t.Skip("there is no adb on PATH: install the package adb")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	h := &host{t: t, port: port, serial: addr}
	t.Cleanup(func() { h.command(context.Background(), "kill-server").Run() })
	if out := h.adb("connect", addr).out; !strings.Contains(out, "connected to "+addr) {
		t.Fatalf("adb connect: %s", out)
	}
	return h
}

func (h *host) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "adb", args...)
	home := h.t.TempDir()
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home, "TMPDIR=" + home, "ANDROID_ADB_SERVER_PORT=" + h.port, "ANDROID_SERIAL=" + h.serial}
	return cmd
}

// answer is what a run of adb left.
type answer struct {
	out, err string
	code     int
}

func (h *host) adb(args ...string) answer { return h.adbWith("", args...) }

func (h *host) adbWith(stdin string, args ...string) answer {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	cmd := h.command(ctx, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		h.t.Fatalf("adb %q did not end: %s%s", args, out.String(), errOut.String())
	}
	var exit *exec.ExitError
	if err != nil && !asExit(err, &exit) {
		h.t.Fatalf("adb %q: %v", args, err)
	}
	return answer{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

func asExit(err error, target **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*target = e
	return ok
}
