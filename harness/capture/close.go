package capture

import (
	"context"
	"time"
)

// idleTimeout is how long nothing may pass on a connection before it is taken for
// dead. A push service's heartbeat is slower than anything else that is alive.
const idleTimeout = 45 * time.Minute

// Close takes no new connections, waits until no request is in flight or ctx is
// done, and then cuts what is left: bodies are recorded as far as they came,
// with the reason. WebSockets and connections that carry no HTTP have no end to
// wait for and are cut when the last request is through. When it returns
// everything is in the log, and nothing of the proxy runs any more. The error is
// that of [Proxy.Err]; a flow that was cut is none.
func (p *Proxy) Close(ctx context.Context) error {
	_ = p.listener.Close() // a second Close finds it closed
	if p.transparent != nil {
		_ = p.transparent.Close()
	}
	p.closing.Store(true)
	for p.anyBusy() {
		select {
		case <-p.wake:
			continue
		case <-ctx.Done():
		case <-p.failed:
		}
		break
	}
	p.mu.Lock()
	p.cutting = true
	left := make([]*conn, 0, len(p.conns))
	for c := range p.conns {
		left = append(left, c)
	}
	p.mu.Unlock()
	for _, c := range left {
		c.cut(p.whyCut(whyClosed))
	}
	p.stop()
	p.work.Wait()
	return p.Err()
}

// anyBusy reports whether there is something to wait for.
func (p *Proxy) anyBusy() bool {
	p.mu.Lock()
	conns := make([]*conn, 0, len(p.conns))
	for c := range p.conns {
		conns = append(conns, c)
	}
	p.mu.Unlock()
	for _, c := range conns {
		if c.busy() {
			return true
		}
	}
	return false
}

// ended tells Close, if it waits, that something is over.
func (p *Proxy) ended() {
	if p.closing.Load() {
		select {
		case p.wake <- struct{}{}:
		default: // it was told already
		}
	}
}

// watch cuts connections on which nothing passes any more.
func (p *Proxy) watch() {
	tick := time.NewTicker(min(time.Minute, p.o.idle/4))
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-tick.C:
			p.mu.Lock()
			var dead []*conn
			for c := range p.conns {
				if now.UnixNano()-c.last.Load() > int64(p.o.idle) {
					dead = append(dead, c)
				}
			}
			p.mu.Unlock()
			for _, c := range dead {
				c.cut("nothing came any more for " + p.o.idle.String())
			}
		}
	}
}
