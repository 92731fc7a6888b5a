package capture

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/unasked-audit/unasked/harness/capture/observe"
)

// forward sends requests with an absolute target on, one after the other, each to the
// origin that it names. A connection to an origin serves as long as the requests are
// for the same.
type forward struct {
	scheme, authority string
	origin            *stream // nil before the first request
	observer          *observe.Conn
	device            *stream
	down              chan struct{} // closed when nothing comes from the origin any more
	over              atomic.Bool   // the origin has ended, and so does the device's connection
	left              atomic.Bool   // the origin is not needed any more
	answered          chan struct{} // told when something came from the origin
}

// isOver reports whether the origin has ended the connection.
func (f *forward) isOver() bool { return f.over.Load() }

// serve sees to one request, of which raw is the head. It reports false where no
// other can follow on the connection.
func (f *forward) serve(c *conn, h *head, raw []byte, scheme, authority, target string) bool {
	c.begin()
	defer c.done()
	if f.origin == nil || f.scheme != scheme || f.authority != authority {
		if f.origin != nil {
			f.wait() // answers come in the order of the requests
			if f.isOver() {
				return false
			}
			f.leave(c)
		}
		f.scheme, f.authority = scheme, authority
		if err := f.open(c); err != nil {
			c.hear(f.device, err, false)
			return false
		}
	}
	upgrade := h.get("Upgrade") != ""
	h.target = target
	h.without("Proxy-Connection", "Proxy-Authorization")
	h.setHost(authority)
	if c.pass(f.origin, raw, h.bytes(), f.observer.Sent) != nil {
		c.breakOff(f.device, f.origin, f.observer)
		return false
	}
	c.device.take(len(raw))
	if !f.body(c) {
		return false
	}
	if !upgrade {
		return true
	}
	f.wait()
	if p := f.observer.State().Protocol; p == "http/1" {
		return !f.isOver() // it was declined
	}
	c.done() // what follows has no end to wait for
	c.passUp(f.device, f.origin, f.observer)
	c.begin()
	return false
}

// open connects to the origin.
func (f *forward) open(c *conn) error {
	f.device = &stream{socket: c.device}
	host, port, err := splitAuthority(f.authority, defaultPort(f.scheme))
	if err != nil {
		return &originError{err}
	}
	c.host, c.port = host, port
	var origin *stream
	if f.scheme == "https" {
		origin, err = c.shake(c.p.ctx, nil, nil)
	} else {
		origin, err = c.dialClear(c.p.ctx, nil)
	}
	if err != nil {
		return err
	}
	o := c.observe(new(recorder), f.scheme, false)
	c.reached(origin, o)
	if !c.join(origin, o) {
		return errOver
	}
	f.origin, f.observer, f.down, f.answered = origin, o, make(chan struct{}), make(chan struct{}, 1)
	f.left.Store(false)
	down, left := f.down, &f.left
	c.p.work.Go(func() {
		defer close(down)
		f.answer(c, origin, o, left)
	})
	return nil
}

// answer passes on what comes from an origin, until it ends.
func (f *forward) answer(c *conn, origin *stream, o *observe.Conn, left *atomic.Bool) {
	err := c.pump(f.device, origin, func(b []byte) error {
		defer f.tell()
		return o.Received(b)
	})
	if left.Load() {
		return
	}
	defer f.tell()
	f.over.Store(true)
	var sink *sinkError
	if errors.Is(err, io.EOF) && o.ReceivedAll(nil) == nil && f.device.CloseWrite() == nil {
		f.device.within(lingerTime)
		return
	}
	if !errors.As(err, &sink) {
		_ = o.ReceivedAll(err)
	}
	c.breakOff(f.device, origin, o)
}

func (f *forward) tell() {
	select {
	case f.answered <- struct{}{}:
	default:
	}
}

// wait waits until every request has its answer, or none can come any more, or the
// connection has left HTTP/1.
func (f *forward) wait() {
	for f.observer.State().Protocol == "http/1" && !f.observer.Idle() {
		select {
		case <-f.answered:
		case <-f.down:
			return
		}
	}
}

// body passes the body of a request on. It reports false where no other request can follow.
func (f *forward) body(c *conn) bool {
	for f.observer.State().Asking {
		b, err := c.device.some()
		if len(b) > 0 && !f.isOver() {
			var n int
			err = c.pass(f.origin, b, nil, func(b []byte) (err error) {
				n, err = f.observer.SentOne(b)
				return err
			})
			if err == nil {
				err = c.pass(f.origin, nil, b[:n], func([]byte) error { return nil })
			}
			c.device.take(n)
			if n == 0 && err == nil {
				err = errNoHead // it can't be made out where the request ends
			}
		}
		if f.isOver() {
			return false
		}
		if err == nil {
			continue
		}
		var sink *sinkError
		if errors.Is(err, io.EOF) {
			err = nil
		}
		_ = f.observer.SentAll(err)
		if err == nil || errors.As(err, &sink) {
			f.linger(c) // it may have answered before it went away
			return false
		}
		c.breakOff(f.device, f.origin, f.observer)
		return false
	}
	return true
}

// linger waits for the rest of what comes from the origin.
func (f *forward) linger(c *conn) {
	ends := make(chan struct{}, 1)
	down := f.down
	c.p.work.Go(func() { <-down; ends <- struct{}{} })
	if c.lingers(f.observer, ends) {
		f.origin.abort()
	}
	<-down
}

// leave closes the connection to an origin of which nothing is expected any more.
func (f *forward) leave(c *conn) {
	f.left.Store(true)
	_ = f.observer.Close("")
	_ = f.origin.Close()
	<-f.down
	c.leave(f.origin)
	c.leave(f.origin.socket)
	f.origin = nil
}

// end ends the connection with the device: it has said all that it will.
func (f *forward) end(c *conn) {
	if f.origin == nil {
		return
	}
	_ = f.observer.SentAll(nil)
	if f.origin.CloseWrite() == nil {
		f.linger(c)
	} else {
		f.origin.abort()
		<-f.down
	}
	c.part(f.device, f.origin, f.observer)
}
