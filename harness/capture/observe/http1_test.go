package observe

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestHTTP1(t *testing.T) {
	const get = "GET /a HTTP/1.1\r\nHost: api.example\r\n\r\n"
	const asked = `f1 > GET https://api.example/a HTTP/1.1 | Host=api.example | "" | 38` + "\n"
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
	const answered = `f1 < 200 HTTP/1.1 | Content-Length=2 | "hi" | 40` + "\n"
	for _, test := range []struct {
		name   string
		script []step
		why    string
		want   string
	}{
		{"nothing at all", nil, "", ""},
		{"empty lines alone", []step{sent("\r\n\r\n"), received("\r\n")}, "", ""},
		{"a request and its response", []step{sent(get), received(ok)}, "", asked + answered},
		{"the order and case of fields", []step{
			sent("POST / HTTP/1.1\r\nx-B: 1\r\nX-a:2\r\nX-B:  3\t \r\nhOST: api.example\r\nEmpty:\r\ncontent-LENGTH: 5\r\n\r\n12345"),
			received("HTTP/1.1 204 No Content\r\nzz: 1\r\nAA: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n"),
		}, "", `
f1 > POST https://api.example/ HTTP/1.1 | x-B=1 X-a=2 X-B=3 hOST=api.example Empty= content-LENGTH=5 | "12345" | 96
f1 < 204 HTTP/1.1 | zz=1 AA=2 Set-Cookie=a=1 Set-Cookie=b=2 | "" | 75`},
		{"folded fields, and bytes outside ASCII", []step{
			sent("GET /caf\xe9 HTTP/1.1\r\nHost: api.example\r\nA: one\r\n  two \r\n\tthree\r\nB: caf\xe9\r\nC: caf\xc3\xa9\r\n\r\n"), received(ok),
		}, "", `f1 > GET https://api.example/caf%E9 HTTP/1.1 | Host=api.example A=one two three B=café C=café | "" | 84` + "\n" + answered},
		{"line feeds alone", []step{sent("GET /a HTTP/1.1\nHost: api.example\n\n"), received("HTTP/1.1 200\nContent-Length: 2\n\nhi")}, "",
			`f1 > GET https://api.example/a HTTP/1.1 | Host=api.example | "" | 35` + "\n" + `f1 < 200 HTTP/1.1 | Content-Length=2 | "hi" | 34`},
		{"an empty line before", []step{sent("\r\n" + get), received(ok), sent("\r\n")}, "", strings.Replace(asked, "38", "40", 1) + answered},
		{"pipelining", []step{
			sent(get + "POST /b HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\nabc" + "HEAD /c HTTP/1.1\r\nHost: api.example\r\n\r\n"),
			received(ok + "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n" + "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
			sent("GET /d HTTP/1.1\r\nHost: api.example\r\n\r\n"), received("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
		}, "", asked + `
f2 > POST https://api.example/b HTTP/1.1 | Host=api.example Content-Length=3 | "abc" | 61
f3 > HEAD https://api.example/c HTTP/1.1 | Host=api.example | "" | 39
` + answered + `
f2 < 304 HTTP/1.1 | Content-Length=99 | "" | 49
f3 < 200 HTTP/1.1 | Content-Length=99 | "" | 39
f4 > GET https://api.example/d HTTP/1.1 | Host=api.example | "" | 38
f4 < 404 HTTP/1.1 | Content-Length=0 | "" | 45`},
		{"chunks with extensions and trailers", []step{
			sent("POST /a HTTP/1.1\r\nHost: api.example\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0A;x=\"y\"\r\n0123456789\r\n0\r\nX-Sum: 9\r\nx-two: a\r\n b\r\n\r\n"),
			received("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\n!\r\n00\r\n\r\n"),
		}, "", `
f1 > POST https://api.example/a HTTP/1.1 | Host=api.example transfer-encoding=Chunked | "abc0123456789" | X-Sum=9 x-two=a b | 126
f1 < 200 HTTP/1.1 | Transfer-Encoding=chunked | "!" | 60
f2 = no-http :0 (bytes beside requests and responses: extensions of chunks, frames of unknown types, what came on a stream after its end, what control frames carry) up ";x=\"y\"" down ""`},
		{"a body that ends with the connection", []step{sent(get), received("HTTP/1.0 200 OK\r\nServer: old\r\n\r\nsome"), received(" text"), receivedAll(nil)}, "",
			asked + `f1 < 200 HTTP/1.0 | Server=old | "some text" | 41`},
		{"one that breaks off", []step{sent(get), received("HTTP/1.0 200 OK\r\n\r\nsome"), receivedAll(io.ErrUnexpectedEOF)}, "",
			asked + `f1 < 200 HTTP/1.0 | | "some" cut: the origin hung up | 23`},
		{"an error that says more", []step{sent(get), received("HTTP/1.0 200 OK\r\n\r\nsome"), receivedAll(errors.New("reset"))}, "",
			asked + `f1 < 200 HTTP/1.0 | | "some" cut: the origin broke off: reset | 23`},
		{"one whose length was told, and that ends before", []step{sent(get), received("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome"), receivedAll(nil)}, "",
			asked + `f1 < 200 HTTP/1.1 | Content-Length=9 | "some" cut: the origin hung up | 42`},
		{"one that the capture cuts", []step{sent(get), received("HTTP/1.1 200 OK\r\n\r\nsome")}, "the capture ended",
			asked + `f1 < 200 HTTP/1.1 | | "some" cut: the capture ended | 23`},
		{"a client that hangs up", []step{sent("POST /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 9\r\n\r\nhalf"), sentAll(io.EOF)}, "", `
f1 > POST https://api.example/a HTTP/1.1 | Host=api.example Content-Length=9 | "half" cut: the client hung up | 62
f1 < 0  | | "" error: the client hung up before an answer came | 0`},
		{"a client that hangs up and waits", []step{sent(get), sentAll(nil), received(ok), receivedAll(nil)}, "", asked + answered},
		{"no answer", []step{sent(get + "GET /b HTTP/1.1\r\nHost: api.example\r\n\r\n"), receivedAll(nil)}, "", asked + `
f2 > GET https://api.example/b HTTP/1.1 | Host=api.example | "" | 38
f1 < 0  | | "" error: the origin hung up before an answer came | 0
f2 < 0  | | "" error: the origin hung up before an answer came | 0`},
		{"no origin", []step{sent(get)}, "lookup api.example: no such host", asked + `f1 < 0  | | "" error: lookup api.example: no such host | 0`},
		{"informational responses", []step{
			sent("POST /a HTTP/1.1\r\nHost: api.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
			received("HTTP/1.1 100 Continue\r\n\r\n"), sent("ab"),
			received("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok),
		}, "", `
f1 > POST https://api.example/a HTTP/1.1 | Host=api.example Expect=100-continue Content-Length=2 | "ab" | 82
f1 < (100) (103 Link=</a>) 200 HTTP/1.1 | Content-Length=2 | "hi" | 105`},
		{"an answer before the end of its request", []step{
			sent("POST /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 9\r\n\r\nhalf"), received(ok), sent("-done"), sent("GET /b HTTP/1.1\r\nHost: api.example\r\n\r\n"), received(ok),
		}, "", `
f1 > POST https://api.example/a HTTP/1.1 | Host=api.example Content-Length=9 | "half-done" | 67
` + answered + `
f2 > GET https://api.example/b HTTP/1.1 | Host=api.example | "" | 38
f2 < 200 HTTP/1.1 | Content-Length=2 | "hi" | 40`},
		{"an answer, and its request never ends", []step{
			sent("POST /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 9\r\n\r\nhalf"), received(ok), receivedAll(nil),
		}, "", `
f1 > POST https://api.example/a HTTP/1.1 | Host=api.example Content-Length=9 | "half" cut: the origin answered before all of it was sent | 62
` + answered},
		{"targets", []step{
			sent("GET http://other.example:80?q HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: api.example:443\r\n\r\nGET //a/b?c#d HTTP/1.0\r\n\r\nGET /%zz?%zz HTTP/1.1\r\nHost: bad host\r\n\r\n"),
		}, "x", `
f1 > GET http://other.example/?q HTTP/1.1 at api.example:443 | Host=x | "" | 51
f2 > OPTIONS https://api.example/* HTTP/1.1 | Host=api.example:443 | "" | 45
f3 > GET https://api.example//a/b?c%23d HTTP/1.0 | | "" | 26
f4 > GET https://api.example/%25zz?%zz HTTP/1.1 | Host=bad host | "" | 41
f1 < 0  | | "" error: x | 0
f2 < 0  | | "" error: x | 0
f3 < 0  | | "" error: x | 0
f4 < 0  | | "" error: x | 0`},
		{"another host than the connection's", []step{sent("GET / HTTP/1.1\r\nHost: hidden.example:8443\r\n\r\n"), received(ok)}, "",
			`f1 > GET https://hidden.example:8443/ HTTP/1.1 at api.example:443 | Host=hidden.example:8443 | "" | 45` + "\n" + answered},
		{"CONNECT inside", []step{sent("CONNECT in.example:25 HTTP/1.1\r\nHost: in.example:25\r\n\r\n"), received("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n220 x"), sent("EHLO"), sentAll(nil), receivedAll(nil)}, "", `
f1 > CONNECT https://in.example:25/ HTTP/1.1 at api.example:443 | Host=in.example:25 | "" | 55
f1 < 200 HTTP/1.1 | Content-Length=5 | "" | 38
f1 = upgraded in.example:25 (the connection went over to a tunnel, which is kept and not read) up "EHLO" down "220 x"`},
		{"an upgrade to what is not known", []step{
			sent("GET /a HTTP/1.1\r\nHost: api.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: Secret/1\r\n\r\n"), received("HTTP/1.1 101 Switching Protocols\r\nUpgrade: Secret/1\r\n\r\nhello"), sent("GET / HTTP/1.1\r\n\r\n"),
		}, "the capture ended", `
f1 > GET https://api.example/a HTTP/1.1 | Host=api.example Connection=keep-alive, Upgrade Upgrade=Secret/1 | "" | 90
f1 < 101 HTTP/1.1 | Upgrade=Secret/1 | "" | 55
f1 = upgraded api.example:443 (the connection went over to Secret/1, which is kept and not read) up "GET / HTTP/1.1\r\n\r\n" cut: the capture ended down "hello" cut: the capture ended`},
		{"an upgrade that is declined, with a request behind it", []step{
			sent("GET /a HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + "GET /b HTTP/1.1\r\nHost: api.example\r\n\r\n"), received(ok + ok),
		}, "", `
f1 > GET https://api.example/a HTTP/1.1 | Host=api.example Connection=Upgrade Upgrade=x | "" | 71
` + answered + `
f2 > GET https://api.example/b HTTP/1.1 | Host=api.example | "" | 38
f2 < 200 HTTP/1.1 | Content-Length=2 | "hi" | 40`},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := strings.ReplaceAll(test.want, "\n\n", "\n")
			everyWay(t, Options{Scheme: "https", Target: "api.example:443"}, test.script, test.why, want)
		})
	}
}

// What is not understood is kept, from the message on in which it is.
func TestWhatIsNotUnderstoodIsKept(t *testing.T) {
	const get = "GET /a HTTP/1.1\r\nHost: api.example\r\n\r\n"
	const asked = `f1 > GET https://api.example/a HTTP/1.1 | Host=api.example | "" | 38` + "\n"
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
	const answered = `f1 < 200 HTTP/1.1 | Content-Length=2 | "hi" | 40` + "\n"
	for name, bad := range map[string]string{
		"no field":               "GET / HTTP/1.1\r\nHost: api.example\r\nbroken header\r\n\r\n",
		"a name with a space":    "GET / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
		"a control character":    "GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
		"a carriage return":      "GET / HTTP/1.1\r\nA: b\rTransfer-Encoding: chunked\r\n\r\n",
		"a fold before a field":  "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
		"a length and chunks":    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":            "POST / HTTP/1.1\r\nContent-Length: 4\r\ncontent-length: 5\r\n\r\nabcde",
		"two lengths in one":     "POST / HTTP/1.1\r\nContent-Length: 4, 5\r\n\r\nabcde",
		"a length that is none":  "POST / HTTP/1.1\r\nContent-Length: +4\r\n\r\nabcd",
		"chunks twice":           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"another coding":         "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunks in HTTP/1.0":     "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"another version":        "GET / HTTP/2.0\r\n\r\n",
		"another protocol":       "OPTIONS rtsp://x/ RTSP/1.0\r\n\r\n",
		"a method that is none":  "G(T / HTTP/1.1\r\n\r\n",
		"no method":              " / HTTP/1.1\r\n\r\n",
		"a line without version": "NICK someone\r\n",
		"HTTP/0.9":               "GET /\r\n",
		"bytes":                  "\x10\x0e\x00\x04MQTT",
		"a long method":          strings.Repeat("A", 40),
	} {
		t.Run(name, func(t *testing.T) {
			want := asked + answered
			m := play(t, Options{Scheme: "https", Target: "api.example:443"}, []step{sent(get + bad), received(ok + "HTTP/1.1 400 "), sent("more")}, "", whole)
			got := m.String()
			if !strings.HasPrefix(got, want+"f2 = no-http :0 (after 1 request: ") {
				t.Fatalf("got\n%s", got)
			}
			if end := fmt.Sprintf("up %q down %q\n", bad+"more", "HTTP/1.1 400 "); !strings.HasSuffix(got, end) {
				t.Fatalf("got\n%s\nwant at its end\n%s", got, end)
			}
			everyWay(t, Options{Scheme: "https", Target: "api.example:443"}, []step{sent(get + bad), received(ok + "HTTP/1.1 400 "), sent("more")}, "", got)
		})
	}
}

// An origin that answers with what is no HTTP leaves its requests without an answer.
func TestAnAnswerThatIsNone(t *testing.T) {
	const get = "GET /a HTTP/1.1\r\nHost: api.example\r\n\r\n"
	const asked = `f1 > GET https://api.example/a HTTP/1.1 | Host=api.example | "" | 38` + "\n"
	o := Options{Scheme: "https", Target: "api.example:443"}
	everyWay(t, o, []step{sent(get), received("220 mail"), sent("QUIT\r\n")}, "", asked+`f1 < 0  | | "" error: what the origin sent is no HTTP: what the origin answers is no HTTP | 0
f2 = no-http :0 (after 1 request: what the origin answers is no HTTP) up "QUIT\r\n" down "220 mail"`)
	everyWay(t, o, []step{sent(get), received("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n"), sent(get)}, "", asked+fmt.Sprintf(`f1 < 200 HTTP/1.1 | Transfer-Encoding=chunked | "ab" cut: what followed is no HTTP: the line before a chunk has no length | 54
f2 = no-http :0 (after 1 request: the line before a chunk has no length) up %q down "zz\r\n"`, get))
	everyWay(t, o, []step{sent("PUT /a HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc"), received("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")}, "", `f1 > PUT https://api.example/a HTTP/1.1 | Host=api.example Transfer-Encoding=chunked | "ab" cut: what followed is no HTTP: a chunk is not followed by the end of a line | 71
f1 < 400 HTTP/1.1 | Content-Length=0 | "" | 39
f2 = no-http :0 (after 1 request: a chunk is not followed by the end of a line) up "c" down ""`)
	everyWay(t, o, []step{received("HTTP/1.1 408 Request Timeout\r\n\r\n"), sent("GET")}, "",
		`f1 = no-http :0 (the origin sent something that no request had asked for) up "GET" down "HTTP/1.1 408 Request Timeout\r\n\r\n"`)
}
