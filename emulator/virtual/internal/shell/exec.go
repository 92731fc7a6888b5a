package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// Exit codes that the shell itself gives.
const (
	codeNotRunnable = 126
	codeNotFound    = 127
	codePipe        = 141 // ended by SIGPIPE
)

// exec finds a program and runs it.
func (s *Shell) exec(ctx context.Context, c *Call) int {
	if len(c.Args) == 0 || c.Args[0] == "" {
		fmt.Fprint(c.Stderr, "/system/bin/sh: : inaccessible or not found\n")
		return codeNotFound
	}
	name := c.Args[0]
	if builtin, ok := strings.CutPrefix(name, nowhere+"/"); ok {
		if cmd, ok := s.builtins[builtin]; ok {
			return s.start(ctx, c, cmd)
		}
		return notFound(c, builtin)
	}
	if strings.Contains(name, "/") {
		return s.execFile(ctx, c, c.Path(name), name)
	}
	file := s.which(c, name)
	if file == "" {
		return notFound(c, name)
	}
	return s.execFile(ctx, c, file, name)
}

func notFound(c *Call, name string) int {
	fmt.Fprintf(c.Stderr, "/system/bin/sh: %s: inaccessible or not found\n", name)
	return codeNotFound
}

// which is the path of the program that a name means, or "".
func (s *Shell) which(c *Call, name string) string {
	if strings.Contains(name, "/") {
		if file := c.Path(name); c.FS.Access(file, 1) == nil {
			if info, err := c.FS.Stat(file); err == nil && !info.IsDir() {
				return file
			}
		}
		return ""
	}
	for _, dir := range strings.Split(c.Env["PATH"], ":") {
		if dir == "" {
			dir = "."
		}
		file := c.Path(dir + "/" + name)
		if path.IsAbs(dir) {
			file = path.Join(dir, name)
		}
		if _, ok := s.program(file); ok {
			return file
		}
		if info, err := c.FS.Stat(file); err == nil && info.Mode().IsRegular() && c.FS.Access(file, 1) == nil {
			return file
		}
	}
	return ""
}

// program is the command that a path stands for.
func (s *Shell) program(file string) (Command, bool) {
	dir, name := path.Split(path.Clean(file))
	if dir != "/system/bin/" && dir != "/bin/" && dir != "/vendor/bin/" {
		return nil, false
	}
	return s.command(name)
}

func (s *Shell) execFile(ctx context.Context, c *Call, file, name string) int {
	if cmd, ok := s.program(file); ok {
		return s.start(ctx, c, cmd)
	}
	real, err := c.FS.Realpath(file)
	if err == nil {
		if cmd, ok := s.program(real); ok {
			return s.start(ctx, c, cmd)
		}
	}
	info, err := c.FS.Stat(file)
	switch {
	case err != nil:
		return notFound(c, name)
	case info.IsDir() || c.FS.Access(file, 1) != nil:
		fmt.Fprintf(c.Stderr, "/system/bin/sh: %s: can't execute: %s\n", name, "Permission denied")
		return codeNotRunnable
	}
	data, err := readScript(c.FS, file)
	if err != nil {
		fmt.Fprintf(c.Stderr, "/system/bin/sh: %s: can't execute: %s\n", name, rootfs.Message(err))
		return codeNotRunnable
	}
	if line, _, _ := bytes.Cut(data, []byte("\n")); bytes.HasPrefix(line, []byte("#!")) {
		interpreter := strings.Fields(string(line[2:]))
		if len(interpreter) > 0 && !isShell(interpreter) {
			return c.ExecAs(ctx, c.UID, append(append(interpreter, file), c.Args[1:]...)...)
		}
	} else if bytes.IndexByte(line, 0) >= 0 || bytes.HasPrefix(data, []byte("\x7fELF")) {
		magic := append(bytes.Clone(data[:min(4, len(data))]), 0, 0)
		fmt.Fprintf(c.Stderr, "/system/bin/sh: %s: not executable: magic %X: this device runs no machine code\n", name, magic[:2])
		return codeNotRunnable
	}
	return c.Script(ctx, c.UID, scriptText(data), append([]string{name}, c.Args[1:]...)...)
}

func isShell(interpreter []string) bool {
	base := path.Base(interpreter[0])
	return base == "sh" || base == "mksh" || base == "env" && len(interpreter) == 2 && interpreter[1] == "sh"
}

// maxScript is how long a script may be.
const maxScript = 16 << 20

func readScript(v *rootfs.View, file string) ([]byte, error) {
	f, err := v.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if err == nil && len(data) > maxScript {
		err = syscall.EFBIG
	}
	return data, err
}

// scriptText keeps an empty script from meaning standard input.
func scriptText(data []byte) string {
	if len(bytes.TrimSpace(data)) == 0 {
		return ":"
	}
	return string(data)
}

// start runs a command, and ends it once nobody reads what it writes.
func (s *Shell) start(ctx context.Context, c *Call, cmd Command) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	call := *c
	out := &pipeEnd{w: c.Stdout, cancel: cancel}
	call.Stdout = out
	release := unblock(ctx, c.Stdin)
	code := cmd(ctx, &call)
	release()
	if out.broken.Load() {
		return codePipe
	}
	return code
}

// unblock ends reads from in once ctx is done, where it is a pipe. release
// makes it readable again for whoever comes next.
func unblock(ctx context.Context, in io.Reader) (release func()) {
	file, ok := in.(*os.File)
	if !ok {
		return func() {}
	}
	expired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		file.SetReadDeadline(time.Unix(1, 0))
		close(expired)
	})
	return func() {
		if !stop() {
			<-expired
			file.SetReadDeadline(time.Time{})
		}
	}
}

// pipeEnd notices that the reader of a command's output is gone.
type pipeEnd struct {
	w      io.Writer
	cancel context.CancelFunc
	broken atomic.Bool
}

func (p *pipeEnd) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if err != nil && (errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, errEnded)) {
		p.broken.Store(true)
		p.cancel()
	}
	return n, err
}
