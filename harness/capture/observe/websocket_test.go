package observe

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

const (
	wsAsk    = "GET /s HTTP/1.1\r\nHost: ws.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	wsAnswer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\r\n"
	wsAsked  = `f1 > GET https://ws.example/s HTTP/1.1 | Host=ws.example Connection=Upgrade Upgrade=websocket | "" | 78
f1 < 101 HTTP/1.1 | Upgrade=WebSocket | "" | 56
`
)

// wsFrame writes a frame, masked where a client sends it.
func wsFrame(first byte, masked bool, payload string) string {
	b := []byte{first}
	m := byte(0)
	if masked {
		m = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = append(b, m|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, m|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, m|127), uint64(n))
	}
	p := []byte(payload)
	if masked {
		mask := [4]byte{0xa1, 0x5c, 0x07, 0xff}
		b = append(b, mask[:]...)
		for i := range p {
			p[i] ^= mask[i&3]
		}
	}
	return string(append(b, p...))
}

// pack compresses a message as RFC 7692 has it; w keeps what came before.
func pack(t testing.TB, w *flate.Writer, out *bytes.Buffer, text string) string {
	out.Reset()
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(out.String(), "\x00\x00\xff\xff")
}

func packer(t testing.TB) (*flate.Writer, *bytes.Buffer) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	return w, &out
}

func TestWebSocket(t *testing.T) {
	everyWay(t, Options{Scheme: "https", Target: "ws.example:443"}, []step{
		sent(wsAsk), received(wsAnswer + wsFrame(0x81, false, "hello")),
		sent(wsFrame(0x81, true, "anna") + wsFrame(0x89, true, "ping") + wsFrame(0x02, true, "in ") + wsFrame(0x8a, true, "") + wsFrame(0x00, true, "three ") + wsFrame(0x80, true, "parts")),
		received(wsFrame(0x82, false, "") + wsFrame(0x81, false, strings.Repeat("x", 300))),
		sent(wsFrame(0x01, true, "half")),
		received(wsFrame(0x88, false, "\x03\xe8bye")), receivedAll(nil),
	}, "", wsAsked+fmt.Sprintf(`f1 < message 0 text "hello"
f1 > message 1 text "anna"
f1 > message 2 binary "in three parts"
f1 < message 3 binary ""
f1 < message 4 text 300 bytes
f1 > message 5 text "half" cut: the origin hung up
f1 = upgraded ws.example:443 (the connection went over to WebSocket) up %q down 320 bytes
f2 = no-http :0 (bytes beside requests and responses: extensions of chunks, frames of unknown types, what came on a stream after its end, what control frames carry) up "ping" down ""`,
		wsFrame(0x81, true, "anna")+wsFrame(0x89, true, "ping")+wsFrame(0x02, true, "in ")+wsFrame(0x8a, true, "")+wsFrame(0x00, true, "three ")+wsFrame(0x80, true, "parts")+wsFrame(0x01, true, "half")))
}

// Control frames have room for 125 bytes of anything: what the client puts there is
// kept without its mask, that it can be found. An answer to a ping says nothing new.
func TestWebSocketControlFramesHideNothing(t *testing.T) {
	everyWay(t, Options{Scheme: "https", Target: "ws.example:443"}, []step{
		sent(wsAsk), received(wsAnswer + wsFrame(0x89, false, "are you there")),
		sent(wsFrame(0x8a, true, "are you there") + wsFrame(0x89, true, "") + wsFrame(0x89, true, "anna@")),
		sent(wsFrame(0x8a, true, "example") + wsFrame(0x88, true, "\x03\xe8.o")), received(wsFrame(0x88, false, "\x03\xe8")),
		sent(wsFrame(0x89, true, "rg, and more")[:8]), sentAll(nil), receivedAll(nil), // it breaks off
	}, "", wsAsked+fmt.Sprintf(`f1 = upgraded ws.example:443 (the connection went over to WebSocket) up %q down "\x89\rare you there\x88\x02\x03\xe8"
f2 = no-http :0 (bytes beside requests and responses: extensions of chunks, frames of unknown types, what came on a stream after its end, what control frames carry) up "anna@example.org" down ""`,
		wsFrame(0x8a, true, "are you there")+wsFrame(0x89, true, "")+wsFrame(0x89, true, "anna@")+wsFrame(0x8a, true, "example")+wsFrame(0x88, true, "\x03\xe8.o")+wsFrame(0x89, true, "rg, and more")[:8]))
}

func TestWebSocketCompression(t *testing.T) {
	up, upOut := packer(t)
	down, downOut := packer(t)
	long := strings.Repeat("a sentence that is said again, ", 3000) // beyond the window
	script := []step{
		sent(wsAsk), received(strings.TrimSuffix(wsAnswer, "\r\n") + "Sec-WebSocket-Extensions: x-other, permessage-deflate; server_no_context_takeover; client_max_window_bits=15\r\n\r\n"),
		sent(wsFrame(0xc1, true, pack(t, up, upOut, "the first message"))),
		sent(wsFrame(0xc1, true, pack(t, up, upOut, "the first message again"))),
		sent(wsFrame(0x81, true, "not compressed")),
		sent(wsFrame(0xc2, true, pack(t, up, upOut, long))),
	}
	packed := pack(t, up, upOut, long+"!")
	script = append(script, sent(wsFrame(0x41, true, packed[:7])+wsFrame(0x80, true, packed[7:])))
	script = append(script, received(wsFrame(0xc1, false, pack(t, down, downOut, "answer"))))
	down.Reset(downOut)
	script = append(script, received(wsFrame(0xc1, false, pack(t, down, downOut, "answer"))))
	m := play(t, Options{Scheme: "https", Target: "ws.example:443"}, script, "", whole)
	lines := strings.Split(m.String(), "\n")
	want := []string{`f1 > message 0 text "the first message"`, `f1 > message 1 text "the first message again"`, `f1 > message 2 text "not compressed"`,
		fmt.Sprintf(`f1 > message 3 binary %d bytes`, len(long)), fmt.Sprintf(`f1 > message 4 text %d bytes`, len(long)+1), `f1 < message 5 text "answer"`, `f1 < message 6 text "answer"`}
	if got := strings.Join(lines[2:9], "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	everyWay(t, Options{Scheme: "https", Target: "ws.example:443"}, script, "", m.String())
}

// A small message that unfolds into a huge one is cut, and so is what refers to it.
func TestWebSocketBomb(t *testing.T) {
	w, out := packer(t)
	bomb := pack(t, w, out, string(make([]byte, maxUnpacked+1)))
	after := pack(t, w, out, "after it")
	m := &counting{memory: memory{t: t}}
	c := New(Options{Recorder: m})
	for _, s := range []struct {
		to   func([]byte) error
		text string
	}{{c.Sent, wsAsk}, {c.Received, strings.TrimSuffix(wsAnswer, "\r\n") + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"}, {c.Sent, wsFrame(0xc2, true, bomb)}, {c.Sent, wsFrame(0xc2, true, after)}} {
		if err := s.to([]byte(s.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(""); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(m.sizes); got != fmt.Sprint([]string{fmt.Sprint(maxUnpacked, " more than 64 MiB come of it"), "0 it is compressed with regard to a message that could not be unfolded"}) {
		t.Errorf("messages %s", got)
	}
}

func TestWebSocketsThatAreNone(t *testing.T) {
	for name, test := range map[string]struct{ frames, want string }{
		"a reserved bit":       {wsFrame(0xa1, true, "x"), "a bit is set"},
		"compressed":           {wsFrame(0xc1, true, "x"), "not agreed on"},
		"an unknown type":      {wsFrame(0x83, true, "x"), "type is unknown"},
		"nothing to continue":  {wsFrame(0x80, true, "x"), "not continued"},
		"not continued":        {wsFrame(0x01, true, "x") + wsFrame(0x81, true, "y"), "not continued"},
		"a long control frame": {wsFrame(0x89, true, strings.Repeat("x", 126)), "control frame"},
		"an endless frame":     {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", "impossible length"},
	} {
		t.Run(name, func(t *testing.T) {
			script := []step{sent(wsAsk), received(wsAnswer), sent(wsFrame(0x81, true, "good") + test.frames + "after"), received(wsFrame(0x81, false, "other"))}
			m := play(t, Options{Scheme: "https"}, script, "", whole)
			got := m.String()
			if !strings.Contains(got, `> message 0 text "good"`) || !strings.Contains(got, `text "other"`) || !strings.Contains(got, test.want) || !strings.Contains(got, "from the client could not be read") {
				t.Errorf("got\n%s", got)
			}
			everyWay(t, Options{Scheme: "https"}, script, "", got)
		})
	}
}
