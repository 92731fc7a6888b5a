package disguise

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

func compressions() []Disguise {
	stream := func(name, chain string, open func(io.Writer) io.WriteCloser) Disguise {
		return Disguise{
			Name: name, Chain: []string{chain}, Binary: true,
			Encode: func(v []byte, _ *Env) []byte {
				var b bytes.Buffer
				w := open(&b)
				if _, err := w.Write(v); err != nil {
					return nil
				}
				if w.Close() != nil {
					return nil
				}
				return b.Bytes()
			},
		}
	}
	return []Disguise{
		stream("gzip", "gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		stream("zlib", "zlib", func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
		stream("deflate", "deflate", func(w io.Writer) io.WriteCloser {
			f, _ := flate.NewWriter(w, flate.DefaultCompression) // only a wrong level fails
			return f
		}),
		stream("brotli", "brotli", func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }),
		stream("zstd", "zstd", func(w io.Writer) io.WriteCloser {
			z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) // only a wrong option fails
			return z
		}),
		stream("lz4", "lz4", func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }),
		stream("snappy/framed", "snappy", func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) }),
		{
			Name: "snappy/block", Chain: []string{"snappy"}, Binary: true,
			Encode: func(v []byte, _ *Env) []byte { return snappy.Encode(nil, v) },
		},
	}
}
