package shell

import (
	"archive/tar"
	"bytes"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// TestHostileTar unpacks an archive whose members try to land elsewhere.
func TestHostileTar(t *testing.T) {
	s := newShell(t)
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, h := range []tar.Header{
		{Name: "../up", Typeflag: tar.TypeReg}, {Name: "a/../../up2", Typeflag: tar.TypeReg}, {Name: "/abs", Typeflag: tar.TypeReg},
		{Name: "door", Typeflag: tar.TypeSymlink, Linkname: "/data/local/tmp"}, {Name: "door/through", Typeflag: tar.TypeReg},
		{Name: "hard", Typeflag: tar.TypeLink, Linkname: "door/victim"}, {Name: "dev", Typeflag: tar.TypeBlock},
		{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/data/local/tmp/victim"}, {Name: "link", Typeflag: tar.TypeReg},
		{Name: "fine", Typeflag: tar.TypeReg},
	} {
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := runAs(t, s, rootfs.Shell, "cd /data/local/tmp; echo safe > victim; mkdir in; tar -x -C in", archive.String())
	if got.code != 1 {
		t.Errorf("%+v", got)
	}
	check(t, s, rootfs.Shell, []step{{"ls . in; cat victim", out(".:\nin\nvictim\n\nin:\nabs\ndoor\nfine\nlink\nsafe\n")}})
	// An archive that breaks off, anywhere, is an error and no panic.
	whole := archive.Bytes()
	for n := 0; n < len(whole)-1024; n += 211 {
		runAs(t, s, rootfs.Shell, "cd /data/local/tmp; mkdir -p cut; tar -x -C cut", string(whole[:n]))
	}
}
