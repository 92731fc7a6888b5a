package unwrap

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// zeros is 10 GB in 10 MB: gzip of a thousand members of 10 MB each.
func zeros() []byte {
	var one bytes.Buffer
	w, _ := gzip.NewWriterLevel(&one, gzip.BestCompression)
	_, _ = io.CopyN(w, zero{}, 10<<20)
	w.Close()
	return bytes.Repeat(one.Bytes(), 1000)
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Each message is made to cost as much as can be. None may take long or much memory, and
// what was not looked at is told.
func TestBombsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("opens gigabytes")
	}
	zipped := func(name string, data []byte) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, _ := w.Create(name)
		f.Write(data)
		w.Close()
		return b.Bytes()
	}
	nested := []byte("at the end of it all")
	for range 40 {
		nested = zipped("x.zip", nested)
	}
	const size = 1 << 20
	for name, c := range map[string]struct {
		m   Message
		cut bool // something is not looked at
	}{
		"10 GB of zeros":      {Message{Body: zeros()}, true},
		"said to be gzip":     {Message{Headers: []flow.Header{{Name: "Content-Encoding", Value: "gzip"}}, Body: zeros()}, true},
		"codings upon others": {Message{Headers: []flow.Header{{Name: "Content-Encoding", Value: strings.Repeat("gzip,", 5000)}}, Body: []byte("{}")}, false},
		"zip in zip":          {Message{Body: nested}, true},
		"lists in lists":      {Message{Body: bytes.Repeat([]byte("["), size)}, true},
		"percent signs":       {Message{Body: bytes.Repeat([]byte("%"), size)}, false},
		"escapes":             {Message{Body: bytes.Repeat([]byte("%25"), size/3)}, false},
		"backslashes":         {Message{Body: bytes.Repeat([]byte(`\`), size)}, false},
		"ampersands":          {Message{Body: bytes.Repeat([]byte("&#"), size/2)}, false},
		"fields":              {Message{Body: bytes.Repeat([]byte("a=b&"), size/4)}, false},
		"equals signs":        {Message{Body: bytes.Repeat([]byte("=4"), size/2)}, false},
		"letters":             {Message{Body: bytes.Repeat([]byte("QUJD"), size/4)}, false},
		"digits":              {Message{Body: bytes.Repeat([]byte("41"), size/2)}, false},
		"tokens":              {Message{Body: []byte(strings.Repeat("eyJhIjoi.", size/9))}, false},
		"labels":              {Message{Body: bytes.Repeat([]byte("xn--"), size/4)}, false},
		"boundaries":          {Message{Headers: []flow.Header{{Name: "Content-Type", Value: "multipart/form-data; boundary=x"}}, Body: bytes.Repeat([]byte("--x\r\n\r\n"), size/8)}, false},
		"elements":            {Message{Body: bytes.Repeat([]byte("<a>"), size/3)}, false},
		"entities": {Message{Body: []byte(`<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]><x>` +
			strings.Repeat("&c;", size/4) + "</x>")}, false},
		"opaque values": {Message{Body: func() []byte {
			var b bytes.Buffer
			b.WriteByte('[')
			x := uint64(88172645463325252)
			for b.Len() < size {
				b.WriteByte('"')
				for range 32 {
					x ^= x << 13
					x ^= x >> 7
					x ^= x << 17
					b.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[x%62])
				}
				b.WriteString(`",`)
			}
			b.WriteString("1]")
			return b.Bytes()
		}()}, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := opener(t, nil)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			r := o.Walk(c.m, func(*Part) {})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if c.cut && len(r.Cuts) == 0 {
				t.Error("nothing is said to be cut off")
			}
			if took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
			if held := int64(after.Sys) - int64(before.Sys); held > 1<<30 {
				t.Errorf("%d MB of memory were taken", held>>20)
			}
			t.Logf("%s, %d MB allocated, cuts %v", took, (after.TotalAlloc-before.TotalAlloc)>>20, r.Cuts)
		})
	}
}
