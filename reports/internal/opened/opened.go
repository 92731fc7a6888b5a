// Package opened opens one message of a flow at the place that proves a finding, so that
// a person can read it: method, URL, headers, the body with its codings taken off, the
// place marked, and what it decodes to.
//
// It searches for nothing that the judge did not already find. Where it can't show a place
// it says so; the pointer still stands beside it.
package opened

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// Limits on what is shown of one message.
const (
	bodyLimit   = 1 << 20 // bytes of a body, decoded, that are searched for the place
	maxHeaders  = 40
	maxURL      = 1200 // characters
	maxHeader   = 400
	maxChain    = 12 // steps; the judge unwraps fewer
	linesAround = 7
	lineWidth   = 320
)

// Message is one request or response, opened.
type Message struct {
	Side    string // request or response
	Proto   string
	Method  string    // of a request
	URL     []Segment // of a request
	Status  string    // of a response: "200 OK"
	Error   string    // why there was no response
	Headers []Header
	Left    int // headers that are not shown
	Body    Body
	Layers  []Layer // what the place decodes to, in order
	Marked  bool    // the place is marked somewhere in it
	Check   string  // a command with which anyone can compute the fingerprint that was recognised
}

// Header is one header field.
type Header struct {
	Name   string
	Value  []Segment
	Marked bool
}

// Body is a body around the place.
type Body struct {
	Size    int64    // bytes as sent
	Codings []string // that were taken off
	Form    string   // how it is shown: "JSON", "text", "bytes"
	Lines   []Line
	Above   int    // lines left out before
	Below   int    // and after; bytes, where bytes are shown
	Note    string // why it is not shown, or not whole
}

// Layer is what a place decodes to after one more step.
type Layer struct {
	Step  string // such as base64
	Form  string
	Lines []Line
	Above int
	Below int
}

// Line is one line of text, with its number in the decoded body.
type Line struct {
	Number   int
	Segments []Segment
}

// Segment is a run of text that is marked or not. Its text is inert.
type Segment struct {
	Text string
	Mark bool
}

// Open opens the message that p points into. The error is that of reading the evidence; a
// blob that is not there is a note in the message.
func Open(ctx context.Context, ev evidence.Evidence, rec *record.Record, f judge.Finding, p judge.Pointer) (*Message, error) {
	fl := rec.Flows[p.Flow]
	p.Chain = p.Chain[:min(len(p.Chain), maxChain)]
	o := opener{finding: f, pointer: p, needles: needles(f, p)}
	if m, ok := rec.Messages[p.Event]; ok {
		return o.message(ctx, ev, fl, m)
	}
	if fl == nil {
		return nil, nil
	}
	if p.Side == "response" {
		if fl.Response == nil {
			return nil, nil
		}
		return o.response(ctx, ev, fl.Response)
	}
	return o.request(ctx, ev, &fl.Request)
}

// Answer is the line that says how a request was answered: "200 OK, 312 bytes", or why it was not.
func Answer(fl *record.Flow) string {
	if fl == nil || fl.Response == nil {
		return "no answer was recorded"
	}
	a := fl.Response
	if a.Status == 0 {
		return "no answer: " + inert.Line(a.Error, 200)
	}
	return status(a)
}

type opener struct {
	finding judge.Finding
	pointer judge.Pointer
	needles []string
}

// surface reports whether the pointer is at a surface, and its rest: header:NAME has the rest NAME.
func (o opener) surface(name string) (string, bool) {
	head, rest, _ := strings.Cut(o.pointer.Surface, ":")
	return rest, head == name
}

func (o opener) request(ctx context.Context, ev evidence.Evidence, q *flow.Request) (*Message, error) {
	m := &Message{Side: "request", Method: inert.Line(q.Method, 20), Proto: inert.Line(q.Proto, 20)}
	if _, ok := o.surface("url"); ok {
		o.markURL(m, q.URL)
	} else if _, ok := o.surface("host"); ok {
		m.URL = o.markLine(m, q.URL, maxURL)
	} else {
		m.URL = []Segment{{Text: inert.Line(q.URL, maxURL)}}
	}
	o.headers(m, q.Headers)
	return m, o.body(ctx, ev, m, q.Body, q.Headers)
}

func (o opener) response(ctx context.Context, ev evidence.Evidence, a *flow.Response) (*Message, error) {
	m := &Message{Side: "response", Proto: inert.Line(a.Proto, 20), Status: status(a), Error: inert.Line(a.Error, 300)}
	o.headers(m, a.Headers)
	return m, o.body(ctx, ev, m, a.Body, a.Headers)
}

// message opens a message of a WebSocket; fl is the flow that asked for it, where that is known.
func (o opener) message(ctx context.Context, ev evidence.Evidence, fl *record.Flow, w *flow.Message) (*Message, error) {
	m := &Message{Side: "request", Method: "WebSocket message " + strconv.Itoa(w.Index) + ", from the device"}
	if !w.Sent {
		m.Method = "WebSocket message " + strconv.Itoa(w.Index) + ", to the device"
	}
	if fl != nil {
		m.URL = []Segment{{Text: inert.Line(fl.Request.URL, maxURL)}}
	}
	return m, o.body(ctx, ev, m, w.Body, nil)
}

func (o opener) markURL(m *Message, raw string) {
	m.URL = o.markLine(m, raw, maxURL)
	if m.Marked {
		o.unfold(m, urlPlace(raw, o.pointer.Surface))
	}
}

// headers shows header fields; the one that the pointer names is always among them.
func (o opener) headers(m *Message, fields []flow.Header) {
	name, isHeader := o.surface("header")
	cookie, isCookie := o.surface("cookie")
	for i, h := range fields {
		at := isHeader && strings.EqualFold(h.Name, name) ||
			isCookie && (strings.EqualFold(h.Name, "Cookie") || strings.EqualFold(h.Name, "Set-Cookie")) && strings.Contains(h.Value, cookie)
		if !at && i >= maxHeaders {
			m.Left++
			continue
		}
		shown := Header{Name: inert.Line(h.Name, 80)}
		if at && !m.Marked {
			shown.Value = o.markLine(m, h.Value, maxHeader)
			if !m.Marked { // the judge says that it is here; show which field at least
				shown.Value = []Segment{{Text: inert.Line(h.Value, maxHeader), Mark: true}}
				m.Marked = true
			}
			shown.Marked = true
			o.unfold(m, headerPlace(h.Value, cookie))
		} else {
			shown.Value = []Segment{{Text: inert.Line(h.Value, maxHeader)}}
		}
		m.Headers = append(m.Headers, shown)
	}
}

func (o opener) body(ctx context.Context, ev evidence.Evidence, m *Message, b flow.Body, fields []flow.Header) error {
	m.Body.Size = b.Size
	if b.Cut != "" {
		m.Body.Note = "The body is not whole: " + inert.Line(b.Cut, 200) + "."
	}
	if b.Size == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	content, codings, err := read(ev, b, fields)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.Body.Note = "The body is not in the evidence."
		return nil
	case err != nil && len(content) == 0:
		m.Body.Note = "The body can't be decoded: " + inert.Line(err.Error(), 200) + "."
		return nil
	case err != nil:
		m.Body.Note = "The body can be decoded in part only: " + inert.Line(err.Error(), 200) + "."
	}
	m.Body.Codings = codings
	path, here := o.surface("body")
	if _, ok := o.surface("ws"); ok {
		path, here = "", true
	}
	if !here && o.pointer.Surface != "" {
		// The place is elsewhere in the message; the body is shown from its start.
		v := o.locate(content, nil)
		v.at = nowhere
		m.Body.Form, m.Body.Lines, m.Body.Above, m.Body.Below = window(v)
		return nil
	}
	v, taken := o.inside(content, splitPath(path))
	m.Body.Codings = append(m.Body.Codings, taken...)
	m.Body.Form, m.Body.Lines, m.Body.Above, m.Body.Below = window(v)
	m.Marked = m.Marked || v.at.start >= 0
	if v.place != nil {
		o.unfold(m, v.place, v.rest...)
	}
	return nil
}

// read reads a body with its codings taken off, up to bodyLimit.
func read(ev evidence.Evidence, b flow.Body, fields []flow.Header) ([]byte, []string, error) {
	rc, codings, err := flow.Content(ev, b, fields, bodyLimit)
	if err != nil {
		raw, rawErr := readRaw(ev, b)
		return raw, nil, errors.Join(err, rawErr)
	}
	defer rc.Close()
	content, err := io.ReadAll(io.LimitReader(rc, bodyLimit))
	return content, codings, err
}

func readRaw(ev evidence.Evidence, b flow.Body) ([]byte, error) {
	rc, err := b.Open(ev)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	return io.ReadAll(io.LimitReader(rc, bodyLimit))
}

func status(a *flow.Response) string {
	if a.Status == 0 {
		return ""
	}
	return strings.TrimSpace(strconv.Itoa(a.Status) + " " + http.StatusText(a.Status))
}
