package capture

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// dialTimeout bounds how long an origin may take to accept a connection, where
// the host's own network is used.
const dialTimeout = 30 * time.Second

var (
	// errLoop: the origin is this proxy.
	errLoop = errors.New("it leads back to this proxy")
	// errHost: the origin is the machine that the audit runs on.
	errHost = errors.New("it is the auditing machine itself, which a device has no business with")
	// errNowhere: a redirected connection says nothing of where it goes.
	errNowhere = errors.New("nobody knows where this redirected connection was going")
)

// originError is a failure to reach an origin, before any request was sent to it.
type originError struct{ err error }

func (e *originError) Error() string { return e.err.Error() }
func (e *originError) Unwrap() error { return e.err }

// dial connects to an origin.
func (p *Proxy) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if p.isSelf(address) {
		return nil, &originError{errLoop}
	}
	dial := p.o.Network.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, Control: refuseHost}).DialContext
	}
	c, err := dial(ctx, network, address)
	if err != nil {
		return nil, &originError{err}
	}
	if remote := c.RemoteAddr(); remote != nil && (remote.String() == p.Addr() || remote.String() == p.TransparentAddr()) {
		return nil, &originError{errors.Join(errLoop, c.Close())}
	}
	return c, nil
}

// isSelf reports whether an address is this proxy's, as far as can be told without asking anybody.
func (p *Proxy) isSelf(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !slices.ContainsFunc([]string{p.Addr(), p.TransparentAddr()}, func(own string) bool {
		return strings.HasSuffix(own, ":"+port)
	}) {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (ip.Unmap().IsLoopback() || ip.IsUnspecified())
}

// refuseHost is a net.Dialer's Control: it sees addresses after names were
// resolved, so no name leads a device to what listens on the host (an adb server on
// loopback, for one, or what a firewall keeps from others on any of the host's
// addresses) or to a cloud's metadata service.
func refuseHost(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := a.Addr().Unmap()
	if ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || isOwn(ip) {
		return fmt.Errorf("%s: %w", ip, errHost)
	}
	return nil
}

// isOwn reports whether an address is one of this host's. They are asked for each time,
// for they change.
func isOwn(ip netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == ip.WithZone("")
	})
}

// dialClear joins the connection with its origin, without TLS. opened is a connection
// that was made before; nil for none.
func (c *conn) dialClear(ctx context.Context, opened *socket) (*stream, error) {
	if opened != nil {
		return &stream{socket: opened}, nil
	}
	start := time.Now()
	tcp, err := c.p.dial(ctx, "tcp", c.target())
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.connect = timed(start)
	c.mu.Unlock()
	s := &stream{socket: newSocket(tcp, nil)}
	if !c.join(s.socket, nil) {
		return nil, errOver
	}
	return s, nil
}

// dialling is a TLS connection to an origin that is being made.
type dialling struct {
	c      *conn
	done   chan struct{}
	cancel context.CancelFunc
	origin *stream // once done
	err    error
}

// dialTLS begins to join the connection with its origin, by TLS, and offers it
// protocols. opened is a TCP connection that was made before; nil for none. The caller
// calls wait, and then settle or drop where that gave neither origin nor error.
func (c *conn) dialTLS(opened *socket, protocols []string) *dialling {
	d := &dialling{c: c, done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(c.p.ctx, dialTimeout)
	d.cancel = cancel
	c.p.work.Go(func() {
		defer close(d.done)
		defer cancel()
		d.origin, d.err = c.shake(ctx, opened, protocols)
	})
	return d
}

// shake makes a TLS connection to the origin.
func (c *conn) shake(ctx context.Context, opened *socket, protocols []string) (*stream, error) {
	if c.port == 0 {
		return nil, &originError{errNowhere}
	}
	origin, err := c.dialClear(ctx, opened)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	origin.tls = tls.Client(origin.socket, c.originTLS(protocols))
	if err := origin.tls.HandshakeContext(ctx); err != nil {
		c.leave(origin.socket)
		origin.abort()
		return nil, &originError{err}
	}
	c.mu.Lock()
	c.handshake = timed(start)
	c.mu.Unlock()
	return origin, nil
}

// wait waits for the origin, but not for longer than d.
func (d *dialling) wait(limit time.Duration) (*stream, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-d.done:
		return d.origin, d.err
	case <-timer.C:
		return nil, nil
	}
}

// settle waits for the origin, which is to speak the protocol that was agreed with
// the device in the meantime.
func (d *dialling) settle(protocol string) (*stream, error) {
	<-d.done
	if d.err != nil || d.origin.tls.ConnectionState().NegotiatedProtocol == protocol {
		return d.origin, d.err
	}
	d.drop()
	var only []string
	if protocol != "" {
		only = []string{protocol}
	}
	d = d.c.dialTLS(nil, only)
	<-d.done
	if d.err == nil && d.origin.tls.ConnectionState().NegotiatedProtocol != protocol {
		d.drop()
		return nil, &originError{fmt.Errorf("it does not speak %q, which the client was offered before it answered", protocol)}
	}
	return d.origin, d.err
}

// drop gives the origin up.
func (d *dialling) drop() {
	d.cancel()
	<-d.done
	if d.origin != nil {
		d.c.leave(d.origin.socket)
		d.origin.abort()
	}
}

// originTLS is how the origin is spoken to: as the client would, as far as that goes.
func (c *conn) originTLS(protocols []string) *tls.Config {
	config := &tls.Config{
		RootCAs: c.p.o.Network.Roots, ServerName: c.known(), NextProtos: protocols,
		ClientSessionCache: c.p.sessions, DynamicRecordSizingDisabled: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			c.asks.Store(true)
			return new(tls.Certificate), nil // none
		},
	}
	if c.hello == nil {
		return config
	}
	config.MinVersion = max(c.hello.oldest, tls.VersionTLS10)
	if c.hello.version >= config.MinVersion {
		config.MaxVersion = c.hello.version
	}
	for _, s := range everySuite() {
		if slices.Contains(c.hello.suites, s) {
			config.CipherSuites = append(config.CipherSuites, s)
		}
	}
	return config
}

// everySuite is every cipher suite that there is code for, the weak ones too: what an
// app and its service agree on is theirs to choose.
func everySuite() []uint16 {
	var ids []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		ids = append(ids, s.ID)
	}
	return ids
}

// deviceConfig is how the device is spoken to: in the protocol that the origin has
// chosen; where there is no origin, in any.
func (c *conn) deviceConfig(origin *stream) *tls.Config {
	config := c.p.deviceTLS.Clone()
	c.device.wire.logKeys(config)
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return c.p.o.CA.certificate(c.known(), c.host)
	}
	if origin != nil {
		if chosen := origin.tls.ConnectionState().NegotiatedProtocol; chosen != "" {
			config.NextProtos = []string{chosen}
		}
		return config
	}
	for _, p := range []string{"h2", "http/1.1"} {
		if slices.Contains(c.hello.offers, p) {
			config.NextProtos = append(config.NextProtos, p)
		}
	}
	if config.NextProtos == nil {
		config.NextProtos = c.hello.offers // no HTTP: agree to anything
	}
	return config
}
