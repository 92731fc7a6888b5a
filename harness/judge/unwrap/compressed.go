package unwrap

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// errBudget says that more came out of a container than may.
var errBudget = errors.New("more comes out than the budget allows")

// widest is the largest window of zstd that is kept: RFC 8878 asks decoders for 8 MiB.
const widest = 64 << 20

// inflate takes one compression off. What came out before an error is returned with it.
func inflate(name string, data []byte, budget int64) (out []byte, err error) {
	src := bytes.NewReader(data)
	var r io.Reader
	switch name {
	case "gzip":
		r, err = gzip.NewReader(src)
	case "zlib":
		r, err = zlib.NewReader(src)
	case "deflate": // HTTP's deflate is zlib; some send the bare stream
		if r, err = zlib.NewReader(src); err != nil {
			src.Reset(data)
			r, err = flate.NewReader(src), nil
		}
	case "brotli":
		r = brotli.NewReader(src)
	case "zstd":
		var d *zstd.Decoder
		d, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(widest))
		if err == nil {
			defer d.Close()
			r = d
		}
	default:
		err = fmt.Errorf("unknown compression %q", name)
	}
	if err != nil {
		return nil, err
	}
	out, err = io.ReadAll(io.LimitReader(r, budget+1))
	if int64(len(out)) > budget {
		return out[:budget], errBudget
	}
	return out, err
}

// compressed opens what begins like a compressed file.
func (w *walk) compressed(p *Part, depth int) bool {
	name := magic(p.Data)
	if name != "gzip" && name != "zlib" && name != "zstd" || !w.o.containers[name] {
		return false
	}
	if !w.spend(p, depth) {
		return true
	}
	out, err := inflate(name, p.Data, max(w.left.Bytes, 0))
	if name == "zlib" && err != nil && !errors.Is(err, errBudget) {
		return false // two bytes are a weak sign
	}
	if err != nil {
		w.cut(p, "%s: %v", name, err)
	}
	if len(out) > 0 {
		w.opened(p, name, out, depth)
	}
	return true
}

// magic names what bytes begin like: a compression that can be opened, a picture, a film, an archive.
func magic(b []byte) string {
	has := func(s string) bool { return bytes.HasPrefix(b, []byte(s)) }
	switch {
	case len(b) < 8:
		return ""
	case has("\x1f\x8b\x08"):
		return "gzip"
	case has("\x28\xb5\x2f\xfd"):
		return "zstd"
	case b[0]&0x0f == 8 && b[0] < 0x80 && (int(b[0])<<8|int(b[1]))%31 == 0 && b[1]&0x20 == 0 && (b[1] == 0x01 || b[1] == 0x5e || b[1] == 0x9c || b[1] == 0xda):
		return "zlib"
	case has("\xff\xd8\xff"), has("\x89PNG\r\n"), has("GIF8"), has("RIFF"):
		return "media"
	case string(b[4:8]) == "ftyp", has("\x1a\x45\xdf\xa3"), has("OggS"), has("ID3"), has("fLaC"):
		return "media"
	case has("PK\x03\x04"), has("%PDF-"), has("wOFF"), has("wOF2"):
		return "file"
	}
	return ""
}
