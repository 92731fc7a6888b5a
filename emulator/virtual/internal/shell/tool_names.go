package shell

import (
	"context"
	"path"
	"strings"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

func cmdType(_ context.Context, c *Call) int {
	code := 0
	for _, name := range c.Args[1:] {
		file := c.Shell.which(c, name)
		switch {
		case syntax.IsKeyword(name):
			c.Printf("%s is a reserved word\n", name)
		case isBuiltin(name):
			c.Printf("%s is a shell builtin\n", name)
		case file != "":
			c.Printf("%s is %s\n", name, file)
		default:
			c.Printf("%s not found\n", name)
			code = 1
		}
	}
	return code
}

// isBuiltin reports whether mksh has a builtin of that name.
func isBuiltin(name string) bool {
	return own[name] || interp.IsBuiltin(name) && !foreign[name]
}

func cmdWhence(_ context.Context, c *Call) int {
	code := 0
	for _, name := range c.Args[1:] {
		file := c.Shell.which(c, name)
		switch {
		case isBuiltin(name) || syntax.IsKeyword(name):
			c.Printf("%s\n", name)
		case file != "":
			c.Printf("%s\n", file)
		default:
			code = 1
		}
	}
	return code
}

func cmdWhich(_ context.Context, c *Call) int {
	o, ok := c.options("a")
	if !ok {
		return 1
	}
	code := 0
	for _, name := range o.args {
		if file := c.Shell.which(c, name); file != "" {
			c.Printf("%s\n", file)
		} else {
			code = 1
		}
	}
	return code
}

func cmdBasename(_ context.Context, c *Call) int {
	o, ok := c.options("as:")
	if !ok || !c.need(o, 1) {
		return 1
	}
	names, suffix := o.args[:1], o.value('s', "")
	if o.has('a') || o.has('s') {
		names = o.args
	} else if len(o.args) > 1 {
		suffix = o.args[1]
	}
	for _, name := range names {
		base := path.Base(name)
		if base != suffix {
			base = strings.TrimSuffix(base, suffix)
		}
		c.Printf("%s\n", base)
	}
	return 0
}

func cmdDirname(_ context.Context, c *Call) int {
	if len(c.Args) < 2 {
		c.need(options{}, 1)
		return 1
	}
	for _, name := range c.Args[1:] {
		c.Printf("%s\n", path.Dir(strings.TrimRight(name, "/")+strings.Repeat("/", btoi(strings.Trim(name, "/") == ""))))
	}
	return 0
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
