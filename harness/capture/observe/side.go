package observe

import (
	"time"
)

// side is one direction of a connection, and how far it was read.
type side struct {
	c    *Conn
	sent bool // by the device
	step func(*side, []byte) (int, error)

	held    []byte    // bytes of something that is not complete
	scanned int       // of held, how many were looked through
	started time.Time // first byte of the message that is being read
	blank   int64     // bytes of empty lines before it
	x       *exchange // whose body is being read
	left    int64     // bytes of it, or of its chunk, that are to come; -1 for all until the end
	ends    int       // messages that have ended
	waits   bool      // for the answer to a request for an upgrade

	frames frameReader // HTTP/2

	ended bool
	err   error // why
}

// notUnderstood is why bytes can't be read.
type notUnderstood string

func (e notUnderstood) Error() string { return string(e) }

// who is who sends on this side.
func (s *side) who() string {
	if s.sent {
		return "the client"
	}
	return "the origin"
}

// take reads bytes; with one, up to the end of a message.
func (s *side) take(b []byte, one bool) (n int, err error) {
	ends := s.ends
	for n < len(b) && (!one || s.ends == ends) {
		if s.step == nil {
			s.step = (*side).head
		}
		k, err := s.step(s, b[n:])
		n += k
		switch err := err.(type) {
		case nil:
		case notUnderstood:
			// Nothing of what is held, nor of what follows, was taken in.
			if err := s.c.giveUp(s, string(err)); err != nil {
				return n, err
			}
		default:
			return n, err
		}
	}
	return n, nil
}

// hold keeps bytes until more have come.
func (s *side) hold(b []byte) { s.held = append(s.held, b...) }

// release forgets what was held, and keeps the room for it if that is not large.
func (s *side) release() {
	s.scanned = 0
	if cap(s.held) > 64<<10 {
		s.held = nil
		return
	}
	s.held = s.held[:0]
}

// asking reports whether part of an HTTP/1 request has come.
func (s *side) asking() bool { return s.x != nil || len(s.held) > 0 }

// opaque keeps bytes as they are.
func (s *side) opaque(b []byte) (int, error) {
	return len(b), s.c.opaque.write(s.sent, b)
}

// tunnelled hands bytes on that follow an upgrade.
func (s *side) tunnelled(b []byte) (int, error) {
	return len(b), s.c.tunnel.write(s.sent, b)
}

// giveUp takes a side as bytes, from what is held on. The other one follows at the
// end of the message that it is in, and for HTTP/2 at once.
func (c *Conn) giveUp(s *side, why string) error {
	t := c.opaqueTo(why)
	held := s.held
	s.held, s.scanned = nil, 0
	s.step = (*side).opaque
	if err := t.write(s.sent, held); err != nil {
		return err
	}
	if c.h2 != nil {
		return c.giveUpStreams(s)
	}
	if x := s.x; x != nil { // it broke in the middle of a body
		s.x = nil
		if s.sent {
			return x.endRequest("what followed is no HTTP: " + why)
		}
		if err := x.endResponse("what followed is no HTTP: "+why, ""); err != nil {
			return err
		}
	}
	if s.sent {
		return nil
	}
	for _, x := range c.queue {
		if err := x.endResponse("", "what the origin sent is no HTTP: "+why); err != nil {
			return err
		}
	}
	c.queue = c.queue[:0]
	return nil
}

// abandoned reports whether the connection is not understood any more, so that no
// other message is to be read.
func (c *Conn) abandoned() bool { return c.opaque != nil }
