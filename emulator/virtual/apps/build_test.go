package apps

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCommittedAPKs proves that the committed files are what their sources build.
func TestCommittedAPKs(t *testing.T) {
	for _, tool := range []string{"aapt2", "zipalign", "apksigner"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED: whether clipshare.apk and pantry.apk are what their sources build, for %s is missing; run: apt-get install aapt2 android-framework-res zipalign apksigner", tool)
		}
	}
	if _, err := os.Stat("/usr/share/android-framework-res/framework-res.apk"); err != nil {
		t.Skip("NOT TESTED: whether clipshare.apk and pantry.apk are what their sources build; run: apt-get install android-framework-res")
	}
	// From a copy with other file times, so that only contents matter.
	copied := filepath.Join(t.TempDir(), "sources")
	if err := os.CopyFS(copied, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if text, err := exec.Command("sh", filepath.Join(copied, "build.sh"), out).CombinedOutput(); err != nil {
		t.Fatalf("build.sh: %v\n%s", err, text)
	}
	for _, app := range All() {
		name := map[string]string{"ClipShare": "clipshare.apk", "Pantry": "pantry.apk"}[app.Name]
		built, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(built, app.APK) {
			t.Errorf("%s is not what its source builds (%d bytes committed, %d built); run: make apps", name, len(app.APK), len(built))
		}
	}
}
