package capture

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
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

	// Transparent is a second address and port, for connections that are redirected
	// here and know of no proxy; empty for none. It is loopback too, unless
	// TransparentOpen says that a device's network may reach it.
	Transparent     string
	TransparentOpen bool
	// Original tells where a connection to Transparent was going before it was
	// redirected, where the kernel of this host does not know; nil for nobody who does.
	Original func(net.Conn) (netip.AddrPort, bool)
	// NameOf tells the name that the device asked for to get an address, or ""; may be nil.
	NameOf func(netip.Addr) string
	// UID is the app's, where only its connections are redirected to Transparent.
	UID int

	// PassAfter is after how many refused handshakes a client's connections to a host
	// are let through untouched, so that the app works on; 0 for three, negative for never.
	PassAfter int
	// Packets has the bytes of each connection kept as they were on the wire, with
	// the secrets to read them.
	Packets bool

	// patience is how long a client may be silent on a new connection before its
	// origin is asked whether it speaks first; 0 for a second.
	patience time.Duration
	// prompt is how long an origin may take to be there before the device is heard
	// without it; 0 for five seconds.
	prompt time.Duration
	// idle is how long nothing may pass on a connection; 0 for idleTimeout.
	idle time.Duration
}

// passAfter is how many handshakes a client may refuse if nobody says otherwise.
const passAfter = 3

// The errors of Start that a caller may have to decide on; use errors.Is.
var (
	// ErrTaken: another program listens on the port that was asked for.
	ErrTaken = errors.New("the port is taken")
	// ErrNotLoopback: the address would let other machines use the proxy.
	ErrNotLoopback = errors.New("the proxy listens on loopback only")
)

// Proxy is a running proxy.
type Proxy struct {
	o           Options
	listener    net.Listener
	transparent net.Listener // nil for none
	deviceTLS   *tls.Config  // what all connections with devices have in common
	sessions    tls.ClientSessionCache
	pins        pins
	ctx         context.Context
	stop        context.CancelFunc
	work        sync.WaitGroup
	closing     atomic.Bool   // Close waits: it is to be told of what ends
	wake        chan struct{} // how

	mu      sync.Mutex
	conns   map[*conn]struct{}
	cutting bool // what is in flight is being cut

	failing sync.Mutex // guards err; nothing else is locked while it is held
	err     error      // the first thing that could not be recorded
	failed  chan struct{}
}

// Start opens a proxy. ctx bounds the start only: Close ends the proxy. The
// error wraps ErrTaken or ErrNotLoopback where that is why.
func Start(ctx context.Context, o Options) (*Proxy, error) {
	if o.Log == nil || o.CA == nil {
		return nil, errors.New("start capture proxy: it needs a log and a CA")
	}
	o.setDefaults()
	p := &Proxy{o: o, conns: map[*conn]struct{}{}, failed: make(chan struct{}), wake: make(chan struct{}, 1), sessions: tls.NewLRUClientSessionCache(1024)}
	p.deviceTLS = &tls.Config{
		MinVersion:                  tls.VersionTLS10, // an old app is to be recorded too
		CipherSuites:                everySuite(),
		DynamicRecordSizingDisabled: true,
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	p.deviceTLS.SetSessionTicketKeys([][32]byte{key})
	var err error
	if p.listener, err = listen(ctx, o.Listen, false); err != nil {
		return nil, err
	}
	if o.Transparent != "" {
		if p.transparent, err = listen(ctx, o.Transparent, o.TransparentOpen); err != nil {
			return nil, errors.Join(err, p.listener.Close())
		}
	}
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.work.Go(func() { p.accept(p.listener, false) })
	if p.transparent != nil {
		p.work.Go(func() { p.accept(p.transparent, true) })
	}
	p.work.Go(p.watch)
	return p, nil
}

func (o *Options) setDefaults() {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.PassAfter == 0 {
		o.PassAfter = passAfter
	}
	if o.patience == 0 {
		o.patience = time.Second
	}
	if o.prompt == 0 {
		o.prompt = 5 * time.Second
	}
	if o.idle == 0 {
		o.idle = idleTimeout
	}
}

func listen(ctx context.Context, address string, open bool) (net.Listener, error) {
	if err := onLoopback(address); err != nil && !open {
		return nil, fmt.Errorf("start capture proxy on %s: %w", address, err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("start capture proxy on %s: %w: end the program that listens there, or choose another port", address, ErrTaken)
	}
	if err != nil {
		return nil, fmt.Errorf("start capture proxy on %s: %w", address, err)
	}
	return l, nil
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

// accept takes the device's connections, each on a goroutine of its own.
func (p *Proxy) accept(l net.Listener, transparent bool) {
	for {
		tcp, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED) {
			select { // others will end
			case <-time.After(50 * time.Millisecond):
				continue
			case <-p.ctx.Done():
				return
			}
		}
		if err != nil {
			p.fail(fmt.Errorf("capture proxy on %s: %w", l.Addr(), err))
			return
		}
		c := p.newConn(tcp, transparent)
		p.mu.Lock()
		if p.cutting {
			p.mu.Unlock()
			_ = tcp.Close() // nothing was said on it
			return
		}
		p.conns[c] = struct{}{}
		p.work.Go(c.serve)
		p.mu.Unlock()
	}
}

// Addr is the host:port that the proxy listens on.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// TransparentAddr is the host:port that takes redirected connections, or "".
func (p *Proxy) TransparentAddr() string {
	if p.transparent == nil {
		return ""
	}
	return p.transparent.Addr().String()
}

// Failed is closed when something could not be recorded, because the disk is
// full for instance. From then on flows fail too: nothing passes unrecorded.
func (p *Proxy) Failed() <-chan struct{} { return p.failed }

// Err is the first thing that could not be recorded, or nil.
func (p *Proxy) Err() error {
	p.failing.Lock()
	defer p.failing.Unlock()
	return p.err
}

func (p *Proxy) fail(err error) {
	p.failing.Lock()
	defer p.failing.Unlock()
	if p.err == nil {
		p.err = err
		close(p.failed)
	}
}

// record writes an event, and remembers the first failure. Its error is that: where
// there was one, events are written all the same, for they tell what had passed before.
func (p *Proxy) record(at evidence.Stamp, kind string, data any) error {
	if _, err := p.o.Log.AppendAt(at, kind, data); err != nil {
		p.fail(err)
	}
	return p.Err()
}

// nextID numbers flows in the order in which they begin.
func (p *Proxy) nextID() flow.ID {
	return flow.ID(fmt.Sprintf("f%d", p.o.Log.Next("flow")))
}

// isCutting reports whether the proxy is ending flows by itself.
func (p *Proxy) isCutting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cutting
}

// whyCut says why a flow ends before its end: because the capture does, or for
// the reason given.
func (p *Proxy) whyCut(reason string) string {
	switch {
	case p.Err() != nil:
		return "it could not be recorded any further"
	case p.isCutting():
		return whyClosed
	}
	return reason
}

// whyClosed is why flows are cut when the proxy is closed.
const whyClosed = "the capture ended"
