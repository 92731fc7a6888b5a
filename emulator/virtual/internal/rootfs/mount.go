package rootfs

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// mount is one entry of the mount table.
type mount struct {
	source, point, kind string
	loc                 string // what point leads to, within the host's folder
	readOnly            bool
	native              bool // Android's own: can be remounted, not taken away
}

// Mount is one entry of the mount table, as mount prints it.
type Mount struct {
	Source, Point, Type string
	ReadOnly            bool
}

// nativeMounts are the file systems that the image has from the start.
func nativeMounts() []*mount {
	native := func(source, point, kind string, readOnly bool) *mount {
		return &mount{source: source, point: point, kind: kind, loc: path.Join(treeDir, point), readOnly: readOnly, native: true}
	}
	return []*mount{
		native("/dev/block/dm-5", "/", "ext4", true),
		native("tmpfs", "/dev", "tmpfs", false),
		native("proc", "/proc", "proc", false),
		native("sysfs", "/sys", "sysfs", false),
		native("tmpfs", "/mnt", "tmpfs", false),
		native("tmpfs", "/apex", "tmpfs", false),
		native("/dev/block/dm-2", "/vendor", "ext4", true),
		native("/dev/block/dm-3", "/product", "ext4", true),
		native("/dev/block/dm-4", "/system_ext", "ext4", true),
		native("/dev/block/vdd1", "/metadata", "ext4", false),
		native("/dev/block/dm-6", "/data", "ext4", false),
		native("tmpfs", "/storage", "tmpfs", false),
		native("/dev/fuse", "/storage/emulated", "fuse", false),
	}
}

// locate finds what holds a device path that has no links in it.
func (f *FS) locate(name string) spot {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for i := len(f.mounts) - 1; i >= 0; i-- {
		m := f.mounts[i]
		if within(name, m.point) {
			return spot{path: name, loc: path.Join(m.loc, strings.TrimPrefix(name, m.point)), on: *m}
		}
	}
	return spot{path: name, loc: path.Join(treeDir, name), on: mount{point: "/", readOnly: true}}
}

// Mounts is the mount table, oldest first.
func (f *FS) Mounts() []Mount {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []Mount
	for _, m := range f.mounts {
		out = append(out, Mount{Source: m.source, Point: m.point, Type: m.kind, ReadOnly: m.readOnly})
	}
	return out
}

// mountTable is the table in the form of /proc/mounts.
func (f *FS) mountTable() string {
	var b strings.Builder
	for _, m := range f.Mounts() {
		mode := "rw"
		if m.ReadOnly {
			mode = "ro"
		}
		fmt.Fprintf(&b, "%s %s %s %s,seclabel,relatime 0 0\n", m.Source, m.Point, m.Type, mode)
	}
	return b.String()
}

// MountTmpfs puts an empty file system over a folder.
func (v *View) MountTmpfs(source, point string, readOnly bool) error {
	if err := v.mountTmpfs(source, point, readOnly); err != nil {
		return pathError("mount", point, err)
	}
	return nil
}

func (v *View) mountTmpfs(source, point string, readOnly bool) error {
	at, err := v.mountPoint(point)
	if err != nil {
		return err
	}
	if !at.info.IsDir() {
		return syscall.ENOTDIR
	}
	f := v.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nextID++
	loc := fmt.Sprintf("%s/%d", mountDir, f.nextID)
	if err := f.root.RemoveAll(loc); err != nil {
		return number(err)
	}
	if err := f.root.Mkdir(loc, 0o700); err != nil {
		return number(err)
	}
	f.owners[loc] = owner{mode: 0o777 | fs.ModeSticky}
	f.mounts = append(f.mounts, &mount{source: source, point: at.path, kind: "tmpfs", loc: loc, readOnly: readOnly})
	return nil
}

// MountBind makes what is at source appear at point too. Doing so again
// changes nothing: on Android each process's name space is told, and this
// device has one for all.
func (v *View) MountBind(source, point string) error {
	at, err := v.mountPoint(point)
	if err != nil {
		return pathError("mount", point, err)
	}
	from, err := v.mountPoint(source)
	if err != nil {
		return pathError("mount", source, err)
	}
	if from.info.IsDir() != at.info.IsDir() {
		return pathError("mount", point, syscall.ENOTDIR)
	}
	if at.loc == from.loc {
		return nil
	}
	f := v.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mounts = append(f.mounts, &mount{source: from.on.source, point: at.path, kind: from.on.kind, loc: from.loc, readOnly: from.on.readOnly})
	return nil
}

func (v *View) mountPoint(name string) (spot, error) {
	if v.uid != Root {
		return spot{}, syscall.EPERM
	}
	s, err := v.walk(name, true)
	if err == nil && s.info == nil {
		err = syscall.ENOENT
	}
	return s, err
}

// Remount changes whether what is mounted at point can be written.
func (v *View) Remount(point string, readOnly bool) error {
	at, err := v.mountPoint(point)
	if err != nil {
		return pathError("mount", point, err)
	}
	f := v.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.mounts) - 1; i >= 0; i-- {
		if f.mounts[i].point == at.path {
			f.mounts[i].readOnly = readOnly
			return nil
		}
	}
	return pathError("mount", point, syscall.EINVAL)
}

// Unmount takes away what was last mounted at point.
func (v *View) Unmount(point string) error {
	at, err := v.mountPoint(point)
	if err != nil {
		return pathError("umount", point, err)
	}
	f := v.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.mounts) - 1; i >= 0; i-- {
		m := f.mounts[i]
		if m.point != at.path {
			if within(m.point, at.path) {
				return pathError("umount", point, syscall.EBUSY)
			}
			continue
		}
		if m.native {
			return pathError("umount", point, syscall.EBUSY)
		}
		f.mounts = append(f.mounts[:i], f.mounts[i+1:]...)
		f.drop(m.loc)
		return nil
	}
	return pathError("umount", point, syscall.EINVAL)
}

// drop removes a tmpfs that nothing leads to any more.
func (f *FS) drop(loc string) {
	parts := strings.Split(loc, "/")
	if parts[0] != mountDir || len(parts) < 2 {
		return
	}
	top := path.Join(parts[:2]...)
	for _, m := range f.mounts {
		if within(m.loc, top) {
			return
		}
	}
	for name := range f.owners {
		if within(name, top) {
			delete(f.owners, name)
		}
	}
	f.root.RemoveAll(top)
}

// mountedAt reports whether something is mounted exactly at a device path.
func (f *FS) mountedAt(name string) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, m := range f.mounts {
		if m.point == name {
			return true
		}
	}
	return false
}
