package adbd

import (
	"context"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// Packets of the shell protocol, version 2, as adb's shell_protocol.h numbers them.
const (
	shellStdin      = 0
	shellStdout     = 1
	shellStderr     = 2
	shellExit       = 3
	shellCloseStdin = 4
)

// shell runs the service shell[,v2][,raw|pty][,TERM=…]:COMMAND.
func (c *conn) shell(s *stream, name, script string) {
	v2, tty := false, script == ""
	term := "dumb"
	for _, arg := range strings.Split(name, ",")[1:] {
		value, isTerm := strings.CutPrefix(arg, "TERM=")
		switch {
		case arg == "v2":
			v2 = true
		case arg == "raw":
			tty = false
		case arg == "pty":
			tty = true
		case isTerm:
			term = value
		}
	}
	if !v2 {
		c.rawShell(s, script, tty)
		return
	}
	if s.accept() != nil {
		return
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return
	}
	defer pr.Close()
	out := gather(s)
	var frames sync.Mutex
	var wg sync.WaitGroup
	wg.Go(func() {
		defer pw.Close()
		readShellInput(s, pw)
	})
	stdout := &shellWriter{id: shellStdout, w: out, mu: &frames}
	stderr := &shellWriter{id: shellStderr, w: out, mu: &frames}
	if tty {
		stderr = stdout // a terminal is one
	}
	// Hanging up ends the program, as SIGHUP does.
	code := c.server.device.Shell(s.ctx, shell.Session{
		UID: c.server.device.UID(), Env: map[string]string{"TERM": term},
		Stdin: pr, Stdout: stdout, Stderr: stderr, TTY: tty,
	}, script)
	pr.Close()
	(&shellWriter{id: shellExit, w: out, mu: &frames}).Write([]byte{byte(code)})
	out.Close()
	s.flush()
	s.Close()
	wg.Wait()
}

// readShellInput takes standard input out of a peer's packets.
func readShellInput(s io.Reader, stdin io.WriteCloser) {
	var header [5]byte
	discard := false
	for {
		if _, err := io.ReadFull(s, header[:]); err != nil {
			return
		}
		length := int64(binary.LittleEndian.Uint32(header[1:]))
		var to io.Writer = io.Discard
		switch header[0] {
		case shellStdin:
			if !discard {
				to = &forgiving{w: stdin}
			}
		case shellCloseStdin:
			discard = true
			stdin.Close()
		}
		if _, err := io.CopyN(to, s, length); err != nil {
			return
		}
	}
}

// forgiving takes everything, also when the program reads no more.
type forgiving struct {
	w      io.Writer
	failed bool
}

func (f *forgiving) Write(p []byte) (int, error) {
	if !f.failed {
		_, err := f.w.Write(p)
		f.failed = err != nil
	}
	return len(p), nil
}

// shellWriter writes packets of the shell protocol.
type shellWriter struct {
	id byte
	w  io.Writer
	mu *sync.Mutex // shared, so that a packet stays whole
}

// maxShellPacket keeps a packet within what a client reads at once.
const maxShellPacket = 64 << 10

func (w *shellWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for sent := 0; sent < len(p); {
		n := min(len(p)-sent, maxShellPacket)
		frame := append([]byte{w.id}, little(uint32(n))...)
		if _, err := w.w.Write(append(frame, p[sent:sent+n]...)); err != nil {
			return sent, err
		}
		sent += n
	}
	return len(p), nil
}

// rawShell runs a command on the bare stream, as exec: and the first shell
// protocol do. When the peer closes the stream, the command's input ends, and
// what it writes fails; it may finish its work.
func (c *conn) rawShell(s *stream, script string, tty bool) {
	if s.accept() != nil {
		return
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return
	}
	defer pr.Close()
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	if tty {
		stop := context.AfterFunc(s.ctx, cancel)
		defer stop()
	}
	out := gather(s)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer pw.Close()
		io.Copy(&forgiving{w: pw}, s)
	})
	c.server.device.Shell(ctx, shell.Session{
		UID: c.server.device.UID(), Stdin: pr, Stdout: out, Stderr: out, TTY: tty,
	}, script)
	pr.Close()
	out.Close()
	s.flush()
	s.Close()
	wg.Wait()
}
