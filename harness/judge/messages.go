package judge

import (
	"cmp"
	"context"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/account"
	"github.com/unasked-audit/unasked/harness/judge/draft"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// asked is what has to be known of a request when its response comes.
type asked struct {
	host  string
	noise bool
	alone bool // sent while the app was not there
	// socket says that it asks for a WebSocket, whose messages may come as long as the
	// log lasts; method, url and path are what it was asked for with.
	socket            bool
	method, url, path string
	// uncounted is a check that the system makes: searched, and left out of the counts.
	uncounted bool
}

// readMessages looks at every request and response, in the order of the log.
func (c *inquiry) readMessages(ctx context.Context) error {
	for e, err := range c.ev.Events(ctx) {
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		switch e.Kind {
		case evidence.KindRequest:
			err = read(e, func(r flow.Request) { c.request(e, &r) })
		case evidence.KindResponse:
			err = read(e, func(r flow.Response) { c.response(e, &r) })
		case evidence.KindConnection:
			err = read(e, func(r flow.Connection) { c.connection(e, &r) })
		case evidence.KindMessage:
			err = read(e, func(r flow.Message) { c.socketMessage(e, &r) })
		case evidence.KindQuery:
			err = read(e, func(r flow.Query) { c.query(e, &r) })
		case evidence.KindWire:
			err = read(e, func(r flow.Wire) { c.wire(e, &r) })
		}
		if err != nil {
			return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	return ctx.Err()
}

// saltMessages looks for digests that were made together with a text of the app.
func (c *inquiry) saltMessages(ctx context.Context) error {
	for _, missed := range c.salted(ctx, c.app, func(at *occurrence) { c.identified(at.e, &at.view, at.asked) }) {
		c.spots.note(strings.ToUpper(missed[:1])+missed[1:]+".", "")
	}
	return ctx.Err()
}

func (c *inquiry) request(e evidence.Event, r *flow.Request) {
	host, path := address(r.URL)
	a := asked{host: host, noise: c.noise(e, r.UID), alone: c.withoutApp(e)}
	a.uncounted = c.trap(r, host)
	if a.socket = upgrades(r); a.socket {
		a.method, a.url, a.path = r.Method, r.URL, path
	}
	c.asked[r.Flow] = a
	delete(c.unreached, r.Flow)

	message := c.newMessage(e, r.Flow, host)
	message.Method, message.URL, message.Path, message.Noise, message.At = r.Method, r.URL, path, a.noise, r.Started
	features := draft.NewFeatures(c.kb.Features)
	pieces := c.newPieces(e, a.noise)
	v := c.sight.request(r, func(p *unwrap.Part) {
		message.Part(p)
		pieces.part(p)
		features.Part(p)
	})
	c.tracker.Learn(message)
	if r.TLS != nil && !a.noise {
		c.readable[stack{e.Arm, cmp.Or(strings.ToLower(r.TLS.SNI), host), r.TLS.Fingerprint}] = true
	}
	c.identified(e, &v, a)
	if a.noise {
		return
	}
	c.overHTTPS(e, r, &v)
	if !a.uncounted || len(v.hits) > 0 {
		c.count(r, host)
		c.rode(r.Wire).requests++
		if r.UID == 0 {
			c.anonymous++
		}
	}
	if c.drafted(e) {
		c.vectors(e, r.Flow, r.Body.Blob, host, features.Vectors())
	}
	found := pieces.done(r.Flow, r.Body.Blob, host)
	sealed := v.report.Sealed
	if message.Sealed {
		sealed = max(sealed, r.Body.Size)
	}
	c.unreadable(e, &v, sealed, found)
	if sealed > 0 && !found {
		c.rode(r.Wire).unread += max(sealed, r.Body.Size)
	}
	if n := message.Dropped(); n > 0 {
		c.unread(e, c.cuts, [2]string{host, fmt.Sprintf("%d values of one message were too many to follow", n)}, 0)
	}
}

// upgrades reports whether a request asks for a WebSocket, over HTTP/1.1 (RFC 6455
// section 4.1) or HTTP/2 (RFC 8441), or as programs that record traffic write it.
func upgrades(r *flow.Request) bool {
	return strings.HasPrefix(r.URL, "ws") || slices.ContainsFunc(r.Headers, func(h flow.Header) bool {
		return strings.EqualFold(h.Name, "Upgrade") && strings.EqualFold(h.Value, "websocket") ||
			strings.EqualFold(h.Name, ":protocol") && h.Value == "websocket" || strings.EqualFold(h.Name, "Sec-WebSocket-Key")
	})
}

// trap reports whether a request is a check that the system makes, with nothing in it
// that could tell anybody anything: no query, body or cookie.
func (c *inquiry) trap(r *flow.Request, host string) bool {
	_, rest, _ := strings.Cut(r.URL, "://")
	_, path, _ := strings.Cut(rest, "/")
	if _, is := c.kb.Traps.Request(r.Method, host, "/"+path); !is || r.Body.Size > 0 || r.Body.Cut != "" {
		return false
	}
	return !slices.ContainsFunc(r.Headers, func(h flow.Header) bool { return strings.EqualFold(h.Name, "Cookie") })
}

// unreadable counts what of a message, or of a connection, stayed closed; known says that
// it is a recording, which looks sealed and is not.
func (c *inquiry) unreadable(e evidence.Event, v *view, sealed int64, known bool) {
	if v.why != "" {
		c.unread(e, c.cuts, [2]string{v.host, "a body is not whole: " + v.why}, v.body.Size)
	}
	for _, cut := range v.report.Cuts {
		c.unread(e, c.cuts, [2]string{v.host, cut.Surface + " could not be opened: " + cut.Why}, v.body.Size)
	}
	if known {
		return
	}
	if sealed > 0 {
		bytes := max(sealed, v.body.Size)
		c.unread(e, nil, [2]string{v.host}, bytes)
		c.hide(e, v.host).add(bytes, 1, 0, "looks encrypted, and no decoding explains it")
	}
	if v.report.Binary > 0 {
		c.unread(e, c.binary, [2]string{v.host}, v.report.Binary)
	}
}

func (c *inquiry) response(e evidence.Event, r *flow.Response) {
	a, ok := c.asked[r.Flow]
	if !ok {
		return
	}
	if !a.socket && r.Status != switching {
		delete(c.asked, r.Flow)
	}
	if !a.noise && !a.uncounted {
		c.coverage.Received += size(r.Headers, r.Body.Size)
		if r.Server != "" {
			c.origins[portless(r.Server)] = true
		}
	}
	v := c.sight.response(r)
	c.identified(e, &v, a)
	message := c.newMessage(e, r.Flow, a.host)
	message.Response, message.Status, message.Noise = true, r.Status, a.noise
	message.At, message.Cookies = r.Ended, account.Lifetimes(r.Headers, r.Ended)
	c.answers.Walk(answer(r, v.data), func(p *unwrap.Part) {
		message.Part(p)
		message.Page(c.answers, p)
	})
	c.tracker.Learn(message)
}

// switching is the status with which a connection goes over to another protocol
// (RFC 9110 section 15.2.2).
const switching = 101

// socketMessage looks at a message of a WebSocket: what the device sends is sent like a
// request, and what comes to it is an answer, whether it was asked for or not.
func (c *inquiry) socketMessage(e evidence.Event, r *flow.Message) {
	a, ok := c.asked[r.Flow]
	if !ok {
		a = asked{host: c.hosts[r.Flow], noise: c.noise(e, 0), alone: c.withoutApp(e)}
	}
	message := c.newMessage(e, r.Flow, a.host)
	message.Socket, message.Response, message.Noise = true, !r.Sent, a.noise
	message.Method, message.URL, message.Path, message.At = a.method, a.url, a.path, r.At
	if !r.Sent {
		v := c.sight.message(r, nobody)
		c.identified(e, &v, a)
		c.answers.Message(r.Index, v.data, message.Part)
		c.tracker.Learn(message)
		if !a.noise {
			c.coverage.Received += r.Body.Size
		}
		return
	}
	features := draft.NewFeatures(c.kb.Features)
	pieces := c.newPieces(e, a.noise)
	v := c.sight.message(r, func(p *unwrap.Part) {
		message.Part(p)
		pieces.part(p)
		features.Part(p)
	})
	c.tracker.Learn(message)
	c.identified(e, &v, a)
	if v.why == "" {
		c.sockets[r.Flow] = true
	}
	if a.noise {
		return
	}
	c.coverage.Messages++
	if c.drafted(e) {
		c.vectors(e, r.Flow, r.Body.Blob, v.host, features.Vectors())
	}
	c.unreadable(e, &v, v.report.Sealed, pieces.done(r.Flow, r.Body.Blob, v.host))
}

// opened is a request as it is opened.
func opened(r *flow.Request, body []byte) unwrap.Message {
	return unwrap.Message{URL: r.URL, Headers: slices.Concat(r.Headers, r.Trailers), Body: body}
}

// answer is a response as far as it can mint: pictures and films are left out.
func answer(r *flow.Response, body []byte) unwrap.Message {
	m := unwrap.Message{Headers: slices.Concat(r.Headers, r.Trailers), Response: true}
	media, _, _ := mime.ParseMediaType(flow.HTTPHeader(r.Headers).Get("Content-Type"))
	switch kind, _, _ := strings.Cut(media, "/"); kind {
	case "image", "video", "audio", "font":
	default:
		m.Body = body
	}
	return m
}

func (c *inquiry) newMessage(e evidence.Event, id flow.ID, host string) *account.Message {
	return &account.Message{
		Event: e.Seq, Flow: id, Host: host, Arm: e.Arm, Phase: e.Phase, Consent: e.Consent,
		Signup: c.signup(e.Arm, e.Phase), Installation: c.installation(e),
	}
}

// count adds a request to coverage and recipients.
func (c *inquiry) count(r *flow.Request, host string) {
	if r.Client != "" {
		c.clients[r.Client] = true
	}
	sent := size(r.Headers, r.Body.Size) + int64(len(r.Method)+len(r.URL)+len(r.Proto))
	c.coverage.Flows++
	c.coverage.Sent += sent
	to := c.recipient(host)
	to.Flows++
	to.Sent += sent
}

func size(headers []flow.Header, body int64) int64 {
	for _, h := range headers {
		body += int64(len(h.Name) + len(h.Value) + len(": \r\n"))
	}
	return body
}

func (c *inquiry) recipient(host string) *Recipient {
	r := c.recipients[host]
	if r == nil {
		r = &Recipient{Host: host, Kinds: []string{}}
		if o, ok := c.kb.Owners.Of(host); ok {
			r.Owner, r.Country, r.Purpose, r.Source = o.Name(), o.Country, o.Purpose, o.Source.Source
		}
		c.recipients[host] = r
	}
	return r
}

// checkMinted looks again for what the app knew before it was minted.
func (c *inquiry) checkMinted(ctx context.Context) error {
	anything, err := c.tracker.Prepare()
	if err != nil || !anything {
		return err
	}
	clear(c.asked)
	for e, err := range c.ev.Events(ctx) {
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		alone := c.withoutApp(e)
		if e.Seq > c.tracker.Last() && !alone {
			continue
		}
		switch {
		case e.Kind == evidence.KindRequest:
			err = read(e, func(r flow.Request) {
				body, _ := c.sight.read(r.Body)
				c.opener.Walk(opened(&r, body), func(p *unwrap.Part) {
					c.tracker.CheckPart(p, e.Seq, c.installation(e), false, alone)
				})
			})
		case e.Kind == evidence.KindMessage:
			err = read(e, func(r flow.Message) {
				if r.Sent || alone {
					body, _ := c.sight.read(r.Body)
					c.opener.Message(r.Index, body, func(p *unwrap.Part) { c.tracker.CheckPart(p, e.Seq, c.installation(e), !r.Sent, alone) })
				}
			})
		case e.Kind == evidence.KindResponse && alone:
			err = read(e, func(r flow.Response) {
				body, _ := c.sight.read(r.Body)
				c.answers.Walk(answer(&r, body), func(p *unwrap.Part) { c.tracker.CheckPart(p, e.Seq, c.installation(e), true, true) })
			})
		}
		if err != nil {
			return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.eachAppFile(ctx, c.tracker.CheckFile)
}
