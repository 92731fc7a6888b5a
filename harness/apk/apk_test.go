package apk

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

func put(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInspect(t *testing.T) {
	guilty := apps.ClipShare()
	path := put(t, "clip share.apk", guilty.APK)
	app, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(guilty.APK)
	file := evidence.File{Name: "clip share.apk", Blob: evidence.Digest(hex.EncodeToString(sum[:])), Size: int64(len(guilty.APK))}
	if app.Package != guilty.Package || app.Label != "ClipShare" || app.VersionName != "14.2.3" || app.VersionCode != 140203 || app.MinSDK != 26 || app.TargetSDK != 34 {
		t.Errorf("%+v", app)
	}
	if len(app.Files) != 1 || app.Files[0] != file {
		t.Errorf("files: %+v", app.Files)
	}
	if len(app.Permissions) != 9 || app.Permissions[0] != "android.permission.INTERNET" {
		t.Errorf("permissions: %v", app.Permissions)
	}
	if len(app.Signers) != 1 || len(app.Signers[0]) != 64 {
		t.Errorf("signers: %v", app.Signers)
	}
	p, err := Read(path)
	if err != nil || !p.Launchable || p.HasCode || p.Backup || p.Debuggable || len(p.Schemes) != 2 || p.Unverified != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestChangedAfterSigning: the file is still an app, whose signer nobody can name.
func TestChangedAfterSigning(t *testing.T) {
	b := apps.Pantry().APK
	changed := append([]byte{}, b...)
	at := strings.LastIndex(string(b), "PK\x01\x02") + 12 // the time of an entry in the directory
	changed[at] ^= 1
	path := put(t, "changed.apk", changed)
	p, err := Read(path)
	if err != nil || !errors.Is(p.Unverified, apkfile.ErrBadSignature) || p.App.Signers != nil {
		t.Errorf("%v %v %v", err, p.Unverified, p.App.Signers)
	}
	if app, err := Inspect(path); err != nil || app.Signers != nil || app.Package != "org.example.pantry" {
		t.Errorf("%+v %v", app, err)
	}
}

func bundle(t *testing.T, entry string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.xapk")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	if _, err := w.Create(entry); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSplits inspects an app of two files that aapt2 made.
func TestSplits(t *testing.T) {
	const framework = "/usr/share/android-framework-res/framework-res.apk"
	if _, err := exec.LookPath("aapt2"); err != nil {
		t.Skip("NOT TESTED: splits, for aapt2 is missing; run: apt-get install aapt2 android-framework-res")
	}
	made := func(name, attributes string) string {
		manifest := put(t, "AndroidManifest.xml", []byte(`<manifest xmlns:android="http://schemas.android.com/apk/res/android" `+attributes+`><application android:hasCode="false"/></manifest>`))
		out := filepath.Join(t.TempDir(), name)
		if text, err := exec.Command("aapt2", "link", "-o", out, "--manifest", manifest, "-I", framework).CombinedOutput(); err != nil {
			t.Fatalf("aapt2: %v\n%s", err, text)
		}
		return out
	}
	base := made("base.apk", `package="org.example.many" android:versionCode="3"`)
	split := made("split_de.apk", `package="org.example.many" android:versionCode="3" split="config.de"`)
	older := made("split_fr.apk", `package="org.example.many" android:versionCode="2" split="config.fr"`)
	app, err := Inspect(base, split)
	if err != nil || len(app.Files) != 2 || app.Files[1].Name != "split_de.apk" || app.Signers != nil {
		t.Errorf("%+v %v", app, err)
	}
	if _, err := Inspect(split); !errors.Is(err, ErrSplit) {
		t.Errorf("a split alone: %v", err)
	}
	if _, err := Inspect(base, older); !errors.Is(err, ErrStrange) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a split of another version: %v", err)
	}
	if _, err := Inspect(base, filepath.Join(t.TempDir(), "none.apk")); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing split: %v", err)
	}
}

func TestRefused(t *testing.T) {
	guilty, innocent := put(t, "a.apk", apps.ClipShare().APK), put(t, "b.apk", apps.Pantry().APK)
	for _, c := range []struct {
		name  string
		files []string
		want  error
		says  string
	}{
		{"missing", []string{filepath.Join(t.TempDir(), "none.apk")}, ErrNotFound, "none.apk"},
		{"folder", []string{t.TempDir()}, ErrFolder, "folder"},
		{"text", []string{put(t, "x.apk", []byte("hello"))}, apkfile.ErrNotAPK, "x.apk"},
		{"truncated", []string{put(t, "t.apk", apps.Pantry().APK[:5000])}, apkfile.ErrTruncated, "t.apk"},
		{"xapk", []string{bundle(t, "base.apk")}, ErrBundle, "unpack"},
		{"aab", []string{bundle(t, "BundleConfig.pb")}, ErrBundle, "unpack"},
		{"any zip", []string{bundle(t, "readme.txt")}, apkfile.ErrNotAPK, "AndroidManifest.xml"},
		{"two bases", []string{guilty, innocent}, ErrStrange, "org.example.pantry"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Inspect(c.files[0], c.files[1:]...)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want %v that says %q", err, c.want, c.says)
			}
		})
	}
}
