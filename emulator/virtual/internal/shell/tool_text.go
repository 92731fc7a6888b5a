package shell

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

// eachLine calls f with each line, its newline included where it has one,
// until f returns false.
func eachLine(r io.Reader, f func(line []byte) bool) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 && !f(line) {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// oldCount makes -n 5 of -5, as head and tail take it.
func oldCount(c *Call) *Call {
	other := *c
	other.Args = slices.Clone(c.Args)
	for i, a := range other.Args {
		if i > 0 && len(a) > 1 && a[0] == '-' && strings.Trim(a[1:], "0123456789") == "" {
			other.Args[i] = "-n" + a[1:]
		}
	}
	return &other
}

func (c *Call) header(o options, name string, index int) {
	if (len(o.args) < 2 || o.has('q')) && !o.has('v') {
		return
	}
	if index > 0 {
		c.Printf("\n")
	}
	c.Printf("==> %s <==\n", name)
}

func cmdHead(_ context.Context, c *Call) int {
	c = oldCount(c)
	o, ok := c.options("n:c:qv")
	if !ok {
		return 1
	}
	unit, text := byte('\n'), o.value('n', "10")
	if o.has('c') {
		unit, text = 0, o.value('c', "")
	}
	n, ok := parseSize(strings.TrimPrefix(text, "-"))
	if !ok {
		return c.Errorf("bad number '%s'", text)
	}
	index := -1
	return c.eachInput(o.args, func(name string, r io.Reader) error {
		index++
		c.header(o, name, index)
		if unit == 0 {
			_, err := io.CopyN(c.Stdout, r, n)
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		left := n
		if left == 0 {
			return nil
		}
		return eachLine(r, func(line []byte) bool {
			_, err := c.Stdout.Write(line)
			left--
			return left > 0 && err == nil
		})
	})
}

func cmdTail(ctx context.Context, c *Call) int {
	c = oldCount(c)
	o, ok := c.options("n:c:fFqvs:")
	if !ok {
		return 1
	}
	text, bytewise := o.value('n', "10"), o.has('c')
	if bytewise {
		text = o.value('c', "")
	}
	from := strings.HasPrefix(text, "+")
	n, ok := parseSize(strings.TrimLeft(text, "+-"))
	if !ok {
		return c.Errorf("bad number '%s'", text)
	}
	index := -1
	code := c.eachInput(o.args, func(name string, r io.Reader) error {
		index++
		c.header(o, name, index)
		if bytewise {
			return tailBytes(c.Stdout, r, n, from)
		}
		return tailLines(c.Stdout, r, n, from)
	})
	if (o.has('f') || o.has('F')) && len(o.args) == 1 && code == 0 {
		return c.follow(ctx, o.args[0])
	}
	return code
}

func tailBytes(w io.Writer, r io.Reader, n int64, from bool) error {
	if from {
		if _, err := io.CopyN(io.Discard, r, max(0, n-1)); err != nil {
			return nil
		}
		_, err := io.Copy(w, r)
		return err
	}
	data, err := io.ReadAll(r)
	if err == nil {
		_, err = w.Write(data[max(0, int64(len(data))-n):])
	}
	return err
}

func tailLines(w io.Writer, r io.Reader, n int64, from bool) error {
	var kept [][]byte
	var number int64
	err := eachLine(r, func(line []byte) bool {
		number++
		switch {
		case from && number >= n:
			_, err := w.Write(line)
			return err == nil
		case !from && n > 0:
			if int64(len(kept)) == n {
				kept = kept[1:]
			}
			kept = append(kept, line)
		}
		return true
	})
	if err != nil {
		return err
	}
	_, err = w.Write(bytes.Join(kept, nil))
	return err
}

// follow prints what is added to a file until the command is ended.
func (c *Call) follow(ctx context.Context, name string) int {
	f, err := c.FS.Open(c.Path(name))
	if err != nil {
		return c.Errorf("%s: %s", name, rootfs.Message(err))
	}
	defer f.Close()
	f.Seek(0, io.SeekEnd)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := io.Copy(c.Stdout, f); err != nil {
			return 1
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0
		}
	}
}

func cmdTac(_ context.Context, c *Call) int {
	return c.eachInput(c.Args[1:], func(_ string, r io.Reader) error {
		var lines [][]byte
		err := eachLine(r, func(line []byte) bool { lines = append(lines, line); return true })
		for _, line := range slices.Backward(lines) {
			c.Stdout.Write(line)
		}
		return err
	})
}

func cmdTee(_ context.Context, c *Call) int {
	o, ok := c.options("ai")
	if !ok {
		return 1
	}
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if o.has('a') {
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	code := 0
	outs := []io.Writer{c.Stdout}
	for _, name := range o.args {
		f, err := c.FS.OpenFile(c.Path(name), flag, 0o666)
		if err != nil {
			code = c.Errorf("%s: %s", name, rootfs.Message(err))
			continue
		}
		defer f.Close()
		outs = append(outs, f)
	}
	if _, err := io.Copy(io.MultiWriter(outs...), c.Stdin); err != nil {
		return 1
	}
	return code
}

func cmdCmp(_ context.Context, c *Call) int {
	o, ok := c.options("sln:")
	if !ok || !c.need(o, 2) {
		return 2
	}
	var data [2][]byte
	for i := range data {
		if code := c.eachInput(o.args[i:i+1], func(_ string, r io.Reader) (err error) { data[i], err = io.ReadAll(r); return err }); code != 0 {
			return 2
		}
	}
	a, b := data[0], data[1]
	line := 1
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			if !o.has('s') {
				c.Printf("%s %s differ: char %d, line %d\n", o.args[0], o.args[1], i+1, line)
			}
			return 1
		}
		if a[i] == '\n' {
			line++
		}
	}
	if len(a) != len(b) {
		short := o.args[0]
		if len(b) < len(a) {
			short = o.args[1]
		}
		if !o.has('s') {
			c.Errorf("EOF on %s after byte %d, line %d", short, min(len(a), len(b)), line)
		}
		return 1
	}
	return 0
}
