package internet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Relay is a port on the host's loopback whose connections are joined, each
// with one that a function makes, and whose bytes are counted.
type Relay struct {
	listener       net.Listener
	dial           func(context.Context) (net.Conn, error)
	sent, received atomic.Uint64
	ctx            context.Context
	cancel         context.CancelFunc
	running        sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// NewRelay opens a relay on a free port. dial is called for each connection; when
// it fails the connection is reset, as by a peer that refuses.
func NewRelay(dial func(context.Context) (net.Conn, error)) (*Relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a relay on the loopback interface: %w", err)
	}
	r := &Relay{listener: l, dial: dial, conns: map[net.Conn]struct{}{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.running.Go(r.accept)
	return r, nil
}

// Addr is the relay's host:port.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Traffic is the bytes that clients sent through the relay and received from it.
func (r *Relay) Traffic() (sent, received uint64) { return r.sent.Load(), r.received.Load() }

// Close ends the relay and its connections, and waits for them.
func (r *Relay) Close() error {
	r.cancel()
	err := r.listener.Close()
	r.mu.Lock()
	for c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
	return err
}

func (r *Relay) accept() {
	for {
		c, err := r.listener.Accept()
		if errors.Is(err, net.ErrClosed) || r.ctx.Err() != nil {
			if c != nil {
				c.Close()
			}
			return
		}
		if err != nil {
			continue // the client was gone before it was accepted
		}
		r.running.Go(func() { r.join(c) })
	}
}

// hold keeps a connection so that Close can end it; it closes one that comes too late.
func (r *Relay) hold(c net.Conn) (release func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		c.Close()
		return nil, false
	}
	r.conns[c] = struct{}{}
	return func() {
		r.mu.Lock()
		delete(r.conns, c)
		r.mu.Unlock()
		c.Close()
	}, true
}

func (r *Relay) join(client net.Conn) {
	release, ok := r.hold(client)
	if !ok {
		return
	}
	defer release()
	origin, err := r.dial(r.ctx)
	if err != nil {
		if t, ok := client.(*net.TCPConn); ok {
			t.SetLinger(0) // a reset, not an orderly end
		}
		return
	}
	release, ok = r.hold(origin)
	if !ok {
		return
	}
	defer release()
	var back sync.WaitGroup
	back.Go(func() { pump(client, origin, &r.received) })
	pump(origin, client, &r.sent)
	back.Wait()
}

// pump copies until the source ends, says so to the destination, and counts.
// When the destination is gone, the source is ended too.
func pump(dst, src net.Conn, count *atomic.Uint64) {
	_, err := io.Copy(&counted{dst, count}, src)
	if err != nil {
		dst.Close()
		src.Close()
		return
	}
	if w, ok := dst.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
		return
	}
	dst.Close()
}

type counted struct {
	io.Writer
	n *atomic.Uint64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(uint64(n))
	return n, err
}
