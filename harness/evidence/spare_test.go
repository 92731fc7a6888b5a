package evidence

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The same bytes again make no file, and leave nothing behind in the next blob.
func TestTheSameBlobAgain(t *testing.T) {
	dir := t.TempDir()
	l := mustCreate(t, dir)
	long := strings.Repeat("long ", 100)
	files := func(folder string) int {
		entries, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := files(partialName)
	first := mustPut(t, l, long)
	for range 3 * maxSpare {
		if again := mustPut(t, l, long); again != first {
			t.Fatalf("the same bytes are %s and %s", first, again)
		}
	}
	if n := files(partialName) - before; n != 1 {
		t.Errorf("%d files are kept for the next blob, want 1", n)
	}
	r, err := l.Blob(mustPut(t, l, "short"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != "short" {
		t.Errorf("the blob is %q, %v", text, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	mustPut(t, l, long)
	mustPut(t, l, long)
	if n := files(blobsName); n != 2 {
		t.Errorf("%d blobs, want 2", n)
	}
	if err := l.Seal(Manifest{}); err != nil {
		t.Fatal(err)
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Error(problems)
	}
}
