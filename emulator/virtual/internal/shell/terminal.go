package shell

import (
	"bytes"
	"io"
)

// terminal is the line discipline between somebody who types and the programs
// that read lines: echo, erase, interrupt, end of input.
type terminal struct {
	in        io.Reader
	out       io.Writer // cooked lines
	echo      io.Writer
	interrupt func()
	line      []byte
}

const (
	keyInterrupt = 0x03
	keyEnd       = 0x04
	keyBackspace = 0x08
	keyKillLine  = 0x15
	keyKillWord  = 0x17
	keyDelete    = 0x7f
)

// run reads until the input ends.
func (t *terminal) run() {
	buf := make([]byte, 4096)
	for {
		n, err := t.in.Read(buf)
		for _, b := range buf[:n] {
			if !t.key(b) {
				return
			}
		}
		if err != nil {
			t.out.Write(t.line)
			return
		}
	}
}

// key handles one byte, and reports whether more may come.
func (t *terminal) key(b byte) bool {
	switch b {
	case keyInterrupt:
		t.say("^C\n")
		t.line = nil
		t.interrupt()
	case keyEnd:
		if len(t.line) == 0 {
			return false
		}
		return t.flush()
	case keyBackspace, keyDelete:
		t.erase(1)
	case keyKillLine:
		t.erase(len(t.line))
	case keyKillWord:
		trimmed := bytes.TrimRight(t.line, " ")
		t.erase(len(t.line) - (bytes.LastIndexByte(trimmed, ' ') + 1))
	case '\r', '\n':
		t.say("\n")
		t.line = append(t.line, '\n')
		return t.flush()
	default:
		if len(t.line) < 4095 {
			t.line = append(t.line, b)
			if b >= ' ' || b == '\t' {
				t.say(string([]byte{b}))
			}
		}
	}
	return true
}

func (t *terminal) flush() bool {
	_, err := t.out.Write(t.line)
	t.line = nil
	return err == nil
}

func (t *terminal) erase(n int) {
	for ; n > 0 && len(t.line) > 0; n-- {
		for len(t.line) > 1 && t.line[len(t.line)-1]&0xc0 == 0x80 { // the rest of a UTF-8 sequence
			t.line = t.line[:len(t.line)-1]
		}
		t.line = t.line[:len(t.line)-1]
		t.say("\b \b")
	}
}

func (t *terminal) say(s string) { io.WriteString(t.echo, s) }

// newlines makes \r\n of each \n, as a terminal's output does.
func newlines(w io.Writer) io.Writer { return crlf{w} }

type crlf struct{ w io.Writer }

func (c crlf) Write(p []byte) (int, error) {
	if _, err := c.w.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}
