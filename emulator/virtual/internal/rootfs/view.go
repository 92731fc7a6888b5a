package rootfs

import (
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"
	"time"
)

// View is the tree as one user sees it. Every method takes absolute device
// paths, checks that user's permissions, and fails with an [fs.PathError] that
// wraps a [syscall.Errno]; [Message] puts that in Android's words.
type View struct {
	fs     *FS
	uid    int
	groups []int
	image  bool
}

// UID is the user.
func (v *View) UID() int { return v.uid }

// FS is the tree behind the view.
func (v *View) FS() *FS { return v.fs }

func (v *View) inGroup(gid int) bool { return slices.Contains(v.groups, gid) }

// Stat describes a file, or what a link leads to.
func (v *View) Stat(name string) (*Info, error) { return v.stat("stat", name, true) }

// Lstat describes a file, or a link itself.
func (v *View) Lstat(name string) (*Info, error) { return v.stat("lstat", name, false) }

func (v *View) stat(op, name string, follow bool) (*Info, error) {
	s, err := v.found(name, follow)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	return v.fs.describe(s, path.Base(name)), nil
}

// found walks to something that must exist.
func (v *View) found(name string, follow bool) (spot, error) {
	s, err := v.walk(name, follow)
	if err == nil && s.info == nil {
		err = errNotExist
	}
	return s, err
}

// Access checks that the user has rights on a file: any of 4 to read, 2 to write, 1
// to run or pass; 0 asks whether it exists.
func (v *View) Access(name string, rights uint32) error {
	s, err := v.found(name, true)
	if err == nil {
		err = v.may(s, fs.FileMode(rights&7))
	}
	if err == nil && rights&1 != 0 && !s.info.IsDir() && v.fs.ownerOf(s.loc, s.info.Mode()).mode&0o111 == 0 {
		err = errDenied // root may do all but run what nobody may run
	}
	return pathError("access", name, err)
}

// Realpath is the path without links or ".."; the last part need not exist.
func (v *View) Realpath(name string) (string, error) {
	s, err := v.walk(name, true)
	return s.path, pathError("realpath", name, err)
}

// Readlink is the target of a link.
func (v *View) Readlink(name string) (string, error) {
	s, err := v.found(name, false)
	if err == nil && s.info.Mode()&fs.ModeSymlink == 0 {
		err = syscall.EINVAL
	}
	if err != nil {
		return "", pathError("readlink", name, err)
	}
	target, err := v.fs.readlink(s.loc)
	return target, pathError("readlink", name, err)
}

// ReadDir lists a folder, sorted by name.
func (v *View) ReadDir(name string) ([]fs.DirEntry, error) {
	s, err := v.found(name, true)
	if err == nil && !s.info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err == nil {
		err = v.may(s, 4)
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	d, err := v.fs.root.Open(s.loc)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	slices.Sort(names)
	entries := make([]fs.DirEntry, 0, len(names))
	for _, n := range names {
		child, err := v.look(path.Join(s.path, n))
		if err != nil || child.info == nil {
			continue // gone since, as a browser's temporary files are
		}
		entries = append(entries, fs.FileInfoToDirEntry(v.fs.describe(child, n)))
	}
	return entries, nil
}

// ReadFile is a file's content.
func (v *View) ReadFile(name string) ([]byte, error) {
	f, err := v.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// File is an open file. The [os.File] in it is the host's, or a copy of what
// was generated; Stat speaks of the device's.
type File struct {
	*os.File
	info *Info
}

// Stat describes the file as it was when it was opened.
func (f *File) Stat() (fs.FileInfo, error) { return f.info, nil }

// Open opens a file for reading.
func (v *View) Open(name string) (*File, error) { return v.OpenFile(name, os.O_RDONLY, 0) }

// Create opens a file for writing, made or emptied, with mode 0666.
func (v *View) Create(name string) (*File, error) {
	return v.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file as [os.OpenFile] does. A new file belongs to the user.
func (v *View) OpenFile(name string, flag int, perm fs.FileMode) (*File, error) {
	f, err := v.open(name, flag, perm)
	return f, pathError("open", name, err)
}

func (v *View) open(name string, flag int, perm fs.FileMode) (*File, error) {
	follow := flag&syscall.O_NOFOLLOW == 0 && flag&(os.O_CREATE|os.O_EXCL) != os.O_CREATE|os.O_EXCL
	s, err := v.walk(name, follow)
	if err != nil {
		return nil, err
	}
	writes := flag&(os.O_WRONLY|os.O_RDWR) != 0
	if s.info == nil {
		return v.openNew(s, name, flag, perm)
	}
	rights := fs.FileMode(4)
	switch {
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, syscall.EEXIST
	case flag&os.O_RDWR != 0:
		rights = 4 | 2
	case flag&os.O_WRONLY != 0:
		rights = 2
	}
	switch typ := s.info.Mode().Type(); {
	case typ == fs.ModeSymlink:
		return nil, syscall.ELOOP
	case typ == fs.ModeDir && writes:
		return nil, syscall.EISDIR
	case typ != 0 && typ != fs.ModeDir:
		return nil, syscall.ENXIO // a socket or pipe of the browser's
	}
	v.fs.mu.RLock()
	sp, isSpecial := v.fs.special[s.loc]
	v.fs.mu.RUnlock()
	if isSpecial {
		unguarded := s
		unguarded.on.readOnly = false
		if err := v.may(unguarded, rights); err != nil {
			return nil, err
		}
		return v.openSpecial(s, name, sp, flag)
	}
	if err := v.may(s, rights); err != nil {
		return nil, err
	}
	file, err := v.fs.root.OpenFile(s.loc, flag&^(os.O_CREATE|os.O_EXCL), 0)
	if err != nil {
		return nil, err
	}
	return &File{File: file, info: v.fs.describe(s, path.Base(name))}, nil
}

func (v *View) openNew(s spot, name string, flag int, perm fs.FileMode) (*File, error) {
	if flag&os.O_CREATE == 0 {
		return nil, errNotExist
	}
	if name[len(name)-1] == '/' {
		return nil, syscall.EISDIR
	}
	if _, err := v.mayChange(s); err != nil {
		return nil, err
	}
	file, err := v.fs.root.OpenFile(s.loc, flag, 0o600)
	if err != nil {
		return nil, err
	}
	v.own(s, perm)
	if s, err = v.look(s.path); err == nil && s.info == nil {
		err = errNotExist
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &File{File: file, info: v.fs.describe(s, path.Base(name))}, nil
}

// openSpecial opens a device, or a copy of what is generated.
func (v *View) openSpecial(s spot, name string, sp special, flag int) (*File, error) {
	info := v.fs.describe(s, path.Base(name))
	if sp.device != "" {
		file, err := os.OpenFile(sp.device, flag&(os.O_WRONLY|os.O_RDWR|os.O_APPEND), 0)
		if err != nil {
			return nil, err
		}
		return &File{File: file, info: info}, nil
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		return nil, errDenied
	}
	file, err := os.CreateTemp(v.fs.dir, "generated-")
	if err != nil {
		return nil, err
	}
	os.Remove(file.Name())
	if _, err = file.Write(sp.generate()); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &File{File: file, info: info}, nil
}

// own notes that the user has just made what is at s.
func (v *View) own(s spot, perm fs.FileMode) {
	if v.image {
		return // the rules say whose it is
	}
	f := v.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owners[s.loc] = owner{uid: v.uid, gid: v.uid, mode: perm & modeBits}
}

// Chtimes sets a file's times.
func (v *View) Chtimes(name string, accessed, modified time.Time) error {
	s, err := v.found(name, true)
	if err == nil {
		if err = v.mayOwn(s); err != nil {
			err = v.may(s, 2)
		}
	}
	if err == nil {
		err = v.fs.root.Chtimes(s.loc, accessed, modified)
	}
	return pathError("chtimes", name, err)
}
