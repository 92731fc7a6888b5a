package capture

import (
	"context"
	"time"
)

// drainTime bounds how long a client may take to read the last bytes that are for it.
const drainTime = time.Second

// Close takes no new connections, waits until no request is in flight or ctx is
// done, and then cuts what is left: bodies are recorded as far as they came,
// with the reason. WebSockets and connections that carry no HTTP have no end to
// wait for and are cut when the last request is through. When it returns
// everything is in the log, and nothing of the proxy runs any more. The error is
// that of [Proxy.Err]; a flow that was cut is none.
func (p *Proxy) Close(ctx context.Context) error {
	_ = p.listener.Close() // a second Close finds it closed
	wake := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.changed.Broadcast()
	})
	defer wake()
	p.mu.Lock()
	for p.flows+len(p.writing) > 0 && ctx.Err() == nil && p.err == nil {
		p.changed.Wait()
	}
	p.cutting = true
	left := make([]*wire, 0, len(p.wires))
	for w := range p.wires {
		left = append(left, w)
	}
	p.mu.Unlock()
	if ctx.Err() == nil {
		p.drain(ctx, left)
	}

	p.stop()
	_ = p.front.Close() // what it closes is recorded by those who use it
	_ = p.inner.Close()
	for _, w := range left {
		_ = w.Close()
	}
	p.work.Wait()
	p.shared.CloseIdleConnections()
	return p.Err()
}

// drain waits until HTTP/2's last frames are written. net/http says that such a
// connection is idle when they lie in its buffer. So it is told to say goodbye:
// once anything is written after that, they are.
func (p *Proxy) drain(ctx context.Context, wires []*wire) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	wake := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.changed.Broadcast()
	})
	defer wake()
	p.mu.Lock()
	p.flushed = map[*wire]struct{}{}
	p.mu.Unlock()
	done, now := context.WithCancel(ctx)
	now()
	_ = p.inner.Shutdown(done) // begins the goodbyes, and does not wait for them
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range wires {
		for w.inUse() && ctx.Err() == nil {
			if _, ok := p.flushed[w]; ok {
				break
			}
			p.changed.Wait()
		}
	}
}

// wrote takes note that something was written to a device.
func (p *Proxy) wrote(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flushed != nil {
		p.flushed[w] = struct{}{}
		p.changed.Broadcast()
	}
}

// serving takes note that net/http is to answer on a connection.
func (p *Proxy) serving(w *wire, h2 bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.count = true
	if h2 {
		w.link.alpn = "h2"
	}
}

// inUse reports whether HTTP/2 is spoken on the connection, and it is open. The
// caller holds p.mu.
func (w *wire) inUse() bool {
	select {
	case <-w.closed:
		return false
	default:
		return w.count && w.link.alpn == "h2"
	}
}
