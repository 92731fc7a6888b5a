package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// What a hostile or broken origin does is one recorded flow with its reason, and the
// next request goes on.
func TestOriginsThatMisbehave(t *testing.T) {
	zeros := func() string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(make([]byte, 64<<20))
		_ = w.Close()
		return b.String()
	}()
	for _, test := range []struct {
		name, says string
		reset      bool
		check      func(flow.Response) bool
	}{
		{"resets at once", "", true, func(r flow.Response) bool { return r.Status == 0 && r.Error != "" }},
		{"hangs up at once", "", false, func(r flow.Response) bool { return r.Status == 0 && strings.Contains(r.Error, "origin hung up") }},
		{"resets in its answer", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true, func(r flow.Response) bool { return r.Status == 200 && r.Body.Size <= 4 && r.Body.Cut != "" }},
		{"promises too much", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", false, func(r flow.Response) bool { return r.Status == 200 && r.Body.Size == 4 && r.Body.Cut != "" }},
		{"sends more than it promises", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour and more", false, func(r flow.Response) bool { return r.Status == 200 && r.Body.Size == 4 && r.Body.Cut == "" }},
		{"breaks a chunk off", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf", false, func(r flow.Response) bool { return r.Body.Size == 4 && r.Body.Cut != "" }},
		{"sends a bomb", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zeros, false, func(r flow.Response) bool { return r.Body.Size == int64(len(zeros)) && r.Body.Cut == "" }},
		{"answers in another language", "SSH-2.0-OpenSSH_9.2\r\n", false, func(r flow.Response) bool { return r.Status == 0 && r.Error != "" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.tcp("bad.example:80", func(c net.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
					return
				}
				_, _ = io.WriteString(c, test.says)
				if test.reset {
					_ = c.(*net.TCPConn).SetLinger(0)
				}
			})
			r.plain("good.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = io.WriteString(w, "good") }))
			c := r.connect("bad.example:80")
			_, _ = io.WriteString(c, "GET /bad HTTP/1.1\r\nHost: bad.example\r\n\r\n")
			got, _ := io.ReadAll(c)
			if !test.reset && string(got) != test.says {
				t.Errorf("%d bytes came of %d", len(got), len(test.says))
			}
			_ = c.Close()
			if text := get(t, r.client(false), "http://good.example/"); text != "good" {
				t.Errorf("then another got %q", text)
			}
			rec := r.sealed()
			if len(rec.flows) != 2 || rec.flows[0].Response == nil || !test.check(*rec.flows[0].Response) {
				t.Fatalf("%d flows, the first %+v", len(rec.flows), rec.flows[0].Response)
			}
		})
	}
}

// A proxy that is closed leaves nothing behind, whatever was going on.
func TestCloseLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("proxy", func(t *testing.T) {
		r := newRig(t)
		hold := make(chan struct{})
		r.origin("slow.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			select {
			case <-hold:
			case <-q.Context().Done():
			}
		}))
		defer close(hold)
		r.tcp("mute.example:443", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		r.tcp("raw.example:5224", func(c net.Conn) { _, _ = io.Copy(c, c) })
		for _, target := range []string{"slow.example:443", "mute.example:443", "raw.example:5224", "nowhere.example:80"} {
			_ = r.connect(target) // silent
		}
		raw := r.connect("raw.example:5224")
		_, _ = raw.Write([]byte{1, 2})
		_, _ = io.ReadFull(raw, make([]byte, 2))
		for _, h2 := range []bool{false, true} {
			for _, u := range []string{"https://slow.example/", "https://mute.example/", "http://slow.example/"} {
				go func() {
					resp, err := r.client(h2).Get(u)
					if err == nil {
						_ = resp.Body.Close()
					}
				}()
			}
		}
		waitUntil(t, func() bool { return r.count("request") >= 2 })
		r.once.Do(func() {}) // it is closed here, without patience
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.proxy.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	deadline := time.Now().Add(20 * time.Second)
	for runtime.NumGoroutine() > before+2 { // net/http's own may be late
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
		time.Sleep(10 * time.Millisecond)
	}
}
