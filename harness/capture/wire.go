package capture

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// link is what is known of one connection from the device.
type link struct {
	at      evidence.Stamp
	started time.Time
	client  string // the device's end
	host    string // as asked for in CONNECT; empty for the proxy's own port
	port    int
	scheme  string    // what its requests have in front: http or https
	sni     string    // as the device sent it
	alpn    string    // as it was agreed with the device
	tls     *flow.TLS // of the device's side
	hello   string    // fingerprint of the device's TLS hello; empty where none came
	round   roundTripper
	wrote   func(*wire) // called after each write to the device of requests' answers; may be nil

	begun    atomic.Int64 // requests of which bytes have come
	served   atomic.Int64 // requests that could be read
	sent     atomic.Int64 // bytes from the device, TLS taken off
	received atomic.Int64 // bytes to it
}

// wire is a connection whose first bytes can be looked at before they are read.
type wire struct {
	net.Conn
	in   *bufio.Reader
	link *link

	last    [plainAlert]byte // the last bytes that were read, before TLS is taken off
	count   bool             // into link's sent and received
	after   func()           // called when it was closed; may be nil
	peeking chan error       // awaken's look at the first byte, while it is under way
	once    sync.Once
	closed  chan struct{}
	err     error
}

func newWire(c net.Conn, l *link) *wire {
	return &wire{Conn: c, in: bufio.NewReader(c), link: l, closed: make(chan struct{})}
}

// Peek waits for n bytes and leaves them in place.
func (w *wire) Peek(n int) ([]byte, error) { return w.in.Peek(n) }

// Read implements io.Reader.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	if w.count {
		w.link.sent.Add(int64(n))
	} else if n > 0 {
		keep := copy(w.last[:], w.last[min(n, plainAlert):])
		copy(w.last[keep:], p[max(0, n-plainAlert):n])
	}
	return n, err
}

// Write implements io.Writer.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if w.count {
		w.link.received.Add(int64(n))
		if w.link.wrote != nil {
			w.link.wrote(w)
		}
	}
	return n, err
}

// Close closes the connection, once.
func (w *wire) Close() error {
	w.once.Do(func() {
		w.err = w.Conn.Close()
		close(w.closed)
		if w.after != nil {
			w.after()
		}
	})
	return w.err
}

// CloseWrite says that nothing more will be written, where the connection can say it.
func (w *wire) CloseWrite() error {
	if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// maxMethod is the longest that a request's method is looked for.
const maxMethod = 32

// speaksHTTP looks at what the client sent, and says whether it begins a request:
// a method, a space, and a target's first character; or HTTP/2's preface.
func (w *wire) speaksHTTP() bool {
	for n := 1; n <= maxMethod; n++ {
		b, err := w.Peek(n)
		if err != nil {
			return false
		}
		switch c := b[n-1]; {
		case c == ' ' && n > 3:
			b, err := w.Peek(n + 1)
			if err != nil {
				return false
			}
			return b[n] == '/' || b[n] == '*' || b[n] == 'h' || b[n] == 'H' || string(b[:n]) == "CONNECT "
		case c != '-' && c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'):
			return false
		}
	}
	return false
}

// speaksTLS says whether the client's first bytes are a TLS handshake record.
func (w *wire) speaksTLS() bool {
	b, err := w.Peek(1)
	if err != nil || b[0] != 0x16 {
		return false
	}
	b, err = w.Peek(6)
	return err == nil && b[1] == 3 && b[2] <= 4 && b[5] == 1 // ClientHello
}

// speaksHTTP2 says whether HTTP/2's preface has come. It is asked after speaksHTTP.
func (w *wire) speaksHTTP2() bool {
	b, err := w.Peek(4)
	return err == nil && string(b) == "PRI "
}
