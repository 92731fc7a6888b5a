package adb

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxOutput bounds what a command may print into memory, in bytes. More goes through [Device.Exec].
const maxOutput = 64 << 20

// Result is what a command printed and how it ended.
type Result struct {
	Stdout, Stderr []byte // Stderr is empty, and part of Stdout, on a device without shell v2
	ExitCode       int
}

// ExitError says that a command on the device ended with another code than 0.
type ExitError struct {
	Command string
	Code    int
	Stderr  string // or stdout, where the command said why there
}

func (e *ExitError) Error() string {
	said := strings.TrimSpace(e.Stderr)
	if said == "" {
		return fmt.Sprintf("%s: exit code %d on the device", clip(e.Command), e.Code)
	}
	return fmt.Sprintf("%s: exit code %d on the device: %s", clip(e.Command), e.Code, clip(said))
}

// Quote makes one word of a text for the device's shell.
func Quote(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=,@%+", r))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// RunCommand runs a command with its arguments, each quoted, and returns what
// it printed to stdout. The error is an [*ExitError] where it failed.
func (d *Device) RunCommand(ctx context.Context, cmd string, args ...string) (string, error) {
	if strings.TrimSpace(cmd) == "" {
		return "", errors.New("run command: the command is empty")
	}
	words := []string{Quote(cmd)}
	for _, a := range args {
		if strings.ContainsRune(a, 0) {
			return "", fmt.Errorf("run %s: an argument holds a NUL byte, which no shell can pass on", cmd)
		}
		words = append(words, Quote(a))
	}
	script := strings.Join(words, " ")
	res, err := d.Shell(ctx, script)
	if err != nil {
		return "", err
	}
	return string(res.Stdout), res.Check(script)
}

// Check returns an [*ExitError] that names the command, or nil for exit code 0.
func (r Result) Check(command string) error {
	if r.ExitCode == 0 {
		return nil
	}
	said := r.Stderr
	if len(bytes.TrimSpace(said)) == 0 {
		said = r.Stdout
	}
	return &ExitError{Command: command, Code: r.ExitCode, Stderr: string(said)}
}

// Shell runs a script and waits for its end. An exit code other than 0 is no error here.
func (d *Device) Shell(ctx context.Context, script string) (Result, error) {
	v2, err := d.has(ctx, "shell_v2")
	if err != nil {
		return Result{}, err
	}
	if !v2 {
		return d.shellV1(ctx, script)
	}
	c, err := d.open(ctx, "shell,v2,raw:"+script)
	if err != nil {
		return Result{}, err
	}
	defer c.Close()
	// Nothing comes from us: a command that reads stdin sees its end.
	if _, err := c.Write([]byte{shellCloseStdin, 0, 0, 0, 0}); err != nil {
		return Result{}, c.cause(err)
	}
	return readShell(c)
}

// The packets of shell v2 (shell_protocol.h): an id, a length of four bytes, little-endian, and data.
const (
	shellStdout     = 1
	shellStderr     = 2
	shellExit       = 3
	shellCloseStdin = 4
)

func readShell(c *conn) (Result, error) {
	var stdout, stderr bytes.Buffer
	var head [5]byte
	for {
		if _, err := io.ReadFull(c.Conn, head[:]); err != nil {
			return Result{}, c.cause(err)
		}
		size := int64(binary.LittleEndian.Uint32(head[1:]))
		switch head[0] {
		case shellStdout, shellStderr:
			if int64(stdout.Len()+stderr.Len())+size > maxOutput {
				return Result{}, fmt.Errorf("a command on %s printed more than %d MiB: stream it instead", named(c.serial), maxOutput>>20)
			}
			to := &stdout
			if head[0] == shellStderr {
				to = &stderr
			}
			if _, err := io.CopyN(to, c.Conn, size); err != nil {
				return Result{}, c.cause(err)
			}
		case shellExit:
			code := make([]byte, 1)
			if size != 1 {
				return Result{}, fmt.Errorf("%s sent an exit packet of %d bytes, where shell v2 has 1", named(c.serial), size)
			}
			if _, err := io.ReadFull(c.Conn, code); err != nil {
				return Result{}, c.cause(err)
			}
			return Result{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), ExitCode: int(code[0])}, nil
		default:
			if _, err := io.CopyN(io.Discard, c.Conn, size); err != nil {
				return Result{}, c.cause(err)
			}
		}
	}
}

// shellV1 runs a script on a device without shell v2. Its shell has a terminal,
// so lines end in CRLF and stderr is mixed in; the exit code is echoed behind a
// word that nothing else can print.
func (d *Device) shellV1(ctx context.Context, script string) (Result, error) {
	mark := "exit-" + rand.Text() + ":"
	c, err := d.open(ctx, "shell:( "+script+"\n) </dev/null; echo "+mark+"$?")
	if err != nil {
		return Result{}, err
	}
	defer c.Close()
	all, err := io.ReadAll(io.LimitReader(c.Conn, maxOutput))
	if err != nil {
		return Result{}, c.cause(err)
	}
	at := bytes.LastIndex(all, []byte(mark))
	if at < 0 {
		if len(all) == maxOutput {
			return Result{}, fmt.Errorf("a command on %s printed more than %d MiB: stream it instead", d, maxOutput>>20)
		}
		return Result{}, gone(d.name(), nil)
	}
	code, err := strconv.Atoi(strings.TrimSpace(string(all[at+len(mark):])))
	if err != nil {
		return Result{}, fmt.Errorf("device %s echoed %q for an exit code", d, clip(string(all[at+len(mark):])))
	}
	return Result{Stdout: bytes.ReplaceAll(all[:at], []byte("\r\n"), []byte("\n")), ExitCode: code}, nil
}

// Exec runs a script and streams what it prints, byte for byte and without a
// terminal; stderr is mixed in unless the script sends it elsewhere, and there
// is no exit code. Reading ends with [io.EOF], or with [ErrDeviceGone] where the
// device had gone by then. The caller closes the stream, which ends the script.
func (d *Device) Exec(ctx context.Context, script string) (io.ReadCloser, error) {
	c, err := d.open(ctx, "exec:"+script)
	if err != nil {
		return nil, err
	}
	return &execStream{conn: c, device: d}, nil
}

type execStream struct {
	*conn
	device *Device
	ended  error
}

func (s *execStream) Read(p []byte) (int, error) {
	if s.ended != nil {
		return 0, s.ended
	}
	n, err := s.Conn.Read(p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		// A device that vanishes ends the stream just as the script's own end does.
		s.ended = io.EOF
		if !s.device.present(s.ctx) {
			s.ended = gone(s.device.name(), nil)
		}
	default:
		s.ended = s.cause(err)
	}
	return n, s.ended
}
