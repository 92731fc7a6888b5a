package rootfs

import (
	"io/fs"
	"syscall"
	"time"
)

// Info describes a file as the device knows it.
type Info struct {
	name     string
	mode     fs.FileMode
	size     int64
	modified time.Time
	UID, GID int
	host     syscall.Stat_t
}

var _ fs.FileInfo = (*Info)(nil)

func (i *Info) Name() string       { return i.name }
func (i *Info) Size() int64        { return i.size }
func (i *Info) Mode() fs.FileMode  { return i.mode }
func (i *Info) ModTime() time.Time { return i.modified }
func (i *Info) IsDir() bool        { return i.mode.IsDir() }

// Inode is the file's number.
func (i *Info) Inode() uint64 { return i.host.Ino }

// Links is the number of names that the file has.
func (i *Info) Links() uint64 { return uint64(i.host.Nlink) }

// Blocks is the number of blocks of 512 bytes that the file takes.
func (i *Info) Blocks() int64 { return i.host.Blocks }

// Accessed and Changed are the other two times of a file.
func (i *Info) Accessed() time.Time { return time.Unix(i.host.Atim.Unix()) }
func (i *Info) Changed() time.Time  { return time.Unix(i.host.Ctim.Unix()) }

// Unix is the mode as stat(2) has it: kind, setuid, setgid, sticky and permissions.
func (i *Info) Unix() uint32 {
	m := uint32(i.mode.Perm())
	switch i.mode.Type() {
	case fs.ModeDir:
		m |= syscall.S_IFDIR
	case fs.ModeSymlink:
		m |= syscall.S_IFLNK
	case fs.ModeNamedPipe:
		m |= syscall.S_IFIFO
	case fs.ModeSocket:
		m |= syscall.S_IFSOCK
	case fs.ModeDevice:
		m |= syscall.S_IFBLK
	case fs.ModeDevice | fs.ModeCharDevice:
		m |= syscall.S_IFCHR
	default:
		m |= syscall.S_IFREG
	}
	if i.mode&fs.ModeSetuid != 0 {
		m |= syscall.S_ISUID
	}
	if i.mode&fs.ModeSetgid != 0 {
		m |= syscall.S_ISGID
	}
	if i.mode&fs.ModeSticky != 0 {
		m |= syscall.S_ISVTX
	}
	return m
}

// Sys is a *syscall.Stat_t with the device's owner and mode.
func (i *Info) Sys() any {
	st := i.host
	st.Uid, st.Gid, st.Mode = uint32(i.UID), uint32(i.GID), i.Unix()
	return &st
}

// ModeOf is the file mode of a Unix mode's permission bits.
func ModeOf(unix uint32) fs.FileMode {
	m := fs.FileMode(unix & 0o777)
	if unix&syscall.S_ISUID != 0 {
		m |= fs.ModeSetuid
	}
	if unix&syscall.S_ISGID != 0 {
		m |= fs.ModeSetgid
	}
	if unix&syscall.S_ISVTX != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// describe makes the device's description of what is at s.
func (f *FS) describe(s spot, name string) *Info {
	o := f.ownerOf(s.loc, s.info.Mode())
	info := &Info{
		name:     name,
		mode:     s.info.Mode().Type() | o.mode,
		size:     s.info.Size(),
		modified: s.info.ModTime(),
		UID:      o.uid,
		GID:      o.gid,
	}
	if st, ok := s.info.Sys().(*syscall.Stat_t); ok {
		info.host = *st
	}
	if s.info.Mode()&fs.ModeSymlink != 0 {
		info.mode = fs.ModeSymlink | 0o777
		if target, err := f.readlink(s.loc); err == nil {
			info.size = int64(len(target))
		}
	}
	f.mu.RLock()
	sp, ok := f.special[s.loc]
	f.mu.RUnlock()
	if ok && sp.device != "" {
		info.mode |= fs.ModeDevice | fs.ModeCharDevice
	}
	return info
}
