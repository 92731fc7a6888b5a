package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// Options says how a proxy is to work.
type Options struct {
	Listen  string           // loopback address and port; empty for a free port of 127.0.0.1
	Log     *evidence.Log    // where everything goes
	CA      *CA              // signs the certificates that the device is shown
	Network emulator.Network // how origins are reached; without Dial, the host's own network, except the host itself
	Now     func() time.Time // the time of flows; nil for time.Now

	// patience is how long a client may be silent on a new connection before
	// its origin is asked whether it speaks first; 0 for a second.
	patience time.Duration
}

// The errors of Start that a caller may have to decide on; use errors.Is.
var (
	// ErrTaken: another program listens on the port that was asked for.
	ErrTaken = errors.New("the port is taken")
	// ErrNotLoopback: the address would let other machines use the proxy.
	ErrNotLoopback = errors.New("the proxy listens on loopback only")
)

// Proxy is a running proxy.
type Proxy struct {
	o        Options
	listener net.Listener
	address  netip.AddrPort
	front    *http.Server // proxy requests
	inner    *http.Server // what comes through CONNECT
	feed     *feed        // inner's listener
	shared   roundTripper // for absolute-form requests
	ctx      context.Context
	stop     context.CancelFunc

	mu      sync.Mutex
	changed sync.Cond          // something below is lower, or the proxy was told to stop
	flows   int                // requests in flight, until their answer is recorded
	writing map[*wire]struct{} // connections on which a request or its answer is under way
	cutting bool               // what is in flight is being cut
	wires   map[*wire]struct{}
	flushed map[*wire]struct{} // connections that were written to since draining began; nil before
	err     error              // the first thing that could not be recorded
	failed  chan struct{}
	work    sync.WaitGroup
}

// Start opens a proxy. ctx bounds the start only: Close ends the proxy. The
// error wraps ErrTaken or ErrNotLoopback where that is why.
func Start(ctx context.Context, o Options) (*Proxy, error) {
	if o.Log == nil || o.CA == nil {
		return nil, errors.New("start capture proxy: it needs a log and a CA")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.patience == 0 {
		o.patience = time.Second
	}
	if err := onLoopback(o.Listen); err != nil {
		return nil, fmt.Errorf("start capture proxy on %s: %w", o.Listen, err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("start capture proxy on %s: %w: end the program that listens there, or choose another port", o.Listen, ErrTaken)
	}
	if err != nil {
		return nil, fmt.Errorf("start capture proxy on %s: %w", o.Listen, err)
	}
	p := &Proxy{o: o, listener: listener, wires: map[*wire]struct{}{}, writing: map[*wire]struct{}{}, failed: make(chan struct{})}
	p.changed.L = &p.mu
	p.address = listener.Addr().(*net.TCPAddr).AddrPort()
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.shared = p.newTransport(nil)
	p.feed = newFeed(listener.Addr())
	p.front = p.newServer(http.HandlerFunc(p.serveFront), false)
	p.inner = p.newServer(http.HandlerFunc(p.serveInner), true)
	p.work.Go(func() { p.ended(p.front.Serve(frontListener{listener, p})) })
	p.work.Go(func() { p.ended(p.inner.Serve(p.feed)) })
	return p, nil
}

func onLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%w: use 127.0.0.1 and adb reverse", ErrNotLoopback)
	}
	return nil
}

// newServer is a server for one of the two places where requests come in.
func (p *Proxy) newServer(h http.Handler, h2 bool) *http.Server {
	s := &http.Server{
		Handler:        h,
		MaxHeaderBytes: 16 << 20, // a request that is refused is a request that is not recorded
		ErrorLog:       log.New(io.Discard, "", 0),
		BaseContext:    func(net.Listener) context.Context { return p.ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, linkKey{}, c.(*wire).link)
		},
		ConnState: func(c net.Conn, s http.ConnState) { p.busy(c.(*wire), s) },
		Protocols: new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(h2) // TLS is taken off before
	if h2 {
		s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1000}
	}
	return s
}

type linkKey struct{}

// linkOf is the connection that a request came on.
func linkOf(ctx context.Context) *link {
	l, _ := ctx.Value(linkKey{}).(*link)
	return l
}

// ended takes note of why a server stopped serving.
func (p *Proxy) ended(err error) {
	if !errors.Is(err, http.ErrServerClosed) {
		p.fail(fmt.Errorf("capture proxy on %s: %w", p.Addr(), err))
	}
}

// Addr is the host:port that the proxy listens on.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Failed is closed when something could not be recorded, because the disk is
// full for instance. From then on flows fail too: nothing passes unrecorded.
func (p *Proxy) Failed() <-chan struct{} { return p.failed }

// Err is the first thing that could not be recorded, or nil.
func (p *Proxy) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *Proxy) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		close(p.failed)
	}
}

// record writes an event, and remembers the first failure.
func (p *Proxy) record(at evidence.Stamp, kind string, data any) error {
	if err := p.Err(); err != nil {
		return err
	}
	_, err := p.o.Log.AppendAt(at, kind, data)
	if err != nil {
		p.fail(err)
	}
	return err
}

// nextID numbers flows in the order in which they begin.
func (p *Proxy) nextID() flow.ID {
	return flow.ID(fmt.Sprintf("f%d", p.o.Log.Next("flow")))
}

// busy follows a connection as net/http sees it. It is told that a connection
// is idle when the last byte of an answer was written, which is after its
// handler has returned.
func (p *Proxy) busy(w *wire, s http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch s {
	case http.StateActive:
		w.link.begun.Add(1)
		p.writing[w] = struct{}{}
	case http.StateIdle, http.StateClosed, http.StateHijacked:
		delete(p.writing, w)
		p.changed.Broadcast()
	}
}

// begin counts a request in. The caller calls land once when its answer is
// recorded, or when there is no end to wait for, and p.work.Done at its end. It
// reports false where the proxy is cutting already.
func (p *Proxy) begin() (land func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cutting {
		return nil, false
	}
	p.flows++
	p.work.Add(1)
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.flows--
		p.changed.Broadcast()
	}), true
}

// spawn sees to a connection on a goroutine of its own. It reports false where
// the proxy is cutting already.
func (p *Proxy) spawn(w *wire, see func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cutting {
		return false
	}
	p.wires[w] = struct{}{}
	p.work.Go(func() {
		defer p.drop(w)
		see()
	})
	return true
}

// keep makes a connection one that cutting closes. It reports false where the
// proxy is cutting already.
func (p *Proxy) keep(w *wire) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cutting {
		return false
	}
	p.wires[w] = struct{}{}
	return true
}

func (p *Proxy) drop(w *wire) {
	_ = w.Close() // it is at its end
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.wires, w)
	p.changed.Broadcast()
}

// isCutting reports whether the proxy is ending flows by itself.
func (p *Proxy) isCutting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cutting
}
