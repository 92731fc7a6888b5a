package capture

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
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
