package observe

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// ErrClosed is what Sent and Received return after Close: nobody records any more.
var ErrClosed = errors.New("the observation of the connection is over")

// Conn observes one connection between a device and an origin. Its methods may be
// called from several goroutines at once.
type Conn struct {
	mu sync.Mutex
	o  Options
	at time.Time // when the bytes came that are being read

	up, down side
	queue    []*exchange // HTTP/1: requests that have begun and are not answered in full, the oldest first
	h2       *h2Conn     // once HTTP/2 is spoken
	tunnel   *tunnel     // what HTTP/1 was upgraded to
	opaque   *tunnel     // what is not understood
	stray    *tunnel     // what belongs to no exchange

	begun, open int
	first       *side // the one that ended first
	why         string
	err         error // of the Recorder
	closed      bool

	urls urls
}

// New begins to observe a connection.
func New(o Options) *Conn {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Conn{o: o}
	c.urls.o = &c.o
	c.up = side{c: c, sent: true}
	c.down = side{c: c}
	if o.H2 {
		c.startH2(true)
	}
	return c
}

// Sent takes bytes that the device sent, before they are passed on, and leaves them
// as they are. When it returns, everything that is complete with them is recorded.
// After an error they must not be passed on: it is the Recorder's, or ErrClosed, and
// nothing else is an error.
func (c *Conn) Sent(b []byte) error {
	_, err := c.show(&c.up, b, false)
	return err
}

// SentOne is Sent, but takes no more than the rest of one HTTP/1 request: n is how
// many of the bytes. Where they are no HTTP/1, it takes all.
func (c *Conn) SentOne(b []byte) (n int, err error) { return c.show(&c.up, b, true) }

// Received takes bytes from the origin, before they are passed to the device, as
// Sent does.
func (c *Conn) Received(b []byte) error {
	_, err := c.show(&c.down, b, false)
	return err
}

func (c *Conn) show(s *side, b []byte, one bool) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return 0, c.err
	case c.closed:
		return 0, ErrClosed
	}
	c.at = c.o.Now()
	n, c.err = s.take(b, one)
	return n, c.err
}

// SentAll says that the device will send no more: nil for a clean end, else why.
// A request that is under way is recorded as cut. Its answer may still come.
func (c *Conn) SentAll(err error) error { return c.end(&c.up, err) }

// ReceivedAll says that nothing more will come from the origin: nil for a clean end,
// else why. A response whose length nobody told is complete with a clean end; another
// that is under way is recorded as cut. So is one that never came, as Response.Error.
// On HTTP/2 all that is left to Close.
func (c *Conn) ReceivedAll(err error) error { return c.end(&c.down, err) }

func (c *Conn) end(s *side, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.closed || s.ended {
		return c.err
	}
	c.at = c.o.Now()
	s.ended, s.err = true, err
	if c.first == nil {
		c.first = s
	}
	if c.h2 == nil && s.sent {
		c.err = c.endUp()
	} else if c.h2 == nil {
		c.err = c.endDown()
	} // HTTP/2 is over with either end: Close will do
	return c.err
}

// Close ends the observation: the connection is over. What is still open is recorded
// as cut, with why; where why is empty, with what SentAll and ReceivedAll said. A
// request without an answer gets a Response with Status 0 and the reason as Error.
// A second Close does nothing.
func (c *Conn) Close(why string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.err
	}
	c.closed = true
	c.at, c.why = c.o.Now(), why
	// Each of them is tried, whatever became of the others: bodies want an end.
	for _, f := range []func() error{
		c.endUp, c.endDown, c.endStreams, c.flush,
		func() error { return c.tunnel.end() }, func() error { return c.opaque.end() }, func() error { return c.stray.end() },
	} {
		if err := f(); c.err == nil {
			c.err = err
		}
	}
	return c.err
}

// flush keeps what was held back because it was not complete.
func (c *Conn) flush() error {
	var failed error
	for _, s := range []*side{&c.up, &c.down} {
		if held := s.held; len(held) > 0 {
			s.held = nil
			err := c.opaqueTo("the connection ended before all of it had come").write(s.sent, held)
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// SetOrigin says who the origin is, for Conns that are made before it is reached:
// its address, and how TLS protects the connection to it. Responses that begin later
// have it.
func (c *Conn) SetOrigin(server string, tls *flow.TLS) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.o.Response.Server, c.o.Response.TLS = server, tls
	c.o.Connection.Server = server
}

// State is how far a connection is.
type State struct {
	// Protocol is what the connection speaks now: "" while nothing was read, "http/1",
	// "h2", "websocket", "upgraded" for another protocol that HTTP/1 went over to, or "raw"
	// where what came is not understood.
	Protocol string

	Requests int // requests that have begun, those that were pushed included
	Open     int // of them, those that are not recorded to the end of their response; one that was upgraded ends with that

	// Asking: bytes of a request have come, and it is not complete. It may be part of
	// a head, so that it is not counted in Requests yet.
	Asking bool

	// NoHTTP: bytes were not understood, and are or will be recorded as flow.NoHTTP.
	NoHTTP bool
}

// State tells how far the connection is.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state()
}

func (c *Conn) state() State {
	s := State{Requests: c.begun, Open: c.open, NoHTTP: c.opaque != nil}
	switch {
	case s.NoHTTP:
		s.Protocol = "raw"
	case c.tunnel != nil && c.tunnel.messages[0] != nil:
		s.Protocol = "websocket"
	case c.tunnel != nil:
		s.Protocol = "upgraded"
	case c.h2 != nil:
		s.Protocol, s.Asking = "h2", c.h2.asking()
	case c.begun > 0 || len(c.up.held) > 0:
		s.Protocol, s.Asking = "http/1", c.up.asking()
	}
	return s
}

// Idle reports whether nothing is under way that has an end to wait for: no request
// or part of one, and no response. WebSockets and bytes that are not understood have none.
func (c *Conn) Idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state()
	return s.Open == 0 && !s.Asking
}

// blame is why something ends early.
func (c *Conn) blame() string {
	switch s := c.first; {
	case c.why != "":
		return c.why
	case c.h2 != nil && c.h2.bye != "":
		return c.h2.bye
	case s == nil:
		return "the connection ended"
	case s.err == nil || errors.Is(s.err, io.EOF) || errors.Is(s.err, io.ErrUnexpectedEOF):
		return s.who() + " hung up"
	default:
		return s.who() + " broke off: " + s.err.Error()
	}
}

// blameUnanswered is why there is no answer.
func (c *Conn) blameUnanswered() string {
	why := c.blame()
	if c.why == "" {
		why += " before an answer came"
	}
	return why
}
