package adbd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
)

// maxStreams is how many streams a connection may have at once.
const maxStreams = 1024

// conn is one connection of an adb server.
type conn struct {
	server *server
	nc     net.Conn
	ctx    context.Context // done when the connection is to end
	cancel context.CancelFunc
	number int
	wg     sync.WaitGroup

	writing sync.Mutex

	mu       sync.Mutex
	online   bool
	maxData  int
	streams  map[uint32]*stream
	next     uint32
	reverses map[string]*reverse // by what the device listens on
}

// serve reads packets until the connection ends, and waits for its services.
func (c *conn) serve() {
	stop := context.AfterFunc(c.ctx, func() { c.nc.Close() })
	defer stop()
	for {
		p, err := readPacket(c.nc)
		if err != nil {
			break
		}
		if err := c.handle(p); err != nil {
			break
		}
	}
	c.cancel()
	c.nc.Close()
	c.reset()
	c.wg.Wait()
}

// reset ends every stream and reverse of the connection.
func (c *conn) reset() {
	c.mu.Lock()
	streams, reverses := c.streams, c.reverses
	c.streams, c.reverses = map[uint32]*stream{}, map[string]*reverse{}
	c.mu.Unlock()
	for _, s := range streams {
		s.end()
	}
	for _, r := range reverses {
		r.stop()
	}
}

var (
	errOffline   = errors.New("a packet came before CNXN")
	errImpatient = errors.New("a WRTE came before the last one was acknowledged")
)

// handle acts on one packet; an error ends the connection.
func (c *conn) handle(p packet) error {
	if p.command == cmdConnect {
		return c.connect(p)
	}
	if !c.online {
		switch p.command {
		case cmdSync, cmdAuth, cmdTLS:
			return nil
		}
		return errOffline
	}
	switch p.command {
	case cmdOpen:
		return c.accept(p)
	case cmdOkay:
		if s := c.find(p.arg1, 0); s != nil {
			s.acknowledged(p.arg0)
		}
	case cmdWrite:
		if s := c.find(p.arg1, p.arg0); s != nil {
			return s.deliver(p.data)
		}
	case cmdClose:
		if s := c.find(p.arg1, p.arg0); s != nil {
			c.forget(s)
			s.end()
			if p.arg0 != 0 {
				return c.send(packet{command: cmdClose, arg0: s.local, arg1: p.arg0})
			}
		}
	}
	return nil
}

// connect answers a greeting. A second one starts the connection anew.
func (c *conn) connect(p packet) error {
	if c.online {
		c.reset()
	}
	c.mu.Lock()
	c.online = true
	c.maxData = min(maxPayload, max(oldPayload, int(min(p.arg1, maxPayload))))
	c.mu.Unlock()
	return c.send(packet{command: cmdConnect, arg0: min(version, max(p.arg0, 0x01000000)), arg1: maxPayload, data: []byte(c.server.device.Banner())})
}

// accept opens the service that the peer asks for.
func (c *conn) accept(p packet) error {
	service, _, _ := bytes.Cut(p.data, []byte{0})
	if bytes.HasPrefix(p.data, []byte("abb")) { // their arguments are separated by NUL
		service = bytes.TrimRight(p.data, "\x00")
	}
	c.mu.Lock()
	full := len(c.streams) >= maxStreams
	c.mu.Unlock()
	if p.arg0 == 0 || full {
		return c.send(packet{command: cmdClose, arg1: p.arg0})
	}
	s := c.newStream(p.arg0)
	c.wg.Go(func() {
		defer s.Close()
		c.open(s, string(service))
	})
	return nil
}

func (c *conn) newStream(remote uint32) *stream {
	ctx, cancel := context.WithCancel(c.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.next++; c.next == 0 || c.streams[c.next] != nil; c.next++ {
	}
	s := &stream{conn: c, local: c.next, remote: remote, ctx: ctx, cancel: cancel, ready: make(chan struct{}, 1)}
	s.arrived = sync.NewCond(&s.mu)
	c.streams[s.local] = s
	return s
}

// find is the stream with those numbers; remote 0 matches any.
func (c *conn) find(local, remote uint32) *stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[local]
	if s == nil {
		return nil
	}
	if theirs := s.peer(); remote != 0 && theirs != 0 && theirs != remote {
		return nil
	}
	return s
}

func (c *conn) forget(s *stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[s.local] != s {
		return false
	}
	delete(c.streams, s.local)
	return true
}

// payload is how much one packet may carry.
func (c *conn) payload() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.maxData
}

// send writes one packet. A connection that can't be written to is ended.
func (c *conn) send(p packet) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.nc.Write(p.encode()); err != nil {
		c.cancel()
		return err
	}
	return nil
}

// dial opens a stream to a socket on the peer's side, as reverse needs.
func (c *conn) dial(ctx context.Context, service string) (net.Conn, error) {
	s := c.newStream(0)
	if c.ctx.Err() != nil {
		s.Close()
		return nil, net.ErrClosed
	}
	if err := c.send(packet{command: cmdOpen, arg0: s.local, data: append([]byte(service), 0)}); err != nil {
		s.Close()
		return nil, err
	}
	select {
	case <-s.ready:
		s.ready <- struct{}{}
		return s, nil
	case <-s.ctx.Done():
		s.Close()
		return nil, errors.New("the adb server refused to connect to " + service)
	case <-ctx.Done():
		s.Close()
		return nil, ctx.Err()
	}
}

// little is a little-endian word.
func little(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
