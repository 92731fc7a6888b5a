package coding

import (
	"bytes"
	"testing"
	"time"
)

// No decoder may panic, touch what stands in dst, give much more than it was given, or
// take long.
func FuzzDecoders(f *testing.F) {
	names := make([]string, 0, len(decoders))
	for _, c := range ours {
		f.Add([]byte(c.text))
	}
	for name := range decoders {
		names = append(names, name)
	}
	for _, s := range []string{"%", `\`, "a", "=", "&#"} {
		f.Add(bytes.Repeat([]byte(s), 5000))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := []byte("before")
		for _, name := range names {
			start := time.Now()
			out, sure := decoders[name](bytes.Clone(before), data)
			if !bytes.HasPrefix(out, before) {
				t.Fatalf("%s: what stood in dst is gone", name)
			}
			if sure == No && len(out) != len(before) {
				t.Fatalf("%s: %d bytes come out of what it refuses", name, len(out)-len(before))
			}
			if name != "lzstring" && len(out)-len(before) > 4*len(data)+8 {
				t.Fatalf("%s: %d bytes come out of %d", name, len(out)-len(before), len(data))
			}
			if d := time.Since(start); d > time.Second+time.Duration(len(data))*10*time.Microsecond {
				t.Fatalf("%s: %d bytes took %s", name, len(data), d)
			}
		}
	})
}

// No stream may give more than the limit, whatever it says of itself.
func FuzzDecompressor(f *testing.F) {
	for _, name := range []string{"gzip", "deflate", "brotli", "snappy", "snappy-block", "lz4", "lz4-block"} {
		f.Add(packed(f, name, []byte(sample)), byte(0))
		f.Add(packed(f, name, bytes.Repeat([]byte("0"), 10_000)), byte(7))
	}
	const most = 1 << 16
	f.Fuzz(func(t *testing.T, data []byte, key byte) {
		var d Decompressor
		for _, name := range []string{"gzip", "zlib", "deflate", "brotli", "zstd", "lz4", "snappy", "lz4-block", "snappy-block"} {
			Plausible(name, data, key)
			out, _ := d.Open(name, []byte("x"), data, most)
			if len(out) > most+1 || out[0] != 'x' {
				t.Fatalf("%s: %d bytes came out of %d", name, len(out), len(data))
			}
		}
	})
}
