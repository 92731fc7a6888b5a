package shell

import (
	"context"
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

// eachInput calls f with each file that args name, "-" being standard input,
// which it is too where there are none. It returns 1 if one could not be read.
func (c *Call) eachInput(args []string, f func(name string, r io.Reader) error) int {
	if len(args) == 0 {
		args = []string{"-"}
	}
	code := 0
	for _, name := range args {
		var err error
		if name == "-" {
			err = f(name, c.Stdin)
		} else {
			err = c.withFile(name, f)
		}
		if err != nil {
			code = 1
			if c.Stdout.(*pipeEnd).broken.Load() {
				return code
			}
			c.Errorf("%s: %s", name, rootfs.Message(err))
		}
	}
	return code
}

func (c *Call) withFile(name string, f func(name string, r io.Reader) error) error {
	file, err := c.FS.Open(c.Path(name))
	if err != nil {
		return err
	}
	defer file.Close()
	if info, _ := file.Stat(); info.IsDir() {
		return syscall.EISDIR
	}
	return f(name, file)
}

func cmdCat(_ context.Context, c *Call) int {
	o, ok := c.options("etuv")
	if !ok {
		return 1
	}
	return c.eachInput(o.args, func(_ string, r io.Reader) error {
		_, err := io.Copy(c.Stdout, r)
		return err
	})
}

func cmdMkdir(_ context.Context, c *Call) int {
	o, ok := c.options("pvm:(parents)")
	if !ok || !c.need(o, 1) {
		return 1
	}
	mode := fs.FileMode(0o777)
	if o.has('m') {
		m, ok := parseMode(o.value('m', ""), mode, true)
		if !ok {
			return c.Errorf("bad mode '%s'", o.value('m', ""))
		}
		mode = m
	}
	code := 0
	for _, name := range o.args {
		full := c.Path(name)
		var err error
		if o.has('p') {
			if parent := path.Dir(path.Clean(full)); parent != "/" {
				err = c.FS.MkdirAll(parent, 0o777)
			}
			if err == nil {
				err = c.FS.MkdirAll(full, mode)
			}
		} else {
			err = c.FS.Mkdir(full, mode)
		}
		if err != nil {
			code = c.Errorf("'%s': %s", name, rootfs.Message(err))
		}
	}
	return code
}

func cmdRmdir(_ context.Context, c *Call) int {
	o, ok := c.options("p(ignore-fail-on-non-empty)")
	if !ok || !c.need(o, 1) {
		return 1
	}
	code := 0
	for _, name := range o.args {
		info, err := c.FS.Lstat(c.Path(name))
		if err == nil && !info.IsDir() {
			err = syscall.ENOTDIR
		}
		if err == nil {
			err = c.FS.Remove(c.Path(name))
		}
		if err != nil {
			code = c.Errorf("'%s': %s", name, rootfs.Message(err))
		}
	}
	return code
}

func cmdRm(ctx context.Context, c *Call) int {
	o, ok := c.options("fiRrv(force)")
	if !ok {
		return 1
	}
	if len(o.args) == 0 {
		if o.has('f') {
			return 0
		}
		c.need(o, 1)
		return 1
	}
	code := 0
	for _, name := range o.args {
		full := c.Path(name)
		if base := path.Base(name); base == "." || base == ".." || path.Clean(full) == "/" {
			code = c.Errorf("bad path %s", name)
			continue
		}
		info, err := c.FS.Lstat(full)
		switch {
		case err != nil:
			if o.has('f') && rootfs.Errno(err) == uint32(syscall.ENOENT) {
				continue
			}
			code = c.Errorf("%s: %s", name, rootfs.Message(err))
		case info.IsDir() && !o.has('r') && !o.has('R'):
			code = c.Errorf("%s: is a directory", name)
		default:
			code |= c.removeTree(ctx, full, name, info.IsDir())
		}
	}
	return code
}

// removeTree removes what it can, and says what it can't.
func (c *Call) removeTree(ctx context.Context, full, name string, dir bool) int {
	code := 0
	if dir && ctx.Err() == nil {
		entries, err := c.FS.ReadDir(full)
		if err != nil {
			return c.Errorf("%s: %s", name, rootfs.Message(err))
		}
		for _, e := range entries {
			code |= c.removeTree(ctx, full+"/"+e.Name(), name+"/"+e.Name(), e.IsDir())
		}
	}
	if code != 0 {
		return code
	}
	if err := c.FS.Remove(full); err != nil {
		return c.Errorf("%s: %s", name, rootfs.Message(err))
	}
	return 0
}

func cmdTouch(_ context.Context, c *Call) int {
	o, ok := c.options("acmhfd:t:r:")
	if !ok || !c.need(o, 1) {
		return 1
	}
	when := c.Shell.clock()
	switch {
	case o.has('r'):
		info, err := c.FS.Stat(c.Path(o.value('r', "")))
		if err != nil {
			return c.Errorf("'%s': %s", o.value('r', ""), rootfs.Message(err))
		}
		when = info.ModTime()
	case o.has('d') || o.has('t'):
		t, ok := parseDate(o.value('d', o.value('t', "")), when)
		if !ok {
			return c.Errorf("bad date '%s'", o.value('d', o.value('t', "")))
		}
		when = t
	}
	code := 0
	for _, name := range o.args {
		full := c.Path(name)
		_, err := c.FS.Stat(full)
		if err != nil && rootfs.Errno(err) == uint32(syscall.ENOENT) {
			if o.has('c') {
				continue
			}
			var f *rootfs.File
			if f, err = c.FS.OpenFile(full, os.O_WRONLY|os.O_CREATE, 0o666); err == nil {
				f.Close()
			}
		}
		if err == nil {
			err = c.FS.Chtimes(full, when, when)
		}
		if err != nil {
			code = c.Errorf("'%s': %s", name, rootfs.Message(err))
		}
	}
	return code
}

func cmdMktemp(_ context.Context, c *Call) int {
	o, ok := c.options("dqtup:")
	if !ok {
		return 1
	}
	dir := o.value('p', c.Env["TMPDIR"])
	if dir == "" {
		dir = "/data/local/tmp"
	}
	template := "tmp.XXXXXXXXXX"
	if len(o.args) > 0 {
		template = o.args[0]
		if strings.Contains(template, "/") {
			dir, template = path.Split(template)
		} else if !o.has('p') && !o.has('t') {
			dir = "."
		}
	}
	base := strings.TrimRight(template, "X")
	if len(template)-len(base) < 3 {
		return c.Errorf("bad template '%s'", template)
	}
	for range 100 {
		name := path.Join(dir, base+randomName(len(template)-len(base)))
		var err error
		switch {
		case o.has('u'):
		case o.has('d'):
			err = c.FS.Mkdir(c.Path(name), 0o700)
		default:
			var f *rootfs.File
			if f, err = c.FS.OpenFile(c.Path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
				f.Close()
			}
		}
		if err == nil {
			c.Printf("%s\n", name)
			return 0
		}
		if rootfs.Errno(err) != uint32(syscall.EEXIST) {
			return c.Errorf("Failed to create file %s: %s", name, rootfs.Message(err))
		}
	}
	return c.Errorf("Failed to create file %s/%s", dir, template)
}

func cmdTruncate(_ context.Context, c *Call) int {
	o, ok := c.options("cs:")
	if !ok || !c.need(o, 1) {
		return 1
	}
	n, ok := parseSize(o.value('s', ""))
	if !ok {
		return c.Errorf("bad size '%s'", o.value('s', ""))
	}
	for _, name := range o.args {
		f, err := c.FS.OpenFile(c.Path(name), os.O_WRONLY|os.O_CREATE, 0o666)
		if err == nil {
			err = f.Truncate(n)
			f.Close()
		}
		if err != nil {
			return c.Errorf("'%s': %s", name, rootfs.Message(err))
		}
	}
	return 0
}

// parseSize reads a number of bytes with toybox's units.
func parseSize(s string) (int64, bool) {
	unit := int64(1)
	if s != "" {
		if i := strings.IndexByte("kmg", s[len(s)-1]|0x20); i >= 0 {
			unit <<= 10 * (i + 1)
			s = s[:len(s)-1]
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<40/unit {
		return 0, false
	}
	return n * unit, true
}

// parseDate reads the forms of date that toybox's tools share.
func parseDate(s string, now time.Time) (time.Time, bool) {
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		n, err := strconv.ParseFloat(rest, 64)
		return time.Unix(int64(n), 0), err == nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
		"200601021504.05", "200601021504", "0601021504.05", "0601021504"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
