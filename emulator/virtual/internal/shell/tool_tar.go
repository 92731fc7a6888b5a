package shell

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// tarring is one run of tar.
type tarring struct {
	c       *Call
	o       options
	dir     string
	exclude []string
	strip   int // how many parts are taken off the front of each name
	links   map[uint64]string
	code    int
}

func cmdTar(ctx context.Context, c *Call) int {
	args := append([]string{}, c.Args...)
	if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		args[1] = "-" + args[1]
	}
	call := *c
	call.Args = args
	o, ok := call.options("cxtvzpohkmOSsf:C:E:(exclude)N(numeric-owner)R(no-recursion)P:(strip-components)Q(same-owner)")
	if !ok {
		return 1
	}
	t := &tarring{c: c, o: o, dir: c.Dir, exclude: o.values['E'], links: map[uint64]string{}}
	if o.has('C') {
		t.dir = c.Path(o.value('C', ""))
		if info, err := c.FS.Stat(t.dir); err != nil || !info.IsDir() {
			if err == nil {
				err = syscall.ENOTDIR
			}
			return c.Errorf("chdir '%s': %s", o.value('C', ""), rootfs.Message(err))
		}
		if err := c.FS.Access(t.dir, 1); err != nil {
			return c.Errorf("chdir '%s': %s", o.value('C', ""), rootfs.Message(err))
		}
	}
	var err error
	if t.strip, err = strconv.Atoi(o.value('P', "0")); err != nil || t.strip < 0 {
		return c.Errorf("bad --strip-components '%s'", o.value('P', ""))
	}
	switch {
	case o.has('c'):
		err = t.create(ctx)
	case o.has('x'), o.has('t'):
		err = t.read(ctx)
	default:
		return c.Errorf("Needs -txc (see \"tar --help\")")
	}
	if err != nil {
		var headerErr error = tar.ErrHeader
		switch {
		case errors.Is(err, headerErr), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
			return c.Errorf("bad header")
		}
		return c.Errorf("%s", rootfs.Message(err))
	}
	return t.code
}

func (t *tarring) create(ctx context.Context) (err error) {
	if len(t.o.args) == 0 {
		return syscall.EINVAL
	}
	out := t.c.Stdout
	if name := t.o.value('f', "-"); name != "-" {
		f, err := t.c.FS.OpenFile(t.c.Path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	buffered := bufio.NewWriterSize(out, 256<<10)
	out = buffered
	if t.o.has('z') {
		z := gzip.NewWriter(out)
		defer func() { err = errors.Join(err, z.Close(), buffered.Flush()) }()
		out = z
	} else {
		defer func() { err = errors.Join(err, buffered.Flush()) }()
	}
	w := tar.NewWriter(out)
	for _, name := range t.o.args {
		full := name
		if !path.IsAbs(name) {
			full = t.dir + "/" + name
		}
		if err := t.add(ctx, w, full, name); err != nil {
			return err
		}
	}
	return w.Close()
}

func (t *tarring) excluded(name string) bool {
	for _, pattern := range t.exclude {
		if wildcard(pattern, name) || wildcard(pattern, path.Base(name)) {
			return true
		}
	}
	return false
}

// add archives a file or folder. What can't be read is said and left out; an
// error is the archive's own.
func (t *tarring) add(ctx context.Context, w *tar.Writer, full, name string) error {
	if err := ctx.Err(); err != nil {
		return syscall.EPIPE
	}
	if t.excluded(name) {
		return nil
	}
	info, err := t.c.FS.Lstat(full)
	if err != nil {
		t.code = t.c.Errorf("%s: %s", name, rootfs.Message(err))
		return nil
	}
	header := &tar.Header{
		Name: strings.TrimLeft(name, "/"), Mode: int64(info.Unix() & 0o7777), ModTime: info.ModTime().Truncate(time.Second),
		Uid: info.UID, Gid: info.GID, Uname: userName(info.UID), Gname: userName(info.GID), Format: tar.FormatGNU,
	}
	if header.Name == "" {
		header.Name = "."
	}
	var content *rootfs.File
	switch mode := info.Mode(); {
	case mode.IsDir():
		header.Typeflag = tar.TypeDir
		header.Name += "/"
	case mode&fs.ModeSymlink != 0:
		header.Typeflag = tar.TypeSymlink
		if header.Linkname, err = t.c.FS.Readlink(full); err != nil {
			t.code = t.c.Errorf("%s: %s", name, rootfs.Message(err))
			return nil
		}
	case mode.IsRegular():
		header.Typeflag = tar.TypeReg
		if first, ok := t.links[info.Inode()]; ok && info.Links() > 1 {
			header.Typeflag, header.Linkname = tar.TypeLink, first
			break
		}
		if content, err = t.c.FS.Open(full); err != nil {
			t.code = t.c.Errorf("can't open '%s': %s", name, rootfs.Message(err))
			return nil
		}
		defer content.Close()
		t.links[info.Inode()] = header.Name
		header.Size = info.Size()
	default:
		t.c.Errorf("unknown file type '%s'", name)
		return nil
	}
	if t.o.has('v') {
		io.WriteString(t.c.Stderr, header.Name+"\n")
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	if content != nil {
		if err := t.addContent(w, content, name, header.Size); err != nil {
			return err
		}
	}
	if !info.IsDir() || t.o.has('R') {
		return nil
	}
	entries, err := t.c.FS.ReadDir(full)
	if err != nil {
		t.code = t.c.Errorf("can't open '%s': %s", name, rootfs.Message(err))
		return nil
	}
	for _, e := range entries {
		if err := t.add(ctx, w, full+"/"+e.Name(), strings.TrimSuffix(name, "/")+"/"+e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// addContent writes as many bytes as the header says, also of a file that
// somebody shortens meanwhile.
func (t *tarring) addContent(w io.Writer, r io.Reader, name string, size int64) error {
	n, err := io.CopyN(w, r, size)
	if n == size {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	t.code = t.c.Errorf("%s: short by %d bytes: padded", name, size-n)
	_, err = io.CopyN(w, zeros{}, size-n)
	return err
}

// zeros reads as endless zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (t *tarring) read(ctx context.Context) error {
	in := io.Reader(t.c.Stdin)
	if name := t.o.value('f', "-"); name != "-" {
		f, err := t.c.FS.Open(t.c.Path(name))
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	buffered := bufio.NewReaderSize(in, 64<<10)
	in = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return err
		}
		in = z
	}
	r := tar.NewReader(in)
	for ctx.Err() == nil {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !t.wanted(header.Name) {
			continue
		}
		if t.o.has('t') {
			if t.o.has('v') {
				t.c.Printf("%s %s/%s %d %s ", fs.FileMode(header.Mode).Perm(), header.Uname, header.Gname, header.Size,
					t.c.inZone(header.ModTime).Format("2006-01-02 15:04:05"))
			}
			t.c.Printf("%s\n", header.Name)
			continue
		}
		if t.o.has('v') {
			t.c.Printf("%s\n", header.Name)
		}
		if err := t.extract(r, header); err != nil {
			t.code = t.c.Errorf("%s: %s", header.Name, rootfs.Message(err))
		}
	}
	return syscall.EPIPE
}

func (t *tarring) wanted(name string) bool {
	if t.excluded(name) {
		return false
	}
	if len(t.o.args) == 0 {
		return true
	}
	for _, want := range t.o.args {
		want = strings.TrimRight(want, "/")
		if strings.TrimRight(name, "/") == want || strings.HasPrefix(name, want+"/") || wildcard(want, name) {
			return true
		}
	}
	return false
}

// extract makes one member, never outside the folder that the archive is
// unpacked into: not by its name, nor through a link that a member made.
func (t *tarring) extract(r io.Reader, header *tar.Header) error {
	name := strings.TrimPrefix(path.Clean("/"+header.Name), "/")
	if strings.HasPrefix(header.Name, "../") || strings.Contains(header.Name, "/../") || strings.HasSuffix(header.Name, "/..") {
		return syscall.EPERM
	}
	parts := strings.Split(name, "/")
	name = strings.Join(parts[min(t.strip, len(parts)):], "/")
	if name == "" {
		return nil
	}
	if t.o.has('O') {
		if header.Typeflag == tar.TypeReg {
			_, err := io.Copy(t.c.Stdout, r)
			return err
		}
		return nil
	}
	full := t.dir + "/" + name
	if err := t.inside(path.Dir(full)); err != nil {
		return err
	}
	view := t.c.FS
	mode := rootfs.ModeOf(uint32(header.Mode))
	switch header.Typeflag {
	case tar.TypeDir:
		if err := view.MkdirAll(full, mode|0o700); err != nil {
			return err
		}
	case tar.TypeSymlink:
		view.Remove(full)
		return view.Symlink(header.Linkname, full)
	case tar.TypeLink:
		view.Remove(full)
		target := t.dir + "/" + strings.TrimPrefix(path.Clean("/"+header.Linkname), "/")
		if err := t.inside(path.Dir(target)); err != nil {
			return err
		}
		return view.Link(target, full)
	case tar.TypeReg:
		if info, err := view.Lstat(full); err == nil && !info.IsDir() {
			if err := view.Remove(full); err != nil {
				return err
			}
		}
		f, err := view.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	default:
		return syscall.EPERM
	}
	if view.UID() == rootfs.Root && !t.o.has('o') {
		if err := view.Chown(full, header.Uid, header.Gid, false); err != nil {
			return err
		}
	}
	if err := view.Chmod(full, mode); err != nil {
		return err
	}
	if t.o.has('m') {
		return nil
	}
	return view.Chtimes(full, header.ModTime, header.ModTime)
}

// inside makes the folders on the way to a member, and checks that they are
// below the folder that the archive is unpacked into.
func (t *tarring) inside(dir string) error {
	top, err := t.c.FS.Realpath(t.dir)
	if err != nil {
		return err
	}
	at := t.dir
	for _, part := range strings.Split(strings.TrimPrefix(dir, t.dir), "/") {
		if part == "" {
			continue
		}
		at += "/" + part
		if _, err := t.c.FS.Lstat(at); err != nil {
			if err := t.c.FS.Mkdir(at, 0o777); err != nil {
				return err
			}
		}
	}
	real, err := t.c.FS.Realpath(at)
	if err != nil {
		return err
	}
	if real != top && !strings.HasPrefix(real, strings.TrimSuffix(top, "/")+"/") {
		return syscall.EPERM
	}
	return nil
}
