// Package observe reads HTTP/1, HTTP/2 and WebSocket out of a connection while
// its bytes pass, and changes none of them.
//
// Whoever passes the bytes makes a [Conn] for each pair of connections, one with
// the device and one with its origin, after TLS was taken off both, and shows it
// every byte before passing it on. What was read goes to a [Recorder]: requests,
// responses, and the messages of a WebSocket, each as soon as it is complete. What
// can't be understood is not lost: from there on the bytes of both directions are
// kept as they are. That goes too for what receivers are known to read differently,
// such as a request with two lengths.
//
// What says nothing about an exchange is not kept: the reason phrase of a status line,
// HTTP/2's padding, its frames for settings, priorities, flow control and pings, and
// what an origin still sends on a stream that the device has reset.
package observe

import (
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Recorder takes what was read. Its methods, and those of its bodies, are called
// one at a time for one Conn, while that holds a lock: they must not call the Conn.
// An error means that something could not be recorded. It is returned by the
// method of Conn that was called, and by every later one; the bytes must not pass.
type Recorder interface {
	NextID() flow.ID // called once for each flow, in the order in which they begin
	Body() Body      // called when the first byte of a body has come; End is called once on it
	Request(flow.Request) error
	Response(flow.Response) error // never before the Request of the same flow
	Message(flow.Message) error   // of a WebSocket; after the Response of the same flow
	// Connection takes what was not read as HTTP, at its end: the bytes that followed
	// an upgrade (flow.Upgraded), or that were not understood (flow.NoHTTP).
	Connection(flow.Connection) error
}

// Body takes the bytes of a body.
type Body interface {
	Write([]byte) (int, error) // keeps nothing of the slice
	End(cut string) flow.Body  // cut is why the body is not whole; empty if it is
}

// Options says what is known of a connection before its bytes are read.
type Options struct {
	Recorder Recorder

	// H2: both sides agreed on HTTP/2. Without it HTTP/1 is expected, and HTTP/2
	// recognised by its preface.
	H2 bool

	// Scheme is http or https: what the URLs of requests begin with that do not say
	// it themselves.
	Scheme string

	// Target is the host:port that the connection was opened to. It is the host of
	// requests that name none, and is noted with those that name another. Where
	// Authority is not empty, it is that which stands for a missing host: the name that
	// belongs to an address.
	Target, Authority string

	// Request, Response and Connection are what every record of this connection says:
	// Client, UID, TLS and Wire of the one, Server and TLS of the other; Host, Port, SNI,
	// Started and so on of the third. See also Conn.SetOrigin.
	Request    flow.Request
	Response   flow.Response
	Connection flow.Connection

	Now func() time.Time // nil for time.Now
}
