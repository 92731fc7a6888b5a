package judge

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// longestBody is how many bytes of one body are looked at.
const longestBody = 64 << 20

// sight finds identifiers in messages, one message after the other, in the order of
// the log. [Sightings] and [Judge] look through the same one, so that neither finds
// what the other does not.
type sight struct {
	ev      evidence.Evidence
	kb      *knowledge.Base
	opener  *unwrap.Opener
	needles *recognise.Needles
	unfit   []recognise.Refusal // what is not looked for

	hosts    map[flow.ID]string // of every request so far
	names    map[string]string  // the same hosts, each once
	messaged map[flow.ID]bool   // flows whose messages stand in the log one by one
	buffer   bytes.Buffer       // of the body that is being looked at

	unexplained unexplained
}

// view is what one message showed, or one direction of a connection.
type view struct {
	flow      flow.ID
	direction string // Sent or Received
	host      string // the service's end
	hits      []recognise.Hit
	tokens    []recognise.Token // digests that nothing explained
	untried   string            // what was too much to try, "" for nothing
	report    unwrap.Report
	body      flow.Body
	data      []byte // of body; valid until the next view
	why       string // the body is not whole
	socket    bool   // the bytes of a connection are a WebSocket's
}

// found ends the search of a message.
func (v *view) found(c *recognise.Collector) {
	v.hits = c.Hits()
	v.tokens, v.untried = c.Unexplained(), c.Cut()
}

// newSight prepares a search for an identity, and for decoys.
func newSight(ev evidence.Evidence, kb *knowledge.Base, ids []recognise.Planted) (*sight, error) {
	s := &sight{ev: ev, kb: kb, hosts: map[flow.ID]string{}, names: map[string]string{}, messaged: map[flow.ID]bool{}}
	var err error
	if s.opener, err = unwrap.New(kb.Disguises.Containers, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", knowledge.FileDisguises, err)
	}
	s.needles, s.unfit, err = recognise.Build(ids, kb)
	return s, err
}

// nobody looks at the parts besides.
func nobody(*unwrap.Part) {}

// request looks at a request, its body, and the name that its connection was opened for.
func (s *sight) request(r *flow.Request, visit func(*unwrap.Part)) view {
	host, _ := address(r.URL)
	v := view{flow: r.Flow, direction: Sent, host: s.intern(host), body: r.Body}
	s.hosts[r.Flow] = v.host
	v.data, v.why = s.read(r.Body)
	hits := s.needles.Collector().Opening(s.opener)
	v.report = s.opener.Walk(unwrap.Message{URL: r.URL, Headers: slices.Concat(r.Headers, r.Trailers), Body: v.data}, func(p *unwrap.Part) {
		hits.Part(p)
		visit(p)
	})
	v.found(hits)
	told := []string{host}
	for _, name := range []string{sni(r.TLS), portless(r.Target)} {
		if name != "" && !slices.Contains(told, name) {
			told = append(told, name)
			v.hits = append(v.hits, s.name(name)...)
		}
	}
	return v
}

// response looks at a response, with the informational ones before it.
func (s *sight) response(r *flow.Response) view {
	v := view{flow: r.Flow, direction: Received, host: s.hosts[r.Flow], body: r.Body}
	v.data, v.why = s.read(r.Body)
	hits := s.needles.Collector().Opening(s.opener)
	headers := slices.Concat(r.Headers, r.Trailers)
	for _, i := range r.Interim {
		headers = append(headers, i.Headers...)
	}
	v.report = s.opener.Walk(unwrap.Message{Headers: headers, Body: v.data, Response: true}, hits.Part)
	v.found(hits)
	return v
}

// message looks at a message of a WebSocket.
func (s *sight) message(r *flow.Message, visit func(*unwrap.Part)) view {
	v := view{flow: r.Flow, direction: Received, host: s.hosts[r.Flow], body: r.Body, socket: true}
	if r.Sent {
		v.direction = Sent
	}
	s.messaged[r.Flow] = true
	v.data, v.why = s.read(r.Body)
	hits := s.needles.Collector().Opening(s.opener)
	v.report = s.opener.Message(r.Index, v.data, func(p *unwrap.Part) {
		hits.Part(p)
		visit(p)
	})
	v.found(hits)
	return v
}

// connection looks at what one direction of a connection without readable HTTP
// carried, and, for the device's, at the names that it was opened for. What stands in
// the log as messages is not looked at again.
func (s *sight) connection(r *flow.Connection, direction string, visit func(*unwrap.Part)) view {
	v := view{flow: r.Flow, direction: direction, host: hostOf(r), body: r.Up}
	if direction == Received {
		v.body = r.Down
	}
	if v.body.Size > 0 && !(r.Reason == flow.Upgraded && s.messaged[r.Flow]) {
		v.data, v.why = s.read(v.body)
		hits := s.needles.Collector().Opening(s.opener)
		both := func(p *unwrap.Part) {
			hits.Part(p)
			visit(p)
		}
		if v.socket = r.Reason == flow.Upgraded && isSocket(s.opener, v.data); v.socket {
			v.report, _ = s.opener.Socket(v.data, both)
		} else {
			v.report = s.opener.Walk(unwrap.Message{Body: v.data, Response: true}, both)
		}
		v.found(hits)
	}
	if _, asked := s.hosts[r.Flow]; direction == Sent && !asked {
		v.hits = append(v.hits, s.name(v.host)...)
		if other := strings.ToLower(r.Host); other != v.host {
			v.hits = append(v.hits, s.name(other)...)
		}
	}
	return v
}

// isSocket reports whether bytes are WebSocket frames to their end.
func isSocket(o *unwrap.Opener, data []byte) bool {
	_, err := o.Socket(data, nobody)
	return err == nil
}

// query looks at a name that the device asked for. Its host is the part of the name
// that holds no identifier: whoever answers for that is told.
func (s *sight) query(q *flow.Query) view {
	v := view{direction: Sent, host: q.Name, hits: s.name(q.Name)}
	for len(v.hits) > 0 && len(s.name(v.host)) > 0 {
		_, rest, more := strings.Cut(v.host, ".")
		if !more {
			break
		}
		v.host = rest
	}
	return v
}

// name searches a host's name.
func (s *sight) name(host string) []recognise.Hit {
	if host == "" {
		return nil
	}
	hits := s.needles.Collector().Opening(s.opener)
	s.opener.Walk(unwrap.Message{URL: "dns://" + host + "/"}, hits.Part)
	return slices.DeleteFunc(hits.Hits(), func(h recognise.Hit) bool { return h.Surface != flow.SurfaceHost })
}

// read reads a body as it is in the evidence, and says why it is not whole. The bytes
// are valid until the next body is read.
func (s *sight) read(b flow.Body) (data []byte, why string) {
	if b.Size == 0 {
		return nil, b.Cut
	}
	if b.Blob == "" {
		return b.Inline, b.Cut
	}
	r, err := b.Open(s.ev)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, "it is not in the evidence"
		}
		return nil, err.Error()
	}
	defer r.Close()
	s.buffer.Reset()
	if b.Size > 0 && b.Size <= longestBody {
		s.buffer.Grow(int(b.Size) + bytes.MinRead)
	}
	_, err = s.buffer.ReadFrom(io.LimitReader(r, longestBody+1))
	data, why = s.buffer.Bytes(), b.Cut
	switch {
	case err != nil:
		why = err.Error()
	case len(data) > longestBody:
		data, why = data[:longestBody], fmt.Sprintf("it is longer than %d bytes, and the rest was not looked at", longestBody)
	}
	return data, why
}

// intern keeps each host once, however many flows go there.
func (s *sight) intern(host string) string {
	if known, ok := s.names[host]; ok {
		return known
	}
	s.names[host] = host
	return host
}

// owner names the company behind a host, if it is known.
func (s *sight) owner(host string) string {
	if o, ok := s.kb.Owners.Of(host); ok && host != "" {
		return o.Name()
	}
	return ""
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

// hostOf is the host that a connection was meant for.
func hostOf(r *flow.Connection) string {
	return strings.ToLower(cmp.Or(r.SNI, r.Host))
}

func sni(t *flow.TLS) string {
	if t == nil {
		return ""
	}
	return strings.ToLower(t.SNI)
}

// portless is the host of a host:port.
func portless(address string) string {
	host := address
	if i := strings.LastIndexByte(address, ':'); i >= 0 && !strings.HasSuffix(address, "]") {
		host = address[:i]
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
