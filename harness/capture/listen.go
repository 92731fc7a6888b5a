package capture

import (
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// frontListener accepts the device's connections to the proxy.
type frontListener struct {
	net.Listener
	p *Proxy
}

// Accept implements net.Listener.
func (f frontListener) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err != nil {
		if errors.Is(err, net.ErrClosed) {
			err = http.ErrServerClosed
		}
		return nil, err
	}
	l := &link{at: f.p.o.Log.Where(), started: f.p.o.Now(), client: c.RemoteAddr().String(), scheme: "http", round: f.p.shared}
	w := newWire(c, l)
	w.count = true
	w.after = func() { f.p.closedFront(l) }
	return w, nil
}

// closedFront records a connection to the proxy's port on which something came
// that was no proxy request.
func (p *Proxy) closedFront(l *link) {
	if l.begun.Load() <= l.served.Load() {
		return
	}
	_ = p.record(l.at, evidence.KindConnection, flow.Connection{
		Flow: p.nextID(), Started: l.started, Ended: p.o.Now(), Reason: flow.NoHTTP,
		Detail: "what came to the proxy's port was no well-formed request to a proxy", Sent: l.sent.Load(), Received: l.received.Load(),
	})
}

// feed is a listener whose connections come from CONNECT.
type feed struct {
	address net.Addr
	conns   chan net.Conn
	once    sync.Once
	done    chan struct{}
}

func newFeed(a net.Addr) *feed {
	return &feed{address: a, conns: make(chan net.Conn), done: make(chan struct{})}
}

// serve hands a connection to the server; it reports false where that is closed.
func (f *feed) serve(c net.Conn) bool {
	select {
	case f.conns <- c:
		return true
	case <-f.done:
		return false
	}
}

// Accept implements net.Listener.
func (f *feed) Accept() (net.Conn, error) {
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.done:
		return nil, http.ErrServerClosed
	}
}

// Close implements net.Listener.
func (f *feed) Close() error {
	f.once.Do(func() { close(f.done) })
	return nil
}

// Addr implements net.Listener.
func (f *feed) Addr() net.Addr { return f.address }
