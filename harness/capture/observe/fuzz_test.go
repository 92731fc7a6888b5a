package observe

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/unasked-audit/unasked/harness/flow"
)

// script reads steps out of a fuzzer's bytes: those after a byte 0xfe and
// a letter belong to the origin (d) or the device (u); e and E end them.
func script(b []byte) []step {
	var steps []step
	at, from := true, 0
	flush := func(to int) {
		if to > from {
			steps = append(steps, step{text: string(b[from:to]), sent: at})
		}
	}
	for i := 0; i+1 < len(b); i++ {
		if b[i] != 0xfe {
			continue
		}
		switch b[i+1] {
		case 'u', 'd', 'e', 'E':
			flush(i)
			switch b[i+1] {
			case 'e':
				steps = append(steps, receivedAll(nil))
			case 'E':
				steps = append(steps, sentAll(io.ErrUnexpectedEOF))
			default:
				at = b[i+1] == 'u'
			}
			from, i = i+2, i+1
		}
	}
	flush(len(b))
	return steps
}

// unscript is the other way round.
func unscript(steps ...step) []byte {
	var b []byte
	for _, s := range steps {
		mark := "d"
		switch {
		case s.end && s.sent:
			mark = "E"
		case s.end:
			mark = "e"
		case s.sent:
			mark = "u"
		}
		b = append(append(append(b, 0xfe), mark...), s.text...)
	}
	return b
}

// why is the reason for which bytes are not understood. Which one is found first may
// depend on how they come; which bytes they are may not.
var why = regexp.MustCompile(`\(.*\) up|cut: what followed is no HTTP: [^|]*|error: what the origin sent is no HTTP: [^|]*`)

// consistent plays a script at once and byte by byte, and expects the same records.
func consistent(t *testing.T, o Options, b []byte) *memory {
	t.Helper()
	if len(b) > 1<<14 {
		t.Skip()
	}
	steps := script(b)
	at := play(t, o, steps, "", whole)
	if one := play(t, o, steps, "", bytewise); why.ReplaceAllString(one.String(), "") != why.ReplaceAllString(at.String(), "") {
		t.Errorf("at once\n%s\nbyte by byte\n%s", at, one)
	}
	for _, r := range at.log {
		if q, ok := r.(flow.Request); ok {
			if _, err := url.Parse(q.URL); err != nil {
				t.Errorf("the URL %q can't be read: %v", q.URL, err)
			}
		}
	}
	return at
}

func FuzzHTTP1(f *testing.F) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
	for _, s := range [][]step{
		{sent("GET /a HTTP/1.1\r\nHost: api.example\r\n\r\n"), received(ok)},
		{sent("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a\r\nabc\r\n0\r\nT: 1\r\n\r\n"), received("HTTP/1.1 103 H\r\n\r\nHTTP/1.0 200 OK\r\n\r\nabc"), receivedAll(nil)},
		{sent("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"), received(ok), sentAll(nil)},
		{sent("CONNECT x:1 HTTP/1.1\r\n\r\nabc"), received("HTTP/1.1 200 OK\r\n\r\nabc")},
		{sent("GET http://x/ HTTP/1.0\nA: b\n c\n\nGET * HTTP/1.1\r\n\r\n"), received(ok + ok)},
		{sent("POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
		{sent("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}, {received("220 x")}, {sent("\x10\x00")},
		{sent("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"), received("HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")},
	} {
		f.Add(unscript(s...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := consistent(t, Options{Scheme: "https", Target: "api.example:443"}, b)
		if len(m.log) == 0 {
			return
		}
		got, ok := m.log[0].(flow.Request)
		steps := script(b)
		if !ok || got.Proto == "HTTP/2.0" || got.Body.Cut != "" || !steps[0].sent {
			return
		}
		// What both this and net/http take for a request, they take for the same one.
		q, err := http.ReadRequest(bufio.NewReader(strings.NewReader(steps[0].text)))
		if err != nil {
			return
		}
		body, err := io.ReadAll(q.Body)
		if err == nil && got.Flow == "f1" && (q.Method != got.Method || !bytes.HasPrefix(got.Body.Inline, body)) {
			t.Errorf("net/http reads %s with %q, and recorded is %s", q.Method, body, line(got))
		}
	})
}

func FuzzHTTP2(f *testing.F) {
	hello := func() (up, down *pen) {
		up, down = newPen(f), newPen(f)
		up.settings()
		down.settings()
		return up, down
	}
	up, down := hello()
	up.get(1, "/a")
	down.headers(1, false, ":status 200", "a b")
	down.data(1, true, "text")
	f.Add(unscript(sent(up.take()), received(down.take())))
	up, down = hello()
	up.headers(1, false, ":method CONNECT", ":protocol websocket", ":path /x", ":authority a")
	down.headers(1, false, ":status 200", "sec-websocket-extensions permessage-deflate")
	up.data(1, true, wsFrame(0xc1, true, "\x4a\x04\x00"))
	down.must(down.fr.WriteRSTStream(1, http2.ErrCodeCancel))
	f.Add(unscript(sent(up.take()), received(down.take())))
	up, down = hello()
	up.must(up.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: up.fields(":method GET")}))
	up.must(up.fr.WriteContinuation(1, true, up.fields(":path /")))
	up.must(up.fr.WriteDataPadded(1, true, []byte("x"), make([]byte, 3)))
	down.must(down.fr.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true, BlockFragment: down.fields(":method GET", ":path /")}))
	down.must(down.fr.WriteGoAway(0, http2.ErrCodeProtocol, nil))
	up.must(up.fr.WriteRawFrame(0xee, 0, 0, []byte("x")))
	f.Add(unscript(sent(up.take()), received(down.take())))
	f.Fuzz(func(t *testing.T, b []byte) {
		steps := append([]step{sent(preface)}, script(b)...)
		consistent(t, h2Options, unscript(steps...))
	})
}

func FuzzWebSocket(f *testing.F) {
	w, out := packer(f)
	f.Add(unscript(sent(wsFrame(0x81, true, "anna")+wsFrame(0x01, true, "a")+wsFrame(0x80, true, "b")), received(wsFrame(0x82, false, strings.Repeat("x", 200)))))
	f.Add(unscript(sent(wsFrame(0xc1, true, pack(f, w, out, "anna"))+wsFrame(0xc1, true, pack(f, w, out, "anna"))), received(wsFrame(0x88, false, "\x03\xe8")), receivedAll(nil)))
	f.Add(unscript(sent("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00x")))
	f.Fuzz(func(t *testing.T, b []byte) {
		answer := strings.TrimSuffix(wsAnswer, "\r\n") + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
		steps := append([]step{sent(wsAsk), received(answer)}, script(b)...)
		consistent(t, Options{Scheme: "https", Target: "ws.example:443"}, unscript(steps...))
	})
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"/", "/a%2Fb?c=d&e", "*", "http://x.example/y?z", "http://x.example", "http://x.example?q", "//x/y", "/\xff\xfe?\x80", "/a?b=://c/d", "/%", "/a b#c"} {
		f.Add(s, "api.example")
	}
	f.Add("/", "[::1]:443")
	f.Add("/", "a:b@c:1")
	f.Fuzz(func(t *testing.T, target, host string) {
		o := Options{Scheme: "https", Target: "target.example:443"}
		u := urls{o: &o}
		scheme, authority, path, ok := u.split("GET", target, host)
		if !ok {
			return
		}
		recorded, _ := u.of(scheme, authority, path)
		again, err := url.Parse(recorded)
		switch {
		case err != nil || again.Host == "":
			t.Errorf("%q of %q is recorded as %q: %v", target, host, recorded, err)
		case strings.HasPrefix(target, "/") && isHost(host) && !strings.EqualFold(again.Host, strings.TrimSuffix(host, ":443")) && again.User == nil && !strings.ContainsAny(host, "%"):
			t.Errorf("%q of %q is recorded as %q, of %q", target, host, recorded, again.Host)
		}
		if _, query, _ := strings.Cut(path, "?"); again != nil && again.RawQuery != escapeRaw("?" + query)[1:] {
			t.Errorf("%q is recorded as %q: the query is %q", target, recorded, again.RawQuery)
		}
	})
}
