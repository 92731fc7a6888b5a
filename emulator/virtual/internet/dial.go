package internet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
)

// Dial connects to a service by name. Its signature is that of
// [net.Dialer.DialContext], and so are its errors: a *[net.OpError] that wraps
// a *[net.DNSError] with IsNotFound for a name that does not exist,
// ECONNREFUSED for a name without a service on that port, ENETUNREACH for an
// address, since only names lead anywhere. network is "tcp", "tcp4" or "tcp6".
func (in *Internet) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := in.dial(ctx, network, address)
	in.recorder.dialled(address, err)
	return c, err
}

func (in *Internet) dial(ctx context.Context, network, address string) (net.Conn, error) {
	fail := func(addr net.Addr, err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return fail(nil, err)
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return fail(nil, net.UnknownNetworkError(network))
	}
	host, port, err := splitHostPort(address)
	if err != nil {
		return fail(nil, &net.AddrError{Err: err.Error(), Addr: address})
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return fail(net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, port)), os.NewSyscallError("connect", syscall.ENETUNREACH))
	}
	name, err := cleanName(host)
	if err != nil {
		return fail(nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true})
	}
	s := in.lookup(name)
	if s == nil {
		return fail(nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true})
	}
	to := netip.AddrPortFrom(s.addr, port)
	ep := in.port(s, port)
	if ep == nil {
		return fail(net.TCPAddrFromAddrPort(to), os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	c, err := in.connect(ep, name)
	if err != nil {
		return fail(net.TCPAddrFromAddrPort(to), err)
	}
	return c, nil
}

// conn is one end of a connection, with addresses as a network would have them.
type conn struct {
	net.Conn
	ep            *endpoint
	name          string // that the client dialled
	local, remote net.Addr
	onClose       func()
	closed        atomic.Bool
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// CloseWrite tells the other end that nothing more comes.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return c.Close()
}

func (c *conn) Close() error {
	if c.onClose != nil && !c.closed.Swap(true) {
		c.onClose()
	}
	return c.Conn.Close()
}

// connect makes a connection and hands its far end to the service.
func (in *Internet) connect(ep *endpoint, name string) (net.Conn, error) {
	near, far, err := pair()
	if err != nil {
		return nil, fmt.Errorf("connect inside the simulated internet: %w", err)
	}
	server := &net.TCPAddr{IP: ep.site.addr.AsSlice(), Port: int(ep.port)}
	// Where an Android emulator's network puts the device.
	client := &net.TCPAddr{IP: net.IPv4(10, 0, 2, 15), Port: in.ephemeral()}
	there := &conn{Conn: far, ep: ep, name: name, local: server, remote: client}
	there.onClose = func() { in.forget(there) }
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		near.Close()
		far.Close()
		return nil, net.ErrClosed
	}
	in.conns[there] = struct{}{}
	if ep.raw != nil {
		in.running.Add(1)
	}
	in.mu.Unlock()
	switch {
	case ep.raw != nil:
		go func() {
			defer in.running.Done()
			defer there.Close()
			ep.raw(there)
		}()
	case ep.secure:
		in.https.accept(there)
	default:
		in.http.accept(there)
	}
	return &conn{Conn: near, local: client, remote: server}, nil
}

func (in *Internet) forget(c *conn) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.conns, c)
}

// ephemeral counts through the ports that a client's system would pick from (RFC 6335).
func (in *Internet) ephemeral() int {
	return 49152 + int(in.clients.Add(1)%16384)
}
