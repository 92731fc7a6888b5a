package capture

import (
	"errors"
	"io"
	"time"
)

// lingerTime is how long a connection that carries HTTP, and has one end less, may
// be silent before it is closed.
const lingerTime = 10 * time.Second

// relay joins the device with its origin until both are done. Everything is shown to
// the observer before it passes.
func (c *conn) relay(device, origin *stream, o observer) {
	ends := make(chan struct{}, 2)
	for _, pass := range []func(device, origin *stream, o observer){c.passUp, c.passDown} {
		c.p.work.Go(func() {
			defer func() { ends <- struct{}{} }()
			pass(device, origin, o)
			c.p.ended()
		})
	}
	<-ends
	if c.lingers(o, ends) {
		device.abort()
		origin.abort()
		<-ends
	}
	c.part(device, origin, o)
}

// part ends a relay of which nothing runs any more.
func (c *conn) part(device, origin *stream, o observer) {
	_ = o.Close(c.p.whyCut("")) // its error is the log's, which the proxy has
	if origin != nil {
		_ = origin.Close()
	}
	_ = device.Close()
}

// halfOpenTime is the same for a connection that carries something else, of which
// nobody knows what it does when one end is silent.
const halfOpenTime = 5 * time.Minute

// lingers waits for the other direction to end too. It reports true where nothing
// more can be expected there, though it has not ended.
func (c *conn) lingers(o observer, ends <-chan struct{}) bool {
	tick := time.NewTicker(lingerTime / 10)
	defer tick.Stop()
	since := time.Now().UnixNano()
	for {
		select {
		case <-ends:
			return false
		case now := <-tick.C:
			limit := halfOpenTime
			if p := o.State().Protocol; p == "" || p == "http/1" || p == "h2" {
				limit = lingerTime
			}
			if now.UnixNano()-max(since, c.last.Load()) > int64(limit) {
				return true
			}
		}
	}
}

// passUp passes on what the device sends.
func (c *conn) passUp(device, origin *stream, o observer) {
	err := c.pump(origin, device, o.Sent)
	c.gone.Store(true)
	var sink *sinkError
	switch {
	case errors.Is(err, io.EOF):
		if o.SentAll(nil) == nil && origin.CloseWrite() == nil {
			return
		}
	case errors.As(err, &sink):
		// It may have answered before it went away.
		if o.SentAll(sink.err) == nil {
			return
		}
	default:
		_ = o.SentAll(err) // the relay ends in any case
	}
	c.breakOff(device, origin, o)
}

// passDown passes on what the origin sends.
func (c *conn) passDown(device, origin *stream, o observer) {
	err := c.pump(device, origin, o.Received)
	if !c.gone.Load() {
		c.lost.Store(true)
	}
	var sink *sinkError
	switch {
	case errors.Is(err, io.EOF):
		if o.ReceivedAll(nil) == nil && device.CloseWrite() == nil {
			return
		}
	case errors.As(err, &sink):
		_ = o.SentAll(sink.err) // it is the device that has gone
	default:
		_ = o.ReceivedAll(err)
	}
	c.breakOff(device, origin, o)
}

// breakOff ends both directions, so that each side sees that it was not the other's will.
func (c *conn) breakOff(device, origin *stream, o observer) {
	_ = o.Close(c.p.whyCut(""))
	device.abort()
	origin.abort()
}

// sinkError is a failure of the side that bytes are passed to.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// pump passes bytes on until there are no more, or one side fails, or they can't be
// recorded. The error is never nil: io.EOF is a clean end, a *sinkError the other side's.
func (c *conn) pump(to, from *stream, show func([]byte) error) error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := from.Read(*buf)
		if n > 0 {
			if failed := c.pass(to, (*buf)[:n], (*buf)[:n], show); failed != nil {
				return failed
			}
		}
		if err != nil {
			return err
		}
	}
}

// pass shows bytes, and then writes those that stand for them.
func (c *conn) pass(to io.Writer, seen, written []byte, show func([]byte) error) error {
	c.begin()
	defer c.done()
	if err := show(seen); err != nil {
		return err
	}
	if _, over := c.isOver(); over {
		return errOver // it was not read any more
	}
	if len(written) == 0 {
		return nil
	}
	if _, err := to.Write(written); err != nil {
		return &sinkError{err}
	}
	return nil
}
