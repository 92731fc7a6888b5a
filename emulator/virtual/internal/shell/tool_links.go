package shell

import (
	"context"
	"io/fs"
	"path"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

func cmdLn(_ context.Context, c *Call) int {
	o, ok := c.options("sfnvrtT")
	if !ok || !c.need(o, 1) {
		return 1
	}
	args := o.args
	dest := "."
	if len(args) > 1 {
		dest, args = args[len(args)-1], args[:len(args)-1]
	}
	info, err := c.FS.Stat(c.Path(dest))
	into := err == nil && info.IsDir()
	if l, err := c.FS.Lstat(c.Path(dest)); err == nil && l.Mode()&fs.ModeSymlink != 0 && o.has('n') || o.has('T') {
		into = false
	}
	code := 0
	for _, target := range args {
		name := c.Path(dest)
		if into {
			name += "/" + path.Base(target)
		}
		if o.has('f') {
			if l, err := c.FS.Lstat(name); err == nil && !l.IsDir() {
				c.FS.Remove(name)
			}
		}
		kind, err := "hard", error(nil)
		if o.has('s') {
			kind, err = "symbolic", c.FS.Symlink(target, name)
		} else {
			err = c.FS.Link(c.Path(target), name)
		}
		if err != nil {
			code = c.Errorf("cannot create %s link from '%s' to '%s': %s", kind, target, name, rootfs.Message(err))
		}
	}
	return code
}

func cmdReadlink(_ context.Context, c *Call) int {
	o, ok := c.options("fenqmz")
	if !ok || !c.need(o, 1) {
		return 1
	}
	end := "\n"
	if o.has('n') {
		end = ""
	}
	code := 0
	for _, name := range o.args {
		var out string
		var err error
		if o.has('f') || o.has('e') || o.has('m') {
			out, err = c.realpath(name, o.has('e'))
		} else {
			out, err = c.FS.Readlink(c.Path(name))
		}
		if err != nil {
			code = 1
			continue
		}
		c.Printf("%s%s", out, end)
	}
	return code
}

func (c *Call) realpath(name string, must bool) (string, error) {
	full := c.Path(name)
	if must {
		if _, err := c.FS.Stat(full); err != nil {
			return "", err
		}
	}
	return c.FS.Realpath(full)
}

func cmdRealpath(_ context.Context, c *Call) int {
	o, ok := c.options("eLmqsz")
	if !ok || !c.need(o, 1) {
		return 1
	}
	code := 0
	for _, name := range o.args {
		out, err := c.realpath(name, true)
		if err != nil {
			code = c.Errorf("%s: %s", name, rootfs.Message(err))
			continue
		}
		c.Printf("%s\n", out)
	}
	return code
}
