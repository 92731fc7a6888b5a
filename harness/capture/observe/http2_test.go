package observe

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unasked-audit/unasked/harness/flow"
)

// pen writes the frames of one side.
type pen struct {
	t     testing.TB
	out   bytes.Buffer
	fr    *http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
}

func newPen(t testing.TB) *pen {
	p := &pen{t: t}
	p.fr = http2.NewFramer(&p.out, nil)
	p.fr.AllowIllegalWrites = true
	p.enc = hpack.NewEncoder(&p.block)
	return p
}

func (p *pen) must(err error) {
	if err != nil {
		p.t.Helper()
		p.t.Fatal(err)
	}
}

// fields encodes "name value" lines.
func (p *pen) fields(lines ...string) []byte {
	p.block.Reset()
	for _, l := range lines {
		name, value, _ := strings.Cut(l, " ")
		p.must(p.enc.WriteField(hpack.HeaderField{Name: name, Value: value}))
	}
	return bytes.Clone(p.block.Bytes())
}

func (p *pen) headers(id uint32, end bool, lines ...string) {
	p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.fields(lines...), EndStream: end, EndHeaders: true}))
}

func (p *pen) get(id uint32, path string) {
	p.headers(id, true, ":method GET", ":scheme https", ":authority api.example", ":path "+path, "accept */*")
}

func (p *pen) data(id uint32, end bool, text string) { p.must(p.fr.WriteData(id, end, []byte(text))) }

func (p *pen) settings(s ...http2.Setting) { p.must(p.fr.WriteSettings(s...)) }

// take is what was written since the last call.
func (p *pen) take() string {
	s := p.out.String()
	p.out.Reset()
	return s
}

var h2Options = Options{H2: true, Scheme: "https", Target: "api.example:443"}

// sizes takes the sizes off, which depend on how HPACK encodes.
func sizes(lines string) string {
	all := strings.Split(lines, "\n")
	for i, l := range all {
		if at := strings.LastIndex(l, " | "); at >= 0 && strings.Trim(l[at+3:], "0123456789") == "" {
			all[i] = l[:at]
		}
	}
	return strings.Join(all, "\n")
}

func expectH2(t *testing.T, o Options, script []step, why, want string) {
	t.Helper()
	all := play(t, o, script, why, whole).String()
	if got, want := strings.TrimSpace(sizes(all)), strings.TrimSpace(want); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
		return
	}
	everyWay(t, o, script, why, all)
}

func TestHTTP2(t *testing.T) {
	const asked = `f1 > GET https://api.example/a HTTP/2.0 | accept=*/* | ""` + "\n"
	post := func(p *pen, id uint32, lines ...string) {
		p.headers(id, false, append([]string{":method POST", ":scheme https", ":authority api.example", ":path /up"}, lines...)...)
	}
	const posted = `f1 > POST https://api.example/up HTTP/2.0 |`
	for _, test := range []struct {
		name  string
		write func(up, down *pen) []step
		why   string
		want  string
	}{
		{"two at once, and HPACK's table", func(up, down *pen) []step {
			up.get(1, "/a")
			up.get(3, "/b")
			down.headers(3, false, ":status 200", "server x")
			down.data(3, false, "b")
			down.headers(1, true, ":status 404", "server x")
			down.data(3, true, "bb")
			return []step{sent(up.take()), received(down.take())}
		}, "", asked + `f2 > GET https://api.example/b HTTP/2.0 | accept=*/* | ""
f1 < 404 HTTP/2.0 | server=x | ""
f2 < 200 HTTP/2.0 | server=x | "bbb"`},
		{"trailers, padding, priority and CONTINUATION", func(up, down *pen) []step {
			b := up.fields(":method POST", ":scheme https", ":authority api.example", ":path /up", "te trailers", "cookie a=1", "cookie b=2", "x-raw caf\xe9")
			up.must(up.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:5], PadLength: 3, Priority: http2.PriorityParam{Weight: 9}}))
			up.must(up.fr.WriteContinuation(1, false, b[5:9]))
			up.must(up.fr.WriteContinuation(1, false, nil))
			up.must(up.fr.WriteContinuation(1, true, b[9:]))
			up.must(up.fr.WriteDataPadded(1, false, []byte("hello"), make([]byte, 7)))
			up.must(up.fr.WriteDataPadded(1, false, nil, make([]byte, 2)))
			up.must(up.fr.WritePing(false, [8]byte{}))
			up.headers(1, true, "x-sum 9")
			down.headers(1, false, ":status 100")
			down.headers(1, false, ":status 103", "link </a>")
			down.headers(1, false, ":status 200")
			down.must(down.fr.WriteWindowUpdate(0, 99))
			down.data(1, false, "")
			down.data(1, false, "answer")
			down.headers(1, true, "grpc-status 0", "grpc-message ")
			return []step{sent(up.take()), received(down.take())}
		}, "", posted + ` te=trailers cookie=a=1 cookie=b=2 x-raw=café | "hello" | x-sum=9
f1 < (100) (103 link=</a>) 200 HTTP/2.0 | | "answer" | grpc-status=0 grpc-message=`},
		{"streams both ways, the answer first", func(up, down *pen) []step {
			post(up, 1)
			up.data(1, false, "one ")
			a := up.take()
			down.headers(1, false, ":status 200")
			down.data(1, true, "ONE")
			b := down.take()
			up.data(1, true, "two")
			return []step{sent(a), received(b), sent(up.take())}
		}, "", posted + ` | "one two"` + "\n" + `f1 < 200 HTTP/2.0 | | "ONE"`},
		{"resets", func(up, down *pen) []step {
			up.get(1, "/a")
			post(up, 3)
			up.data(3, false, "part")
			post(up, 5)
			up.data(5, false, "much")
			down.headers(1, false, ":status 200")
			down.data(1, false, "half")
			a, b := up.take(), down.take()
			up.must(up.fr.WriteRSTStream(1, http2.ErrCodeCancel))
			c := up.take()
			down.data(1, true, "late")
			down.must(down.fr.WriteRSTStream(3, http2.ErrCodeRefusedStream))
			down.headers(5, true, ":status 413")
			down.must(down.fr.WriteRSTStream(5, http2.ErrCodeNo))
			d := down.take()
			up.data(3, true, "on its way")
			return []step{sent(a), received(b), sent(c), received(d), sent(up.take())}
		}, "", asked + `
f1 < 200 HTTP/2.0 | | "half" cut: the client reset the stream (CANCEL)
f2 > POST https://api.example/up HTTP/2.0 | | "part" cut: the origin reset the stream (REFUSED_STREAM)
f2 < 0  | | "" error: the origin reset the stream (REFUSED_STREAM)
f3 > POST https://api.example/up HTTP/2.0 | | "much" cut: the origin answered before all of it was sent
f3 < 413 HTTP/2.0 | | ""
f4 = no-http :0 (bytes beside requests and responses: extensions of chunks, frames of unknown types, what came on a stream after its end, what control frames carry) up "on its way" down ""`},
		{"goodbye", func(up, down *pen) []step {
			up.get(1, "/a")
			up.get(3, "/b")
			down.must(down.fr.WriteGoAway(1, http2.ErrCodeEnhanceYourCalm, nil))
			return []step{sent(up.take()), received(down.take()), receivedAll(io.EOF)}
		}, "", asked + `f2 > GET https://api.example/b HTTP/2.0 | accept=*/* | ""
f2 < 0  | | "" error: the origin said goodbye (GOAWAY, ENHANCE_YOUR_CALM) before it took this request
f1 < 0  | | "" error: the origin said goodbye (GOAWAY, ENHANCE_YOUR_CALM) before an answer came`},
		{"a push", func(up, down *pen) []step {
			up.get(1, "/a")
			down.must(down.fr.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true, BlockFragment: down.fields(":method GET", ":scheme https", ":authority api.example", ":path /a.css")}))
			down.headers(2, false, ":status 200")
			down.headers(1, true, ":status 204")
			down.data(2, true, "css")
			return []step{sent(up.take()), received(down.take())}
		}, "", asked + `f2 > GET https://api.example/a.css HTTP/2.0 | | ""
f1 < 204 HTTP/2.0 | | ""
f2 < 200 HTTP/2.0 | | "css"`},
		{"larger tables", func(up, down *pen) []step {
			down.settings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 65536})
			a := down.take()
			up.enc.SetMaxDynamicTableSizeLimit(65536)
			up.enc.SetMaxDynamicTableSize(65536)
			large := "x-large " + strings.Repeat("v", 8000)
			up.headers(1, true, ":method GET", ":path /", large)
			up.headers(3, true, ":method GET", ":path /", large)
			b := up.take()
			if len(b) > 12000 {
				panic("the table was not used")
			}
			return []step{received(a), sent(b)}
		}, "cut", `f1 > GET https://api.example/ HTTP/2.0 | x-large=` + strings.Repeat("v", 8000) + ` | ""
f2 > GET https://api.example/ HTTP/2.0 | x-large=` + strings.Repeat("v", 8000) + ` | ""
f1 < 0  | | "" error: cut
f2 < 0  | | "" error: cut`},
		{"unknown frames and unknown streams", func(up, down *pen) []step {
			up.get(1, "/a")
			up.must(up.fr.WriteRawFrame(0xfa, 0, 1, []byte("secret")))
			up.must(up.fr.WriteRawFrame(0x10, 0, 0, []byte("\x00\x00\x00\x01u=1")))
			down.headers(1, true, ":status 200")
			return []step{sent(up.take()), received(down.take())}
		}, "", asked + `f1 < 200 HTTP/2.0 | | ""
f2 = no-http :0 (bytes beside requests and responses: extensions of chunks, frames of unknown types, what came on a stream after its end, what control frames carry) up "\x00\x00\x06\xfa\x00\x00\x00\x00\x01secret" down ""`},
		{"targets", func(up, down *pen) []step {
			for i, path := range []string{"http://other.example/x?y", "*", "odd", ""} {
				up.headers(uint32(2*i+1), true, ":method OPTIONS", ":scheme https", ":authority api.example:443", ":path "+path)
			}
			up.headers(9, true, ":method GET", ":path /", "host front.example")
			return []step{sent(up.take())}
		}, "x", `f1 > OPTIONS http://other.example/x?y HTTP/2.0 at api.example:443 | | ""
f2 > OPTIONS https://api.example/* HTTP/2.0 | | ""
f3 > OPTIONS https://api.example/odd HTTP/2.0 | | ""
f4 > OPTIONS https://api.example/ HTTP/2.0 | | ""
f5 > GET https://front.example/ HTTP/2.0 at api.example:443 | host=front.example | ""
f1 < 0  | | "" error: x
f2 < 0  | | "" error: x
f3 < 0  | | "" error: x
f4 < 0  | | "" error: x
f5 < 0  | | "" error: x`},
		{"a WebSocket", func(up, down *pen) []step {
			up.headers(1, false, ":method CONNECT", ":protocol websocket", ":scheme https", ":authority api.example", ":path /chat", "sec-websocket-extensions permessage-deflate")
			a := up.take()
			down.headers(1, false, ":status 200", "sec-websocket-extensions permessage-deflate")
			w, out := packer(up.t)
			down.data(1, false, wsFrame(0x81, false, "welcome"))
			b := down.take()
			text := wsFrame(0xc1, true, pack(up.t, w, out, "anna"))
			up.data(1, false, text[:3])
			up.data(1, false, text[3:])
			up.data(1, true, "")
			down.data(1, true, wsFrame(0x88, false, ""))
			return []step{sent(a), received(b), sent(up.take()), received(down.take())}
		}, "", `f1 > CONNECT https://api.example/chat HTTP/2.0 | :protocol=websocket sec-websocket-extensions=permessage-deflate | ""
f1 < 200 HTTP/2.0 | sec-websocket-extensions=permessage-deflate | ""
f1 < message 0 text "welcome"
f1 > message 1 text "anna"
f1 = upgraded api.example:443 (the connection went over to WebSocket) up "\xc1\x86\xa1\\\a\xff\xeb\x90̴\xa5\\" down "\x81\awelcome\x88\x00"`},
		{"a WebSocket that is refused", func(up, down *pen) []step {
			up.headers(1, false, ":method CONNECT", ":protocol websocket", ":scheme https", ":authority api.example", ":path /chat")
			down.headers(1, false, ":status 403")
			down.data(1, true, "no")
			a, b := up.take(), down.take()
			up.data(1, true, "")
			return []step{sent(a), received(b), sent(up.take())}
		}, "", `f1 > CONNECT https://api.example/chat HTTP/2.0 | :protocol=websocket | ""
f1 < 403 HTTP/2.0 | | "no"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			up, down := newPen(t), newPen(t)
			up.out.WriteString(preface)
			up.settings()
			down.settings()
			first := []step{sent(up.take()), received(down.take())}
			expectH2(t, h2Options, append(first, test.write(up, down)...), test.why, strings.ReplaceAll(test.want, "\n\n", "\n"))
		})
	}
}

// HTTP/2 without TLS: by prior knowledge, with a server that speaks first, and by an
// upgrade.
func TestHTTP2WithoutTLS(t *testing.T) {
	up, down := newPen(t), newPen(t)
	up.out.WriteString(preface)
	up.settings()
	up.get(1, "/a")
	down.settings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 9})
	hello := down.take()
	down.headers(1, true, ":status 200")
	asked := up.take()
	answer := down.take()
	want := `f1 > GET https://api.example/a HTTP/2.0 | accept=*/* | ""
f1 < 200 HTTP/2.0 | | ""`
	o := Options{Scheme: "http"}
	expectH2(t, o, []step{sent(asked), received(hello + answer)}, "", want)
	expectH2(t, o, []step{received(hello), sent(asked), received(answer)}, "", want)
	expectH2(t, o, []step{received(hello), sent("GET / HTTP/1.1\r\n\r\n")}, "", fmt.Sprintf(`f1 > GET http:/// HTTP/1.1 | | ""
f1 < 0  | | "" error: the connection ended before an answer came
f2 = no-http :0 (after 1 request: the connection ended before all of it had come) up "" down %q`, hello))

	up, down = newPen(t), newPen(t)
	up.out.WriteString(preface)
	up.settings()
	down.settings()
	down.headers(1, false, ":status 200")
	down.data(1, true, "answer")
	down.headers(3, true, ":status 204")
	answer = down.take()
	hello = up.take()
	up.get(3, "/a")
	settings := base64.RawURLEncoding.EncodeToString([]byte{0, 1, 0, 0, 0x20, 0})
	ask := "POST /up HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: " + settings + "\r\nContent-Length: 2\r\n\r\nhi"
	expectH2(t, o, []step{sent(ask), received("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), sent(hello + up.take()), received(answer)}, "",
		`f1 > POST http://api.example/up HTTP/1.1 | Host=api.example Connection=Upgrade, HTTP2-Settings Upgrade=h2c HTTP2-Settings=`+settings+` Content-Length=2 | "hi"
f2 > GET https://api.example/a HTTP/2.0 | accept=*/* | ""
f1 < (101 Connection=Upgrade Upgrade=h2c) 200 HTTP/2.0 | | "answer"
f2 < 204 HTTP/2.0 | | ""`)
}

// There is room for anything in frames that say nothing about an exchange, and in
// padding: what the client puts there is kept.
func TestFramesHideNothing(t *testing.T) {
	const secret = "anna@example.org"
	for name, hide := range map[string]func(*pen){
		"a goodbye":                 func(p *pen) { p.must(p.fr.WriteGoAway(0, http2.ErrCodeNo, []byte(secret))) },
		"a priority":                func(p *pen) { p.must(p.fr.WriteRawFrame(framePriorityUpdate, 0, 0, []byte("\x00\x00\x00\x01"+secret))) },
		"an alternative service":    func(p *pen) { p.must(p.fr.WriteRawFrame(frameAltSvc, 0, 0, []byte("\x00\x00"+secret))) },
		"an origin":                 func(p *pen) { p.must(p.fr.WriteRawFrame(frameOrigin, 0, 0, []byte("\x00\x10"+secret))) },
		"a ping that is too long":   func(p *pen) { p.must(p.fr.WriteRawFrame(http2.FramePing, 0, 0, []byte(secret))) },
		"a window that is too long": func(p *pen) { p.must(p.fr.WriteRawFrame(http2.FrameWindowUpdate, 0, 0, []byte(secret))) },
		"an old priority":           func(p *pen) { p.must(p.fr.WriteRawFrame(http2.FramePriority, 0, 1, []byte(secret))) },
		"settings that are agreed to": func(p *pen) {
			p.must(p.fr.WriteRawFrame(http2.FrameSettings, http2.FlagSettingsAck, 0, []byte(secret)))
		},
		"data's padding": func(p *pen) {
			p.must(p.fr.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte("\x10x"+secret)))
		},
		"headers' padding": func(p *pen) {
			block := string(p.fields("x-sum 9"))
			p.must(p.fr.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders|http2.FlagHeadersEndStream, 1, []byte("\x10"+block+secret)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			up, down := newPen(t), newPen(t)
			up.out.WriteString(preface)
			up.settings(http2.Setting{ID: 9, Val: 1})
			down.settings()
			up.headers(1, false, ":method POST", ":scheme https", ":authority api.example", ":path /")
			hide(up)
			up.must(up.fr.WriteDataPadded(1, false, nil, make([]byte, 9)))
			up.must(up.fr.WritePing(false, [8]byte{1}))
			text, settings := up.take(), down.take()
			for _, split := range []func(int, string) []string{whole, bytewise} {
				m := play(t, h2Options, []step{sent(text), received(settings)}, "", split)
				found := false
				for _, r := range m.log {
					c, is := r.(flow.Connection)
					found = found || is && c.Reason == flow.NoHTTP && strings.Contains(string(c.Up.Inline), secret)
				}
				if !found {
					t.Errorf("nothing is recorded of it:\n%s", m)
				}
			}
		})
	}
	up := newPen(t)
	up.out.WriteString(preface)
	up.settings(http2.Setting{ID: 0x1a1a, Val: 0x616e6e61}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0x62626262})
	got := play(t, h2Options, []step{sent(up.take())}, "", whole).String()
	if !strings.Contains(got, "anna") || strings.Contains(got, "bbbb") {
		t.Errorf("got\n%s", got)
	}
}

func TestWhatIsNoHTTP2IsKept(t *testing.T) {
	for name, test := range map[string]struct {
		bad  func(*pen)
		want string
	}{
		"an interrupted block": {func(p *pen) {
			p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0x82}}))
			p.must(p.fr.WritePing(false, [8]byte{}))
		}, "interrupted"},
		"a block that is none": {func(p *pen) {
			p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0x7f}, EndHeaders: true}))
		}, "decoded"},
		"data without a stream": {func(p *pen) { p.data(0, false, "x") }, "no stream"},
		"too much padding":      {func(p *pen) { p.must(p.fr.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte{9, 1})) }, "padding"},
		"half a setting":        {func(p *pen) { p.must(p.fr.WriteRawFrame(http2.FrameSettings, 0, 0, []byte{9, 1})) }, "half a setting"},
	} {
		t.Run(name, func(t *testing.T) {
			up, down := newPen(t), newPen(t)
			up.out.WriteString(preface)
			up.settings()
			down.settings()
			up.headers(1, false, ":method POST", ":path /")
			up.data(1, false, "kept")
			good := up.take()
			test.bad(up)
			bad := up.take()
			m := play(t, h2Options, []step{sent(good), received(down.take()), sent(bad + "after"), received("anything")}, "", whole)
			got := m.String()
			if !strings.Contains(got, `"kept" cut: what followed is no HTTP/2`) || !strings.Contains(got, test.want) || !strings.Contains(got, `down "anything"`) {
				t.Errorf("got\n%s", got)
			}
			if name != "too much padding" && !strings.Contains(got, fmt.Sprintf("up %q", bad+"after")) {
				t.Errorf("got\n%s\nwant all of %q", got, bad)
			}
		})
	}
	play := func(script ...step) string { return sizes(play(t, h2Options, script, "", whole).String()) }
	if got := play(sent("GET / HTTP/1.1\r\n\r\n"), received("HTTP/1.1 400 Bad\r\n\r\n")); !strings.Contains(got, `up "GET / HTTP/1.1\r\n\r\n" down "HTTP/1.1 400 Bad\r\n\r\n"`) {
		t.Errorf("got\n%s", got)
	}
	up, down := newPen(t), newPen(t)
	up.out.WriteString(preface)
	up.settings()
	up.get(1, "/a")
	down.settings()
	if got := play(sent(up.take()), received("HTTP/1.1 400 Bad\r\n\r\n")); !strings.Contains(got, `error: what followed is no HTTP/2`) || !strings.Contains(got, `(after 1 request: the origin does not begin with HTTP/2's settings) up "" down "HTTP/1.1 400 Bad\r\n\r\n"`) {
		t.Errorf("got\n%s", got)
	}
}
