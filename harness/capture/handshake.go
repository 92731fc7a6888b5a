package capture

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"reflect"
	"syscall"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// pinTime is how soon after a handshake a client hangs up when it does not like
// the certificate and says so to nobody. A connection that was opened in advance
// is kept for longer.
const pinTime = time.Second

// refused records a TLS handshake that failed. late says that the client may have
// had no time to wait for it.
func (c *conn) refused(err error, late bool) {
	if code, ok := c.device.alert(); ok {
		err = &net.OpError{Op: "remote error", Err: tls.AlertError(code)}
	}
	reason, detail := c.whyRefused(err)
	_, over := c.isOver()
	if c.hello != nil && !over && (reason == flow.Distrusted || reason == flow.HungUp && !late) {
		c.p.pins.refuse(c.pin())
	}
	c.say(reason, detail)
}

// plainAlert is the length of a TLS alert that is not encrypted: type 21, a
// version, the length 2, the level and the code.
const plainAlert = 7

// alert is the code of the fatal alert that the client's bytes ended with, in
// the clear. OpenSSL's TLS 1.3 client says so when it refuses a certificate,
// where encryption is due already, and crypto/tls sees only that.
func (s *socket) alert() (code byte, ok bool) {
	b := s.last
	return b[6], b[0] == 21 && b[1] == 3 && b[2] <= 4 && b[3] == 0 && b[4] == 2 && b[5] == 2
}

// afterHandshake records a client that has shaken hands and asked for nothing. shaken
// is when; the connection is over.
func (c *conn) afterHandshake(device *stream, shaken time.Time) {
	switch {
	case c.p.Err() != nil, device.taken == 0 && c.unread:
	case device.taken == 0 && c.lost.Load():
		c.say(flow.Unused, "the origin ended the connection before the client had sent anything on it")
	case device.taken == 0 && !c.isCut() && device.failed != nil && device.at.Sub(shaken) < pinTime:
		c.p.pins.refuse(c.pin())
		if reason, detail := c.whyRefused(device.failed); reason == flow.Distrusted {
			c.say(reason, detail)
			return
		}
		c.say(flow.HungUp, "the client completed the TLS handshake and went away without a request, as an app does that pins its certificates")
	case device.taken == 0:
		c.silent(cmp.Or(device.failed, io.EOF))
	case c.tls.ALPN == "h2" && c.requests == 0 && !c.unread:
		c.say(flow.Unused, "the client opened the connection and made no request on it")
	}
}

// whyRefused sorts a failure of a handshake with a device.
func (c *conn) whyRefused(err error) (reason, detail string) {
	if code, ok := alertCode(err); ok {
		if distrusting[code] {
			return flow.Distrusted, "the client refused the certificate: " + err.Error()
		}
		return flow.Broken, "the client gave the handshake up: " + err.Error()
	}
	switch {
	case c.isCut():
		return flow.HungUp, "the capture ended during the handshake"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return flow.HungUp, "the client went away during the handshake"
	case errors.Is(err, context.DeadlineExceeded):
		return flow.HungUp, "the client did not go on with the handshake"
	}
	return flow.Broken, "the handshake failed: " + err.Error()
}

// distrusting are the TLS alerts by which a client refuses a certificate (RFC
// 8446 section 6.2): bad_certificate, unsupported_certificate,
// certificate_revoked, certificate_expired, certificate_unknown, unknown_ca,
// access_denied and bad_certificate_status_response.
var distrusting = map[uint64]bool{42: true, 43: true, 44: true, 45: true, 46: true, 48: true, 49: true, 113: true}

// alertCode is the number of the alert that a client sent. crypto/tls keeps the
// alert's type to itself, so that its number is had by its kind alone.
func alertCode(err error) (uint64, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return v.Uint(), true
}
