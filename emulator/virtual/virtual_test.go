package virtual

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual/apps"
)

// adb runs the real adb program against a server of the test's own.
type adb struct {
	t      *testing.T
	env    []string
	serial string
}

// startADB starts an adb server on a free port; it is killed in the end.
func startADB(t *testing.T) *adb {
	t.Helper()
	if _, err := exec.LookPath("adb"); err != nil {
		t.Skip("adb is not installed: apt-get install adb")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a := &adb{t: t, env: append(os.Environ(), "ANDROID_ADB_SERVER_PORT="+strconv.Itoa(port), "HOME="+t.TempDir())}
	t.Cleanup(func() {
		cmd := exec.Command("adb", "kill-server")
		cmd.Env = a.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Logf("adb kill-server: %v: %s", err, out)
		}
	})
	return a
}

// try runs adb and returns what it printed and its exit code.
func (a *adb) try(args ...string) (stdout, stderr string, code int) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), time.Minute)
	defer cancel()
	if a.serial != "" {
		args = append([]string{"-s", a.serial}, args...)
	}
	cmd := exec.CommandContext(ctx, "adb", args...)
	cmd.Env = a.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if _, ok := err.(*exec.ExitError); !ok {
			a.t.Fatalf("adb %s: %v", strings.Join(args, " "), err)
		}
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// want runs adb, which must succeed.
func (a *adb) want(args ...string) string {
	a.t.Helper()
	out, errs, code := a.try(args...)
	if code != 0 {
		a.t.Fatalf("adb %s: exit code %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// borrow acquires a device and connects adb to it.
func borrow(t *testing.T, o Options) (emulator.Lease, *adb) {
	t.Helper()
	a := startADB(t)
	o.Dir = t.TempDir()
	l, err := New(o).Acquire(t.Context(), emulator.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Release(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("release: %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, "*")); len(left) > 0 {
			t.Errorf("Release left %v", left)
		}
	})
	if out := a.want("connect", l.ConnectTo()); !strings.HasPrefix(out, "connected to") {
		t.Fatalf("adb connect: %s", out)
	}
	a.serial = l.Serial()
	a.want("wait-for-device")
	return l, a
}

func TestTheRealADB(t *testing.T) {
	l, a := borrow(t, Options{Chromium: "/nonexistent/chromium"})
	if got := a.want("shell", "getprop", "ro.build.version.sdk"); got != "34\n" {
		t.Errorf("API level %q", got)
	}
	if got := a.want("shell", "getprop ro.unasked.simulated"); got != "1\n" {
		t.Errorf("ro.unasked.simulated is %q", got)
	}
	apk := filepath.Join(t.TempDir(), "clipshare.apk")
	app := apps.ClipShare()
	if err := os.WriteFile(apk, app.APK, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := a.want("install", apk); !strings.HasSuffix(out, "Success\n") {
		t.Fatalf("adb install: %s", out)
	}
	if got := a.want("shell", "pm list packages -3 -U"); got != "package:"+app.Package+" uid:10100\n" {
		t.Errorf("pm list packages: %q", got)
	}
	if _, errs, code := a.try("shell", "am start -n "+app.Package+"/.MainActivity"); code != 1 || !strings.Contains(strings.ToLower(errs), "chromium") {
		t.Errorf("a launch without a browser: exit code %d, %s", code, errs)
	}
	if _, errs, code := a.try("shell", "nonsense"); code != 127 || !strings.Contains(errs, "not found") {
		t.Errorf("an unknown command: exit code %d, %s", code, errs)
	}
	if got := a.want("root"); got != "restarting adbd as root\n" {
		t.Errorf("adb root: %q", got)
	}
	a.want("wait-for-device")
	if got := a.want("shell", "id -u"); got != "0\n" {
		t.Errorf("after adb root: uid %q", got)
	}
	if got := a.want("root"); got != "adbd is already running as root\n" {
		t.Errorf("adb root again: %q", got)
	}
	ssaid := a.want("shell", "cat /data/system/users/0/settings_ssaid.xml")
	a.want("shell", "settings put global device_name changed")
	if err := l.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.want("shell", "settings get global device_name; pm list packages -3; id -u"); got != "unasked embedded device\n2000\n" {
		t.Errorf("after Reset: %q", got)
	}
	a.want("root")
	a.want("wait-for-device")
	if got := a.want("shell", "cat /data/system/users/0/settings_ssaid.xml"); got != ssaid {
		t.Errorf("Reset changed the device's identifiers:\n%s\nwas\n%s", got, ssaid)
	}
}
