package har

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Entry is one entry of a file in the terms of a flow. Flows have no ID, and bodies no
// bytes of their own: these stand beside them, to be stored by who reads.
type Entry struct {
	Index int // in log.entries, from 0

	Request      flow.Request
	RequestBody  []byte
	Response     *flow.Response // nil where the file has none
	ResponseBody []byte
	Messages     []Frame // of a WebSocket

	// Connection is set instead of all of these for a connection without readable
	// HTTP, which only our own files have. Of says which entry's request it was
	// that went over to another protocol; -1 for none.
	Connection *flow.Connection
	Of         int
	Up, Down   []byte
}

// Frame is a message of a WebSocket with its bytes.
type Frame struct {
	flow.Message
	Data []byte
}

// build makes an entry of what was read; nil for one that is left out, which is noted.
func (r *Reader) build(i int, raw *rawEntry) *Entry {
	started, ok := moment(raw.started)
	if !ok && raw.started.ok {
		r.notes.add(i, "has a startedDateTime that is no time", LostNothing)
	}
	ended := started
	if ms, ok := raw.took.number(); ok && ms > 0 && ms < 1e12 && !started.IsZero() {
		ended = started.Add(time.Duration(ms * float64(time.Millisecond)))
	}
	if raw.unasked != nil && raw.unasked.isOpaque {
		return r.connection(i, raw.unasked, started, ended)
	}
	switch {
	case raw.request == nil:
		r.notes.add(i, "has no request and was left out", LostSent)
		return nil
	case raw.cached.ok && raw.cached.value != "" && raw.cached.value != "false":
		r.notes.add(i, "was answered from a cache, so nothing was sent; it was left out", LostNothing)
		return nil
	}
	e := &Entry{Index: i, Of: -1}
	q := raw.request
	address := absolute(q)
	if scheme, _, _ := strings.Cut(strings.ToLower(address), ":"); !slices.Contains([]string{"http", "https", "ws", "wss"}, scheme) && strings.Contains(address, ":") {
		r.notes.add(i, "has a URL that is not sent over a network (such as data: or blob:) and was left out", LostNothing)
		return nil
	}
	e.Request = flow.Request{
		Started: started, Method: strings.ToUpper(cmp.Or(q.method.value, "GET")),
		URL: address, Proto: protocol(q.version.value), Headers: fields(q, "Cookie"),
	}
	e.RequestBody, e.Request.Body.Cut = r.content(i, "request", q, &e.Request.Headers)
	e.Request.Size = onWire(q)
	if p := raw.response; p != nil {
		e.Response = &flow.Response{
			Started: started, Ended: ended, Status: status(p.status), Proto: protocol(p.version.value),
			Headers: fields(p, "Set-Cookie"), Server: raw.server.value, Error: cmp.Or(p.failed.value, raw.failed.value), Size: onWire(p),
		}
		e.ResponseBody, e.Response.Body.Cut = r.content(i, "response", p, &e.Response.Headers)
	}
	for n := range raw.messages {
		e.Messages = append(e.Messages, r.frame(i, n, &raw.messages[n], started))
	}
	if raw.unasked != nil && raw.unasked.flow.value != "" {
		r.renamed[raw.unasked.flow.value] = i
	}
	return e
}

// connection is an entry of ours that stands for a connection without readable HTTP.
func (r *Reader) connection(i int, u *rawUnasked, started, ended time.Time) *Entry {
	of := u.opaque
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(of[name], 10, 64)
		return max(n, 0)
	}
	e := &Entry{Index: i, Of: -1, Connection: &flow.Connection{
		Started: started, Ended: ended, Host: of["host"], Port: int(min(number("port"), math.MaxUint16)), SNI: of["sni"],
		JA3: of["ja3"], JA4: of["ja4"], Server: of["server"], Fingerprint: of["fingerprint"],
		Reason: cmp.Or(of["reason"], flow.Broken), Detail: of["detail"], Sent: number("sent"), Received: number("received"),
	}}
	if known, ok := r.renamed[u.flow.value]; ok {
		e.Of = known
	}
	for _, side := range []struct {
		name string
		text []byte
		into *[]byte
		body *flow.Body
	}{{"up", u.up, &e.Up, &e.Connection.Up}, {"down", u.down, &e.Down, &e.Connection.Down}} {
		data, ok := unbase64(side.text)
		if !ok {
			r.notes.add(i, "has broken base64 in _unasked.opaque."+side.name+"; it was taken as text", LostSent)
		}
		*side.into = data
		side.body.Cut = of[side.name+"Cut"]
	}
	return e
}

// frame is one message of a WebSocket.
func (r *Reader) frame(i, n int, f *rawFrame, started time.Time) Frame {
	at, ok := moment(f.at)
	if !ok {
		at = started
	}
	m := Frame{Message: flow.Message{Index: n, At: at, Sent: f.kind.value == "send" || f.kind.value == "request"}, Data: f.data}
	if opcode, ok := f.opcode.number(); ok && opcode != 1 && opcode >= 0 {
		m.Binary = true
		if data, ok := unbase64(f.data); ok {
			m.Data = data
		} else {
			r.notes.add(i, "has broken base64 in _webSocketMessages; it was taken as text", LostSent)
		}
	}
	switch {
	case f.cut:
		m.Body.Cut = "it is longer than is read of one"
		r.notes.add(i, "has a message that is longer than is read of one; its end was left out", LostSent)
	case !f.ok:
		m.Body.Cut = "the file does not hold it"
	}
	return m
}

// layouts are the ways in which times are written, besides RFC 3339.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999", time.RFC1123, time.RFC1123Z,
}

// moment reads a time; a number is seconds, or milliseconds, since 1970.
func moment(t text) (time.Time, bool) {
	if n, ok := t.number(); ok && n > 0 {
		if n > 1e11 {
			n /= 1000
		}
		whole, part := math.Modf(n)
		return time.Unix(int64(whole), int64(part*1e9)).UTC(), true
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, strings.TrimSpace(t.value)); err == nil && at.Year() > 0 && at.Year() < 10000 {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// absolute is the URL that a request was for, put together from its parts where the
// file has only some.
func absolute(q *rawMessage) string {
	pseudo := func(name string) string {
		for _, h := range q.headers {
			if strings.EqualFold(h.Name, name) {
				return h.Value
			}
		}
		return ""
	}
	address := strings.TrimSpace(q.url.value)
	if scheme, _, ok := strings.Cut(address, ":"); !ok || strings.ContainsAny(scheme, "/?#.") {
		if address == "" {
			address = pseudo(":path")
		}
		if host := cmp.Or(pseudo(":authority"), pseudo("Host")); host != "" && !strings.HasPrefix(address, "//") {
			address = "//" + host + "/" + strings.TrimPrefix(address, "/")
		}
		if strings.HasPrefix(address, "//") {
			address = cmp.Or(pseudo(":scheme"), "https") + ":" + address
		}
	}
	return withQuery(address, q.query)
}

// withQuery adds the parameters of queryString that the URL lacks.
func withQuery(address string, query []flow.Header) string {
	if len(query) == 0 {
		return address
	}
	rest, fragment, hasFragment := strings.Cut(address, "#")
	_, have, has := strings.Cut(rest, "?")
	known := map[string]bool{}
	for pair := range strings.SplitSeq(have, "&") {
		name, _, _ := strings.Cut(pair, "=")
		known[name] = true
		if plain, err := url.QueryUnescape(name); err == nil {
			known[plain] = true
		}
	}
	for _, p := range query {
		if has && (known[p.Name] || known[url.QueryEscape(p.Name)]) {
			continue
		}
		mark := "?"
		if has {
			mark = "&"
		}
		rest += mark + url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value)
		has = true
	}
	if hasFragment {
		rest += "#" + fragment
	}
	return rest
}

// fields are the header fields without HTTP/2's pseudo fields, with the cookies that
// only the list of cookies has.
func fields(m *rawMessage, cookie string) []flow.Header {
	out := make([]flow.Header, 0, len(m.headers))
	known := map[string]bool{}
	for _, h := range m.headers {
		if strings.HasPrefix(h.Name, ":") {
			continue
		}
		out = append(out, h)
		if strings.EqualFold(h.Name, cookie) {
			for pair := range strings.SplitSeq(h.Value, ";") {
				name, _, _ := strings.Cut(pair, "=")
				known[strings.TrimSpace(name)] = true
			}
			// Some tools put several fields into one, a line for each.
			for line := range strings.SplitSeq(h.Value, "\n") {
				name, _, _ := strings.Cut(line, "=")
				known[strings.TrimSpace(name)] = true
			}
		}
	}
	for _, c := range m.cookies {
		if !known[c.Name] {
			out = append(out, flow.Header{Name: cookie, Value: c.Name + "=" + c.Value})
		}
	}
	return out
}

// protocol is an HTTP version as flows have it.
func protocol(version string) string {
	switch v := strings.ToLower(strings.TrimSpace(version)); v {
	case "h2", "http/2", "http/2.0", "http/2+quic/43", "spdy":
		return "HTTP/2.0"
	case "h3", "http/3", "http/3.0", "h3-29":
		return "HTTP/3.0"
	case "http/1.0", "http/1.1":
		return strings.ToUpper(v)
	case "", "unknown":
		return ""
	}
	return version
}

func status(t text) int {
	n, ok := t.number()
	if !ok || n < 0 || n > 999 {
		return 0
	}
	return int(n)
}

// onWire is what a message took, head and body; 0 where the file does not say.
func onWire(m *rawMessage) int64 {
	head, body := m.headersSize.bytes(), m.bodySize.bytes()
	if head < 0 || body < 0 {
		return 0
	}
	return head + body
}

// unbase64 decodes in place: with either alphabet, with white space, without padding.
// ok is false for what is no base64; data is text then.
func unbase64(text []byte) (data []byte, ok bool) {
	kept := make([]byte, 0, len(text))
	for _, b := range text {
		switch b {
		case ' ', '\t', '\r', '\n':
			continue
		case '-':
			b = '+'
		case '_':
			b = '/'
		}
		kept = append(kept, b)
	}
	kept = bytes.TrimRight(kept, "=")
	n, err := base64.RawStdEncoding.Decode(kept, kept)
	if err != nil {
		return text, false
	}
	return kept[:n], true
}

// said names a body for a note.
func said(what string, format string, args ...any) string {
	return "has a " + what + " body that " + fmt.Sprintf(format, args...)
}
