package shell

import (
	"context"
	"maps"
	"slices"
	"strings"
)

func cmdEnv(ctx context.Context, c *Call) int {
	o, ok := c.options("+iu:0")
	if !ok {
		return 125
	}
	other := *c
	other.Env = maps.Clone(c.Env)
	if o.has('i') {
		other.Env = map[string]string{"PATH": c.Env["PATH"]}
	}
	for _, name := range o.values['u'] {
		delete(other.Env, name)
	}
	args := o.args
	for len(args) > 0 {
		name, value, ok := strings.Cut(args[0], "=")
		if !ok {
			break
		}
		other.Env[name] = value
		args = args[1:]
	}
	if len(args) > 0 {
		return other.Exec(ctx, args...)
	}
	end := "\n"
	if o.has('0') {
		end = "\x00"
	}
	for _, name := range slices.Sorted(maps.Keys(other.Env)) {
		c.Printf("%s=%s%s", name, other.Env[name], end)
	}
	return 0
}

func cmdPrintenv(_ context.Context, c *Call) int {
	if len(c.Args) == 1 {
		for _, name := range slices.Sorted(maps.Keys(c.Env)) {
			c.Printf("%s=%s\n", name, c.Env[name])
		}
		return 0
	}
	code := 0
	for _, name := range c.Args[1:] {
		if value, ok := c.Env[name]; ok {
			c.Printf("%s\n", value)
		} else {
			code = 1
		}
	}
	return code
}

func cmdClear(_ context.Context, c *Call) int { return c.write("\x1b[2J\x1b[H") }
