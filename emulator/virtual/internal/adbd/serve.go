// Package adbd is the device's side of adb: the daemon that Debian's adb
// program connects to.
//
// [Serve] accepts connections and speaks the protocol of adb's protocol.txt:
// CNXN, OPEN, OKAY, WRTE and CLSE, at version 0x01000001 and without AUTH. The
// services are those that adb's own verbs open: shell (both protocols), exec,
// sync, sockets to forward to, reverse, root, remount and reboot. What they do
// is up to a [Device].
package adbd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// server is one run of Serve.
type server struct {
	device Device
	mu     sync.Mutex
	conns  map[*conn]struct{}
	next   int
}

// Serve accepts connections until ctx is done, closes the listener, and
// returns when every service has ended. It returns nil then, and an error if
// the listener failed by itself.
func Serve(ctx context.Context, l net.Listener, d Device) error {
	s := &server{device: d, conns: map[*conn]struct{}{}}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	var wg sync.WaitGroup
	defer func() {
		cancel()
		stop()
		l.Close()
		wg.Wait()
	}()
	for {
		nc, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("adb daemon on %s: %w", l.Addr(), err)
		}
		c := s.add(ctx, nc)
		wg.Go(func() {
			defer s.remove(c)
			c.serve()
		})
	}
}

func (s *server) add(ctx context.Context, nc net.Conn) *conn {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	c := &conn{
		server: s, nc: nc, ctx: ctx, cancel: cancel, number: s.next,
		streams: map[uint32]*stream{}, reverses: map[string]*reverse{}, maxData: oldPayload,
	}
	s.conns[c] = struct{}{}
	return c
}

func (s *server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// restart drops every connection, as a daemon that starts anew does.
func (s *server) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.cancel()
	}
}
