package observe

import (
	"sync"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Conn observes one connection between a device and an origin. Its methods may be
// called from several goroutines at once.
type Conn struct {
	mu sync.Mutex
	o  Options
}

// New begins to observe a connection.
func New(o Options) *Conn {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Conn{o: o}
}

// Sent takes bytes that the device sent, before they are passed on, and leaves them
// as they are. When it returns, everything that is complete with them is recorded.
// After an error they must not be passed on: it is the Recorder's, and nothing else
// is an error.
func (c *Conn) Sent(b []byte) error { _, err := c.sent(b, false); return err }

// SentOne is Sent, but takes no more than the rest of one HTTP/1 request: n is how
// many of the bytes. Where they are no HTTP/1, it takes all.
func (c *Conn) SentOne(b []byte) (n int, err error) { return c.sent(b, true) }

func (c *Conn) sent(b []byte, one bool) (int, error) { return len(b), nil }

// Received takes bytes from the origin, before they are passed to the device, as
// Sent does.
func (c *Conn) Received(b []byte) error { return nil }

// SentAll says that the device will send no more: nil for a clean end, else why.
// A request that is under way is recorded as cut. Its answer may still come.
func (c *Conn) SentAll(err error) error { return nil }

// ReceivedAll says that nothing more will come from the origin: nil for a clean end,
// else why. A response whose length nobody told is complete with a clean end; another
// that is under way is recorded as cut. So is one that never came, as Response.Error.
func (c *Conn) ReceivedAll(err error) error { return nil }

// Close ends the observation: the connection is over. What is still open is recorded
// as cut, with why; where why is empty, with what SentAll and ReceivedAll said. A
// request without an answer gets a Response with Status 0 and the reason as Error.
// What is shown later is not taken; a second Close does nothing.
func (c *Conn) Close(why string) error { return nil }

// SetOrigin says who the origin is, for Conns that are made before it is reached:
// its address, and how TLS protects the connection to it. Responses that begin later
// have it.
func (c *Conn) SetOrigin(server string, tls *flow.TLS) {}

// State is how far a connection is.
type State struct {
	// Protocol is what the connection speaks now: "" while nothing was read, "http/1",
	// "h2", "websocket", "upgraded" for another protocol that HTTP/1 went over to, or "raw"
	// where what came is not understood.
	Protocol string

	Requests int // requests that have begun, those that were pushed included
	Open     int // of them, those that are not recorded to the end of their response; tunnels and WebSockets are no more open than that

	// Asking: bytes of a request have come, and it is not complete. It may be part of
	// a head, so that it is not counted in Requests yet.
	Asking bool

	// NoHTTP: bytes were not understood, and are or will be recorded as flow.NoHTTP.
	NoHTTP bool
}

// State tells how far the connection is.
func (c *Conn) State() State { return State{} }

// Idle reports whether nothing is under way that has an end to wait for: no request
// or part of one, and no response. WebSockets and bytes that are not understood have none.
func (c *Conn) Idle() bool { return true }
