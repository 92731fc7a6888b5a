package rootfs

import (
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// maxLinks is how many links a path may lead through, as on Linux.
const maxLinks = 40

// spot is where a device path led to.
type spot struct {
	path string      // the device's path without links or ".."
	loc  string      // the same within the host's folder
	on   mount       // what it is mounted on
	info fs.FileInfo // what the host says; nil where only the last part is missing
}

// linkGuard stands before the target of each link that the device makes. To
// the host such a link leads nowhere, so a program that follows it, as a
// browser may in its profile, is not led out of the device.
const linkGuard = "/dev/null/"

// walk follows a device path, and checks on each step that the user may pass.
func (v *View) walk(name string, follow bool) (spot, error) {
	switch {
	case name == "":
		return spot{}, syscall.ENOENT
	case strings.ContainsRune(name, 0):
		return spot{}, syscall.EINVAL
	case len(name) > 4095:
		return spot{}, syscall.ENAMETOOLONG
	case name[0] != '/':
		return spot{}, syscall.ENOENT
	}
	todo := strings.Split(name, "/")
	at, err := v.look("/")
	if err != nil {
		return spot{}, err
	}
	links := 0
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		if part == "" || part == "." {
			if !at.info.IsDir() {
				return spot{}, syscall.ENOTDIR
			}
			continue
		}
		if !at.info.IsDir() {
			return spot{}, syscall.ENOTDIR
		}
		if err := v.may(at, 1); err != nil {
			return spot{}, err
		}
		if part == ".." {
			if at, err = v.look(path.Dir(at.path)); err != nil {
				return spot{}, err
			}
			continue
		}
		if len(part) > 255 {
			return spot{}, syscall.ENAMETOOLONG
		}
		next, err := v.look(path.Join(at.path, part))
		if err != nil {
			return spot{}, err
		}
		last := strings.Trim(strings.Join(todo, "/"), "/") == ""
		if next.info == nil {
			if !last {
				return spot{}, syscall.ENOENT
			}
			return next, nil
		}
		if next.info.Mode()&fs.ModeSymlink != 0 && (follow || len(todo) > 0) {
			if links++; links > maxLinks {
				return spot{}, syscall.ELOOP
			}
			target, err := v.fs.readlink(next.loc)
			if err != nil {
				return spot{}, err
			}
			todo = append(strings.Split(target, "/"), todo...)
			if strings.HasPrefix(target, "/") {
				if at, err = v.look("/"); err != nil {
					return spot{}, err
				}
			}
			continue
		}
		at = next
	}
	return at, nil
}

// look is what is at a device path that has no links in it.
func (v *View) look(name string) (spot, error) {
	s := v.fs.locate(name)
	info, err := v.fs.root.Lstat(s.loc)
	switch number(err) {
	case nil:
		s.info = info
	case syscall.ENOENT:
	default:
		return s, number(err)
	}
	return s, nil
}

// readlink is a link's target as the device knows it.
func (f *FS) readlink(loc string) (string, error) {
	target, err := f.root.Readlink(loc)
	if err != nil {
		return "", number(err)
	}
	return strings.TrimPrefix(target, linkGuard), nil
}

// may checks that the user has rights on what is at s: 4 to read, 2 to write, 1 to
// pass or run.
func (v *View) may(s spot, rights fs.FileMode) error {
	if rights&2 != 0 && s.on.readOnly && !v.image {
		return errReadOnly
	}
	if v.image || v.uid == Root {
		return nil
	}
	if v.uid >= Shell && sealed(s.loc) {
		return errDenied
	}
	o := v.fs.ownerOf(s.loc, s.info.Mode())
	have := o.mode
	switch {
	case v.uid == o.uid:
		have >>= 6
	case v.uid == o.gid || v.inGroup(o.gid):
		have >>= 3
	}
	if have&rights != rights {
		return errDenied
	}
	return nil
}

// mayChange checks that the user may add or remove something in the folder that s is in.
func (v *View) mayChange(s spot) (parent spot, err error) {
	if s.path == "/" {
		return spot{}, syscall.EBUSY
	}
	parent, err = v.look(path.Dir(s.path))
	if err != nil {
		return spot{}, err
	}
	if parent.info == nil {
		return spot{}, syscall.ENOENT
	}
	return parent, v.may(parent, 2|1)
}
