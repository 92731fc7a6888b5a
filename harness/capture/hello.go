package capture

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// hello is what a client says first in TLS.
type hello struct {
	sni     string
	offers  []string // application protocols (ALPN), in order
	version uint16   // the newest that it speaks
	oldest  uint16
	suites  []uint16

	fingerprint, ja3, ja4 string
}

// maxHello bounds a client hello in bytes. The largest real ones, with post-quantum
// keys, have some thousand.
const maxHello = 128 << 10

// errHello ends the reading of a hello when it is read.
var errHello = errors.New("the hello is read")

// readHello reads a client hello and leaves it in place.
func (s *socket) readHello() (*hello, error) {
	s.within(handshakeTimeout)
	defer s.within(0)
	var info *hello
	look := &lookingConn{Conn: s.Conn, socket: s}
	err := tls.Server(look, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		info = describeHello(h, look.legacyVersion())
		return nil, errHello
	}}).HandshakeContext(context.Background()) // ends with the hello, or the deadline
	if info != nil {
		return info, nil
	}
	return nil, err
}

// describeHello keeps of a hello what is needed later.
func describeHello(h *tls.ClientHelloInfo, legacy uint16) *hello {
	info := &hello{
		sni: h.ServerName, suites: append([]uint16(nil), h.CipherSuites...), version: legacy, oldest: legacy,
		fingerprint: fingerprint(h), ja3: ja3(h, legacy), ja4: ja4(h, legacy),
	}
	first := true
	for _, v := range h.SupportedVersions {
		if grease(v) {
			continue
		}
		if first {
			info.version, info.oldest, first = v, v, false
		}
		info.version, info.oldest = max(info.version, v), min(info.oldest, v)
	}
	for _, p := range h.SupportedProtos {
		if p != "" && !(len(p) == 2 && grease(uint16(p[0])<<8|uint16(p[1]))) {
			info.offers = append(info.offers, p)
		}
	}
	return info
}

// lookingConn reads what is in a socket without taking it, and writes nowhere.
type lookingConn struct {
	net.Conn
	socket *socket
	seen   int
}

// Read implements io.Reader.
func (c *lookingConn) Read(p []byte) (int, error) {
	if c.seen >= maxHello {
		return 0, errors.New("the TLS hello is too long")
	}
	if _, err := c.socket.Peek(c.seen + 1); err != nil {
		return 0, err
	}
	n := copy(p, c.socket.here()[c.seen:])
	c.seen += n
	return n, nil
}

// Write implements io.Writer.
func (c *lookingConn) Write(p []byte) (int, error) { return len(p), nil }

// Close implements io.Closer.
func (c *lookingConn) Close() error { return nil }

// SetDeadline and the others are the socket's own affair.
func (c *lookingConn) SetDeadline(time.Time) error      { return nil }
func (c *lookingConn) SetReadDeadline(time.Time) error  { return nil }
func (c *lookingConn) SetWriteDeadline(time.Time) error { return nil }

// legacyVersion is the version in the hello itself, behind the record's head (5
// bytes) and the message's (4).
func (c *lookingConn) legacyVersion() uint16 {
	b := c.socket.here()
	if len(b) < 11 {
		return 0
	}
	return uint16(b[9])<<8 | uint16(b[10])
}

var _ io.ReadWriteCloser = (*lookingConn)(nil)
