package capture

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// readBuffer is how much is read from a connection at once, in bytes.
const readBuffer = 128 << 10

// maxHead is the most bytes of a request's head that are looked at: a request that
// is refused is a request that is not recorded.
const maxHead = 16 << 20

// socket is one end of a connection as it is on the wire, TLS and all. What has
// come can be looked at before it is read. One goroutine at a time reads, and one writes.
type socket struct {
	net.Conn
	wire *wire // keeps what passes; nil for an origin's

	in      []byte // what was read and not taken, in[r:w]
	r, w    int
	err     error            // of reading, behind what is in
	polling bool             // reading takes only what is here already
	last    [plainAlert]byte // the last bytes that were taken

	sent, received atomic.Int64 // bytes that were read, and written
}

func newSocket(c net.Conn, w *wire) *socket { return &socket{Conn: c, wire: w} }

// errLater is what reading says while it is polling and nothing is here. It is
// temporary, so that crypto/tls goes on where it was.
var errLater net.Error = later{}

type later struct{}

func (later) Error() string   { return "nothing is here yet" }
func (later) Timeout() bool   { return true }
func (later) Temporary() bool { return true }

// Read implements io.Reader.
func (s *socket) Read(p []byte) (int, error) {
	if s.r == s.w {
		if s.polling {
			return 0, errLater
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.in[s.r:s.w])
	s.take(n)
	return n, nil
}

// fill reads more behind what is here. Its error comes again with the next call,
// unless it is a timeout.
func (s *socket) fill() error {
	if s.err != nil {
		return s.err
	}
	switch {
	case s.in == nil:
		s.in = make([]byte, readBuffer)
	case s.r == s.w:
		s.r, s.w = 0, 0
	case s.w == len(s.in) && s.r > 0:
		s.w = copy(s.in, s.in[s.r:s.w])
		s.r = 0
	case s.w == len(s.in):
		s.in = append(s.in, make([]byte, len(s.in))...)
	}
	n, err := s.Conn.Read(s.in[s.w:])
	if n > 0 {
		if failed := s.wire.keep(true, s.in[s.w:s.w+n]); failed != nil {
			s.err = failed
			return failed
		}
		s.w += n
		s.sent.Add(int64(n))
		if err != nil && !isTimeout(err) {
			s.err = err
		}
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	if !isTimeout(err) {
		s.err = err
	}
	return err
}

// take drops bytes that were looked at.
func (s *socket) take(n int) {
	if n >= plainAlert {
		copy(s.last[:], s.in[s.r+n-plainAlert:])
	} else {
		copy(s.last[:], s.last[n:])
		copy(s.last[plainAlert-n:], s.in[s.r:s.r+n])
	}
	s.r += n
	if s.r == s.w && len(s.in) > readBuffer {
		s.in, s.r, s.w = nil, 0, 0 // an unusually long head was in it
	}
}

// here is what has come and was not taken.
func (s *socket) here() []byte { return s.in[s.r:s.w] }

// Peek waits for n bytes, and leaves them in place. It returns what there is with an error.
func (s *socket) Peek(n int) ([]byte, error) {
	for s.w-s.r < n {
		if err := s.fill(); err != nil {
			return s.here(), err
		}
	}
	return s.in[s.r : s.r+n], nil
}

// some waits until bytes are here, and returns them.
func (s *socket) some() ([]byte, error) {
	_, err := s.Peek(1)
	return s.here(), err
}

// Write implements io.Writer.
func (s *socket) Write(p []byte) (int, error) {
	if err := s.wire.keep(false, p); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(p)
	s.received.Add(int64(n))
	return n, err
}

// CloseWrite says that nothing more will be written, where the connection can say it.
func (s *socket) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// abort closes the connection so that the other side takes it for broken off.
func (s *socket) abort() {
	if c, ok := s.Conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // it is closed in any case
	}
	_ = s.Conn.Close()
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// interrupt ends the wait of whoever reads, with a timeout.
func (s *socket) interrupt() { _ = s.Conn.SetReadDeadline(time.Unix(1, 0)) }

// within bounds how long reading waits, until it is called with 0.
func (s *socket) within(d time.Duration) {
	var at time.Time
	if d > 0 {
		at = time.Now().Add(d)
	}
	_ = s.Conn.SetReadDeadline(at) // what is closed is noticed by reading
}
