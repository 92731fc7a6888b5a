package capture

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// bytesConn is a connection on which some bytes come.
type bytesConn struct {
	net.Conn
	io.Reader
}

func (c bytesConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// Looking at what comes must leave it in place, whatever it is.
func FuzzFirstBytes(f *testing.F) {
	for _, s := range []string{"GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "SSH-2.0-x\r\n", "get http://x/ HTTP/1.0", "CONNECT x:1", "", "NICK foo\r\n", "\x05\x01\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newSocket(bytesConn{Reader: bytes.NewReader(b)}, nil)
		isTLS, isHTTP := w.speaksTLS(), w.speaksHTTP()
		if isTLS && isHTTP {
			t.Error("it is TLS and HTTP at once")
		}
		if isHTTP {
			speaksHTTP2(w.here())
		}
		if got, err := io.ReadAll(w); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%q was left of %q, %v", got, b, err)
		}
	})
}

func TestWhatIsTakenForHTTP(t *testing.T) {
	for text, want := range map[string]bool{
		"GET / HTTP/1.1\r\n":               true,
		"M-SEARCH * HTTP/1.1\r\n":          true,
		"delete /x HTTP/1.1\r\n":           true,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": true,
		"GET http://x/ HTTP/1.1\r\n":       true,
		"NICK someone\r\n":                 false,
		"SSH-2.0-OpenSSH\r\n":              false,
		"PING\r\n":                         false,
		"GET":                              false,
		"GET ":                             false,
		"\x10\x0e\x00\x04MQTT":             false,
		strings.Repeat("A", 100) + " /":    false,
		" / HTTP/1.1":                      false,
		"":                                 false,
	} {
		w := newSocket(bytesConn{Reader: strings.NewReader(text)}, nil)
		if got := w.speaksHTTP(); got != want {
			t.Errorf("%q is taken for HTTP: %v, want %v", text, got, want)
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"x.example:443", "[::1]:443", "x", ":1", "x:0", "x:65536", "[x:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		host, port, err := splitTarget(target)
		if err == nil && (host == "" || port < 1 || port > 65535) {
			t.Errorf("%q is %q and %d", target, host, port)
		}
	})
}

// A head that is read is written again as the same request, and nothing hides in it.
func FuzzHead(f *testing.F) {
	for _, s := range []string{
		"GET http://x.example/y HTTP/1.1\r\nHost: x\r\n\r\n", "POST https://[::1]:8/?q HTTP/1.0\nA:b\n folded\n\n", "CONNECT a:1 HTTP/1.1\r\n\r\n",
		"OPTIONS http://x HTTP/1.1\r\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\n\r\nrest", "GET / HTTP/1.1\r\n: x\r\n\r\n", "\x05\x01\x00", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSocket(bytesConn{Reader: bytes.NewReader(b)}, nil)
		raw, err := s.head()
		if !bytes.HasPrefix(b, raw) {
			t.Errorf("%q is no beginning of %q", raw, b)
		}
		if err != nil {
			return
		}
		h, err := parseHead(raw)
		if err != nil {
			return
		}
		again, err := parseHead(h.bytes())
		if err != nil || again.method != h.method || again.target != h.target || len(again.fields) != len(h.fields) {
			t.Errorf("%q is written as %q: %v", raw, h.bytes(), err)
		}
		if _, authority, target, ok := h.absolute(); ok {
			if target == "" || strings.ContainsAny(target, " \r\n") || strings.ContainsAny(authority, "/ \r\n") {
				t.Errorf("%q is %q at %q", h.target, target, authority)
			}
			if host, port, err := splitAuthority(authority, 80); err == nil && (host == "" || port < 1 || port > 65535) {
				t.Errorf("%q is %q and %d", authority, host, port)
			}
		}
	})
}

// Whatever a client says first, reading it leaves it in place.
func FuzzHello(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"))
	f.Add([]byte("\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x00\x00\x02\x13\x01\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSocket(deadlines{bytesConn{Reader: bytes.NewReader(b)}}, nil)
		if h, err := s.readHello(); (h == nil) == (err == nil) {
			t.Errorf("%+v, %v", h, err)
		}
		if got, _ := io.ReadAll(s); !bytes.Equal(got, b) {
			t.Errorf("%q was left of %q", got, b)
		}
	})
}

// deadlines are of no use to bytes that are here.
type deadlines struct{ bytesConn }

func (deadlines) SetReadDeadline(time.Time) error { return nil }
