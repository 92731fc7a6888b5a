//go:build linux

package evidence

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// tiny is a file system with room for some bytes. It takes root to have one.
func tiny(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskIsSaidAndSealed(t *testing.T) {
	disk := tiny(t, "3m")
	dir := filepath.Join(disk, "audit")
	l := mustCreate(t, dir)
	mustAppend(t, l, KindAuditStart, AuditStart{Tool: "unasked"})

	w, err := l.NewBlob()
	if err != nil {
		t.Fatal(err)
	}
	chunk := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	for err == nil {
		_, err = w.Write(chunk)
	}
	if !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "disk is full") {
		t.Fatalf("Write = %v, want ErrFull", err)
	}
	d, size, err := w.Commit() // what came before is kept
	if err != nil || size == 0 {
		t.Fatalf("Commit = %s, %d, %v", d, size, err)
	}
	if _, _, err := l.PutBlob(bytes.NewReader(chunk)); !errors.Is(err, ErrFull) {
		t.Errorf("PutBlob = %v, want ErrFull", err)
	}
	n := 0
	for err == nil {
		_, err = l.Append(KindAction, Action{Verb: "wait", Detail: strings.Repeat("x", 5000)})
		n++
	}
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), logName) {
		t.Errorf("Append = %v, want ErrFull and where", err)
	}
	if err := l.Seal(Manifest{Tool: "unasked", End: AuditEnd{How: Failed, Error: "the disk is full"}}); err != nil {
		t.Fatalf("Seal with the room kept back: %v", err)
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Error(problems)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m := b.Manifest(); m.Events != uint64(n)+1 || len(m.Blobs) != 1 || m.Blobs[0].Size != size || m.End.How != Failed {
		t.Errorf("manifest %+v after %d events", m, n)
	}
}

func TestADiskTooFullToSealLeavesNothingHalf(t *testing.T) {
	disk := tiny(t, "2m")
	dir := filepath.Join(disk, "audit")
	l := mustCreate(t, dir)
	mustAppend(t, l, KindAuditStart, AuditStart{Tool: "unasked"})
	mustPut(t, l, "a blob")
	if err := os.Remove(filepath.Join(dir, partialName, reserveName)); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := l.Seal(Manifest{Tool: strings.Repeat("t", 8192), End: AuditEnd{How: Completed}}); !errors.Is(err, ErrFull) {
		t.Fatalf("Seal = %v, want ErrFull", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); name != logName && name != blobsName && name != partialName {
			t.Errorf("a seal that failed has left %s", name)
		}
	}
	if _, err := Open(dir); !errors.Is(err, ErrUnsealed) {
		t.Errorf("Open = %v, want ErrUnsealed", err)
	}
	if _, err := Create(filepath.Join(disk, "other"), nil); !errors.Is(err, ErrFull) {
		t.Errorf("Create on a full disk = %v, want ErrFull", err)
	}
	if left, err := os.ReadDir(filepath.Join(disk, "other")); err != nil || len(left) != 0 {
		t.Errorf("it has left %v, %v", left, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	mustPut(t, l, "it goes on")
	if err := l.Seal(Manifest{Tool: "unasked", End: AuditEnd{How: Completed}}); err != nil {
		t.Fatal(err)
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Error(problems)
	}
}

// The environment by which this test's program is told to be the one that may
// write small files only.
const limited = "UNASKED_EVIDENCE_LIMITED"

// A limit on the size of files needs no root to be tried.
func TestALimitOnFilesIsSaidAndSealed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), limited+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if problems := verify(t, dir); len(problems) != 0 {
		t.Error(problems)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m := b.Manifest(); m.Events < 2 || len(m.Blobs) != 1 || m.Blobs[0].Size != 1200<<10 {
		t.Errorf("manifest %+v", m)
	}
}

func beLimited(dir string) error {
	const limit = 1200 << 10 // above the room that is kept back
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	l, err := Create(dir, nil)
	if err != nil {
		return err
	}
	w, err := l.NewBlob()
	if err != nil {
		return err
	}
	for err == nil {
		_, err = w.Write(make([]byte, 100_000))
	}
	if !errors.Is(err, ErrFull) {
		return err
	}
	if _, _, err := w.Commit(); err != nil {
		return err
	}
	for err = nil; err == nil; {
		_, err = l.Append(KindAction, Action{Detail: strings.Repeat("x", 50_000)})
	}
	if !errors.Is(err, ErrFull) {
		return err
	}
	return l.Seal(Manifest{End: AuditEnd{How: Failed}})
}

// What no user of this machine may exceed counts as full too.
func TestOtherWaysOfBeingFull(t *testing.T) {
	for _, no := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		err := full(&os.PathError{Op: "write", Path: "log.jsonl", Err: no})
		if !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, no) {
			t.Errorf("%v becomes %v", no, err)
		}
	}
	if err := full(syscall.EIO); errors.Is(err, ErrFull) {
		t.Errorf("%v is taken for a full disk", err)
	}
	if full(nil) != nil {
		t.Error("no error becomes one")
	}
}
