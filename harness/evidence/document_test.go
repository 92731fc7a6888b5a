package evidence_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// The commands by which docs/bundle-format.md lets people check a bundle without
// this program, run on the vectors.
func TestTheDocumentsCommandsCheckABundle(t *testing.T) {
	for _, name := range []string{"sh", "sha256sum"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "bundle-format.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script string
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of commands, want 2", len(blocks))
	}
	for _, b := range blocks {
		script += string(b[1])
	}
	for _, v := range vectors {
		cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script)
		cmd.Dir = filepath.Join("testdata", v.name, "bundle")
		out, err := cmd.CombinedOutput()
		// A blob too many is the one thing that sums can't see.
		if whole := v.name == "good" || v.name == "blob-added"; (err == nil) != whole {
			t.Errorf("%s: %v\n%s", v.name, err, out)
		}
	}
}
