package rootfs

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// WriteFile makes or replaces a file's content; a new file gets mode perm.
func (v *View) WriteFile(name string, data []byte, perm fs.FileMode) error {
	f, err := v.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return pathError("write", name, err)
}

// Mkdir makes a folder.
func (v *View) Mkdir(name string, perm fs.FileMode) error {
	trimmed := strings.TrimRight(name, "/")
	if trimmed == "" {
		return pathError("mkdir", name, syscall.EEXIST)
	}
	return pathError("mkdir", name, v.mkdir(trimmed, perm))
}

func (v *View) mkdir(name string, perm fs.FileMode) error {
	s, err := v.walk(name, false)
	if err != nil {
		return err
	}
	if s.info != nil {
		return syscall.EEXIST
	}
	if _, err := v.mayChange(s); err != nil {
		return err
	}
	if err := v.fs.root.Mkdir(s.loc, 0o700); err != nil {
		return err
	}
	v.own(s, perm)
	return nil
}

// MkdirAll makes a folder and those above it that are missing.
func (v *View) MkdirAll(name string, perm fs.FileMode) error {
	var made string
	for _, part := range strings.Split(name, "/") {
		made += part
		if part != "" && part != "." && part != ".." {
			if err := v.ensureDir(made, perm); err != nil {
				return err
			}
		}
		made += "/"
	}
	return nil
}

func (v *View) ensureDir(name string, perm fs.FileMode) error {
	info, err := v.Stat(name)
	if err == nil {
		if !info.IsDir() {
			return pathError("mkdir", name, syscall.ENOTDIR)
		}
		return nil
	}
	if number(err) != syscall.ENOENT {
		return err
	}
	err = v.Mkdir(name, perm)
	if number(err) == syscall.EEXIST { // made by another in the meantime, or a link to nowhere
		if info, again := v.Stat(name); again == nil && info.IsDir() {
			return nil
		}
	}
	return err
}

// Symlink makes a link at name that leads to target.
func (v *View) Symlink(target, name string) error {
	return pathError("symlink", name, v.symlink(target, name))
}

func (v *View) symlink(target, name string) error {
	switch {
	case target == "":
		return syscall.ENOENT
	case strings.ContainsRune(target, 0):
		return syscall.EINVAL
	case len(linkGuard)+len(target) > 4095:
		return syscall.ENAMETOOLONG
	}
	s, err := v.walk(name, false)
	if err != nil {
		return err
	}
	if s.info != nil {
		return syscall.EEXIST
	}
	if _, err := v.mayChange(s); err != nil {
		return err
	}
	if err := v.fs.root.Symlink(linkGuard+target, s.loc); err != nil {
		return err
	}
	v.own(s, 0o777)
	return nil
}

// Remove takes away a file, a link or an empty folder.
func (v *View) Remove(name string) error {
	return pathError("remove", name, v.remove(name))
}

func (v *View) remove(name string) error {
	s, err := v.found(strings.TrimRight(name, "/"), false)
	if err != nil {
		return err
	}
	if err := v.mayRemove(s); err != nil {
		return err
	}
	if err := v.fs.root.Remove(s.loc); err != nil {
		return err
	}
	v.fs.forget(s.loc)
	return nil
}

// mayRemove checks that the user may take away what is at s.
func (v *View) mayRemove(s spot) error {
	parent, err := v.mayChange(s)
	if err != nil {
		return err
	}
	if v.fs.mountedAt(s.path) {
		return syscall.EBUSY
	}
	if v.image || v.uid == Root {
		return nil
	}
	dir := v.fs.ownerOf(parent.loc, parent.info.Mode())
	if dir.mode&fs.ModeSticky != 0 && dir.uid != v.uid && v.fs.ownerOf(s.loc, s.info.Mode()).uid != v.uid {
		return syscall.EPERM
	}
	return nil
}

// forget drops the owners of what was at a location and below.
func (f *FS) forget(loc string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.owners {
		if within(name, loc) {
			delete(f.owners, name)
		}
	}
	for name := range f.special {
		if within(name, loc) {
			delete(f.special, name)
		}
	}
}

// RemoveAll takes away a file or folder with all that is in it. What is not
// there is no error. It stops at the first thing that may not be removed.
func (v *View) RemoveAll(name string) error {
	info, err := v.Lstat(name)
	if number(err) == syscall.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		entries, err := v.ReadDir(name)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := v.RemoveAll(path.Join(name, e.Name())); err != nil {
				return err
			}
		}
	}
	err = v.Remove(name)
	if number(err) == syscall.ENOENT {
		return nil
	}
	return err
}

// Rename moves a file or folder within one file system; across two it fails
// with EXDEV.
func (v *View) Rename(from, to string) error {
	return pathError("rename", from, v.rename(from, to))
}

func (v *View) rename(from, to string) error {
	a, err := v.found(strings.TrimRight(from, "/"), false)
	if err != nil {
		return err
	}
	b, err := v.walk(strings.TrimRight(to, "/"), false)
	if err != nil {
		return err
	}
	if err := v.mayRemove(a); err != nil {
		return err
	}
	if b.info == nil {
		_, err = v.mayChange(b)
	} else {
		err = v.mayRemove(b)
	}
	switch {
	case err != nil:
		return err
	case a.loc == b.loc:
		return nil
	case a.on.point != b.on.point || a.on.loc != b.on.loc:
		return syscall.EXDEV
	case within(b.path, a.path):
		return syscall.EINVAL
	}
	if b.info != nil && b.info.IsDir() != a.info.IsDir() {
		if b.info.IsDir() {
			return syscall.EISDIR
		}
		return syscall.ENOTDIR
	}
	if err := v.fs.root.Rename(a.loc, b.loc); err != nil {
		return err
	}
	v.fs.moveOwners(a.loc, b.loc, v.fs.ownerOf(a.loc, a.info.Mode()))
	return nil
}

// moveOwners lets what was at a location, and below, keep its owners at another.
func (f *FS) moveOwners(from, to string, itself owner) {
	f.mu.Lock()
	defer f.mu.Unlock()
	moved := map[string]owner{to: itself}
	for name, o := range f.owners {
		switch {
		case within(name, from):
			moved[to+strings.TrimPrefix(name, from)] = o
			delete(f.owners, name)
		case within(name, to):
			delete(f.owners, name)
		}
	}
	for name, o := range moved {
		f.owners[name] = o
	}
}

// Link gives a file a second name.
func (v *View) Link(from, to string) error {
	return pathError("link", to, v.link(from, to))
}

func (v *View) link(from, to string) error {
	a, err := v.found(from, false)
	if err != nil {
		return err
	}
	b, err := v.walk(to, false)
	if err != nil {
		return err
	}
	switch {
	case b.info != nil:
		return syscall.EEXIST
	case !a.info.Mode().IsRegular():
		return syscall.EPERM
	case a.on.point != b.on.point || a.on.loc != b.on.loc:
		return syscall.EXDEV
	}
	if _, err := v.mayChange(b); err != nil {
		return err
	}
	if err := v.fs.root.Link(a.loc, b.loc); err != nil {
		return err
	}
	o := v.fs.ownerOf(a.loc, a.info.Mode())
	v.fs.mu.Lock()
	v.fs.owners[b.loc] = o
	v.fs.mu.Unlock()
	return nil
}

// mayOwn checks that the user may change the owner or mode of what is at s.
func (v *View) mayOwn(s spot) error {
	if s.on.readOnly && !v.image {
		return errReadOnly
	}
	if v.image || v.uid == Root || underFixed(s.loc) || v.uid == v.fs.ownerOf(s.loc, s.info.Mode()).uid {
		return nil
	}
	return syscall.EPERM
}

// Chmod sets a file's mode. On the SD card it does nothing, as there.
func (v *View) Chmod(name string, mode fs.FileMode) error {
	s, err := v.found(name, true)
	if err == nil {
		err = v.mayOwn(s)
	}
	if err == nil {
		o := v.fs.ownerOf(s.loc, s.info.Mode())
		o.mode = mode & modeBits
		v.fs.mu.Lock()
		v.fs.owners[s.loc] = o
		v.fs.mu.Unlock()
	}
	return pathError("chmod", name, err)
}

// Chown gives a file to another user and group; -1 leaves one as it is. Only
// root may give to others; on the SD card it does nothing. With follow, what a link leads to is given.
func (v *View) Chown(name string, uid, gid int, follow bool) error {
	s, err := v.found(name, follow)
	if err == nil {
		err = v.mayOwn(s)
	}
	if err != nil {
		return pathError("chown", name, err)
	}
	if underFixed(s.loc) {
		return nil
	}
	o := v.fs.ownerOf(s.loc, s.info.Mode())
	if !v.image && v.uid != Root && (uid >= 0 && uid != o.uid || gid >= 0 && gid != o.gid && gid != v.uid && !v.inGroup(gid)) {
		return pathError("chown", name, syscall.EPERM)
	}
	if uid >= 0 {
		o.uid = uid
	}
	if gid >= 0 {
		o.gid = gid
	}
	v.fs.mu.Lock()
	v.fs.owners[s.loc] = o
	v.fs.mu.Unlock()
	return nil
}

// Truncate sets a file's length.
func (v *View) Truncate(name string, size int64) error {
	f, err := v.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return pathError("truncate", name, f.Truncate(size))
}
