package shell

import (
	"context"
	"errors"
	"runtime"
	"strings"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// maxFrames is how deep the host's call stack may grow under functions that
// call themselves; beyond it the script is ended instead of the program.
const maxFrames = 5_000

var errRecursion = errors.New("functions call each other too deeply")

// foreign are builtins of other shells that Android's does not have.
var foreign = map[string]bool{
	"help": true, "dirs": true, "pushd": true, "popd": true, "shopt": true, "mapfile": true, "readarray": true,
	"caller": true, "compgen": true, "complete": true, "compopt": true, "disown": true, "enable": true,
	"history": true, "logout": true, "suspend": true, "newgrp": true,
}

// own are builtins that the shell replaces by programs of its own, which
// have the name nowhere/NAME.
var own = map[string]bool{
	"echo": true, "kill": true, "type": true, "umask": true, "ulimit": true, "jobs": true, "fg": true, "bg": true,
	"fc": true, "bind": true, "print": true, "whence": true,
}

// callHandler rewrites the builtins that would look at the host, or differ from mksh's.
func (ss *session) callHandler(c *Call) interp.CallHandlerFunc {
	return func(ctx context.Context, args []string) ([]string, error) {
		var pcs [1]uintptr
		if runtime.Callers(maxFrames, pcs[:]) > 0 {
			return nil, errRecursion
		}
		hc := interp.HandlerCtx(ctx)
		return rewrite(hc, c, args), nil
	}
}

func rewrite(hc interp.HandlerContext, c *Call, args []string) []string {
	switch name := args[0]; {
	case name == "builtin":
		if len(args) == 1 {
			return []string{"true"}
		}
		return rewrite(hc, c, args[1:])
	case name == "command":
		return rewriteCommand(hc, c, args)
	case foreign[name]:
		return append([]string{nowhere + "/" + name}, args[1:]...)
	case own[name]:
		return append([]string{nowhere + "/" + name}, args[1:]...)
	case name == "pwd":
		for _, a := range args[1:] {
			if strings.HasPrefix(a, "-") && strings.Contains(a, "P") {
				return []string{nowhere + "/pwd"}
			}
		}
		return []string{"pwd"}
	case name == "cd", name == "chdir":
		return rewriteCd(hc, c, args)
	case name == ".", name == "source":
		if len(args) > 1 {
			file := findScript(hc, c, args[1])
			if err := c.FS.Access(file, 4); err != nil {
				return []string{nowhere + "/refuse", "1", ".", args[1], rootfs.Message(err)}
			}
			return append([]string{".", nowhere + "/source" + file}, args[2:]...)
		}
	case name == "trap":
		return rewriteTrap(args)
	}
	return args
}

// rewriteCommand handles "command", which looks for programs with -v.
func rewriteCommand(hc interp.HandlerContext, c *Call, args []string) []string {
	if hc.Env.Get("PATH").Str == nowhere {
		return args // the call below
	}
	rest, show := args[1:], ""
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 {
		flag := rest[0]
		rest = rest[1:]
		if flag == "--" {
			break
		}
		for _, f := range flag[1:] {
			if f != 'p' {
				show = "-" + string(f)
			}
		}
	}
	switch {
	case len(rest) == 0:
		return []string{"true"}
	case show == "":
		return rewrite(hc, c, rest)
	case show == "-V":
		return append([]string{nowhere + "/type"}, rest...)
	}
	// Functions are known to the interpreter only, programs to the device only.
	var script []string
	for _, name := range rest {
		quoted, err := syntax.Quote(name, syntax.LangBash)
		if err != nil || strings.Contains(name, "/") {
			return append([]string{nowhere + "/whence"}, rest...)
		}
		script = append(script, "{ PATH="+nowhere+" command -v "+quoted+" || "+nowhere+"/whence "+quoted+"; }")
	}
	return []string{"eval", strings.Join(script, "; ")}
}

// rewriteCd checks that a folder can be entered, so that a refusal reads as mksh's.
func rewriteCd(hc interp.HandlerContext, c *Call, args []string) []string {
	rest := args[1:]
	physical := false
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		physical = physical || rest[0] == "-P"
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return []string{"cd"}
	}
	dir := rest[0]
	if dir == "-" || dir == "" {
		return []string{"cd", dir}
	}
	full := dir
	if !strings.HasPrefix(dir, "/") {
		full = hc.Dir + "/" + dir
	}
	info, err := c.FS.Stat(full)
	switch {
	case err != nil:
		return []string{nowhere + "/refuse", "2", "cd", dir, rootfs.Message(err)}
	case !info.IsDir():
		return []string{nowhere + "/refuse", "2", "cd", dir, "Not a directory"}
	case c.FS.Access(full, 1) != nil:
		return []string{nowhere + "/refuse", "2", "cd", dir, "Permission denied"}
	}
	if physical {
		if real, err := c.FS.Realpath(full); err == nil {
			full = real
		}
	}
	return []string{"cd", full}
}

// rewriteTrap leaves out the signals, which never come; what they would run is
// run when the shell exits, where that was asked for too.
func rewriteTrap(args []string) []string {
	if len(args) < 3 {
		return args
	}
	out := []string{"trap", "--", args[1]}
	if args[1] == "--" {
		if len(args) < 4 {
			return []string{"true"}
		}
		out[2], args = args[2], args[1:]
	}
	for _, signal := range args[2:] {
		switch signal {
		case "EXIT", "0":
			out = append(out, "EXIT")
		case "ERR":
			out = append(out, "ERR")
		}
	}
	if len(out) == 3 {
		return []string{"true"}
	}
	if out[2] == "-" || out[2] == "" {
		return append([]string{"trap", "-"}, out[3:]...)
	}
	return out
}

// findScript is the path of what "." names: along PATH, else as it stands.
func findScript(hc interp.HandlerContext, c *Call, name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	if !strings.Contains(name, "/") {
		for _, dir := range strings.Split(hc.Env.Get("PATH").Str, ":") {
			if info, err := c.FS.Stat(dir + "/" + name); err == nil && info.Mode().IsRegular() {
				return dir + "/" + name
			}
		}
	}
	return hc.Dir + "/" + name
}
