package shell

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
)

func cmdSum(_ context.Context, c *Call) int {
	o, ok := c.options("bcs")
	if !ok {
		return 1
	}
	sums := map[string]func() hash.Hash{
		"md5sum": md5.New, "sha1sum": sha1.New, "sha224sum": sha256.New224, "sha256sum": sha256.New, "sha512sum": sha512.New,
	}
	start := sums[path.Base(c.Args[0])]
	if start == nil {
		return notFound(c, c.Args[0])
	}
	if o.has('c') {
		return checkSums(c, o, start)
	}
	return c.eachInput(o.args, func(name string, r io.Reader) error {
		h := start()
		if _, err := io.Copy(h, r); err != nil {
			return err
		}
		if o.has('b') {
			c.Printf("%x\n", h.Sum(nil))
			return nil
		}
		c.Printf("%x  %s\n", h.Sum(nil), name)
		return nil
	})
}

func checkSums(c *Call, o options, start func() hash.Hash) int {
	failed := false
	code := c.eachInput(o.args, func(_ string, r io.Reader) error {
		return eachLine(r, func(line []byte) bool {
			want, name, ok := strings.Cut(strings.TrimSpace(string(line)), " ")
			name = strings.TrimLeft(name, " *")
			if !ok {
				return true
			}
			h := start()
			err := c.withFile(name, func(_ string, r io.Reader) error { _, err := io.Copy(h, r); return err })
			verdict := "OK"
			if err != nil || hex.EncodeToString(h.Sum(nil)) != strings.ToLower(want) {
				verdict, failed = "FAILED", true
			}
			if !o.has('s') {
				c.Printf("%s: %s\n", name, verdict)
			}
			return true
		})
	})
	if failed {
		return 1
	}
	return code
}

func cmdBase64(_ context.Context, c *Call) int {
	o, ok := c.options("diw:")
	if !ok {
		return 1
	}
	width, err := strconv.Atoi(o.value('w', "76"))
	if err != nil || width < 0 {
		return c.Errorf("bad -w '%s'", o.value('w', ""))
	}
	return c.eachInput(o.args, func(_ string, r io.Reader) error {
		if o.has('d') {
			_, err := io.Copy(c.Stdout, base64.NewDecoder(base64.StdEncoding, r))
			var corrupt base64.CorruptInputError
			if errors.As(err, &corrupt) {
				return nil // toybox takes what it can
			}
			return err
		}
		out := bufio.NewWriter(c.Stdout)
		w := &wrapping{w: out, width: width}
		enc := base64.NewEncoder(base64.StdEncoding, w)
		if _, err := io.Copy(enc, r); err != nil {
			return err
		}
		enc.Close()
		if w.column > 0 {
			out.WriteByte('\n')
		}
		return out.Flush()
	})
}

// wrapping breaks lines at a width; 0 is never.
type wrapping struct {
	w             *bufio.Writer
	width, column int
}

func (w *wrapping) Write(p []byte) (int, error) {
	for _, b := range p {
		if err := w.w.WriteByte(b); err != nil {
			return 0, err
		}
		if w.column++; w.column == w.width {
			w.column = 0
			w.w.WriteByte('\n')
		}
	}
	return len(p), nil
}

func cmdXxd(_ context.Context, c *Call) int {
	o, ok := c.options("c:g:l:s:pr")
	if !ok {
		return 1
	}
	number := func(flag rune, otherwise string) int64 {
		n, err := strconv.ParseInt(o.value(flag, otherwise), 0, 64)
		if err != nil || n < 0 {
			return -1
		}
		return n
	}
	columns, group, limit, skip := number('c', "16"), number('g', "2"), number('l', "0x7fffffffffff"), number('s', "0")
	if columns < 1 || columns > 256 || group < 0 || limit < 0 || skip < 0 {
		return c.Errorf("bad number")
	}
	if group == 0 {
		group = columns
	}
	return c.eachInput(o.args, func(_ string, r io.Reader) error {
		if o.has('r') {
			return unhex(c.Stdout, r, o.has('p'))
		}
		if _, err := io.CopyN(io.Discard, r, skip); err != nil {
			return nil
		}
		in := bufio.NewReader(io.LimitReader(r, limit))
		if o.has('p') {
			columns = 30
		}
		row := make([]byte, columns)
		for offset := skip; ; offset += columns {
			n, err := io.ReadFull(in, row)
			if n == 0 {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			if o.has('p') {
				c.Printf("%x\n", row[:n])
				continue
			}
			var b strings.Builder
			for i := int64(0); i < columns; i++ {
				if i < int64(n) {
					fmt.Fprintf(&b, "%02x", row[i])
				} else {
					b.WriteString("  ")
				}
				if (i+1)%group == 0 {
					b.WriteByte(' ')
				}
			}
			if c.write(fmt.Sprintf("%08x: %s %s\n", offset, b.String(), printable(row[:n]))) != 0 {
				return nil
			}
		}
	})
}

func printable(b []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, latin1(b)))
}

func latin1(b []byte) []byte {
	out := bytes.Clone(b)
	for i, x := range out {
		if x > '~' {
			out[i] = 1
		}
	}
	return out
}

func unhex(w io.Writer, r io.Reader, plain bool) error {
	var out error
	err := eachLine(r, func(line []byte) bool {
		text := strings.TrimSpace(string(line))
		if !plain {
			_, rest, ok := strings.Cut(text, ":")
			if !ok {
				return true
			}
			text, _, _ = strings.Cut(strings.TrimLeft(rest, " "), "  ")
		}
		data, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err == nil {
			_, out = w.Write(data)
		}
		return out == nil
	})
	return errors.Join(out, err)
}

func cmdOd(_ context.Context, c *Call) int {
	o, ok := c.options("A:j:N:t:vbcdosxw:")
	if !ok {
		return 1
	}
	kind := o.value('t', "o2")
	for flag, k := range map[rune]string{'b': "o1", 'c': "c", 'x': "x2", 'd': "u2"} {
		if o.has(flag) {
			kind = k
		}
	}
	skip, limit := int64(0), int64(1<<50)
	if o.has('j') {
		skip, _ = strconv.ParseInt(o.value('j', "0"), 0, 64)
	}
	if o.has('N') {
		limit, _ = strconv.ParseInt(o.value('N', "0"), 0, 64)
	}
	size := 1
	if n, err := strconv.Atoi(kind[min(1, len(kind)):]); err == nil && (n == 1 || n == 2 || n == 4 || n == 8) {
		size = n
	} else if len(kind) == 1 && strings.Contains("oxud", kind) {
		size = 4
	}
	address := map[string]string{"o": "%07o", "d": "%07d", "x": "%06x", "n": ""}[o.value('A', "o")]
	where := func(n int64) string {
		if address == "" {
			return ""
		}
		return fmt.Sprintf(address, n)
	}
	return c.eachInput(o.args, func(_ string, r io.Reader) error {
		io.CopyN(io.Discard, r, max(0, skip))
		in := io.LimitReader(r, limit)
		row := make([]byte, 16)
		offset := skip
		for {
			n, err := io.ReadFull(in, row)
			if n == 0 {
				if address != "" {
					c.Printf("%s\n", where(offset))
				}
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			clear(row[n:])
			var b strings.Builder
			for i := 0; i < n; i += size {
				b.WriteString(odCell(kind, row[i:i+size]))
			}
			if c.write(where(offset)+b.String()+"\n") != 0 {
				return nil
			}
			offset += int64(n)
		}
	})
}

// odCell is one value of od's, in its kind.
func odCell(kind string, b []byte) string {
	var v uint64
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	switch kind[0] {
	case 'x':
		return fmt.Sprintf(" %0*x", 2*len(b), v)
	case 'u':
		return fmt.Sprintf(" %*d", []int{0, 3, 5, 0, 10, 0, 0, 0, 20}[len(b)], v)
	case 'd':
		shift := 64 - 8*len(b)
		return fmt.Sprintf(" %*d", []int{0, 4, 6, 0, 11, 0, 0, 0, 20}[len(b)], int64(v<<shift)>>shift)
	case 'c', 'a':
		names := map[byte]string{0: `\0`, 7: `\a`, 8: `\b`, 9: `\t`, 10: `\n`, 11: `\v`, 12: `\f`, 13: `\r`}
		switch name, ok := names[b[0]]; {
		case ok:
			return fmt.Sprintf(" %3s", name)
		case b[0] >= ' ' && b[0] <= '~':
			return fmt.Sprintf(" %3c", b[0])
		}
		return fmt.Sprintf(" %03o", b[0])
	}
	return fmt.Sprintf(" %0*o", []int{0, 3, 6, 0, 11, 0, 0, 0, 22}[len(b)], v)
}

func cmdGzip(ctx context.Context, c *Call) int {
	o, ok := c.options("cdfkq123456789")
	if !ok {
		return 1
	}
	if o.has('d') {
		return gunzip(ctx, c, o)
	}
	return gzipped(c, o, func(w io.Writer, r io.Reader) error {
		z := gzip.NewWriter(w)
		if _, err := io.Copy(z, r); err != nil {
			return err
		}
		return z.Close()
	}, func(name string) (string, bool) { return name + ".gz", true })
}

func cmdGunzip(ctx context.Context, c *Call) int {
	o, ok := c.options("cfkqd")
	if !ok {
		return 1
	}
	if path.Base(c.Args[0]) == "zcat" {
		o.given['c'] = true
	}
	return gunzip(ctx, c, o)
}

func gunzip(_ context.Context, c *Call, o options) int {
	return gzipped(c, o, func(w io.Writer, r io.Reader) error {
		z, err := gzip.NewReader(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, z)
		return err
	}, func(name string) (string, bool) { return strings.CutSuffix(name, ".gz") })
}

// gzipped runs each file through f, to standard output or into the file that rename names.
func gzipped(c *Call, o options, f func(io.Writer, io.Reader) error, rename func(string) (string, bool)) int {
	code := 0
	args := o.args
	if len(args) == 0 {
		args = []string{"-"}
	}
	for _, name := range args {
		var err error
		switch {
		case name == "-":
			err = f(c.Stdout, c.Stdin)
		case o.has('c'):
			err = c.withFile(name, func(_ string, r io.Reader) error { return f(c.Stdout, r) })
		default:
			to, ok := rename(name)
			if !ok {
				code = c.Errorf("no .gz: %s", name)
				continue
			}
			err = c.withFile(name, func(_ string, r io.Reader) error {
				out, err := c.FS.OpenFile(c.Path(to), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
				if err != nil {
					return err
				}
				return errors.Join(f(out, r), out.Close())
			})
			if err == nil && !o.has('k') {
				err = c.FS.Remove(c.Path(name))
			}
		}
		if err != nil {
			what := rootfs.Message(err)
			if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				what = "bad gzip data"
			}
			code = c.Errorf("%s: %s", name, what)
		}
	}
	return code
}
