package evidence

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestReadingStopsWhenAsked(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range b.Events(t.Context()) {
		break // must not yield again: range would panic
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, err := range b.Events(ctx) {
		if n++; !errors.Is(err, context.Canceled) {
			t.Errorf("Events with a context that is done: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d events were yielded, want the error alone", n)
	}
	if _, err := Verify(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify with a context that is done: %v", err)
	}
}

func TestChangedEvidenceIsNotRead(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	change(t, filepath.Join(dir, logName), func(b []byte) []byte { return bytes.Replace(b, []byte("quick"), []byte("quack"), 1) })
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range b.Events(t.Context()) {
		last = err
	}
	if !errors.Is(last, ErrBroken) {
		t.Errorf("reading a changed log ended with %v, want ErrBroken", last)
	}
	for _, e := range b.Manifest().Blobs {
		if e.Size == 0 {
			continue
		}
		change(t, filepath.Join(dir, blobsName, string(e.SHA256)), func(b []byte) []byte { b[3] ^= 1; return b })
		r, err := b.Blob(e.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, ErrBroken) {
			t.Errorf("reading a changed blob = %v, want ErrBroken", err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// change rewrites a file in place.
func change(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, how(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
