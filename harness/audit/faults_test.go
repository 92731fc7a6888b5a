package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual"
	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/device"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
)

// TestInterruptedLeavesNothingOnTheDevice ends an audit in the middle of a phase,
// as Ctrl-C does, and compares the device with what it was before.
func TestInterruptedLeavesNothingOnTheDevice(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.ClipShare())
	lease, dev := r.keepDevice(t)
	before := snapshot(t, dev)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changed := false
	r.options.Begun = onPhase(t, "untouched", func() {
		changed = snapshot(t, dev) != before
		cancel()
	})
	r.options.Provider = kept{lease}
	sealed, err := audit.Run(ctx, r.options)
	if !sealed || !errors.Is(err, audit.ErrInterrupted) || errors.Is(err, audit.ErrLeftBehind) {
		t.Errorf("sealed %v, error %v; want a sealed bundle and ErrInterrupted", sealed, err)
	}
	if !changed {
		t.Error("the audit changed nothing on the device: this test compares nothing")
	}
	if after := snapshot(t, dev); after != before {
		t.Errorf("the device is not as it was.\nbefore:\n%s\nafter:\n%s", before, after)
	}
	bundle, j := r.judged(t)
	if how := bundle.Manifest().End.How; how != evidence.Interrupted {
		t.Errorf("the bundle says that the audit was %q", how)
	}
	if j.Verdict == judge.NotObserved {
		t.Error("an interrupted audit says that nothing was observed")
	}
}

// TestDeviceGoesAway takes the device away in the middle of a phase.
func TestDeviceGoesAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.Pantry())
	lease, _ := r.keepDevice(t)
	r.options.Provider = kept{lease}
	r.options.Begun = onPhase(t, "untouched", func() {
		if err := lease.Release(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	sealed, err := audit.Run(t.Context(), r.options)
	if !sealed || err == nil {
		t.Fatalf("sealed %v, error %v; want a sealed bundle and an error", sealed, err)
	}
	if !errors.Is(err, adb.ErrDeviceGone) && !errors.Is(err, adb.ErrNoDevice) && !errors.Is(err, adb.ErrOffline) {
		t.Errorf("the error does not say that the device is gone: %v", err)
	}
	if !errors.Is(err, audit.ErrLeftBehind) {
		t.Errorf("the error does not say what is left on the device: %v", err)
	}
	bundle, j := r.judged(t)
	if how := bundle.Manifest().End.How; how != evidence.Failed {
		t.Errorf("the bundle says that the audit was %q", how)
	}
	if j.Verdict != judge.Inconclusive {
		t.Errorf("verdict %s; want inconclusive", j.Verdict)
	}
}

// TestAppThatIsThereAlready leaves somebody's app alone.
func TestAppThatIsThereAlready(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.Pantry())
	lease, dev := r.keepDevice(t)
	if err := dev.Install(t.Context(), r.options.Files); err != nil {
		t.Fatal(err)
	}
	r.options.Provider = kept{lease}
	sealed, err := audit.Run(t.Context(), r.options)
	if sealed || err == nil || !strings.Contains(err.Error(), "is installed on") {
		t.Errorf("sealed %v, error %v", sealed, err)
	}
	if _, err := os.Stat(r.options.Out); err == nil {
		t.Error("a bundle was begun")
	}
	if _, err := dev.UID(t.Context(), "org.example.pantry"); err != nil {
		t.Errorf("the app is gone: %v", err)
	}
}

// TestOneAuditADevice starts an audit on a device on which another one runs.
func TestOneAuditADevice(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.Pantry())
	lease, dev := r.keepDevice(t)
	r.options.Provider = kept{lease}
	free, err := dev.Claim(t.Context(), "somebody")
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dev)
	sealed, err := audit.Run(t.Context(), r.options)
	if sealed || !errors.Is(err, device.ErrClaimed) || !strings.Contains(err.Error(), "somebody holds") {
		t.Errorf("sealed %v, error %v", sealed, err)
	}
	if after := snapshot(t, dev); after != before {
		t.Error("the second audit changed the device")
	}
	if err := free(t.Context()); err != nil {
		t.Fatal(err)
	}
	if free, err = dev.Claim(t.Context(), "the next"); err != nil {
		t.Errorf("a device that was freed can't be claimed: %v", err)
	} else if err := free(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestSomebodyElsesApp audits a real app that nobody here wrote and that the
// embedded device can't run.
func TestSomebodyElsesApp(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.Pantry())
	r.options.Files = []string{fetchFromNPM(t, "io.appium.settings", "package/apks/settings_apk-debug.apk")}
	if _, err := audit.Run(t.Context(), r.options); err != nil {
		t.Fatal(err)
	}
	bundle, j := r.judged(t)
	app := bundle.Manifest().App
	if app.Package != "io.appium.settings" || app.VersionCode == 0 || app.TargetSDK == 0 || len(app.Permissions) == 0 || len(app.Signers) == 0 || app.UID < 10000 {
		t.Errorf("the app was not read or not installed: %+v", app)
	}
	if j.Verdict != judge.Inconclusive {
		t.Errorf("verdict %s; want inconclusive", j.Verdict)
	}
	said := false
	for _, b := range j.BlindSpots {
		said = said || strings.Contains(b.What, "could not be started")
	}
	if !said {
		t.Errorf("no blind spot says that the app could not be started: %+v", j.BlindSpots)
	}
}

// keepDevice acquires a device that lasts as long as the test.
func (r *rig) keepDevice(t *testing.T) (emulator.Lease, *device.Device) {
	t.Helper()
	lease, err := virtual.New(virtual.Options{Internet: r.internet}).Acquire(t.Context(), emulator.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lease.Release(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	c := server(t)
	if err := c.Connect(t.Context(), lease.ConnectTo()); err != nil {
		t.Fatal(err)
	}
	dev := device.New(c.Device(adb.DeviceWithSerial(lease.Serial())))
	if err := dev.Root(t.Context()); err != nil { // an adbd that runs as root is no trace of an audit
		t.Fatal(err)
	}
	return lease, dev
}

// snapshot is what an audit could leave on a device, as text.
func snapshot(t *testing.T, dev *device.Device) string {
	t.Helper()
	var b strings.Builder
	for _, command := range []string{
		"pm list packages -3",
		"settings list global", "settings list secure", "settings list system",
		"ls -a /system/etc/security/cacerts /data/local/tmp /sdcard",
		"content query --uri content://com.android.contacts/raw_contacts",
		"content query --uri content://com.android.calendar/events",
		"dumpsys account | grep -E 'Accounts: |Account {'",
		"cmd clipboard get-primary-clip",
		"dumpsys location",
		"cat /data/data/com.google.android.gms/shared_prefs/adid_settings.xml",
	} {
		res, err := dev.ADB().Shell(t.Context(), command)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("$ " + command + "\n")
		for line := range strings.Lines(string(res.Stdout) + string(res.Stderr)) {
			// ":0" is what Android itself takes for no proxy; the keys stay, empty.
			if !strings.HasSuffix(line, "http_proxy=:0\n") && !strings.HasPrefix(line, "global_http_proxy_host=\n") && !strings.HasPrefix(line, "global_http_proxy_port=0\n") {
				b.WriteString(line)
			}
		}
	}
	reverses, err := dev.ADB().ListReverses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(reverses)
	if err != nil {
		t.Fatal(err)
	}
	return b.String() + "reverses " + string(text)
}

// onPhase returns an Options.Begun that does something once, when a phase has
// begun and the app has sent its first request in it.
func onPhase(t *testing.T, phase string, do func()) func(*evidence.Log) {
	t.Helper()
	return func(log *evidence.Log) {
		done := false
		log.Subscribe(func(e evidence.Event) {
			if e.Kind == evidence.KindRequest && e.Phase == phase && !done {
				done = true
				go do() // the log must not wait for a device
			}
		})
	}
}

func decode[T any](t *testing.T, e evidence.Event) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(e.Data, &v); err != nil {
		t.Fatalf("event %d (%s): %v", e.Seq, e.Kind, err)
	}
	return v
}

// fetchFromNPM returns a file out of a package of the npm registry.
func fetchFromNPM(t *testing.T, pkg, file string) string {
	t.Helper()
	dir := t.TempDir()
	npm := exec.Command("npm", "pack", "--silent", "--pack-destination", dir, pkg)
	npm.Dir = dir
	out, err := npm.CombinedOutput()
	if err != nil {
		t.Fatalf("npm pack %s: %v: %s", pkg, err, out)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("npm pack %s left %v, %v", pkg, archives, err)
	}
	if out, err := exec.Command("tar", "-xzf", archives[0], "-C", dir, file).CombinedOutput(); err != nil {
		t.Fatalf("unpack %s: %v: %s", pkg, err, out)
	}
	return filepath.Join(dir, file)
}
