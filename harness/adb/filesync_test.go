package adb

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFiles(t *testing.T) {
	a := server(t)
	for name, features := range map[string]string{"v2": modern, "v1": "cmd"} {
		t.Run(name, func(t *testing.T) {
			fake := &daemon{features: features}
			d := attach(t, a, fake)
			ctx := t.Context()
			// Longer than a packet, and not a multiple of one.
			content := bytes.Repeat([]byte("0123456789abcdef"), 20_001)
			when := time.Unix(1_700_000_000, 0)

			w, err := d.OpenWrite(ctx, "/a, b.bin", 0o640, when)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := w.Write(content); n != len(content) || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Errorf("a second Close: %v", err)
			}
			if got, err := os.ReadFile(filepath.Join(fake.root, "a, b.bin")); err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}

			e, err := d.Stat(ctx, "/a, b.bin")
			if err != nil || e.Name != "a, b.bin" || e.Size != int64(len(content)) || e.Mode != 0o640 || !e.ModifiedAt.Equal(when) {
				t.Errorf("%+v, %v", e, err)
			}
			if want := map[string]int{"v2": 2000, "v1": -1}[name]; e.UID != want {
				t.Errorf("uid %d, want %d", e.UID, want)
			}
			os.Symlink("a, b.bin", filepath.Join(fake.root, "link"))
			if e, err := d.Lstat(ctx, "/link"); err != nil || e.Mode.Type() != fs.ModeSymlink {
				t.Errorf("%+v, %v", e, err)
			}
			if _, err := d.Stat(ctx, "/nothing"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/nothing") {
				t.Errorf("%v", err)
			}

			var b bytes.Buffer
			if n, err := d.Pull(ctx, "/a, b.bin", &b); n != int64(len(content)) || err != nil || !bytes.Equal(b.Bytes(), content) {
				t.Errorf("%d, %v", n, err)
			}
			if _, err := d.OpenRead(ctx, "/nothing"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v", err)
			}
			if err := d.Push(ctx, strings.NewReader(""), "/empty", 0o600); err != nil {
				t.Error(err)
			}
			b.Reset()
			if n, err := d.Pull(ctx, "/empty", &b); n != 0 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			if err := d.Push(ctx, strings.NewReader("x"), "/no/such/folder", 0o600); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v", err)
			}

			list, err := d.ListDirEntries(ctx, "/")
			if err != nil {
				t.Fatal(err)
			}
			all, err := list.ReadAll()
			var names []string
			for _, e := range all {
				names = append(names, e.Name)
			}
			if got := strings.Join(names, "|"); got != "a, b.bin|empty|link" || err != nil {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
}

// All of a file at once and a buffer larger than it: what follows a packet must
// not be read as part of it.
func TestReadThatCouldReachIntoTheNextPacket(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	chunk := bytes.Repeat([]byte("x"), syncMaxChunk)
	packet := append([]byte("DATA\x00\x00\x01\x00"), chunk...)
	go func() {
		theirs.Write(append(append(append([]byte{}, packet...), packet...), "DONE\x00\x00\x00\x00"...))
		theirs.Close()
	}()
	r := &fileReader{conn: syncConn{newConn(t.Context(), ours)}}
	buf := make([]byte, 4*syncMaxChunk)
	n, err := io.ReadFull(r, buf)
	if n != 2*syncMaxChunk || !errors.Is(err, io.ErrUnexpectedEOF) || bytes.Contains(buf[:n], []byte("DATA")) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestFileNameThatLeadsAstray(t *testing.T) {
	a := server(t)
	fake := &daemon{features: modern}
	d := attach(t, a, fake)
	os.WriteFile(filepath.Join(fake.root, "..%2F..%2Fetc"), nil, 0o600)
	list, err := d.ListDirEntries(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	if all, err := list.ReadAll(); err == nil {
		t.Errorf("%v", all[0])
	}
}

func TestPathThatIsTooLong(t *testing.T) {
	a := server(t)
	d := attach(t, a, &daemon{features: modern})
	if _, err := d.Stat(t.Context(), "/"+strings.Repeat("a", 2000)); err == nil || !strings.Contains(err.Error(), "1024") {
		t.Errorf("%v", err)
	}
}

func TestDeviceGoesAwayWhileAFileIsRead(t *testing.T) {
	a := server(t)
	fake := &daemon{features: modern}
	d := attach(t, a, fake)
	fake.serve = func(f *daemon, service string, s *stream) bool {
		if service != "sync:" {
			return false
		}
		s.send("OKAY", nil)
		io.ReadFull(s, make([]byte, 10))
		s.Write([]byte("DATA\x40\x00\x00\x00half of it"))
		f.unplug()
		return true
	}
	n, err := d.Pull(t.Context(), "/x", io.Discard)
	if !errors.Is(err, ErrDeviceGone) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// failing gives a few bytes and then an error, as a file on a lost network drive does.
type failing struct{ left int }

func (f *failing) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, errors.New("the drive is gone")
	}
	n := min(len(p), f.left)
	f.left -= n
	return n, nil
}

func TestPushOfAFileThatCannotBeRead(t *testing.T) {
	a := server(t)
	d := attach(t, a, &daemon{features: modern})
	if err := d.Push(t.Context(), &failing{100}, "/x", 0o600); err == nil || !strings.Contains(err.Error(), "the drive is gone") {
		t.Errorf("%v", err)
	}
}

func TestCancelledPull(t *testing.T) {
	a := server(t)
	fake := &daemon{features: modern}
	d := attach(t, a, fake)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fake.serve = func(f *daemon, service string, s *stream) bool {
		if service != "sync:" {
			return false
		}
		s.send("OKAY", nil)
		io.ReadFull(s, make([]byte, 10))
		cancel() // the answer never comes
		<-s.done
		return true
	}
	if _, err := d.Pull(ctx, "/x", io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestFileMode(t *testing.T) {
	for m, want := range map[uint32]string{
		0o100644: "-rw-r--r--", 0o040755: "drwxr-xr-x", 0o120777: "Lrwxrwxrwx", 0o010600: "prw-------",
		0o140600: "Srw-------", 0o060600: "Drw-------", 0o020666: "Dcrw-rw-rw-", 0o104755: "urwxr-xr-x", 0o041777: "dtrwxrwxrwx",
	} {
		if got := fileMode(m).String(); got != want {
			t.Errorf("%o: %s, want %s", m, got, want)
		}
	}
}
