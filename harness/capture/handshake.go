package capture

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"reflect"
	"syscall"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// refused records a TLS handshake that failed.
func (p *Proxy) refused(w *wire, err error) {
	l := w.link
	if code, ok := w.alert(); ok {
		err = &net.OpError{Op: "remote error", Err: tls.AlertError(code)}
	}
	c := p.connection(l, flow.Broken)
	c.Reason, c.Detail = p.whyRefused(err)
	_ = p.record(l.at, evidence.KindConnection, c)
}

// plainAlert is the length of a TLS alert that is not encrypted: type 21, a
// version, the length 2, the level and the code.
const plainAlert = 7

// alert is the code of the fatal alert that the client's bytes ended with, in
// the clear. OpenSSL's TLS 1.3 client says so when it refuses a certificate,
// where encryption is due already, and crypto/tls sees only that.
func (w *wire) alert() (code byte, ok bool) {
	b := w.last
	return b[6], b[0] == 21 && b[1] == 3 && b[2] <= 4 && b[3] == 0 && b[4] == 2 && b[5] == 2
}

// rejected records a client that went away just after a handshake.
func (p *Proxy) rejected(l *link, err error) {
	c := p.connection(l, flow.HungUp)
	if reason, detail := p.whyRefused(err); reason != flow.Broken {
		c.Reason, c.Detail = reason, detail
	}
	if c.Reason == flow.HungUp {
		c.Detail = "the client completed the TLS handshake and went away without a request, as an app does that pins its certificates"
	}
	_ = p.record(l.at, evidence.KindConnection, c)
}

// whyRefused sorts a failure of a handshake with a device.
func (p *Proxy) whyRefused(err error) (reason, detail string) {
	if code, ok := alertCode(err); ok {
		if distrusting[code] {
			return flow.Distrusted, "the client refused the certificate: " + err.Error()
		}
		return flow.Broken, "the client gave the handshake up: " + err.Error()
	}
	switch {
	case p.isCutting():
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
