package observe

import (
	"testing"

	"golang.org/x/net/http2"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Whoever passes the bytes can tell when it may stop.
func TestState(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
	m := &memory{t: t}
	c := New(Options{Recorder: m, Scheme: "https", Target: "api.example:443"})
	at := func(want State, idle bool) {
		t.Helper()
		if got := c.State(); got != want || c.Idle() != idle {
			t.Errorf("state %+v, idle %v, want %+v, %v", got, c.Idle(), want, idle)
		}
	}
	show := func(to func([]byte) error, text string) {
		t.Helper()
		if err := to([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	at(State{}, true)
	show(c.Sent, "GET / HTT")
	at(State{Protocol: "http/1", Asking: true}, false)
	show(c.Sent, "P/1.1\r\nHost: api.example\r\n\r\n")
	at(State{Protocol: "http/1", Requests: 1, Open: 1}, false)
	show(c.Received, ok[:20])
	at(State{Protocol: "http/1", Requests: 1, Open: 1}, false)
	show(c.Received, ok[20:])
	at(State{Protocol: "http/1", Requests: 1}, true)
	show(c.Sent, "PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
	at(State{Protocol: "http/1", Requests: 2, Open: 1, Asking: true}, false)
	show(c.Received, ok) // the answer is there, and the request still comes
	at(State{Protocol: "http/1", Requests: 2, Open: 1, Asking: true}, false)
	show(c.Sent, "cd")
	at(State{Protocol: "http/1", Requests: 2}, true)
	c.SetOrigin("192.0.2.1:443", &flow.TLS{Version: "TLS 1.3"})
	show(c.Sent, wsAsk)
	show(c.Received, wsAnswer)
	at(State{Protocol: "websocket", Requests: 3}, true)
	if r := m.log[len(m.log)-1].(flow.Response); r.Server != "192.0.2.1:443" || r.TLS.Version != "TLS 1.3" {
		t.Errorf("response %+v", r)
	}
	if err := c.Close(""); err != nil {
		t.Error(err)
	}

	c = New(Options{Recorder: &memory{t: t}})
	show(c.Sent, "\x16 what is this")
	at(State{Protocol: "raw", NoHTTP: true}, true)
	_ = c.Close("")

	c = New(Options{Recorder: &memory{t: t}, H2: true})
	up, down := newPen(t), newPen(t)
	up.out.WriteString(preface)
	up.settings()
	down.settings()
	show(c.Sent, up.take())
	show(c.Received, down.take())
	at(State{Protocol: "h2"}, true)
	up.headers(1, false, ":method POST", ":path /")
	show(c.Sent, up.take())
	at(State{Protocol: "h2", Requests: 1, Open: 1, Asking: true}, false)
	up.data(1, true, "x")
	show(c.Sent, up.take())
	at(State{Protocol: "h2", Requests: 1, Open: 1}, false)
	down.headers(1, true, ":status 200")
	show(c.Received, down.take())
	at(State{Protocol: "h2", Requests: 1}, true)
	down.must(down.fr.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true, BlockFragment: down.fields(":method GET", ":path /")}))
	show(c.Received, down.take())
	at(State{Protocol: "h2", Requests: 2, Open: 1}, false)
	down.headers(2, true, ":status 200")
	show(c.Received, down.take())
	at(State{Protocol: "h2", Requests: 2}, true)
	if n := len(c.h2.streams); n != 0 {
		t.Errorf("%d streams are remembered", n)
	}
	_ = c.Close("")
}

// One request at a time can be taken, for a proxy whose requests go to many places.
func TestSentOne(t *testing.T) {
	const first = "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
	const second = "GET http://b.example/ HTTP/1.1\r\n\r\n"
	for split := range len(first) {
		m := &memory{t: t}
		c := New(Options{Recorder: m})
		if n, err := c.SentOne([]byte(first[:split])); n != split || err != nil {
			t.Fatal(n, err)
		}
		if n, err := c.SentOne([]byte(first[split:] + second)); n != len(first)-split || err != nil {
			t.Fatalf("split at %d: %d bytes were taken, want %d; %v", split, n, len(first)-split, err)
		}
		if len(m.log) != 1 || m.log[0].(flow.Request).URL != "http://a.example/" {
			t.Errorf("records %s", m)
		}
		if n, err := c.SentOne([]byte(second + second)); n != len(second) || err != nil {
			t.Errorf("%d bytes were taken of the second, %v", n, err)
		}
		_ = c.Close("")
	}
	c := New(Options{Recorder: &memory{t: t}})
	if n, err := c.SentOne([]byte("no HTTP\r\n\r\nat all")); n != 17 || err != nil {
		t.Errorf("%d bytes were taken, %v", n, err)
	}
	_ = c.Close("")
}
