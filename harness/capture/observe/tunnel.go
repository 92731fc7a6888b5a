package observe

import (
	"net/url"
	"strconv"

	"github.com/unasked-audit/unasked/harness/flow"
)

// tunnel is bytes that are kept as they are, and the messages in them where they
// are a WebSocket's.
type tunnel struct {
	c        *Conn
	record   flow.Connection
	up, down Body
	messages [2]*messages // of the device and of the origin; nil where they can't be told
	index    int          // of the next message
	over     bool
}

// opaqueTo is where bytes go that are not understood; why is taken of the first call.
func (c *Conn) opaqueTo(why string) *tunnel {
	if c.opaque == nil {
		c.opaque = c.newOpaque(why)
		if c.begun > 0 {
			c.opaque.record.Detail = "after " + count(c.begun, "request") + ": " + why
		}
	}
	return c.opaque
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

func (c *Conn) newOpaque(why string) *tunnel {
	t := &tunnel{c: c, record: c.o.Connection}
	t.record.Flow, t.record.Reason, t.record.Detail = c.o.Recorder.NextID(), flow.NoHTTP, why
	if t.record.Started.IsZero() {
		t.record.Started = c.at
	}
	return t
}

// strayed keeps bytes that are understood, and belong to no exchange.
func (c *Conn) strayed(sent bool, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if c.stray == nil {
		c.stray = c.newOpaque("bytes beside requests and responses: extensions of chunks, frames of unknown types, what came on a stream after its end, what control frames carry")
	}
	return c.stray.write(sent, b)
}

// upgraded makes a tunnel of what follows an exchange. protocol is what was agreed
// on, and extensions what Sec-WebSocket-Extensions says of it.
func (x *exchange) upgraded(protocol, extensions string) *tunnel {
	t := &tunnel{c: x.c, record: x.c.o.Connection}
	t.record.Flow, t.record.Started, t.record.Reason = x.request.Flow, x.request.Started, flow.Upgraded
	t.record.Detail = "the connection went over to " + protocol + ", which is kept and not read"
	if u, err := url.Parse(x.request.URL); err == nil && u.Host != "" {
		t.record.Host, t.record.Port = u.Hostname(), defaultPort(u.Scheme)
		if port, err := strconv.Atoi(u.Port()); err == nil {
			t.record.Port = port
		}
	}
	if isToken(protocol, "websocket") {
		t.record.Detail = "the connection went over to WebSocket"
		up, down := deflation(extensions)
		t.messages = [2]*messages{newMessages(t, true, up), newMessages(t, false, down)}
	}
	return t
}

// write takes bytes of one direction.
func (t *tunnel) write(sent bool, b []byte) error {
	to, i := &t.down, 1
	if sent {
		to, i = &t.up, 0
		t.record.Sent += int64(len(b))
	} else {
		t.record.Received += int64(len(b))
	}
	if err := writeTo(to, t.c.o.Recorder, b); err != nil {
		return err
	}
	if m := t.messages[i]; m != nil {
		return m.take(b)
	}
	return nil
}

// end records the tunnel. It does nothing for none, and the second time.
func (t *tunnel) end() error {
	if t == nil || t.over {
		return nil
	}
	t.over = true
	var failed error
	for i, m := range t.messages {
		if m == nil {
			continue
		}
		if err := m.end(); err != nil && failed == nil {
			failed = err
		}
		if m.broken != "" {
			t.record.Detail += "; the messages " + []string{"from", "to"}[i] + " the client could not be read to the end: " + m.broken
		}
	}
	t.record.Ended = t.c.at
	t.record.Up, t.record.Down = endBody(&t.up, t.c.why), endBody(&t.down, t.c.why)
	if failed != nil {
		return failed
	}
	return t.c.o.Recorder.Connection(t.record)
}
