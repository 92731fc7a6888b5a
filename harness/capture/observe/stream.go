package observe

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/http2"

	"github.com/unasked-audit/unasked/harness/flow"
)

// maxStreams bounds the streams that are open at once, of both sides.
const maxStreams = 1 << 14

// h2Conn is the streams of an HTTP/2 connection (RFC 9113).
type h2Conn struct {
	streams map[uint32]*stream
	last    uint32 // the newest that the device has opened
	asks    int    // streams whose request is not complete
	bye     string // a GOAWAY that names an error
}

func (h *h2Conn) asking() bool { return h.asks > 0 }

// stream is an exchange on HTTP/2.
type stream struct {
	id       uint32
	x        *exchange
	tunnel   *tunnel // for CONNECT
	protocol string  // what an extended CONNECT asks for (RFC 8441)
	opened   bool    // CONNECT was granted

	headed         bool // the response has come, beyond informational ones
	upEnd, downEnd bool
}

// startH2 begins to read HTTP/2 on both sides.
func (c *Conn) startH2(withPreface bool) {
	c.h2 = &h2Conn{streams: map[uint32]*stream{}}
	for _, s := range []*side{&c.up, &c.down} {
		s.frames.init()
		s.step = (*side).frame
	}
	if withPreface {
		c.up.step = (*side).preface
	}
}

// preferH2 is for a client that begins with HTTP/2's preface, of which n bytes have
// been read.
func (c *Conn) preferH2(n int) error {
	c.startH2(true)
	c.up.left = int64(n)
	held := c.down.held
	c.down.held = nil
	_, err := c.down.take(held, false)
	return err
}

// upgradeToH2 is for a connection that goes over from HTTP/1 (RFC 7540 section 3.2). The
// request that asked for it is answered on stream 1.
func (c *Conn) upgradeToH2(x *exchange) error {
	c.queue = c.queue[:0]
	c.startH2(true)
	c.h2.streams[1], c.h2.last = &stream{id: 1, x: x, upEnd: true}, 1
	if p, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(x.settings, "=")); err == nil {
		if err := c.settings(&c.up, p); err != nil {
			return err
		}
	}
	return c.proceed((*side).preface)
}

func (st *stream) size(sent bool, n int) {
	if sent {
		st.x.request.Size += int64(n)
	} else {
		st.x.response.Size += int64(n)
	}
}

// ended reports whether one side of the stream is over.
func (st *stream) ended(sent bool) bool {
	if sent {
		return st.upEnd
	}
	return st.downEnd
}

// requestHeaders takes a header block from the device.
func (c *Conn) requestHeaders(s *side, id uint32, end bool, size int) error {
	f := &s.frames
	st := c.h2.streams[id]
	switch {
	case st != nil && !st.upEnd:
		x := st.x
		st.size(true, size)
		if x.heads += f.weight; x.heads > maxWeight {
			return notUnderstood("the trailers of a request are too long")
		}
		x.request.Trailers = append(x.request.Trailers, f.fields...)
		if end {
			return c.endStream(st, true)
		}
		return nil
	case st != nil || id%2 == 0 || id <= c.h2.last:
		return c.strayed(true, text(f.fields))
	case len(c.h2.streams) >= maxStreams:
		return notUnderstood("too many streams are open")
	}
	c.h2.last = id
	c.h2.asks++
	st = c.open2(s, id, size)
	if st.x.request.Method == "CONNECT" {
		c.h2.asks--
		st.protocol = f.pseudo.protocol
		if err := st.x.endRequest(""); err != nil {
			return err
		}
	}
	if end {
		return c.endStream(st, true)
	}
	return nil
}

// text is fields as HTTP/1 writes them.
func text(fields []flow.Header) []byte {
	var b []byte
	for _, f := range fields {
		b = append(append(append(append(b, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	return b
}

// open2 begins an exchange on a stream, with what was decoded on a side.
func (c *Conn) open2(s *side, id uint32, size int) *stream {
	f := &s.frames
	p := &f.pseudo
	x := c.begin()
	x.heads = f.weight
	x.request.Started, x.request.Method, x.request.Proto, x.request.Headers = s.started, readable(p.method), "HTTP/2.0", f.fields
	if p.protocol != "" {
		x.request.Headers = append([]flow.Header{{Name: ":protocol", Value: readable(p.protocol)}}, x.request.Headers...)
	}
	if p.authority != "" && !isHost(p.authority) { // the URL can't have it
		x.request.Headers = append([]flow.Header{{Name: ":authority", Value: readable(p.authority)}}, x.request.Headers...)
	}
	host, scheme, path := p.authority, strings.ToLower(p.scheme), p.path
	for i := 0; host == "" && i < len(f.fields); i++ {
		if f.fields[i].Name == "host" {
			host = f.fields[i].Value
		}
	}
	if !isScheme(scheme) {
		if scheme = c.o.Scheme; scheme == "" {
			scheme = "http"
		}
	}
	if !strings.HasPrefix(path, "/") { // a whole URL, as proxies are asked, or *
		if given, authority, rest, ok := c.urls.split("", path, host); ok {
			if path != "*" {
				scheme, host = given, authority
			}
			path = rest
		} else {
			path = "/" + path
		}
	}
	x.request.URL, x.request.Target = c.urls.of(scheme, host, path)
	x.request.Size = int64(size)
	st := &stream{id: id, x: x}
	c.h2.streams[id] = st
	return st
}

// push takes a request that the origin has made itself (RFC 9113 section 8.4).
func (c *Conn) push(s *side, id uint32, size int) error {
	switch {
	case id%2 != 0 || c.h2.streams[id] != nil:
		return notUnderstood("a stream is promised that can't be")
	case len(c.h2.streams) >= maxStreams:
		return notUnderstood("too many streams are open")
	}
	st := c.open2(s, id, size)
	st.upEnd = true
	return st.x.endRequest("")
}

// responseHeaders takes a header block from the origin.
func (c *Conn) responseHeaders(s *side, id uint32, end bool, size int) error {
	f := &s.frames
	st := c.h2.streams[id]
	if st == nil || st.downEnd {
		if id%2 == 1 && id > c.h2.last {
			return notUnderstood("the origin answers on a stream that nobody has opened")
		}
		return nil // it is for a stream that was reset
	}
	x := st.x
	x.respond()
	st.size(false, size)
	if x.downHeads += f.weight; x.downHeads > maxWeight || len(x.response.Interim) >= maxInterim {
		return notUnderstood("the heads of a response are too long")
	}
	switch {
	case st.headed && st.opened:
		if err := c.strayed(false, text(f.fields)); err != nil {
			return err
		}
	case st.headed:
		x.response.Trailers = append(x.response.Trailers, f.fields...)
	default:
		_, status, ok := parseStatusLine("HTTP/1.1 " + f.pseudo.status)
		if !ok {
			return notUnderstood("a response has no status")
		}
		if status < 200 {
			x.response.Interim = append(x.response.Interim, flow.Interim{Status: status, Headers: f.fields})
			break
		}
		st.headed = true
		x.response.Started, x.response.Status, x.response.Proto, x.response.Headers = s.started, status, "HTTP/2.0", f.fields
		if x.request.Method == "CONNECT" && status < 300 {
			if err := st.grant(); err != nil {
				return err
			}
		}
	}
	if end {
		return c.endStream(st, false)
	}
	return nil
}

// grant is for a CONNECT that was agreed to: what follows is a tunnel.
func (st *stream) grant() error {
	st.opened = true
	x := st.x
	if err := x.endResponse("", ""); err != nil {
		return err
	}
	protocol := st.protocol
	if protocol == "" {
		protocol = "a tunnel"
	}
	extensions := ""
	for _, h := range x.response.Headers {
		if h.Name == "sec-websocket-extensions" {
			extensions = join(extensions, h.Value)
		}
	}
	early := st.tunnel
	st.tunnel = x.upgraded(protocol, extensions)
	if early != nil { // the device did not wait: what it sent is kept, and not read
		st.tunnel.up, st.tunnel.record.Sent = early.up, early.record.Sent
		st.tunnel.messages[0] = nil
	}
	return nil
}

// streamData takes bytes of a stream; st is nil for one that is over.
func (c *Conn) streamData(st *stream, sent bool, b []byte) error {
	switch {
	case len(b) == 0:
		return nil
	case st == nil || st.ended(sent):
		if sent {
			return c.strayed(true, b)
		}
		return nil // the device has said that it will not read it
	case st.x.request.Method == "CONNECT" && (sent || st.opened):
		if st.tunnel == nil {
			st.tunnel = st.x.upgraded("a tunnel that was not granted", "")
		}
		return st.tunnel.write(sent, b)
	case !sent:
		st.x.respond()
	}
	return st.x.write(sent, b)
}

// endStream is for the end of one side of a stream.
func (c *Conn) endStream(st *stream, sent bool) error {
	if st.ended(sent) {
		return nil
	}
	var err error
	if sent {
		st.upEnd = true
		if !st.x.asked {
			c.h2.asks--
			err = st.x.endRequest("")
		}
	} else {
		st.downEnd = true
		failed := ""
		if !st.headed {
			failed = "the origin ended the stream without an answer"
		}
		err = st.x.endResponse("", failed)
	}
	if err == nil && st.upEnd && st.downEnd {
		err = c.drop(st)
	}
	return err
}

// drop forgets a stream that is over on both sides.
func (c *Conn) drop(st *stream) error {
	st.upEnd, st.downEnd = true, true
	delete(c.h2.streams, st.id)
	return st.tunnel.end()
}

// cutStream ends a stream before its end: cut says why its request is not whole, and
// failed why its response is not.
func (c *Conn) cutStream(st *stream, cut, failed string) error {
	var all error
	if !st.x.asked {
		c.h2.asks--
		all = st.x.endRequest(cut)
	}
	for _, err := range []error{st.x.endResponse("", failed), c.drop(st)} {
		if all == nil {
			all = err
		}
	}
	return all
}

// resetStream takes a RST_STREAM frame.
func (c *Conn) resetStream(s *side, id uint32, code http2.ErrCode) error {
	st := c.h2.streams[id]
	if st == nil {
		return nil
	}
	why := s.who() + " reset the stream (" + code.String() + ")"
	cut := why
	if !s.sent && code == http2.ErrCodeNo && st.x.complete {
		cut = st.x.cutRequest()
	}
	return c.cutStream(st, cut, why)
}

// goAway takes a GOAWAY frame: streams of the other side beyond last were not looked at.
func (c *Conn) goAway(s *side, last uint32, code http2.ErrCode) error {
	why := s.who() + " said goodbye (GOAWAY, " + code.String() + ")"
	if code != http2.ErrCodeNo && c.h2.bye == "" {
		c.h2.bye = why
	}
	if s.sent {
		return nil
	}
	var failed error
	for _, id := range slices.Sorted(maps.Keys(c.h2.streams)) {
		if id%2 == 0 || id <= last {
			continue
		}
		if err := c.cutStream(c.h2.streams[id], why, why+" before it took this request"); failed == nil {
			failed = err
		}
	}
	return failed
}

// giveUpStreams takes the rest of an HTTP/2 connection as bytes, when one side could
// not be read.
func (c *Conn) giveUpStreams(s *side) error {
	other := &c.up
	if s.sent {
		other = &c.down
	}
	held := append(other.held, other.frames.header[:other.frames.got]...)
	other.held, other.step = nil, (*side).opaque
	other.frames.got = 0
	failed := c.opaque.write(other.sent, held)
	why := "what followed is no HTTP/2"
	for _, id := range slices.Sorted(maps.Keys(c.h2.streams)) {
		if err := c.cutStream(c.h2.streams[id], why, why); failed == nil {
			failed = err
		}
	}
	return failed
}

// endStreams ends what is left of HTTP/2.
func (c *Conn) endStreams() error {
	if c.h2 == nil {
		return nil
	}
	var failed error
	for _, id := range slices.Sorted(maps.Keys(c.h2.streams)) {
		st := c.h2.streams[id]
		unanswered := c.blameUnanswered()
		if st.headed {
			unanswered = c.blame()
		}
		if err := c.cutStream(st, st.x.cutRequest(), unanswered); failed == nil {
			failed = err
		}
	}
	for _, s := range []*side{&c.up, &c.down} {
		s.hold(s.frames.header[:s.frames.got])
	}
	return failed
}
