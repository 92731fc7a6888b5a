package judge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/account"
	"github.com/unasked-audit/unasked/harness/judge/draft"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// longestBody is how many bytes of one body are looked at.
const longestBody = 64 << 20

// asked is what has to be known of a request when its response comes.
type asked struct {
	host  string
	noise bool
	alone bool // sent while the app was not there
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
		}
		if err != nil {
			return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	return ctx.Err()
}

// address takes a URL apart; one that can't be parsed is still a place that was talked to.
func address(raw string) (host, path string) {
	u, err := url.Parse(raw)
	if err == nil && u.Hostname() != "" {
		return strings.ToLower(u.Hostname()), u.Path
	}
	_, rest, _ := strings.Cut(raw, "://")
	host, path, _ = strings.Cut(rest, "/")
	return strings.ToLower(host), "/" + path
}

// body reads a body as it is in the evidence, and says why it is not whole.
func (c *inquiry) body(b flow.Body) (data []byte, why string) {
	if b.Cut != "" {
		why = b.Cut
	}
	if b.Size == 0 {
		return nil, why
	}
	r, err := b.Open(c.ev)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, "it is not in the evidence"
		}
		return nil, err.Error()
	}
	defer r.Close()
	data, err = io.ReadAll(io.LimitReader(r, longestBody+1))
	switch {
	case err != nil:
		why = err.Error()
	case len(data) > longestBody:
		data, why = data[:longestBody], fmt.Sprintf("it is longer than %d bytes, and the rest was not looked at", longestBody)
	}
	return data, why
}

func (c *inquiry) request(e evidence.Event, r *flow.Request) {
	host, path := address(r.URL)
	a := asked{host: host, noise: c.noise(e, r.UID), alone: c.withoutApp(e)}
	a.uncounted = c.trap(r, host)
	c.asked[r.Flow] = a
	delete(c.unreached, r.Flow)
	body, why := c.body(r.Body)

	message := c.message(e, r.Flow, host)
	message.Method, message.URL, message.Path, message.Noise = r.Method, r.URL, path, a.noise
	hits := c.needles.Collector()
	features := draft.NewFeatures(c.kb.Features)
	pieces := c.newPieces(e, a.noise)
	report := c.opener.Walk(c.question(r, body), func(p *unwrap.Part) {
		hits.Part(p)
		message.Part(p)
		pieces.part(p)
		features.Part(p)
	})
	c.tracker.Learn(message)
	if r.TLS != nil && !a.noise {
		c.readable[stack{e.Arm, cmp.Or(strings.ToLower(r.TLS.SNI), host), r.TLS.Fingerprint}] = true
	}
	sighted := hits.Hits()
	c.identified(e, r.Flow, r.Body.Blob, host, a, sighted)
	if a.noise {
		return
	}
	if !a.uncounted || len(sighted) > 0 {
		c.count(r, host)
		if r.UID == 0 {
			c.anonymous++
		}
	}
	if c.drafted(e) {
		c.vectors(e, r.Flow, r.Body.Blob, host, features.Vectors())
	}
	found := pieces.done(r.Flow, r.Body.Blob, host)
	if why != "" {
		c.unread(e, c.cuts, [2]string{host, "a body is not whole: " + why}, r.Body.Size)
	}
	for _, cut := range report.Cuts {
		c.unread(e, c.cuts, [2]string{host, cut.Surface + " could not be opened: " + cut.Why}, r.Body.Size)
	}
	if (report.Sealed > 0 || message.Sealed) && !found {
		c.unread(e, nil, [2]string{host}, max(report.Sealed, r.Body.Size))
	}
	if report.Binary > 0 && !found {
		c.unread(e, c.binary, [2]string{host}, report.Binary)
	}
	if n := message.Dropped(); n > 0 {
		c.unread(e, c.cuts, [2]string{host, fmt.Sprintf("%d values of one message were too many to follow", n)}, 0)
	}
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

func (c *inquiry) response(e evidence.Event, r *flow.Response) {
	a, ok := c.asked[r.Flow]
	delete(c.asked, r.Flow)
	if !ok {
		return
	}
	if !a.noise && !a.uncounted {
		c.coverage.Received += size(r.Headers, r.Body.Size)
	}
	message := c.message(e, r.Flow, a.host)
	message.Response, message.Status, message.Noise = true, r.Status, a.noise
	c.answers.Walk(c.answer(r), message.Part)
	c.tracker.Learn(message)
}

// question is a request as it is opened.
func (c *inquiry) question(r *flow.Request, body []byte) unwrap.Message {
	return unwrap.Message{URL: r.URL, Headers: slices.Concat(r.Headers, r.Trailers), Body: body}
}

// answer is a response as far as it can mint: pictures and films are left out.
func (c *inquiry) answer(r *flow.Response) unwrap.Message {
	m := unwrap.Message{Headers: slices.Concat(r.Headers, r.Trailers), Response: true}
	media, _, _ := mime.ParseMediaType(flow.HTTPHeader(r.Headers).Get("Content-Type"))
	switch kind, _, _ := strings.Cut(media, "/"); kind {
	case "image", "video", "audio", "font":
	default:
		m.Body, _ = c.body(r.Body)
	}
	return m
}

func (c *inquiry) message(e evidence.Event, id flow.ID, host string) *account.Message {
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
				body, _ := c.body(r.Body)
				c.opener.Walk(c.question(&r, body), func(p *unwrap.Part) {
					c.tracker.CheckPart(p, e.Seq, false, alone)
				})
			})
		case e.Kind == evidence.KindResponse && alone:
			err = read(e, func(r flow.Response) {
				c.answers.Walk(c.answer(&r), func(p *unwrap.Part) { c.tracker.CheckPart(p, e.Seq, true, true) })
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
