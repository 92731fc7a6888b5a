package shell

import (
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// copying is one run of cp, or of mv across file systems.
type copying struct {
	c         *Call
	recursive bool
	preserve  bool
	links     bool // copy links as links
	noClobber bool
	force     bool
}

func cmdCp(ctx context.Context, c *Call) int {
	o, ok := c.options("rRpafvdPLHnTuDi(preserve)")
	if !ok || !c.need(o, 2) {
		return 1
	}
	job := &copying{
		c: c, recursive: o.has('r') || o.has('R') || o.has('a'), preserve: o.has('p') || o.has('a'),
		links: !o.has('L') && (o.has('a') || o.has('d') || o.has('P') || o.has('r') || o.has('R')), noClobber: o.has('n'), force: o.has('f'),
	}
	return c.toDestination(o, func(from, to, name string) int { return job.copy(ctx, from, to, name) })
}

// toDestination calls f for each source with where it goes.
func (c *Call) toDestination(o options, f func(from, to, name string) int) int {
	dest, sources := o.args[len(o.args)-1], o.args[:len(o.args)-1]
	info, err := c.FS.Stat(c.Path(dest))
	into := err == nil && info.IsDir() && !o.has('T')
	if !into && len(sources) > 1 {
		return c.Errorf("'%s' not directory", dest)
	}
	code := 0
	for _, source := range sources {
		from, to := c.Path(source), c.Path(dest)
		if into {
			base := path.Base(source)
			if base == ".." || base == "/" || base == "." {
				base = "."
			}
			to += "/" + base
		}
		code |= f(from, to, source)
	}
	return code
}

func (j *copying) copy(ctx context.Context, from, to, name string) int {
	if ctx.Err() != nil {
		return 1
	}
	look := j.c.FS.Stat
	if j.links {
		look = j.c.FS.Lstat
	}
	info, err := look(from)
	if err != nil {
		return j.c.Errorf("bad '%s': %s", name, rootfs.Message(err))
	}
	a, _ := j.c.FS.Realpath(from)
	b, err := j.c.FS.Realpath(to)
	if err == nil && a == b && info.Mode()&fs.ModeSymlink == 0 {
		return j.c.Errorf("'%s' is '%s'", name, to)
	}
	switch {
	case info.IsDir():
		if !j.recursive {
			return j.c.Errorf("Skipped dir '%s'", name)
		}
		if err == nil && strings.HasPrefix(b+"/", a+"/") {
			return j.c.Errorf("'%s' into itself: '%s'", name, to)
		}
		return j.copyDir(ctx, from, to, name, info)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := j.c.FS.Readlink(from)
		if err == nil {
			j.c.FS.Remove(to)
			err = j.c.FS.Symlink(target, to)
		}
		if err != nil {
			return j.c.Errorf("'%s': %s", to, rootfs.Message(err))
		}
		return 0
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeDevice == 0:
		return j.c.Errorf("Skipped '%s': not a file", name)
	}
	if _, err := j.c.FS.Lstat(to); err == nil && j.noClobber {
		return 0
	}
	if err := j.copyFile(from, to, info); err != nil {
		return j.c.Errorf("'%s': %s", to, rootfs.Message(err))
	}
	return j.keep(to, info)
}

func (j *copying) copyDir(ctx context.Context, from, to, name string, info *rootfs.Info) int {
	if err := j.c.FS.Mkdir(to, info.Mode().Perm()|0o700); err != nil {
		there, statErr := j.c.FS.Stat(to)
		if rootfs.Errno(err) != uint32(syscall.EEXIST) || statErr != nil || !there.IsDir() {
			return j.c.Errorf("'%s': %s", to, rootfs.Message(err))
		}
	}
	entries, err := j.c.FS.ReadDir(from)
	if err != nil {
		return j.c.Errorf("%s: %s", name, rootfs.Message(err))
	}
	code := 0
	for _, e := range entries {
		code |= j.copy(ctx, from+"/"+e.Name(), to+"/"+e.Name(), name+"/"+e.Name())
	}
	return code | j.keep(to, info)
}

func (j *copying) copyFile(from, to string, info *rootfs.Info) error {
	in, err := j.c.FS.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := j.c.FS.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil && j.force && rootfs.Errno(err) == uint32(syscall.EACCES) && j.c.FS.Remove(to) == nil {
		out, err = j.c.FS.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}

// keep gives a copy the original's owner, mode and times, where that is asked for.
func (j *copying) keep(to string, info *rootfs.Info) int {
	if !j.preserve {
		return 0
	}
	j.c.FS.Chown(to, info.UID, info.GID, true) // only root may; others keep their own, as cp does
	if err := j.c.FS.Chmod(to, info.Mode()); err != nil {
		return j.c.Errorf("'%s': %s", to, rootfs.Message(err))
	}
	if err := j.c.FS.Chtimes(to, info.Accessed(), info.ModTime()); err != nil {
		return j.c.Errorf("'%s': %s", to, rootfs.Message(err))
	}
	return 0
}

func cmdMv(ctx context.Context, c *Call) int {
	o, ok := c.options("finvT")
	if !ok || !c.need(o, 2) {
		return 1
	}
	return c.toDestination(o, func(from, to, name string) int {
		info, err := c.FS.Lstat(from)
		if err != nil {
			return c.Errorf("bad '%s': %s", name, rootfs.Message(err))
		}
		if _, err := c.FS.Lstat(to); err == nil && o.has('n') {
			return 0
		}
		err = c.FS.Rename(from, to)
		if err == nil {
			return 0
		}
		if rootfs.Errno(err) != uint32(syscall.EXDEV) {
			return c.Errorf("bad '%s': %s", name, rootfs.Message(err))
		}
		job := &copying{c: c, recursive: true, preserve: true, links: true}
		if code := job.copy(ctx, from, to, name); code != 0 {
			return code
		}
		return c.removeTree(ctx, from, name, info.IsDir())
	})
}

func cmdChmod(_ context.Context, c *Call) int {
	args, recursive := c.Args[1:], false
	for len(args) > 0 && (args[0] == "-R" || args[0] == "-v" || args[0] == "-f" || args[0] == "--") {
		recursive = recursive || args[0] == "-R"
		args = args[1:]
	}
	if !c.need(options{args: args}, 2) {
		return 1
	}
	code := 0
	for _, name := range args[1:] {
		code |= c.walkTree(c.Path(name), name, recursive, func(full, name string, info *rootfs.Info) int {
			mode, ok := parseMode(args[0], info.Mode(), info.IsDir())
			if !ok {
				return c.Errorf("bad mode '%s'", args[0])
			}
			if err := c.FS.Chmod(full, mode); err != nil {
				return c.Errorf("chmod '%s' to %s: %s", name, strconv.FormatUint(uint64(info.Unix()&^0o7777)|unixBits(mode), 8), rootfs.Message(err))
			}
			return 0
		})
	}
	return code
}

func unixBits(mode fs.FileMode) uint64 {
	n := uint64(mode.Perm())
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if mode&flag != 0 {
			n |= bit
		}
	}
	return n
}

// walkTree calls f for a file, and with recursive for what is below a folder.
func (c *Call) walkTree(full, name string, recursive bool, f func(full, name string, info *rootfs.Info) int) int {
	info, err := c.FS.Stat(full)
	if err != nil {
		return c.Errorf("'%s': %s", name, rootfs.Message(err))
	}
	code := f(full, name, info)
	if !recursive || !info.IsDir() {
		return code
	}
	entries, err := c.FS.ReadDir(full)
	if err != nil {
		return c.Errorf("%s: %s", name, rootfs.Message(err))
	}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink == 0 {
			code |= c.walkTree(full+"/"+e.Name(), name+"/"+e.Name(), true, f)
		}
	}
	return code
}

// parseMode reads an octal or symbolic mode.
func parseMode(s string, old fs.FileMode, dir bool) (fs.FileMode, bool) {
	if n, err := strconv.ParseUint(s, 8, 32); err == nil {
		return rootfs.ModeOf(uint32(n)), n <= 0o7777
	}
	mode := old & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	for _, clause := range strings.Split(s, ",") {
		i := strings.IndexAny(clause, "+-=")
		if i < 0 {
			return 0, false
		}
		var who fs.FileMode
		for _, w := range clause[:i] {
			switch w {
			case 'u':
				who |= 0o700
			case 'g':
				who |= 0o070
			case 'o':
				who |= 0o007
			case 'a':
				who |= 0o777
			default:
				return 0, false
			}
		}
		all := who
		if who == 0 {
			all = 0o777
		}
		var bits, special fs.FileMode
		for _, p := range clause[i+1:] {
			switch p {
			case 'r':
				bits |= 0o444
			case 'w':
				bits |= 0o222
			case 'x':
				bits |= 0o111
			case 'X':
				if dir || old&0o111 != 0 {
					bits |= 0o111
				}
			case 's':
				if all&0o700 != 0 {
					special |= fs.ModeSetuid
				}
				if all&0o070 != 0 {
					special |= fs.ModeSetgid
				}
			case 't':
				special |= fs.ModeSticky
			case 'u':
				bits |= (mode >> 6 & 7) * 0o111
			case 'g':
				bits |= (mode >> 3 & 7) * 0o111
			case 'o':
				bits |= (mode & 7) * 0o111
			default:
				return 0, false
			}
		}
		bits &= all
		switch clause[i] {
		case '+':
			mode |= bits | special
		case '-':
			mode &^= bits | special
		case '=':
			mode = mode&^all | bits | special
		}
	}
	return mode, true
}

func cmdChown(_ context.Context, c *Call) int {
	o, ok := c.options("RfhvHLP")
	if !ok || !c.need(o, 2) {
		return 1
	}
	userText, groupText, both := strings.Cut(strings.Replace(o.args[0], ".", ":", 1), ":")
	if path.Base(c.Args[0]) == "chgrp" {
		userText, groupText, both = "", o.args[0], true
	}
	uid, gid := -1, -1
	if userText != "" {
		id, ok := rootfs.ParseUser(userText)
		if !ok {
			return c.Errorf("bad user '%s'", userText)
		}
		uid = id
	}
	if both && groupText != "" {
		id, ok := rootfs.ParseUser(groupText)
		if !ok {
			return c.Errorf("bad group '%s'", groupText)
		}
		gid = id
	}
	code := 0
	for _, name := range o.args[1:] {
		if o.has('h') {
			if err := c.FS.Chown(c.Path(name), uid, gid, false); err != nil {
				code = c.Errorf("'%s' to '%s': %s", name, o.args[0], rootfs.Message(err))
			}
			continue
		}
		code |= c.walkTree(c.Path(name), name, o.has('R'), func(full, name string, _ *rootfs.Info) int {
			if err := c.FS.Chown(full, uid, gid, true); err != nil {
				return c.Errorf("'%s' to '%s': %s", name, o.args[0], rootfs.Message(err))
			}
			return 0
		})
	}
	return code
}

// randomName is n letters that nobody can guess.
func randomName(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}
