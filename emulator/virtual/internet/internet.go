// Package internet is the small world that the embedded device talks to: named
// origins with TLS, plain HTTP and raw TCP services, all inside this process.
//
// Make one with [New], give it origins with [Internet.Handle] and
// [Internet.HandleTCP], and hand [Internet.Dial] and [Internet.Roots] to
// whatever stands on the host and must reach them, such as an intercepting
// proxy. A browser, which wants addresses, reaches the same origins through a
// [Gateway]. Nothing listens on a network, a name that was not registered does
// not exist, and nothing leaves the machine. What the origins saw is kept by a
// [Recorder], where one is given: it is the ground truth for tests and
// calibration.
package internet

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// Internet is a set of origins. Its methods are safe for concurrent use.
type Internet struct {
	ca       *authority
	recorder *Recorder
	ctx      context.Context // ends when the internet is closed
	cancel   context.CancelFunc
	http     *server // plain HTTP
	https    *server
	clients  atomic.Uint32

	mu        sync.RWMutex
	sites     map[string]*site // by pattern
	conns     map[*conn]struct{}
	closed    bool
	endpoints int            // how many were registered, for their addresses
	running   sync.WaitGroup // handlers and raw services
}

// An Option changes what New makes.
type Option func(*Internet)

// WithRecorder makes the internet note in r every connection that is asked for
// and every request that an origin receives.
func WithRecorder(r *Recorder) Option { return func(in *Internet) { in.recorder = r } }

// New returns an internet without origins, with a certificate authority of its
// own that exists in no other. Close frees it.
func New(opts ...Option) (*Internet, error) {
	ca, err := newAuthority("unasked simulated web PKI")
	if err != nil {
		return nil, fmt.Errorf("make the simulated internet's certificate authority: %w", err)
	}
	in := &Internet{ca: ca, sites: map[string]*site{}, conns: map[*conn]struct{}{}}
	for _, o := range opts {
		o(in)
	}
	in.ctx, in.cancel = context.WithCancel(context.Background())
	in.http = in.serve(nil)
	in.https = in.serve(in.tlsConfig())
	return in, nil
}

// site is one name, or one wildcard, and its services by port.
type site struct {
	pattern string
	addr    netip.Addr // what a resolver would have answered
	ports   map[uint16]*endpoint
}

// ErrTaken is wrapped by the error for a name and port that already have a service.
var ErrTaken = errors.New("already has a service")

// register adds endpoints to one site, all or none.
func (in *Internet) register(pattern string, eps ...*endpoint) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return fmt.Errorf("register %s: the internet is closed", pattern)
	}
	s := in.sites[pattern]
	if s == nil {
		s = &site{pattern: pattern, ports: map[uint16]*endpoint{}}
	}
	for i, ep := range eps {
		twice := slices.ContainsFunc(eps[:i], func(o *endpoint) bool { return o.port == ep.port })
		if s.ports[ep.port] != nil || twice {
			return fmt.Errorf("register %s: port %d %w", pattern, ep.port, ErrTaken)
		}
	}
	if in.sites[pattern] == nil {
		in.endpoints++
		// 198.18.0.0/15 is set aside for test networks (RFC 2544, RFC 6890).
		n := in.endpoints
		s.addr = netip.AddrFrom4([4]byte{198, 18 + byte(n>>16&1), byte(n >> 8), byte(n)})
		in.sites[pattern] = s
	}
	for _, ep := range eps {
		ep.site = s
		s.ports[ep.port] = ep
	}
	return nil
}

// Handle registers an origin: h answers for host, over HTTP/1.1 and HTTP/2, on
// port 443 under a certificate that the internet's authority issues for the
// name that a client asks for. The host is a DNS name, or "*." and a DNS name
// for every name below that one; a more specific name wins. A request whose
// Host is another one gets 421 (RFC 9110, section 15.5.20).
func (in *Internet) Handle(host string, h http.Handler, opts ...OriginOption) error {
	pattern, err := cleanPattern(host)
	if err != nil {
		return err
	}
	if h == nil {
		return fmt.Errorf("register %s: the handler is nil", host)
	}
	o := origin{port: 443}
	for _, opt := range opts {
		opt(&o)
	}
	eps := []*endpoint{{port: o.port, handler: h, tls: o.tls, secure: true}}
	if o.plain {
		eps = append(eps, &endpoint{port: 80, handler: h})
	}
	return in.register(pattern, eps...)
}

// HandleTCP registers a raw service on a name and a port, such as
// "push.example.com:5224". serve gets each connection and its own goroutine;
// the connection is closed when serve returns, or when the internet is closed.
func (in *Internet) HandleTCP(hostport string, serve func(net.Conn)) error {
	host, port, err := splitHostPort(hostport)
	if err != nil {
		return err
	}
	pattern, err := cleanPattern(host)
	if err != nil {
		return err
	}
	if serve == nil {
		return fmt.Errorf("register %s: the service is nil", hostport)
	}
	return in.register(pattern, &endpoint{port: port, raw: serve})
}

// An OriginOption changes one origin.
type OriginOption func(*origin)

// CAPEM is the certificate of the authority that vouches for the origins, in
// PEM. It stands for the public web PKI: a device that has it trusts every origin.
func (in *Internet) CAPEM() []byte { return in.ca.pem() }

// Roots is a pool with that authority alone.
func (in *Internet) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(in.ca.cert)
	return pool
}

// Close ends every connection and waits until no handler runs any more.
func (in *Internet) Close() error {
	in.mu.Lock()
	in.closed = true
	for c := range in.conns {
		c.Conn.Close()
	}
	in.mu.Unlock()
	in.cancel()
	err := errors.Join(in.http.close(), in.https.close())
	in.running.Wait()
	return err
}
