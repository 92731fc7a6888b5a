package shell

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"mvdan.cc/sh/v3/interp"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// execHandler runs programs for the interpreter.
func (ss *session) execHandler(c *Call) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		if !ss.gate.enter() {
			return interp.ExitStatus(129)
		}
		defer ss.gate.leave()
		hc := interp.HandlerCtx(ctx)
		call := *c
		call.Args, call.Dir, call.Env = args, hc.Dir, exported(hc.Env)
		call.Stdin, call.Stdout, call.Stderr = hc.Stdin, hc.Stdout, hc.Stderr
		call.session = ss
		if call.Stdin == nil {
			call.Stdin = strings.NewReader("")
		}
		code := ss.shell.exec(ctx, &call)
		if code == codePipe && strings.HasPrefix(args[0], nowhere) {
			// A builtin that writes into a pipe which nobody reads ends its shell, as SIGPIPE does.
			return hc.Builtin(ctx, []string{"exit", "141"})
		}
		if code == 0 {
			return nil
		}
		return interp.ExitStatus(uint8(code))
	}
}

// handlerPath makes a path absolute that the interpreter hands over.
func handlerPath(ctx context.Context, name string) string {
	if path.IsAbs(name) || name == "" {
		return name
	}
	return interp.HandlerCtx(ctx).Dir + "/" + name
}

// openHandler opens what a redirection or "." names.
func (ss *session) openHandler(c *Call) interp.OpenHandlerFunc {
	return func(ctx context.Context, name string, flag int, _ os.FileMode) (io.ReadWriteCloser, error) {
		hc := interp.HandlerCtx(ctx)
		name = strings.TrimPrefix(name, nowhere+"/source")
		switch name {
		case "/dev/tty", "/dev/stdout", "/proc/self/fd/1":
			if name == "/dev/tty" {
				return stream{w: ss.stdout}, nil
			}
			return stream{w: hc.Stdout}, nil
		case "/dev/stderr", "/proc/self/fd/2":
			return stream{w: hc.Stderr}, nil
		case "/dev/stdin", "/proc/self/fd/0":
			return stream{r: hc.Stdin}, nil
		}
		f, err := c.FS.OpenFile(handlerPath(ctx, name), flag, 0o666)
		if err != nil {
			op := "/system/bin/sh: can't open"
			if flag&os.O_CREATE != 0 {
				op = "/system/bin/sh: can't create"
			}
			return nil, &fs.PathError{Op: op, Path: name, Err: message{err}}
		}
		return f.File, nil
	}
}

// message gives an error Android's words.
type message struct{ err error }

func (m message) Error() string { return rootfs.Message(m.err) }
func (m message) Unwrap() error { return m.err }

// stream is an open file that is one of the shell's own.
type stream struct {
	r io.Reader
	w io.Writer
}

func (s stream) Read(p []byte) (int, error) {
	if s.r == nil {
		return 0, io.EOF
	}
	return s.r.Read(p)
}

func (s stream) Write(p []byte) (int, error) {
	if s.w == nil {
		return 0, os.ErrInvalid
	}
	return s.w.Write(p)
}

func (stream) Close() error { return nil }

func (ss *session) readDirHandler(c *Call) interp.ReadDirHandlerFunc2 {
	return func(ctx context.Context, name string) ([]fs.DirEntry, error) {
		return c.FS.ReadDir(handlerPath(ctx, name))
	}
}

func (ss *session) statHandler(c *Call) interp.StatHandlerFunc {
	return func(ctx context.Context, name string, follow bool) (fs.FileInfo, error) {
		if follow {
			return infoOrError(c.FS.Stat(handlerPath(ctx, name)))
		}
		return infoOrError(c.FS.Lstat(handlerPath(ctx, name)))
	}
}

// infoOrError keeps a nil *rootfs.Info from becoming a FileInfo that is not nil.
func infoOrError(info *rootfs.Info, err error) (fs.FileInfo, error) {
	if err != nil {
		return nil, err
	}
	return info, nil
}

func (ss *session) accessHandler(c *Call) interp.AccessHandlerFunc {
	return func(ctx context.Context, name string, mode interp.AccessMode) error {
		return c.FS.Access(handlerPath(ctx, name), uint32(mode))
	}
}
