package coding

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// widest is the largest window of zstd that is kept: RFC 8878 asks decoders for 8 MiB.
const widest = 64 << 20

// Decompressor takes compressions off. It keeps what it works with, and is not safe
// for concurrent use. The zero value is ready.
type Decompressor struct {
	src    bytes.Reader
	gzip   *gzip.Reader
	zlib   io.ReadCloser
	flate  io.ReadCloser
	brotli *brotli.Reader
	zstd   *zstd.Decoder
	lz4    *lz4.Reader
	snappy *s2.Reader
}

// Open takes the named compression off src and appends what comes out to dst, at most most bytes:
// gzip (RFC 1952), zlib (RFC 1950), deflate (RFC 1951; HTTP's deflate is zlib, and is
// read too), brotli (RFC 7932), zstd (RFC 8878), lz4 (frames), lz4-block with and
// without its size in front, snappy (frames) and snappy-block. What came out before an
// error is returned with it; the error is ErrBudget where there was more.
func (d *Decompressor) Open(name string, dst, src []byte, most int) ([]byte, error) {
	switch name {
	case "lz4-block":
		return lz4Block(dst, src, most)
	case "snappy-block":
		return snappyBlock(dst, src, most)
	}
	r, err := d.reader(name, src)
	if err != nil {
		return dst, err
	}
	return readUpTo(dst, r, most)
}

// OpenAll is Open for a stream that must end where src does.
func (d *Decompressor) OpenAll(name string, dst, src []byte, most int) ([]byte, error) {
	out, err := d.Open(name, dst, src, most)
	if err == nil && d.src.Len() > 0 && name != "lz4-block" && name != "snappy-block" {
		return dst, fmt.Errorf("%w: %d bytes follow the end", ErrForm, d.src.Len())
	}
	return out, err
}

func (d *Decompressor) reader(name string, src []byte) (r io.Reader, err error) {
	d.src.Reset(src)
	switch name {
	case "gzip":
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		return d.gzip, d.gzip.Reset(&d.src)
	case "zlib":
		return d.zlibReader()
	case "deflate":
		if Magic(src) == "zlib" {
			if r, err := d.zlibReader(); err == nil {
				return r, nil
			}
			d.src.Reset(src)
		}
		if d.flate == nil {
			d.flate = flate.NewReader(&d.src)
			return d.flate, nil
		}
		return d.flate, d.flate.(flate.Resetter).Reset(&d.src, nil)
	case "brotli":
		if d.brotli == nil {
			d.brotli = brotli.NewReader(&d.src)
			return d.brotli, nil
		}
		return d.brotli, d.brotli.Reset(&d.src)
	case "zstd":
		if d.zstd == nil {
			d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(widest))
			if err != nil {
				return nil, err
			}
		}
		return d.zstd, d.zstd.Reset(&d.src)
	case "lz4":
		if d.lz4 == nil {
			d.lz4 = lz4.NewReader(&d.src)
		}
		d.lz4.Reset(&d.src)
		return d.lz4, nil
	case "snappy":
		if d.snappy == nil {
			d.snappy = s2.NewReader(&d.src, s2.ReaderMaxBlockSize(1<<20))
		}
		d.snappy.Reset(&d.src)
		return d.snappy, nil
	}
	return nil, fmt.Errorf("unknown compression %q", name)
}

func (d *Decompressor) zlibReader() (io.Reader, error) {
	if d.zlib == nil {
		r, err := zlib.NewReader(&d.src)
		if err != nil {
			return nil, err
		}
		d.zlib = r
		return r, nil
	}
	return d.zlib, d.zlib.(zlib.Resetter).Reset(&d.src, nil)
}

// readUpTo appends what r gives to dst, as long as it is no more than most bytes.
func readUpTo(dst []byte, r io.Reader, most int) ([]byte, error) {
	at := len(dst)
	for idle := 0; ; {
		if cap(dst)-len(dst) < 512 {
			dst = slices.Grow(dst, max(512, min(len(dst)-at, 1<<22)))
		}
		free := dst[len(dst):cap(dst)]
		if room := most + 1 - (len(dst) - at); len(free) > room {
			free = free[:room]
		}
		n, err := r.Read(free)
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-at > most:
			return dst[:at+most], ErrBudget
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst, err
		}
		if n > 0 {
			idle = 0
		} else if idle++; idle > 100 {
			return dst, io.ErrNoProgress
		}
	}
}
