package observe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Whatever comes, it is not held in memory.
func TestMemoryIsBounded(t *testing.T) {
	endless := func(text string) func(int) string { return func(int) string { return text } }
	big := strings.Repeat("x", 32<<10)
	for name, test := range map[string]struct {
		o     Options
		first []step
		next  func(int) string
		down  bool
	}{
		"a head":               {Options{}, []step{sent("GET / HTTP/1.1\r\nA: ")}, endless(big), false},
		"a target":             {Options{}, []step{sent("GET /")}, endless(big), false},
		"many fields":          {Options{}, []step{sent("GET / HTTP/1.1\r\n")}, endless(strings.Repeat("a:\r\n", 8000)), false},
		"a body":               {Options{}, []step{sent("PUT / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n")}, endless(big), false},
		"a line of a chunk":    {Options{}, []step{sent("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;")}, endless(big), false},
		"trailers":             {Options{}, []step{sent("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ")}, endless(big), false},
		"pipelining":           {Options{}, nil, endless(strings.Repeat("GET / HTTP/1.1\r\nA: "+big[:1000]+"\r\n\r\n", 30)), false},
		"ahead of an upgrade":  {Options{}, []step{sent(wsAsk)}, endless(big), false},
		"interim responses":    {Options{}, []step{sent("GET / HTTP/1.1\r\n\r\n")}, endless("HTTP/1.1 103 x\r\nA: " + big + "\r\n\r\n"), true},
		"an answer":            {Options{}, []step{sent("GET / HTTP/1.1\r\n\r\n"), received("HTTP/1.1 200 OK\r\n\r\n")}, endless(big), true},
		"settings first":       {Options{}, nil, endless("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), true},
		"a compressed message": {Options{}, []step{sent(wsAsk), received(strings.TrimSuffix(wsAnswer, "\r\n") + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"), sent("\xc1\x7f\x00\x00\x7f\xff\xff\xff\xff\xff")}, endless(big), false},
		"CONTINUATION":         {h2Options, []step{sent(preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00" + "\x00\x00\x00\x01\x00\x00\x00\x00\x01")}, endless("\x00\x40\x00\x09\x00\x00\x00\x00\x01" + big[:0x4000]), false},
		"streams": {h2Options, []step{sent(preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00")}, func(i int) string {
			var b []byte
			for j := range 5 {
				id := uint32(2*(5*i+j) + 1)
				b = append(b, 0, 0, 2, 1, 4, byte(id>>24), byte(id>>16), byte(id>>8), byte(id), 0x82, 0x84)
			}
			return string(b)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := &counting{memory: memory{t: t}}
			c := New(Options{H2: test.o.H2, Scheme: "https", Target: "x.example:443", Recorder: forgetful{m}})
			to := c.Sent
			for _, s := range test.first {
				if s.sent {
					_ = c.Sent([]byte(s.text))
				} else {
					_ = c.Received([]byte(s.text))
				}
			}
			if test.down {
				to = c.Received
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for n := range 4000 {
				if err := to([]byte(test.next(n))); err != nil {
					t.Fatal(err)
				}
				if n%100 == 0 {
					runtime.ReadMemStats(&after)
					if after.HeapAlloc > before.HeapAlloc+128<<20 {
						runtime.GC()
						runtime.ReadMemStats(&after)
						if after.HeapAlloc > before.HeapAlloc+96<<20 {
							t.Fatalf("%d MB are in use after %d", (after.HeapAlloc-before.HeapAlloc)>>20, n)
						}
					}
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			if after.HeapAlloc > before.HeapAlloc+64<<20 {
				t.Errorf("%d MB are in use", (after.HeapAlloc-before.HeapAlloc)>>20)
			}
			if bounded := !strings.Contains("a body, an answer, a compressed message", name); c.State().NoHTTP != bounded {
				t.Errorf("the bound was met: %v, want %v", !bounded, bounded)
			}
			if err := c.Close(""); err != nil {
				t.Error(err)
			}
			if name == "a body" && m.total != 4000*32<<10 {
				t.Errorf("%d bytes were recorded", m.total)
			}
		})
	}
}

// forgetful is a Recorder that keeps nothing.
type forgetful struct{ *counting }

func (forgetful) Request(flow.Request) error       { return nil }
func (forgetful) Response(flow.Response) error     { return nil }
func (forgetful) Connection(flow.Connection) error { return nil }

// Nothing passes that could not be recorded.
func TestAFailureToRecordIsSaid(t *testing.T) {
	for _, script := range [][]step{
		{sent("GET / HTTP/1.1\r\n\r\n")},
		{sent("PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx")},
		{sent("\x00")},
		{received("220 x")},
	} {
		m := &memory{t: t, fail: io.ErrShortWrite}
		c := New(Options{Recorder: m})
		for range 2 {
			var err error
			if s := script[0]; s.sent {
				err = c.Sent([]byte(s.text))
			} else {
				err = c.Received([]byte(s.text))
			}
			if err != io.ErrShortWrite {
				t.Errorf("%q: %v", script[0].text, err)
			}
		}
		if err := c.Close(""); err != io.ErrShortWrite {
			t.Errorf("Close: %v", err)
		}
		if m.open != 0 {
			t.Errorf("%q: %d bodies were not ended", script[0].text, m.open)
		}
	}
	c := New(Options{Recorder: &memory{t: t}})
	if err := c.Close(""); err != nil {
		t.Error(err)
	}
	if err := c.Sent([]byte("x")); err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

// A head that would take more room in the log than a line has is kept as bytes.
func TestHeadsThatAreTooLong(t *testing.T) {
	for name, head := range map[string]string{
		"fields": strings.Repeat("a:\r\n", maxFields+1),
		"weight": "A: " + strings.Repeat("\xff", maxWeight/3+1) + "\r\n",
		"length": "A: " + strings.Repeat("x", maxHead) + "\r\n",
	} {
		for _, split := range []func(int, string) []string{whole, func(_ int, text string) []string { return []string{text[:30], text[30:]} }} {
			text := "GET / HTTP/1.1\r\n" + head + "\r\n"
			m := play(t, Options{Scheme: "https", Target: "api.example:443"}, []step{sent(text)}, "", split)
			if c, ok := m.log[0].(flow.Connection); !ok || c.Reason != flow.NoHTTP || string(c.Up.Inline) != text || !strings.Contains(c.Detail, "its head") {
				t.Errorf("%s: %.300s", name, m)
			}
		}
	}
	text := "GET / HTTP/1.1\r\nA: " + strings.Repeat("x", maxHead-100) + "\r\n\r\n"
	if m := play(t, Options{Scheme: "https", Target: "api.example:443"}, []step{sent(text)}, "", whole); len(m.log) != 2 {
		t.Errorf("a head that is just short enough: %d records", len(m.log))
	}
}

// However a head is written, its event fits into a line of the log.
func TestHeadsFitIntoTheLog(t *testing.T) {
	if raced {
		t.Skip("it writes a gigabyte, on one goroutine")
	}
	const most = 31 << 20 // evidence has 32 MiB, with what stands around it
	fits := func(name string, m *memory) {
		t.Helper()
		for _, r := range m.log {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if c, ok := r.(flow.Connection); ok {
				c.Up.Inline = nil // a recorder has put it into a blob
				r = c
			}
			if err := e.Encode(r); err != nil || b.Len() > most {
				t.Errorf("%s: an event of %d MB, %v", name, b.Len()>>20, err)
			}
		}
	}
	for _, c := range []string{" ", "\xff", "\u2028", `"`, "x"} {
		n := 7 << 20 // what weighs three times its length is just taken
		if c == " " || c == "x" {
			n = maxHead - 100
		}
		long := strings.Repeat(c, n/len(c))
		for _, text := range []string{"GET /" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nA: b" + long + "\r\n\r\n", "GET / HTTP/1.1\r\nHost: b" + long + "\r\n\r\n", "GET http://" + long + "/ HTTP/1.1\r\n\r\n"} {
			fits(fmt.Sprintf("%.30q, %d", text, n), play(t, Options{Scheme: "https", Target: "api.example:443"}, []step{sent(text)}, "", whole))
		}
	}
	for _, c := range []string{" ", "\xff", "\x00", "\n", "x"} {
		n := 7 << 20
		if c == " " || c == "x" {
			n = 15 << 20
		}
		long := strings.Repeat(c, n)
		for _, field := range []hpack.HeaderField{{Name: ":path", Value: "/" + long}, {Name: "a", Value: long}, {Name: long, Value: "a"}, {Name: ":authority", Value: long}, {Name: ":method", Value: long}} {
			var block bytes.Buffer
			e := hpack.NewEncoder(&block)
			if err := e.WriteField(field); err != nil {
				t.Fatal(err)
			}
			up := newPen(t)
			up.out.WriteString(preface)
			up.settings()
			b := block.Bytes()
			first := min(len(b), 1<<20)
			up.must(up.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:first], EndHeaders: first == len(b)}))
			for b = b[first:]; len(b) > 0; b = b[min(len(b), 1<<20):] {
				up.must(up.fr.WriteContinuation(1, len(b) <= 1<<20, b[:min(len(b), 1<<20)]))
			}
			fits(fmt.Sprintf("%.20q of %q, %d", field.Name, c, n), play(t, h2Options, []step{sent(up.take())}, "", whole))
		}
	}
}
