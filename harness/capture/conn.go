package capture

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unasked-audit/unasked/harness/capture/observe"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// conn is one connection from the device, from its first byte to its last.
type conn struct {
	p           *Proxy
	id          string // of its flow.Wire
	at          evidence.Stamp
	accepted    time.Time // when it was opened
	started     time.Time // the same, or when CONNECT was asked for
	client      string    // the device's end
	proxy       string    // ours
	device      *socket
	transparent bool
	uid         int

	// Where it goes, as far as it is known by now.
	host string         // as asked for in CONNECT; the name, else the address, of a redirected one
	port int            // 0 while it is not known
	to   netip.AddrPort // the address itself, of a redirected connection
	name string         // what an address was asked for as, if host is one

	hello *hello    // the device's TLS hello; nil where none came
	tls   *flow.TLS // of the device's side

	asks     atomic.Bool // the origin has asked for the client's certificate
	requests int         // that were read on it, once it is over
	unread   bool        // something came on it that is recorded as unread
	gone     atomic.Bool // the device has no more to send
	lost     atomic.Bool // the origin had no more to send before that

	pending atomic.Int64 // bytes are on their way, from being read until they are written
	last    atomic.Int64 // when bytes came last, in nanoseconds since 1970

	mu        sync.Mutex
	over      bool   // it was cut
	why       string // by whom
	ends      map[aborter]struct{}
	observer  observer // of the origin that it is joined with now; nil for none
	server    string
	connect   time.Duration
	handshake time.Duration
}

// aborter is an end of a connection that can be cut.
type aborter interface {
	abort()       // so that the other side sees it
	Close() error // as if all was said
}

// observer reads what passes on a connection: an *observe.Conn, or blind.
type observer interface {
	Sent([]byte) error
	Received([]byte) error
	SentAll(error) error
	ReceivedAll(error) error
	Close(why string) error
	State() observe.State
	Idle() bool
}

func (p *Proxy) newConn(tcp net.Conn, transparent bool) *conn {
	c := &conn{
		p: p, id: fmt.Sprintf("w%d", p.o.Log.Next("wire")), at: p.o.Log.Where(), accepted: p.o.Now(),
		client: tcp.RemoteAddr().String(), proxy: tcp.LocalAddr().String(), transparent: transparent,
	}
	var w *wire
	if p.o.Packets {
		w = &wire{p: p}
	}
	if transparent {
		c.uid = p.o.UID
	}
	c.started, c.device = c.accepted, newSocket(tcp, w)
	c.ends = map[aborter]struct{}{c.device: {}}
	c.last.Store(time.Now().UnixNano())
	return c
}

// serve sees to the connection until it is closed.
func (c *conn) serve() {
	defer func() {
		_ = c.device.Close() // it is at its end
		c.recordWire()
		c.p.mu.Lock()
		delete(c.p.conns, c)
		c.p.mu.Unlock()
		c.p.ended()
	}()
	if c.transparent {
		c.serveTransparent()
	} else {
		c.serveFront()
	}
}

// begin and done stand around bytes that are on their way.
func (c *conn) begin() {
	c.pending.Add(1)
	c.last.Store(time.Now().UnixNano())
}

func (c *conn) done() {
	c.pending.Add(-1)
	c.p.ended()
}

// busy reports whether something is under way that has an end to wait for.
func (c *conn) busy() bool {
	if c.pending.Load() > 0 {
		return true
	}
	c.mu.Lock()
	o := c.observer
	c.mu.Unlock()
	return o != nil && !o.Idle()
}

// join makes an origin's end, and its observer, those that are cut with the
// connection. It reports false where it was cut already, and then closes the end.
func (c *conn) join(end aborter, o observer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		if end != nil {
			end.abort()
		}
		return false
	}
	if end != nil {
		c.ends[end] = struct{}{}
	}
	if o != nil {
		c.observer = o
	}
	return true
}

// leave takes back that an end is cut with the connection.
func (c *conn) leave(end aborter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ends, end)
}

// cut ends the connection, and has recorded what came of it so far.
func (c *conn) cut(why string) {
	broken := c.busy()
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.over, c.why = true, why
	o, ends := c.observer, slices.Collect(maps.Keys(c.ends))
	c.mu.Unlock()
	if o != nil {
		_ = o.Close(why) // its error is the log's, which the proxy has
	}
	for _, e := range ends {
		if broken {
			e.abort()
		} else {
			_ = e.Close() // it is at its end
		}
	}
}

// isOver reports whether the connection was cut, and why.
func (c *conn) isOver() (why string, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why, c.over
}

func (c *conn) isCut() bool {
	_, over := c.isOver()
	return over
}

// observe begins to read what passes between the device and an origin.
func (c *conn) observe(r *recorder, scheme string, h2 bool) *observe.Conn {
	r.p, r.at = c.p, c.at
	o := observe.Options{
		Recorder: r, H2: h2, Scheme: scheme, Target: c.target(), Authority: c.authority(),
		Request:    flow.Request{Client: c.client, UID: c.uid, TLS: c.tls, Wire: c.id},
		Connection: c.record(""), Now: c.p.o.Now,
	}
	o.Connection.Flow = ""
	return observe.New(o)
}

// target is the host:port that the connection was opened to; empty on the proxy's own port.
func (c *conn) target() string {
	switch {
	case c.to.IsValid():
		return c.to.String()
	case c.host == "":
		return ""
	}
	return net.JoinHostPort(c.host, fmt.Sprint(c.port))
}

// authority is what stands for the host of requests that name none, where the
// connection was opened to an address and a name is known.
func (c *conn) authority() string {
	name := c.known()
	if _, err := netip.ParseAddr(c.host); err != nil || name == "" || name == c.host {
		return ""
	}
	scheme := "http"
	if c.tls != nil {
		scheme = "https"
	}
	if c.port == defaultPort(scheme) {
		return name
	}
	return net.JoinHostPort(name, fmt.Sprint(c.port))
}

// known is the name of the host, where it is known, else what there is.
func (c *conn) known() string {
	switch {
	case c.hello != nil && c.hello.sni != "":
		return c.hello.sni
	case c.name != "":
		return c.name
	}
	return c.host
}

// record is the record of a connection that could not be read.
func (c *conn) record(reason string) flow.Connection {
	r := flow.Connection{
		Started: c.started, Ended: c.p.o.Now(), Host: c.host, Port: c.port, Reason: reason, Wire: c.id, UID: c.uid,
	}
	if reason != "" {
		r.Flow = c.p.nextID()
	}
	if c.transparent && c.name != "" {
		r.Host = c.name
	}
	if c.hello != nil {
		r.SNI, r.Fingerprint, r.JA3, r.JA4 = c.hello.sni, c.hello.fingerprint, c.hello.ja3, c.hello.ja4
	}
	c.mu.Lock()
	r.Server = c.server
	c.mu.Unlock()
	return r
}

// say records a connection that could not be read.
func (c *conn) say(reason, detail string) {
	r := c.record(reason)
	r.Detail = detail
	_ = c.p.record(c.at, evidence.KindConnection, r)
}

// silent records a connection on which the client said nothing.
func (c *conn) silent(err error) {
	if failed := c.p.Err(); failed != nil { // something may have come
		c.say(flow.Broken, "what came on the connection could not be recorded: "+failed.Error())
		return
	}
	detail := "the client opened the connection and sent nothing on it"
	if why, over := c.isOver(); over {
		detail += ": " + why
	} else if !errors.Is(err, io.EOF) {
		detail += ": " + err.Error()
	}
	c.say(flow.Unused, detail)
}
