package capture

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// handshakeTimeout bounds how long a device may take over a TLS handshake.
const handshakeTimeout = 60 * time.Second

// pinTime is how soon after a handshake a client hangs up when it does not like
// the certificate and says so to nobody. A connection that was opened in advance
// is kept for longer.
const pinTime = time.Second

// tunnel finds out what goes through a connection that CONNECT has opened, and
// sees to it until it is closed.
func (p *Proxy) tunnel(w *wire) {
	l := w.link
	l.scheme = "http"
	opened, err := p.awaken(w, func(ctx context.Context) (net.Conn, error) { return p.dialTarget(ctx, l) })
	switch {
	case err != nil:
		p.silent(l, err)
		return
	case opened != nil:
		p.raw(w, opened, "the origin speaks first")
		return
	case w.speaksTLS():
		p.tunnelTLS(w)
		return
	}
	p.tunnelClear(w, func(ctx context.Context) (net.Conn, error) { return p.dialTarget(ctx, l) })
}

// tunnelTLS takes TLS off.
func (p *Proxy) tunnelTLS(w *wire) {
	l := w.link
	ctx, cancel := context.WithTimeout(p.ctx, handshakeTimeout)
	defer cancel()
	server := tls.Server(w, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		l.sni, l.hello = hello.ServerName, fingerprint(hello)
		return p.leafConfig(l, hello.SupportedProtos)
	}})
	if err := server.HandshakeContext(ctx); err != nil {
		p.refused(w, err)
		return
	}
	state := server.ConnectionState()
	l.scheme, l.alpn, l.tls = "https", state.NegotiatedProtocol, describeTLS(state)
	l.tls.Fingerprint = l.hello
	shaken := time.Now()
	inner := newWire(server, l)
	if !p.keep(inner) {
		return
	}
	defer p.drop(inner)
	dial := func(ctx context.Context) (net.Conn, error) { return p.dialTargetTLS(ctx, l) }
	opened, err := p.awaken(inner, dial)
	switch {
	case err != nil && time.Since(shaken) < pinTime && !p.isCutting():
		p.rejected(l, err)
	case err != nil:
		p.silent(l, err)
	case opened != nil:
		p.raw(inner, opened, "the origin speaks first, inside TLS")
	default:
		p.tunnelClear(inner, dial)
	}
}

// tunnelClear serves requests, or passes on what is none.
func (p *Proxy) tunnelClear(w *wire, dial func(context.Context) (net.Conn, error)) {
	l := w.link
	if !w.speaksHTTP() {
		origin, err := dial(p.ctx)
		if err != nil {
			p.noOrigin(w, err)
			return
		}
		p.raw(w, newWire(origin, l), "what the client sends is no HTTP")
		return
	}
	p.serving(w, w.speaksHTTP2())
	transport := p.newTransport(l)
	defer transport.CloseIdleConnections()
	l.round = transport
	if p.feed.serve(w) {
		<-w.closed
	}
	if begun, served := l.begun.Load(), l.served.Load(); served == 0 || l.alpn != "h2" && begun > served {
		c := p.connection(l, flow.NoHTTP)
		c.Detail = fmt.Sprintf("after %d requests something came that is no well-formed HTTP", served)
		_ = p.record(l.at, evidence.KindConnection, c)
	}
}

// leafConfig is how the device is spoken to.
func (p *Proxy) leafConfig(l *link, offered []string) (*tls.Config, error) {
	c := &tls.Config{
		MinVersion: tls.VersionTLS10, // an old app is to be recorded too
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if l.sni != "" {
				return p.o.CA.certificate(l.sni, l.host)
			}
			return p.o.CA.certificate(l.host)
		},
	}
	if len(offered) > 0 && !slices.ContainsFunc(offered, func(o string) bool { return slices.Contains(c.NextProtos, o) }) {
		c.NextProtos = offered // no HTTP: agree to anything, and pass it on
	}
	return c, nil
}

// awaken waits until the client has sent something. Where it stays silent, the
// origin is asked: it may be its turn. If it speaks first, the connection to it
// is returned.
func (p *Proxy) awaken(w *wire, dial func(context.Context) (net.Conn, error)) (opened *wire, err error) {
	client := make(chan error, 1)
	p.work.Go(func() {
		_, err := w.Peek(1)
		client <- err
	})
	patience := time.NewTimer(p.o.patience)
	defer patience.Stop()
	select {
	case err := <-client:
		return nil, err
	case <-patience.C:
	}
	conn, err := dial(p.ctx)
	if err != nil {
		return nil, <-client // it will be said once the client has asked for something
	}
	origin := newWire(conn, w.link)
	if !p.keep(origin) {
		_ = conn.Close() // nothing was said on it
		return nil, <-client
	}
	spoken := make(chan error, 1)
	p.work.Go(func() {
		_, err := origin.Peek(1)
		spoken <- err
	})
	select {
	case err := <-client:
		p.drop(origin)
		<-spoken
		return nil, err
	case err := <-spoken:
		if err == nil {
			w.peeking = client
			return origin, nil
		}
		p.drop(origin)
		return nil, <-client
	}
}

func (p *Proxy) dialTarget(ctx context.Context, l *link) (net.Conn, error) {
	return p.dial(ctx, "tcp", net.JoinHostPort(l.host, fmt.Sprint(l.port)))
}

func (p *Proxy) dialTargetTLS(ctx context.Context, l *link) (net.Conn, error) {
	c, err := p.dialTarget(ctx, l)
	if err != nil {
		return nil, err
	}
	config := p.originTLS(cmp.Or(l.sni, l.host))
	if l.alpn != "" {
		config.NextProtos = []string{l.alpn}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	t := tls.Client(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, &originError{errors.Join(err, c.Close())}
	}
	return t, nil
}

// connection is the record of a connection that could not be read.
func (p *Proxy) connection(l *link, reason string) flow.Connection {
	return flow.Connection{
		Flow: p.nextID(), Started: l.started, Ended: p.o.Now(), Host: l.host, Port: l.port, SNI: l.sni, Fingerprint: l.hello,
		Reason: reason, Sent: l.sent.Load(), Received: l.received.Load(),
	}
}

// silent records a connection on which the client said nothing.
func (p *Proxy) silent(l *link, err error) {
	c := p.connection(l, flow.Unused)
	c.Detail = "the client opened the connection and sent nothing on it"
	if !errors.Is(err, io.EOF) && !p.isCutting() {
		c.Detail += ": " + err.Error()
	}
	_ = p.record(l.at, evidence.KindConnection, c)
}

// noOrigin records a connection that has no other end, with what was sent for it so far.
func (p *Proxy) noOrigin(w *wire, err error) {
	c := p.connection(w.link, flow.NoOrigin)
	c.Detail = err.Error()
	up := p.newTap()
	if b, _ := w.Peek(w.in.Buffered()); up.write(b) == nil {
		c.Up = up.end(p.whyCut("its origin can't be reached"))
		c.Sent = c.Up.Size
	}
	_ = p.record(w.link.at, evidence.KindConnection, c)
}

// describeTLS says how a connection is protected.
func describeTLS(s tls.ConnectionState) *flow.TLS {
	t := &flow.TLS{Version: tls.VersionName(s.Version), ALPN: s.NegotiatedProtocol, SNI: s.ServerName}
	for _, c := range s.PeerCertificates {
		t.Chain = append(t.Chain, evidence.DigestOf(c.Raw))
	}
	return t
}
