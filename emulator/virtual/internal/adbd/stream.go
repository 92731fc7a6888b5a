package adbd

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// stream is one of a connection's streams, as a net.Conn without deadlines and half-closing.
type stream struct {
	conn   *conn
	local  uint32
	ctx    context.Context // done when either side has closed the stream
	cancel context.CancelFunc
	ready  chan struct{} // holds a token when a packet may be sent

	mu      sync.Mutex
	remote  uint32 // 0 until the peer has accepted
	arrived *sync.Cond
	data    []byte // what came and was not read
	unread  bool   // whether data is to be acknowledged once it is read
	opened  bool   // whether both sides know the stream's numbers
	ended   bool
}

var _ net.Conn = (*stream)(nil)

func (s *stream) peer() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remote
}

// accept tells the peer that its service is open.
func (s *stream) accept() error {
	s.mu.Lock()
	remote := s.remote
	s.opened = true
	s.mu.Unlock()
	s.allow()
	return s.conn.send(packet{command: cmdOkay, arg0: s.local, arg1: remote})
}

func (s *stream) allow() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// acknowledged notes that the peer takes the next packet.
func (s *stream) acknowledged(remote uint32) {
	s.mu.Lock()
	if s.remote == 0 {
		s.remote, s.opened = remote, true
	}
	s.mu.Unlock()
	s.allow()
}

// mostAhead is how many bytes may come that were not waited for.
const mostAhead = 256 << 10

// deliver takes a packet's data from the peer. It should come only when the last was
// acknowledged; where a few come ahead, a phone's adbd takes them too.
func (s *stream) deliver(data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unread && len(s.data)+len(data) > mostAhead {
		return errImpatient
	}
	s.data, s.unread = append(s.data, data...), true
	s.arrived.Broadcast()
	return nil
}

// end notes that the stream is over.
func (s *stream) end() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.arrived.Broadcast()
}

// Read reads what the peer sent; what came before it closed the stream too.
func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	for len(s.data) == 0 && !s.unread && !s.ended {
		s.arrived.Wait()
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	acknowledge := s.unread && len(s.data) == 0
	if acknowledge {
		s.unread, s.data = false, nil
	}
	ended, remote := s.ended, s.remote
	s.mu.Unlock()
	if acknowledge && !ended {
		s.conn.send(packet{command: cmdOkay, arg0: s.local, arg1: remote}) // a failure ends the connection, and this stream
	}
	if n == 0 && ended && !acknowledge {
		return 0, io.EOF
	}
	return n, nil
}

// Write sends to the peer, a packet each time it is ready for one.
func (s *stream) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		select {
		case <-s.ready:
		case <-s.ctx.Done():
			return sent, io.ErrClosedPipe
		}
		if s.ctx.Err() != nil {
			return sent, io.ErrClosedPipe
		}
		n := min(len(p)-sent, s.conn.payload())
		if err := s.conn.send(packet{command: cmdWrite, arg0: s.local, arg1: s.peer(), data: p[sent : sent+n]}); err != nil {
			return sent, io.ErrClosedPipe
		}
		sent += n
	}
	return sent, nil
}

// flush waits until the peer has acknowledged everything, or the stream is over.
func (s *stream) flush() {
	select {
	case <-s.ready:
		s.allow()
	case <-s.ctx.Done():
	}
}

// Close ends the stream on both sides. A stream that was never accepted is
// refused, which peers know by the missing number.
func (s *stream) Close() error {
	if s.conn.forget(s) {
		s.mu.Lock()
		local, remote := s.local, s.remote
		if !s.opened {
			local = 0
		}
		s.mu.Unlock()
		if remote != 0 {
			s.conn.send(packet{command: cmdClose, arg0: local, arg1: remote})
		}
	}
	s.end()
	return nil
}

func (s *stream) LocalAddr() net.Addr              { return s.conn.nc.LocalAddr() }
func (s *stream) RemoteAddr() net.Addr             { return s.conn.nc.RemoteAddr() }
func (s *stream) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (s *stream) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (s *stream) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// gathering joins small writes into large packets while the peer is busy.
type gathering struct {
	to      io.Writer
	mu      sync.Mutex
	changed *sync.Cond
	pending []byte
	closed  bool
	err     error
	wg      sync.WaitGroup
}

// gatherLimit is how much may wait to be sent before writers wait too.
const gatherLimit = 512 << 10

func gather(w io.Writer) *gathering {
	g := &gathering{to: w}
	g.changed = sync.NewCond(&g.mu)
	g.wg.Go(g.run)
	return g
}

func (g *gathering) run() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for len(g.pending) == 0 && !g.closed {
			g.changed.Wait()
		}
		if len(g.pending) == 0 {
			return
		}
		batch := g.pending
		g.pending = nil
		g.mu.Unlock()
		_, err := g.to.Write(batch)
		g.mu.Lock()
		g.changed.Broadcast()
		if err != nil {
			g.err, g.closed, g.pending = err, true, nil
			return
		}
	}
}

func (g *gathering) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.pending) > gatherLimit && !g.closed {
		g.changed.Wait()
	}
	if g.err != nil {
		return 0, g.err
	}
	if g.closed {
		return 0, io.ErrClosedPipe
	}
	g.pending = append(g.pending, p...)
	g.changed.Broadcast()
	return len(p), nil
}

// Close sends what is left, and waits until it is.
func (g *gathering) Close() error {
	g.mu.Lock()
	g.closed = true
	g.changed.Broadcast()
	g.mu.Unlock()
	g.wg.Wait()
	return g.err
}
