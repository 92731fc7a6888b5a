package evidence_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// exchange is a request and a response as an app's library writes them, with bodies.
func exchange(body flow.Body) (flow.Request, flow.Response) {
	now := time.Now()
	tls := &flow.TLS{Version: "TLS 1.3", ALPN: "h2", SNI: "api.example", Fingerprint: "t13d1516h2_8daaf6152771_e5627efa2ab1"}
	return flow.Request{
			Flow: "f12345", Started: now, Method: "POST", URL: "https://api.example/v1/events?source=app&n=12345", Proto: "HTTP/2.0",
			Headers: []flow.Header{{Name: "user-agent", Value: "okhttp/4.12.0"}, {Name: "accept", Value: "application/json"}, {Name: "accept-encoding", Value: "gzip"}, {Name: "authorization", Value: "Bearer abcdefghijklmnopqrstuvwxyz"}, {Name: "content-type", Value: "application/json; charset=utf-8"}},
			Body:    body, Client: "127.0.0.1:54321", TLS: tls, Wire: "w12", Size: body.Size + 300,
		}, flow.Response{
			Flow: "f12345", Started: now, Ended: now, Status: 200, Proto: "HTTP/2.0",
			Headers: []flow.Header{{Name: "server", Value: "x"}, {Name: "date", Value: "Mon, 23 Nov 2026 21:00:00 GMT"}, {Name: "content-type", Value: "application/json"}},
			Body:    body, Server: "192.0.2.1:443", TLS: tls, Size: body.Size + 200,
		}
}

func benchLog(b *testing.B) *evidence.Log {
	l, err := evidence.Create(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	l.Position("a", "untouched", evidence.Untouched)
	return l
}

// BenchmarkAppend writes a request and its response, whose bodies of 1 KB each stand
// in the log.
func BenchmarkAppend(b *testing.B) {
	l := benchLog(b)
	q, r := exchange(flow.Body{Inline: bytes.Repeat([]byte("abcdefgh"), 128), Size: 1024})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Append(evidence.KindRequest, q); err != nil {
			b.Fatal(err)
		}
		if _, err := l.Append(evidence.KindResponse, r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBlob writes one blob, in parts as a relay reads them.
func BenchmarkBlob(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size>>10, "KB"), func(b *testing.B) {
			l := benchLog(b)
			text := make([]byte, size)
			n := uint64(0)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				n++
				for i := range 8 {
					text[i] = byte(n >> (8 * i)) // a blob of its own
				}
				w, err := l.NewBlob()
				if err != nil {
					b.Fatal(err)
				}
				for at := 0; at < size; at += 32 << 10 {
					if _, err := w.Write(text[at:min(size, at+32<<10)]); err != nil {
						b.Fatal(err)
					}
				}
				if _, _, err := w.Commit(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
