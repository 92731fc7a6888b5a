package observe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkExchange observes one request and its response on a connection that
// stays open, with a Recorder that does nothing.
func BenchmarkExchange(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 1 << 20} {
		body := strings.Repeat("x", size)
		fields := "User-Agent: okhttp/4.12.0\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nAuthorization: Bearer abcdefghijklmnopqrstuvwxyz\r\nX-Request-Id: 0123456789\r\nConnection: Keep-Alive\r\nContent-Type: application/json\r\n"
		b.Run(fmt.Sprint("HTTP/1.1/", size>>10, "KB"), func(b *testing.B) {
			request := []byte("POST /v1/events?source=app HTTP/1.1\r\nHost: api.example\r\n" + fields + fmt.Sprintf("Content-Length: %d\r\n\r\n", size) + body)
			response := []byte("HTTP/1.1 200 OK\r\nServer: x\r\nDate: Mon, 23 Nov 2026 21:00:00 GMT\r\n" + fmt.Sprintf("Content-Length: %d\r\n\r\n", size) + body)
			measure(b, New(Options{Recorder: forgetful{&counting{memory: memory{t: b}}}, Scheme: "https", Target: "api.example:443"}), int64(2*size),
				func(int) ([]byte, []byte) { return request, response })
		})
		b.Run(fmt.Sprint("HTTP/2/", size>>10, "KB"), func(b *testing.B) {
			c := New(Options{Recorder: forgetful{&counting{memory: memory{t: b}}}, H2: true, Scheme: "https", Target: "api.example:443"})
			up, down := newPen(b), newPen(b)
			up.out.WriteString(preface)
			up.settings()
			down.settings()
			for _, err := range []error{c.Sent([]byte(up.take())), c.Received([]byte(down.take()))} {
				if err != nil {
					b.Fatal(err)
				}
			}
			data := func(p *pen) {
				for at := 0; at < size; at += 16 << 10 {
					end := min(size, at+16<<10)
					p.data(0x01010101, end == size, body[at:end])
				}
			}
			var first, later [2][]byte // HPACK's table fills once
			for _, to := range []*[2][]byte{&first, &later} {
				up.headers(0x01010101, false, ":method POST", ":scheme https", ":authority api.example", ":path /v1/events?source=app", "user-agent okhttp/4.12.0", "accept application/json", "accept-encoding gzip", "authorization Bearer abcdefghijklmnopqrstuvwxyz", "content-type application/json")
				data(up)
				down.headers(0x01010101, false, ":status 200", "server x", "date Mon, 23 Nov 2026 21:00:00 GMT", "content-type application/json")
				data(down)
				*to = [2][]byte{[]byte(up.take()), []byte(down.take())}
			}
			measure(b, c, int64(2*size), func(n int) ([]byte, []byte) {
				use := &later
				if n == 0 {
					use = &first
				}
				for _, text := range use { // the stream's id, in each frame
					for at := 0; at < len(text); {
						id := uint32(2*n + 1)
						text[at+5], text[at+6], text[at+7], text[at+8] = byte(id>>24), byte(id>>16), byte(id>>8), byte(id)
						at += frameHeader + int(text[at])<<16 + int(text[at+1])<<8 + int(text[at+2])
					}
				}
				return use[0], use[1]
			})
		})
	}
}

func measure(b *testing.B, c *Conn, bytes int64, next func(int) (up, down []byte)) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(bytes)
	const part = 32 << 10 // as a relay reads
	show := func(to func([]byte) error, text []byte) {
		for len(text) > 0 {
			n := min(len(text), part)
			if err := to(text[:n]); err != nil {
				b.Fatal(err)
			}
			text = text[n:]
		}
	}
	n := 0
	for b.Loop() {
		up, down := next(n)
		n++
		show(c.Sent, up)
		show(c.Received, down)
	}
	if s := c.State(); s.Requests != n || s.Open != 0 || s.NoHTTP {
		b.Errorf("after %d %s: %+v", n, http.MethodPost, s)
	}
}
