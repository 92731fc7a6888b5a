package shell

import (
	"context"
	"fmt"
	"io"
	"path"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// Command is a program of the device's. It returns its exit code, from 0 to
// 255. It must end soon once ctx is done: that is its SIGHUP, SIGPIPE and SIGKILL.
type Command func(ctx context.Context, c *Call) int

// Call is one run of a [Command].
type Call struct {
	Args   []string // Args[0] is the name it was called by
	UID    int
	Dir    string            // the working directory, absolute
	Env    map[string]string // the exported variables
	Stdin  io.Reader         // never nil; empty where there is none
	Stdout io.Writer
	Stderr io.Writer
	FS     *rootfs.View // the tree, as UID sees it
	Shell  *Shell
	TTY    bool // whether somebody types at the session's other end

	session *session
}

// Path makes an absolute device path of an argument.
func (c *Call) Path(name string) string {
	if path.IsAbs(name) {
		return name
	}
	if name == "" {
		return ""
	}
	return c.Dir + "/" + name
}

// Errorf prints a message on standard error, after the command's name as
// Android's tools do, and returns exit code 1. A command whose output nobody
// reads any more has been ended by SIGPIPE, and says nothing.
func (c *Call) Errorf(format string, args ...any) int {
	if out, ok := c.Stdout.(*pipeEnd); ok && out.broken.Load() {
		return codePipe
	}
	fmt.Fprintf(c.Stderr, "%s: %s\n", path.Base(c.Args[0]), fmt.Sprintf(format, args...))
	return 1
}

// Printf prints on standard output.
func (c *Call) Printf(format string, args ...any) { fmt.Fprintf(c.Stdout, format, args...) }

// Exec runs another program in the same place and with the same streams, as
// the same user.
func (c *Call) Exec(ctx context.Context, args ...string) int { return c.ExecAs(ctx, c.UID, args...) }

// ExecAs runs another program as some user, as su and run-as do. It checks no
// permission: that is the caller's.
func (c *Call) ExecAs(ctx context.Context, uid int, args ...string) int {
	other := *c
	other.UID = uid
	if uid != c.UID {
		other.FS = c.Shell.fs.As(uid)
	}
	other.Args = args
	return c.Shell.exec(ctx, &other)
}

// Script runs a shell script in the same place and with the same streams as
// some user; params are $0, $1 and so on.
func (c *Call) Script(ctx context.Context, uid int, script string, params ...string) int {
	other := *c
	other.UID = uid
	if uid != c.UID {
		other.FS = c.Shell.fs.As(uid)
	}
	return c.Shell.script(ctx, &other, script, params)
}
