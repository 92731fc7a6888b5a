package evidence

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func seedLines(f *testing.F) [][]byte {
	f.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "good", "bundle", logName))
	if err != nil {
		f.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

func FuzzParseEvent(f *testing.F) {
	for _, line := range seedLines(f) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ev, at, err := parseEvent(text)
		if at < 0 || at > len(text) {
			t.Errorf("byte %d of %d is named", at, len(text))
		}
		if err != nil {
			return
		}
		if again, err := encode(ev); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%q is taken and would be written as %q, %v", text, again, err)
		}
	})
}

func FuzzDecodeManifest(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "good", "bundle", manifestName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"blobs":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, at, err := decodeManifest(text)
		if at < 0 || at > len(text) {
			t.Errorf("byte %d of %d is named", at, len(text))
		}
		if err != nil {
			return
		}
		if again, err := encodeManifest(m); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%q is taken and would be written as %q, %v", text, again, err)
		}
	})
}

// A log of any bytes is verified, read and sealed without a panic, and what was
// sealed from it is whole.
func FuzzSealInterrupted(f *testing.F) {
	lines := seedLines(f)
	f.Add(bytes.Join(lines[:3], []byte("\n")))
	f.Add([]byte("\n\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, logName), text, 0o600); err != nil {
			t.Fatal(err)
		}
		verify(t, dir)
		if err := sealInterrupted(dir, "fuzzed", clock()); err != nil {
			t.Fatal(err)
		}
		if problems := verify(t, dir); len(problems) != 0 {
			t.Errorf("%q: %v", text, problems)
		}
	})
}
