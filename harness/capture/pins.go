package capture

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/unasked-audit/unasked/harness/capture/observe"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// maxPins bounds the hosts that are remembered: a hostile app may ask for any number.
const maxPins = 4096

// pins remembers which TLS clients refuse the proxy's certificates, for which hosts.
type pins struct {
	mu   sync.Mutex
	seen map[pin]pinned
}

// pin is a TLS client, by its fingerprint, and a host that it asks for.
type pin struct{ host, fingerprint string }

type pinned struct {
	refused  int  // handshakes
	accepted bool // one was not refused: then none is passed
}

func (c *conn) pin() pin { return pin{c.known(), c.hello.fingerprint} }

// change notes what became of a handshake.
func (p *pins) change(k pin, with func(*pinned)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || len(p.seen) >= maxPins {
		p.seen = map[pin]pinned{}
	}
	was := p.seen[k]
	with(&was)
	p.seen[k] = was
}

func (p *pins) refuse(k pin) { p.change(k, func(w *pinned) { w.refused++ }) }
func (p *pins) accept(k pin) { p.change(k, func(w *pinned) { w.accepted = true }) }

// passes reports whether a client's next connection to a host is to be let through
// untouched, and how many handshakes it has refused. after is Options.PassAfter.
func (p *pins) passes(k pin, after int) (refused int, pass bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.seen[k]
	return w.refused, after > 0 && w.refused >= after && !w.accepted
}

// passUntouched joins the device with its origin, TLS and all, so that an app goes on
// working that trusts nobody but its own service.
func (c *conn) passUntouched(opened *socket, refused int) {
	origin, err := c.dialClear(c.p.ctx, opened)
	if err != nil {
		c.say(flow.NoOrigin, err.Error())
		return
	}
	b := new(blind)
	c.reached(origin, b)
	if !c.join(origin, b) {
		return
	}
	c.relay(&stream{socket: c.device}, origin, b)
	r := c.record(flow.Passed)
	r.Detail = fmt.Sprintf("let through untouched: this TLS client has refused the proxy's certificate for the host %d times, and never taken it", refused)
	r.Sent, r.Received = b.sent.Load(), b.received.Load()
	_ = c.p.record(c.at, evidence.KindConnection, r)
}

// blind is an observer that can't read what passes, and counts it.
type blind struct{ sent, received atomic.Int64 }

// Sent implements observer.
func (b *blind) Sent(p []byte) error { b.sent.Add(int64(len(p))); return nil }

// Received implements observer.
func (b *blind) Received(p []byte) error { b.received.Add(int64(len(p))); return nil }

// SentAll implements observer.
func (b *blind) SentAll(error) error { return nil }

// ReceivedAll implements observer.
func (b *blind) ReceivedAll(error) error { return nil }

// Close implements observer.
func (b *blind) Close(string) error { return nil }

// State implements observer.
func (b *blind) State() observe.State { return observe.State{Protocol: "raw"} }

// Idle implements observer: nobody knows what would be worth waiting for.
func (b *blind) Idle() bool { return true }

// SetOrigin is for reached.
func (b *blind) SetOrigin(string, *flow.TLS) {}
