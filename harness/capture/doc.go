// Package capture is the intercepting proxy: what a device sends goes into the
// evidence, then to its origin, and the same with what comes back.
//
// [Start] opens an explicit HTTP proxy on the host's loopback; adb reverse
// brings it to the device. It answers absolute-form requests and CONNECT, shows
// the device certificates that a [CA] of this audit signs, and speaks HTTP/1.1 and
// HTTP/2 on both sides: on the origin's side the newest that the device's side
// speaks. Bodies go to the evidence while they pass and are never held in memory.
// A request is recorded when it is whole, before its last byte is passed on; a
// response when it is whole, before its last byte is. A request whose origin
// can't be reached is heard to its end, recorded, and answered with 502.
//
// What is not HTTP passes too. Bytes that are in the clear, or are once TLS is
// taken off, are kept in the evidence unread, as are those of a WebSocket; each
// such connection is recorded as a [flow.Connection], with the reason.
//
// Limits. Headers are recorded as net/http gives them: HTTP/1.1 names in
// canonical case (HTTP/2 has none), sorted by name, those of one name in order; and so
// they are sent on. Hop-by-hop headers are recorded and not sent on (RFC 9110
// section 7.6.1). Informational responses and HTTP/2's own frames are passed on,
// or answered, and not recorded. QUIC does not go through a proxy of this kind.
package capture
