package observe

import (
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
)

const (
	// maxPipelined bounds the requests that wait for an answer on an HTTP/1 connection.
	maxPipelined = 1 << 12
	// maxAhead bounds the bytes that a client may send behind a request for an upgrade
	// before that is answered.
	maxAhead = 1 << 20
)

// What the first line says already, be it whole or not.
const (
	errNoRequest  = notUnderstood("what the client sends is no HTTP")
	errNoResponse = notUnderstood("what the origin answers is no HTTP")
	errUnasked    = notUnderstood("the origin sent something that no request had asked for")
)

// head reads the beginning of an HTTP/1 message (RFC 9112).
func (s *side) head(b []byte) (int, error) {
	c := s.c
	asked := s.sent || len(c.queue) > 0
	if c.abandoned() && (s.sent || !asked) {
		held := s.held
		s.held, s.step = nil, (*side).opaque
		return 0, c.opaque.write(s.sent, held)
	}
	n := 0
	if len(s.held) == 0 {
		for n < len(b) && (b[n] == '\r' || b[n] == '\n') { // RFC 9112 section 2.2
			n++
		}
		s.blank += int64(n)
		if n == len(b) {
			return n, nil
		}
		s.started = c.at
	}
	if !asked {
		k, err := s.unasked(b[n:])
		return n + k, err
	}
	text, k, whole, err := s.gather(b[n:], headEnd)
	n += k
	switch {
	case err != nil:
		return n, err
	case !whole && s.sent && !mayBeRequest(s.held):
		return n, errNoRequest
	case !whole && !s.sent && !mayBeResponse(s.held):
		return n, errNoResponse
	case !whole:
		return n, nil
	}
	direct := len(s.held) == 0
	if s.sent {
		err = s.request(string(text))
	} else {
		err = s.response(string(text))
	}
	if _, no := err.(notUnderstood); no {
		if direct {
			n -= k
		}
		return n, err
	}
	s.blank = 0
	s.release()
	return n, err
}

// gather waits for the end of a head, as end finds it. text is valid until the next
// call; n is how many of b's bytes were taken. Unless held is empty, text is held.
func (s *side) gather(b []byte, end func([]byte, int) (int, int)) (text []byte, n int, whole bool, err error) {
	before := len(s.held)
	all := b
	if before > 0 {
		s.hold(b)
		all = s.held
	}
	at, next := end(all, s.scanned)
	switch {
	case at > maxHead, at == 0 && len(all) > maxHead:
		if before == 0 {
			return nil, 0, false, notUnderstood("its head is too long")
		}
		return nil, len(b), false, notUnderstood("its head is too long")
	case at > 0:
		if before > 0 {
			s.held = s.held[:at]
		}
		return all[:at], at - before, true, nil
	}
	if before == 0 {
		s.hold(b)
	}
	s.scanned = next
	return nil, len(b), false, nil
}

// unasked is for what comes from an origin that was asked for nothing. A server of
// HTTP/2 may speak first (RFC 9113 section 3.4): that is held until the client has said
// what it speaks.
func (s *side) unasked(b []byte) (int, error) {
	const most = 1 << 14
	if s.c.begun > 0 || len(s.held)+len(b) > most {
		return 0, errUnasked
	}
	s.hold(b)
	if !mayBeSettings(s.held) {
		return len(b), errUnasked
	}
	return len(b), nil
}

// request begins a request with its head.
func (s *side) request(text string) error {
	c := s.c
	if c.begun == 0 && text == prefaceHead {
		return c.preferH2(len(text))
	}
	h, err := parseHead(text, false)
	if err != nil {
		return err
	}
	method, target, proto, ok := parseRequestLine(h.line)
	if !ok || !isMethod(method) {
		return errNoRequest
	}
	chunked, err := h.chunked(proto, true)
	if err != nil {
		return err
	}
	scheme, host, path, ok := c.urls.split(method, target, h.host)
	switch {
	case !ok:
		return errNoRequest
	case len(c.queue) >= maxPipelined:
		return notUnderstood("too many requests wait for an answer")
	case h.weight > maxWeight:
		return notUnderstood("its head is too long")
	}
	x := c.begin()
	x.request.Started, x.request.Method, x.request.Proto, x.request.Headers = s.started, method, proto, h.fields
	x.request.URL, x.request.Target = c.urls.of(scheme, host, path)
	x.request.Size = s.blank + int64(len(text))
	x.upgrades = method == "CONNECT" || h.upgrade != "" && hasToken(h.connection, "upgrade")
	x.heads = h.weight
	c.queue = append(c.queue, x)
	if isToken(h.upgrade, "h2c") {
		x.settings = h.settings
	}
	switch {
	case chunked:
		s.x, s.step = x, (*side).chunkLine
	case h.length > 0:
		s.x, s.left, s.step = x, h.length, (*side).body
	default:
		return s.endMessage(x)
	}
	return nil
}

// response begins a response with its head.
func (s *side) response(text string) error {
	c := s.c
	x := c.queue[0]
	h, err := parseHead(text, false)
	if err != nil {
		return err
	}
	proto, status, ok := parseStatusLine(h.line)
	if !ok {
		return errNoResponse
	}
	chunked, err := h.chunked(proto, false)
	if err != nil {
		return err
	}
	switching := status == 101 || x.request.Method == "CONNECT" && status/100 == 2
	switch {
	case x.downHeads+h.weight > maxWeight || len(x.response.Interim) >= maxInterim:
		return notUnderstood("its head, with the informational responses before it, is too long")
	case switching && !c.canSwitch(x):
		return notUnderstood("the origin switches protocols in the middle of a message")
	}
	x.respond()
	x.downHeads += h.weight
	x.response.Size += s.blank + int64(len(text))
	if status < 200 && !switching || status == 101 && x.settings != "" && isToken(h.upgrade, "h2c") {
		x.response.Interim = append(x.response.Interim, flow.Interim{Status: status, Headers: h.fields})
		if status == 101 {
			return c.upgradeToH2(x)
		}
		return nil
	}
	x.response.Started, x.response.Status, x.response.Proto, x.response.Headers = s.started, status, proto, h.fields
	switch {
	case switching:
		return c.upgrade(x, h)
	case x.request.Method == "HEAD", status == 204, status == 304:
		return s.endMessage(x)
	case chunked:
		s.x, s.step = x, (*side).chunkLine
	case h.length == 0:
		return s.endMessage(x)
	default:
		s.x, s.left, s.step = x, h.length, (*side).body
	}
	return nil
}

// hasToken looks for a token in a list of them.
func hasToken(list, token string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if isToken(trim(one), token) {
			return true
		}
	}
	return false
}

// size adds to what a message has on the wire.
func (s *side) size(n int) {
	if s.sent {
		s.x.request.Size += int64(n)
	} else {
		s.x.response.Size += int64(n)
	}
}

// body reads a body of known length, or one that ends with the connection.
func (s *side) body(b []byte) (int, error) {
	if s.left >= 0 && int64(len(b)) > s.left {
		b = b[:s.left]
	}
	if err := s.x.write(s.sent, b); err != nil {
		return 0, err
	}
	s.size(len(b))
	if s.left < 0 {
		return len(b), nil
	}
	if s.left -= int64(len(b)); s.left == 0 {
		return len(b), s.endMessage(s.x)
	}
	return len(b), nil
}

// endMessage is for a message that is whole.
func (s *side) endMessage(x *exchange) error {
	s.x, s.step = nil, (*side).head
	s.ends++
	if s.sent {
		if x.upgrades && !x.complete {
			s.waits, s.step = true, (*side).await
		}
		return x.endRequest("")
	}
	c := s.c
	c.queue = slices.Delete(c.queue, 0, 1)
	if err := x.endResponse("", ""); err != nil {
		return err
	}
	if x.upgrades && c.up.waits { // it was declined
		return c.proceed((*side).head)
	}
	return nil
}

// await holds what follows a request for an upgrade until that is answered.
func (s *side) await(b []byte) (int, error) {
	if s.c.abandoned() {
		held := s.held
		s.held, s.step = nil, (*side).opaque
		return 0, s.c.opaque.write(s.sent, held)
	}
	if len(s.held)+len(b) > maxAhead {
		return 0, notUnderstood("too much was sent before an upgrade was agreed on")
	}
	s.hold(b)
	return len(b), nil
}

// proceed reads on, on the device's side, once an upgrade was answered.
func (c *Conn) proceed(step func(*side, []byte) (int, error)) error {
	held := c.up.held
	c.up.held, c.up.scanned = nil, 0
	c.up.waits, c.up.step = false, step
	_, err := c.up.take(held, false)
	return err
}

// canSwitch reports whether both sides are between messages.
func (c *Conn) canSwitch(x *exchange) bool {
	return x.asked && len(c.queue) == 1 && c.up.x == nil && (c.up.waits || len(c.up.held) == 0) && !c.abandoned()
}

// upgrade is for a connection that leaves HTTP/1 behind.
func (c *Conn) upgrade(x *exchange, h head) error {
	protocol := h.upgrade
	switch {
	case x.request.Method == "CONNECT":
		protocol = "a tunnel"
	case protocol == "":
		protocol = "another protocol"
	}
	c.queue = c.queue[:0]
	if err := x.endResponse("", ""); err != nil {
		return err
	}
	c.tunnel = x.upgraded(protocol, h.extensions)
	c.down.step = (*side).tunnelled
	return c.proceed((*side).tunnelled)
}

// endUp is for a device that sends no more, on HTTP/1.
func (c *Conn) endUp() error {
	s := &c.up
	if s.x == nil {
		return nil
	}
	x, held := s.x, s.held
	s.x, s.held = nil, nil
	if err := c.strayed(true, held); err != nil {
		return err
	}
	return x.endRequest(x.cutRequest())
}

// endDown is for an origin that sends no more, on HTTP/1.
func (c *Conn) endDown() error {
	s := &c.down
	var failed error
	if x := s.x; x != nil {
		held := s.held
		s.x, s.held = nil, nil
		failed = c.strayed(false, held)
		cut := c.blame()
		if s.left < 0 && s.ended && s.err == nil {
			cut = "" // it ends with the connection
		}
		if err := x.endResponse(cut, ""); failed == nil {
			failed = err
		}
	}
	for _, x := range c.queue {
		if err := x.endResponse("", c.blameUnanswered()); failed == nil {
			failed = err
		}
	}
	c.queue = nil
	return failed
}
