// Package capture is the intercepting proxy: what a device sends goes into the
// evidence, then to its origin, and the same with what comes back.
//
// [Start] opens an explicit HTTP proxy on the host's loopback; adb reverse
// brings it to the device. It answers absolute-form requests and CONNECT. A
// second, transparent port takes connections that are redirected to it. Each
// connection of the device is joined with one to its origin. TLS is taken off on
// both sides: the origin is offered what the client offers, and the client is
// shown a certificate that a [CA] of this audit signs, and the protocol that the
// origin has chosen. Bytes pass as they are, and package observe reads HTTP out of
// them: a request is recorded when it is whole, before its last byte is passed on; a
// response when it is whole, before its last byte is. Bodies go to the evidence
// while they pass and are never held in memory. A request whose origin can't be
// reached is heard to its end, recorded, and answered with 502.
//
// What is not HTTP passes too. Bytes that are in the clear, or are once TLS is
// taken off, are kept in the evidence unread; each such connection is recorded as
// a [flow.Connection], with the reason. A client that refuses the proxy's
// certificates for a host is let through untouched after some attempts, so that the
// app works on; that too is a Connection, and a blind spot. Every connection is
// recorded as a [flow.Wire] at its end, with its packets if Options asks for them.
//
// Limits. A request in absolute form is sent on in origin form, without
// Proxy-Connection and Proxy-Authorization, and with the Host of its target (RFC 9112
// section 3.2.2); it is recorded as it came. TLS itself is the proxy's own on both
// sides, so that an origin may tell it from the app by the handshake. A certificate
// that an origin wants of the client can't be given. QUIC does not go through a proxy
// of this kind.
package capture
