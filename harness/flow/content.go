package flow

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// The errors of reading a body's content; use errors.Is.
var (
	// ErrBudget: the content is longer than the caller wants to read.
	ErrBudget = errors.New("the content is longer than may be read")
	// ErrCoding: the body has a content coding that is not known here.
	ErrCoding = errors.New("unknown content coding")
)

// maxCodings bounds how many codings lie over one another in a body.
const maxCodings = 8

// maxWindow is the memory that a zstd frame may ask for, in bytes (RFC 9659 section 3).
const maxWindow = 8 << 20

// Content opens a body, of a request or a response with these headers, with its
// content codings taken off: gzip, deflate (with zlib's frame or, as some senders
// have it, without), br and zstd. codings names those, outermost first.
//
// budget is how many bytes of content may be read; the reader then fails with
// ErrBudget, so that a small body that unfolds into a huge one does no harm. The
// error wraps ErrCoding for a coding that is not known; the body itself is still
// to be had from ev. A body that is damaged, or was cut, yields what can be had
// before the reader fails.
func Content(ev evidence.Evidence, b Body, headers []Header, budget int64) (rc io.ReadCloser, codings []string, err error) {
	codings, err = Codings(headers)
	if err != nil {
		return nil, codings, err
	}
	blob, err := b.Open(ev)
	if err != nil {
		return nil, codings, err
	}
	c := &content{closers: []func() error{blob.Close}}
	c.r, err = c.unwrap(blob, codings)
	if err != nil {
		return nil, codings, errors.Join(err, c.Close())
	}
	c.left = budget
	return c, codings, nil
}

// Codings lists the content codings that headers name, outermost first, under
// their usual names and without identity.
func Codings(headers []Header) ([]string, error) {
	var list []string
	for _, h := range headers {
		if !strings.EqualFold(h.Name, "Content-Encoding") {
			continue
		}
		for name := range strings.SplitSeq(h.Value, ",") {
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case "", "identity":
			case "x-gzip":
				list = append(list, "gzip")
			default:
				list = append(list, name)
			}
		}
	}
	slices.Reverse(list) // they are named in the order in which they were put on
	if len(list) > maxCodings {
		return list, fmt.Errorf("%w: %d codings over one another", ErrCoding, len(list))
	}
	for _, name := range list {
		if !slices.Contains([]string{"gzip", "deflate", "br", "zstd"}, name) {
			return list, fmt.Errorf("%w %q", ErrCoding, name)
		}
	}
	return list, nil
}

// content reads through codings, as far as a budget reaches.
type content struct {
	r       io.Reader
	left    int64
	closers []func() error
}

func (c *content) unwrap(r io.Reader, codings []string) (io.Reader, error) {
	for _, name := range codings {
		in := bufio.NewReader(r)
		if _, err := in.Peek(1); errors.Is(err, io.EOF) {
			return in, nil // an answer to HEAD, or one cut before it began
		}
		switch name {
		case "gzip":
			z, err := gzip.NewReader(in)
			if err != nil {
				return nil, fmt.Errorf("gzip: %w", err)
			}
			r = z
		case "deflate":
			d, err := inflate(in)
			if err != nil {
				return nil, err
			}
			r = d
		case "br":
			r = brotli.NewReader(in)
		case "zstd":
			z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, fmt.Errorf("zstd: %w", err)
			}
			c.closers = append(c.closers, func() error { z.Close(); return nil })
			r = z
		}
		r = named{r, name}
	}
	return r, nil
}

// inflate tells zlib's frame, which RFC 9110 section 8.4.1.2 asks for, from bare
// deflate.
func inflate(in *bufio.Reader) (io.Reader, error) {
	b, err := in.Peek(2)
	if err == nil && b[0]&0x0f == 8 && (int(b[0])<<8|int(b[1]))%31 == 0 {
		z, err := zlib.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("deflate: %w", err)
		}
		return z, nil
	}
	return flate.NewReader(in), nil
}

// named says which coding failed.
type named struct {
	r    io.Reader
	name string
}

// Read implements io.Reader.
func (n named) Read(p []byte) (int, error) {
	k, err := n.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s: %w", n.name, err)
	}
	return k, err
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if c.left <= 0 {
		var one [1]byte
		for {
			n, err := c.r.Read(one[:])
			switch {
			case n > 0:
				return 0, ErrBudget
			case err != nil:
				return 0, err
			}
		}
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	return n, err
}

// Close implements io.Closer.
func (c *content) Close() error {
	var all []error
	for _, f := range slices.Backward(c.closers) {
		all = append(all, f())
	}
	return errors.Join(all...)
}
