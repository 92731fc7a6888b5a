package capture

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// roundTripper sends requests on to origins.
type roundTripper interface {
	http.RoundTripper
	CloseIdleConnections()
}

// dialTimeout bounds how long an origin may take to accept a connection, where
// the host's own network is used.
const dialTimeout = 30 * time.Second

var (
	// errLoop: the origin is this proxy.
	errLoop = errors.New("it leads back to this proxy")
	// errHost: the origin is the machine that the audit runs on.
	errHost = errors.New("it is the auditing machine itself, which a device has no business with")
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
	if remote := c.RemoteAddr(); remote != nil && remote.String() == p.Addr() {
		return nil, &originError{errors.Join(errLoop, c.Close())}
	}
	return c, nil
}

// isSelf reports whether an address is this proxy's, as far as can be told without asking anybody.
func (p *Proxy) isSelf(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port != fmt.Sprint(p.address.Port()) {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (ip.Unmap().IsLoopback() || ip.IsUnspecified())
}

// refuseHost is a net.Dialer's Control: it sees addresses after names were
// resolved, so no name leads a device to what listens on the host's loopback
// (an adb server, for one) or to a cloud's metadata service.
func refuseHost(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := a.Addr().Unmap()
	if ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() {
		return fmt.Errorf("%s: %w", ip, errHost)
	}
	return nil
}

// originTLS is how an origin is spoken to. serverName may be empty, for the host's.
func (p *Proxy) originTLS(serverName string) *tls.Config {
	return &tls.Config{RootCAs: p.o.Network.Roots, ServerName: serverName}
}

// newTransport sends requests on. Where l is not nil, all of them go to the
// place that the device's connection l was opened to, whatever they say, and in
// the protocol that the device spoke.
func (p *Proxy) newTransport(l *link) *http.Transport {
	t := &http.Transport{
		DialContext:            p.dial,
		TLSClientConfig:        p.originTLS(""),
		TLSHandshakeTimeout:    dialTimeout,
		DisableCompression:     true, // Accept-Encoding is the app's own affair
		ExpectContinueTimeout:  time.Second,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 16 << 20,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{},
	}
	t.Protocols.SetHTTP1(true)
	if l == nil {
		return t
	}
	target := net.JoinHostPort(l.host, fmt.Sprint(l.port))
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return p.dial(ctx, network, target)
	}
	t.TLSClientConfig = p.originTLS(cmp.Or(l.sni, l.host))
	switch {
	case l.alpn == "h2" && l.tls != nil:
		t.Protocols.SetHTTP2(true)
	case l.alpn == "h2":
		t.Protocols.SetHTTP1(false)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	return t
}

// unreachable reports whether a request failed before anything of it was sent.
func unreachable(err error) bool {
	var origin *originError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var remote *net.OpError
	return errors.As(err, &origin) || errors.As(err, &cert) || errors.As(err, &record) ||
		errors.As(err, &remote) && remote.Op == "remote error"
}
