// Package flow is the one noun of the network: a request with its response, or
// one connection that could not be read.
//
// The capture writes a [Request] when it is complete, its [Response] when that
// is, and a [Connection] for what carried no readable HTTP. Nothing waits for
// anything else, so that a killed audit has lost no request that was seen.
package flow

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// ID names a flow within an audit: "f1", "f2", in the order in which they began.
type ID string

// Header is one header field, as it was sent: order and case are kept where the protocol has them.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// MaxInline is the most bytes of a body that stand in the log itself.
const MaxInline = 2 << 10

// Body is the bytes of a message, after transfer encoding and before content encoding.
// A short one stands in the log with its event, a longer one is a blob of its own;
// Open reads either.
type Body struct {
	Inline []byte          `json:"inline,omitempty"` // the bytes themselves, MaxInline at most
	Blob   evidence.Digest `json:"blob,omitempty"`   // where they are, if not in Inline; empty for an empty body
	Size   int64           `json:"size"`             // bytes
	Cut    string          `json:"cut,omitempty"`    // why the body is not whole; empty if it is
}

// Open reads the bytes. The error wraps fs.ErrNotExist where ev has no such blob.
func (b Body) Open(ev evidence.Evidence) (io.ReadCloser, error) {
	if b.Blob == "" {
		return io.NopCloser(bytes.NewReader(b.Inline)), nil
	}
	return ev.Blob(b.Blob)
}

// Message is a message of a WebSocket: a flow that was upgraded has one for each.
type Message struct {
	Flow   ID        `json:"flow"`  // of the request that asked for the upgrade
	Index  int       `json:"index"` // among the messages of both directions, from 0
	At     time.Time `json:"at"`    // its last byte
	Sent   bool      `json:"sent"`  // by the device; else to it
	Binary bool      `json:"binary,omitempty"`
	Body   Body      `json:"body"` // mask and compression taken off
}

// Request is what the app sent.
type Request struct {
	Flow    ID        `json:"flow"`
	Started time.Time `json:"started"`
	Method  string    `json:"method"`
	URL     string    `json:"url"`   // absolute
	Proto   string    `json:"proto"` // HTTP/1.1, HTTP/2.0
	Headers []Header  `json:"headers"`
	Body    Body      `json:"body"`
	Client  string    `json:"client"`        // address of the device's end of the connection
	UID     int       `json:"uid,omitempty"` // of the app; 0 where it can't be known
	TLS     *TLS      `json:"tls,omitempty"` // of the device's side

	// Target is the host:port that the connection was opened to, where that is
	// not what URL says: a fronted request, or one to an address instead of a name.
	Target   string   `json:"target,omitempty"`
	Trailers []Header `json:"trailers,omitempty"`

	Wire string `json:"wire,omitempty"` // the connection that it came on, as in Wire.ID
	Size int64  `json:"size,omitempty"` // bytes on the wire, head and framing and all, TLS taken off
}

// Response is what the service answered.
type Response struct {
	Flow    ID        `json:"flow"`
	Started time.Time `json:"started"` // first byte
	Ended   time.Time `json:"ended"`
	Status  int       `json:"status"` // 0 where none came; Error says why
	Proto   string    `json:"proto,omitempty"`
	Headers []Header  `json:"headers,omitempty"`
	Body    Body      `json:"body"`
	Server  string    `json:"server,omitempty"` // address of the origin
	TLS     *TLS      `json:"tls,omitempty"`    // of the origin's side
	Error   string    `json:"error,omitempty"`

	Trailers []Header  `json:"trailers,omitempty"`
	Interim  []Interim `json:"interim,omitempty"` // informational responses before it
	Size     int64     `json:"size,omitempty"`    // bytes on the wire, head and framing and all, TLS taken off
}

// Interim is an informational response (RFC 9110 section 15.2).
type Interim struct {
	Status  int      `json:"status"`
	Headers []Header `json:"headers,omitempty"`
}

// TLS says how a connection was protected.
type TLS struct {
	Version string            `json:"version"` // "TLS 1.3"
	ALPN    string            `json:"alpn,omitempty"`
	SNI     string            `json:"sni,omitempty"`
	Chain   []evidence.Digest `json:"chain,omitempty"` // SHA-256 of each certificate of the peer, leaf first

	// Fingerprint tells TLS stacks apart by their hello; only of the device's side.
	// It is the same for every connection of one stack with the same settings, and
	// is to be compared with others of this program, and with nothing else.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Reasons for which a connection could not be read.
const (
	Distrusted = "distrusted"  // the client refused the proxy's certificate
	HungUp     = "hung-up"     // the client went away during the handshake
	NoHTTP     = "no-http"     // what came is no HTTP; Up and Down hold what passed in the clear
	NoOrigin   = "no-origin"   // the origin can't be reached; the request of the same flow, if any, was read
	Upgraded   = "upgraded"    // an HTTP flow went over to another protocol, such as WebSocket; Up and Down hold its bytes, unread
	Unused     = "unused"      // opened in advance and closed with nothing sent on it: hides nothing
	Broken     = "broken"      // anything else; Detail says what
	Passed     = "passed"      // let through untouched, after the client had refused the proxy's certificate for this host
	ClientCert = "client-cert" // the origin asks for a certificate of the client's own, which the proxy has not
	QUIC       = "quic"        // an attempt at HTTP/3, which was refused so that the client falls back
)

// Connection is a flow whose content could not be read. One that has the id of
// a request is about what became of that request.
type Connection struct {
	Flow    ID        `json:"flow"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Host    string    `json:"host"` // as asked for
	Port    int       `json:"port"`
	SNI     string    `json:"sni,omitempty"`
	// Fingerprint is that of the device's TLS hello, as in TLS; empty where none came.
	Fingerprint string `json:"fingerprint,omitempty"`
	JA3         string `json:"ja3,omitempty"`    // of the same hello, as github.com/salesforce/ja3 has it
	JA4         string `json:"ja4,omitempty"`    // as github.com/FoxIO-LLC/ja4 has it
	Server      string `json:"server,omitempty"` // address of the origin, where it was reached
	Wire        string `json:"wire,omitempty"`   // the connection, as in Wire.ID

	Reason   string `json:"reason"` // one of the reasons
	Detail   string `json:"detail,omitempty"`
	Sent     int64  `json:"sent"` // bytes from the device
	Received int64  `json:"received"`
	UID      int    `json:"uid,omitempty"`

	// Up and Down are the bytes themselves, from and to the device, where they
	// could be had: of a protocol that is no HTTP, and of a WebSocket.
	Up   Body `json:"up,omitzero"`
	Down Body `json:"down,omitzero"`
}

// Flow is a request joined with its response.
type Flow struct {
	Request  Request
	Response *Response // nil where the log ends before it
	Phase    string
	Arm      string
	Consent  evidence.Consent
	// RequestEvent and ResponseEvent are sequence numbers in the log; 0 for none.
	RequestEvent, ResponseEvent uint64
}

// HTTPHeader turns header fields into the map that net/http knows.
func HTTPHeader(fields []Header) http.Header {
	h := make(http.Header, len(fields))
	for _, f := range fields {
		h.Add(f.Name, f.Value)
	}
	return h
}
