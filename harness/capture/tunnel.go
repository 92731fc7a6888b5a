package capture

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// handshakeTimeout bounds how long a device may take over a TLS handshake.
const handshakeTimeout = 60 * time.Second

// tunnel finds out what goes through a connection whose destination is known, or will
// be by its first bytes, and sees to it until it is closed.
func (c *conn) tunnel() {
	opened, err := c.awaken()
	if err != nil {
		if opened != nil {
			opened.abort()
		}
		c.silent(err)
		return
	}
	if len(c.device.here()) > 0 && c.device.speaksTLS() {
		c.tunnelTLS(opened)
		return
	}
	c.tunnelClear(opened)
}

// tunnelClear joins a connection without TLS with its origin.
func (c *conn) tunnelClear(opened *socket) {
	device := &stream{socket: c.device}
	c.begin() // its first bytes are here
	origin, o, err := c.openClear(device, opened)
	c.done()
	switch {
	case err != nil && c.isCut(), c.p.Err() != nil:
		_ = device.Close() // there was nobody to pass anything to
	case err != nil:
		c.hear(device, err, false)
	default:
		c.relay(device, origin, o)
	}
}

// openClear connects to the origin, and passes on what the device has sent already.
func (c *conn) openClear(device *stream, opened *socket) (*stream, observer, error) {
	if !c.learn(false) {
		return nil, nil, &originError{errNowhere}
	}
	origin, err := c.dialClear(c.p.ctx, opened)
	if err != nil {
		return nil, nil, err
	}
	o := c.observe(new(recorder), "http", false)
	c.reached(origin, o)
	if !c.join(origin, o) {
		return nil, nil, errOver
	}
	seen := c.device.here()
	if err := c.pass(origin, seen, seen, o.Sent); err != nil {
		_ = o.SentAll(err)
	}
	c.device.take(len(seen))
	return origin, o, nil
}

// awaken waits until the client has sent something. Where it stays silent, the origin
// is asked: it may be its turn. The connection to it is returned, if there is one.
func (c *conn) awaken() (opened *socket, err error) {
	c.device.within(c.p.o.patience)
	_, err = c.device.some()
	c.device.within(0)
	if err == nil || !isTimeout(err) {
		return nil, err
	}
	if c.port != 0 {
		opened = c.askOrigin()
	}
	if opened != nil && len(opened.here()) > 0 {
		return opened, nil
	}
	_, err = c.device.some()
	return opened, err
}

// askOrigin opens a connection to the origin and waits until either side speaks. It
// returns nil where the origin has nothing to say, or can't be reached: that will be
// said once the client has asked for something.
func (c *conn) askOrigin() *socket {
	tcp, err := c.p.dial(c.p.ctx, "tcp", c.target())
	if err != nil {
		return nil
	}
	opened := newSocket(tcp, nil)
	if !c.join(opened, nil) {
		return nil
	}
	spoken := make(chan error, 1)
	c.p.work.Go(func() {
		_, err := opened.some()
		c.device.interrupt()
		spoken <- err
	})
	_, _ = c.device.some() // an error comes again
	opened.interrupt()
	err = <-spoken
	c.device.within(0)
	opened.within(0)
	if err != nil && !isTimeout(err) {
		c.leave(opened) // it went away, as one does that is not asked anything
		opened.abort()
		return nil
	}
	return opened
}

// tunnelTLS takes TLS off on both sides. The origin is asked first, so that the device
// is offered the protocol that the origin chooses.
func (c *conn) tunnelTLS(opened *socket) {
	var err error
	if c.hello, err = c.device.readHello(); err != nil {
		if opened != nil {
			opened.abort()
		}
		c.refused(err, true)
		return
	}
	known := c.learn(true)
	if refused, pass := c.p.pins.passes(c.pin(), c.p.o.PassAfter); pass && known {
		c.passUntouched(opened, refused)
		return
	}
	d := c.dialTLS(opened, c.hello.offers)
	asked := time.Now()
	origin, failure := d.wait(c.p.o.prompt)
	slow := time.Since(asked) > pinTime // a client that hangs up now may just have no time
	ctx, cancel := context.WithTimeout(c.p.ctx, handshakeTimeout)
	defer cancel()
	server := tls.Server(c.device, c.deviceConfig(origin))
	if err := server.HandshakeContext(ctx); err != nil {
		d.drop()
		c.refused(err, slow)
		return
	}
	state := server.ConnectionState()
	c.tls = describeTLS(state)
	c.tls.Fingerprint = c.hello.fingerprint
	device := &stream{socket: c.device, tls: server, began: func() { c.p.pins.accept(c.pin()) }}
	defer c.afterHandshake(device, time.Now())
	heard := func() {}
	if origin == nil && failure == nil { // it is slow: the device is heard meanwhile
		if device.await() != nil {
			d.drop()
			return
		}
		c.begin()
		heard = c.done
		origin, failure = d.settle(state.NegotiatedProtocol)
	}
	h2 := state.NegotiatedProtocol == "h2"
	if c.asks.Load() {
		c.say(flow.ClientCert, "the origin asks for a certificate of the client's own, which only the app has; the connection goes on without one")
	}
	if failure != nil {
		heard()
		c.hear(device, failure, h2)
		return
	}
	o := c.observe(new(recorder), "https", h2)
	c.reached(origin, o)
	if !c.join(origin, o) {
		heard()
		return
	}
	if len(device.ahead) > 0 {
		if err := c.pass(origin, device.ahead, device.ahead, o.Sent); err != nil {
			_ = o.SentAll(err)
		}
		device.ahead = nil
	}
	heard()
	c.relay(device, origin, o)
	now := o.State()
	c.requests, c.unread = now.Requests, now.NoHTTP
}

// reached notes which origin the connection is joined with.
func (c *conn) reached(origin *stream, o interface{ SetOrigin(string, *flow.TLS) }) {
	server := addressOf(origin.Conn)
	var t *flow.TLS
	if origin.tls != nil {
		t = describeTLS(origin.tls.ConnectionState())
	}
	c.mu.Lock()
	c.server = server
	c.mu.Unlock()
	o.SetOrigin(server, t)
}

func addressOf(c net.Conn) string {
	if a := c.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}
