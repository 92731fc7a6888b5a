package device

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"image/png"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual"
	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/screen"
)

// embedded boots an embedded device and connects the real adb server to it.
func embedded(t *testing.T, api int) *Device {
	t.Helper()
	t.Setenv("ADB_LOCAL_TRANSPORT_MAX_PORT", "5000") // the server must not find other emulators
	t.Setenv("ANDROID_SERIAL", "")
	ctx := t.Context()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	client, err := adb.NewWithConfig(ctx, adb.ServerConfig{Port: port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.KillServer(context.Background()) })
	lease, err := virtual.New(virtual.Options{Dir: t.TempDir()}).Acquire(ctx, emulator.Spec{API: api})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lease.Release(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := client.Connect(ctx, lease.ConnectTo()); err != nil {
		t.Fatal(err)
	}
	d := New(client.Device(adb.DeviceWithSerial(lease.Serial())))
	if err := d.WaitBooted(ctx); err != nil {
		t.Fatal(err)
	}
	return d
}

// apk writes a calibration app's APK to a file.
func apk(t *testing.T, a apps.App) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), a.Package+".apk")
	if err := os.WriteFile(name, a.APK, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestInfoAndRoot(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	info, err := d.Info(ctx)
	if err != nil || info.API != 34 || info.Release != "14" || !info.Simulated || info.Rooted || info.Fingerprint == "" || info.Serial != d.String() {
		t.Errorf("%+v, %v", info, err)
	}
	if _, ok := info.Properties["ro.serialno"]; ok || info.Properties["ro.build.version.sdk"] != "34" {
		t.Errorf("%v", info.Properties)
	}
	if _, err := d.TrustCA(ctx, []byte("x"), "01234567"); !errors.Is(err, ErrNotRooted) {
		t.Errorf("without root: %v", err)
	}
	if err := d.Root(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Root(ctx); err != nil || !d.Rooted() {
		t.Errorf("a second time: %v", err)
	}
	if info, err := d.Info(ctx); err != nil || !info.Rooted {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestProxyIsSetAndTakenBack(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	get := func() string {
		v, err := d.setting(ctx, "global", "http_proxy")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, p := range []string{"127.0.0.1:8080", "127.0.0.1:8081"} {
		if err := d.SetProxy(ctx, p); err != nil || get() != p {
			t.Fatalf("%s, %v", get(), err)
		}
	}
	if err := d.ClearProxy(ctx); err != nil || get() != noProxy {
		t.Errorf("%s, %v", get(), err)
	}
	// One that the owner had set comes back.
	if err := d.putSetting(ctx, "global", "http_proxy", "10.0.0.9:3128"); err != nil {
		t.Fatal(err)
	}
	if err := d.SetProxy(ctx, "127.0.0.1:8080"); err != nil {
		t.Fatal(err)
	}
	if err := d.ClearProxy(ctx); err != nil || get() != "10.0.0.9:3128" {
		t.Errorf("%s, %v", get(), err)
	}
	// One that leads nowhere, as a killed audit leaves it, does not; one that adb carries does.
	for carried, want := range map[bool]string{false: noProxy, true: "127.0.0.1:8099"} {
		if carried {
			if _, err := d.adb.Reverse(ctx, "tcp:8099", "tcp:8099"); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.putSetting(ctx, "global", "http_proxy", "127.0.0.1:8099"); err != nil {
			t.Fatal(err)
		}
		if err := d.SetProxy(ctx, "127.0.0.1:8080"); err != nil {
			t.Fatal(err)
		}
		if err := d.ClearProxy(ctx); err != nil || get() != want {
			t.Errorf("carried %v: %s, %v", carried, get(), err)
		}
		if carried {
			if err := d.adb.RemoveReverse(ctx, "tcp:8099"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAppVerbs(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	app := apps.ClipShare()
	if _, err := d.UID(ctx, app.Package); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("%v", err)
	}
	if err := d.Launch(ctx, app.Package); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("%v", err)
	}
	if err := d.Uninstall(ctx, app.Package); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("%v", err)
	}
	file := apk(t, app)
	if err := d.Install(ctx, []string{file}); err != nil {
		t.Fatal(err)
	}
	uid, err := d.UID(ctx, app.Package)
	if err != nil || uid < 10000 {
		t.Errorf("uid %d, %v", uid, err)
	}
	broken := filepath.Join(t.TempDir(), "broken.apk")
	if err := os.WriteFile(broken, app.APK[:len(app.APK)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	var refused *adb.InstallError
	if err := d.Install(ctx, []string{broken}); !errors.As(err, &refused) || refused.Code == "" {
		t.Errorf("half an APK: %v", err)
	}
	if err := d.Install(ctx, []string{"/nowhere.apk"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if running, err := d.Running(ctx, app.Package); running || err != nil {
		t.Errorf("%t, %v", running, err)
	}
	if err := d.Grant(ctx, app.Package, "android.permission.CAMERA"); err != nil {
		t.Error(err)
	}
	if err := d.Revoke(ctx, app.Package, "android.permission.CAMERA"); err != nil {
		t.Error(err)
	}
	if err := d.Grant(ctx, app.Package, "android.permission.INTERNET"); !errors.Is(err, ErrNotGrantable) {
		t.Errorf("%v", err)
	}
	if c, err := d.Counters(ctx, uid); err != nil || c.UID != uid {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := d.PrivateFiles(ctx, app.Package); !errors.Is(err, ErrNoPrivateFiles) {
		t.Errorf("without root: %v", err)
	}
	if err := d.Root(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := d.PrivateFiles(ctx, "org.example.missing"); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("%v", err)
	}
	if _, err := d.PrivateFiles(ctx, "a; rm -rf /"); err == nil {
		t.Error("a script passes for a package")
	}
	if _, err := d.shell(ctx, "mkdir -p /data/data/"+app.Package+"/shared_prefs && echo kept > /data/data/"+app.Package+"/shared_prefs/a.xml"); err != nil {
		t.Fatal(err)
	}
	r, err := d.PrivateFiles(ctx, app.Package)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	found := false
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == "data/data/"+app.Package+"/shared_prefs/a.xml" {
			b, err := io.ReadAll(tr)
			found = err == nil && string(b) == "kept\n"
		}
	}
	if !found {
		t.Error("the tar lacks the app's file")
	}
	if err := d.Clear(ctx, app.Package); err != nil {
		t.Error(err)
	}
	if err := d.Clear(ctx, "org.example.missing"); err == nil {
		t.Error("an app that isn't there was cleared")
	}
	if err := d.Uninstall(ctx, app.Package); err != nil {
		t.Error(err)
	}
}

func TestScreenOfARunningApp(t *testing.T) {
	d := embedded(t, 34)
	ctx := t.Context()
	app := apps.Pantry()
	if err := d.Install(ctx, []string{apk(t, app)}); err != nil {
		t.Fatal(err)
	}
	if err := d.Launch(ctx, app.Package); err != nil {
		t.Fatal(err)
	}
	if running, err := d.Running(ctx, app.Package); !running || err != nil {
		t.Errorf("%t, %v", running, err)
	}
	if err := d.Settle(ctx, 15*time.Second); err != nil {
		t.Fatal(err)
	}
	shot, err := d.Screenshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(shot)); err != nil {
		t.Error(err)
	}
	button := func(label string) *screen.Node {
		t.Helper()
		root, raw, err := d.Screen(ctx)
		if err != nil || len(raw) == 0 {
			t.Fatal(err)
		}
		for n := range root.All() {
			if n.Clickable && strings.EqualFold(n.Label(), label) {
				return n
			}
		}
		return nil
	}
	reject := button("Reject all")
	if reject == nil {
		root, _, _ := d.Screen(ctx)
		t.Fatalf("no button to reject with on\n%s", root.Render())
	}
	x, y := reject.Bounds.Center()
	if err := d.Tap(ctx, x, y); err != nil {
		t.Fatal(err)
	}
	if err := d.Settle(ctx, 15*time.Second); err != nil {
		t.Fatal(err)
	}
	if button("Reject all") != nil {
		t.Error("the tap did nothing")
	}
	if err := d.Text(ctx, "naïve"); err == nil {
		t.Error("a letter that Android can't type was typed")
	}
	if err := d.Swipe(ctx, 500, 1500, 500, 500, 100*time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := d.Home(ctx); err != nil {
		t.Error(err)
	}
	if err := d.ForceStop(ctx, app.Package); err != nil {
		t.Error(err)
	}
	if running, err := d.Running(ctx, app.Package); running || err != nil {
		t.Errorf("%t, %v", running, err)
	}
	log, err := d.Logcat(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if b, err := io.ReadAll(log); err != nil || len(b) == 0 {
		t.Errorf("a log of %d bytes, %v", len(b), err)
	}
}
