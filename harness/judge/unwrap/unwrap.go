// Package unwrap opens a message: its URL, headers, cookies and body, and whatever
// containers are in there, down to the values.
//
// Each consumer of a message (the recogniser, the account tracker, the draft
// finder) is shown the same parts, so that a message is opened once. What is
// opened follows from what the bytes are; a budget of bytes and steps guards
// against bombs, and what it cut off is reported.
package unwrap

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// Type is what a part is.
type Type = container.Type

// The types.
const (
	Bytes  = container.Bytes  // a whole that may hold others: a body, a decoded blob
	Text   = container.Text   // a value: a string in JSON, a field of a form, a header
	Number = container.Number // a number in JSON
	Bool   = container.Bool   // true or false in JSON
)

// Part is a piece of a message with everything around it taken off.
type Part struct {
	Type  Type
	Key   string   // the name of the nearest field, header or cookie; "" for none
	Chain []string // decodings that led here, outermost first
	Data  []byte   // valid during the visit only
	// JWT marks what stands in the claims of a JSON Web Token.
	JWT bool
	// Guess marks what a decoding gave that nothing in the bytes announces, such as
	// ROT13 or an XOR key that was tried: only what can't stand there by chance counts.
	Guess bool
	// ID numbers the parts of a message from 0; Parent is the part that this one
	// was taken out of, or -1.
	ID, Parent int

	root string
	at   *container.Step
}

// Surface names the place: url, header:NAME, cookie:NAME, host, body, body:$.a.b[2], file:PATH.
func (p *Part) Surface() string {
	if p.at == nil || p.root != flow.SurfaceBody {
		return p.root
	}
	return flow.BodySurface(p.at.String())
}

// Path is the place within the surface: "$.a.b[2]", or "" for the surface itself.
func (p *Part) Path() string {
	if p.at == nil {
		return ""
	}
	return p.at.String()
}

// Keys lists the names on the path, outermost first, without positions in lists.
func (p *Part) Keys() []string { return p.at.Names() }

// Root is the surface without the path in a body: url, header:NAME, cookie:NAME, host, body.
func (p *Part) Root() string { return p.root }

// Message is one side of a flow.
type Message struct {
	URL     string // of the request; also for a response, to name its host
	Headers []flow.Header
	Body    []byte
	// Response tells the sides apart: only a response has Set-Cookie, only a request a URL of its own.
	Response bool
}

// Limits are the budget for one message.
type Limits struct {
	Bytes int64 // that may come out of containers
	Steps int   // containers that may be opened
	Depth int   // containers within each other
}

// defaultLimits is a budget that real messages stay well below.
var defaultLimits = Limits{Bytes: 96 << 20, Steps: 200_000, Depth: 9}

// Cut is something that could not be opened.
type Cut struct {
	Surface string
	Why     string
}

// Report says what a walk did not get to see.
type Report struct {
	Cuts []Cut
	// Sealed counts bytes that no decoding explains and that look random: encrypted,
	// or compressed in a way that is not known. SealedAt is where the first stand.
	Sealed   int64
	SealedAt string
	// Binary counts bytes that are no text, that no decoding explains, and that are not
	// counted as sealed: too few to tell whether they are random, or a format that is
	// not known. What stands in them in the clear was shown all the same.
	Binary int64
}

// Opener opens messages. It holds no state of a message and may be used by
// several goroutines at once.
type Opener struct {
	containers map[string]bool
	limits     Limits
}

// Containers lists the containers that can be opened.
func Containers() []string {
	return []string{"url", "json", "form", "multipart", "jwt", "base64", "hex", "gzip", "zlib", "deflate", "brotli", "zstd"}
}

// New makes an opener for the named containers, with the usual limits where limits is nil.
func New(containers []string, limits *Limits) (*Opener, error) {
	o := &Opener{containers: map[string]bool{}, limits: defaultLimits}
	if limits != nil {
		o.limits = *limits
	}
	for _, c := range containers {
		if !slices.Contains(Containers(), c) {
			return nil, fmt.Errorf("no container is named %q; there are %s", c, strings.Join(Containers(), ", "))
		}
		o.containers[c] = true
	}
	return o, nil
}

// Walk shows every part of a message. A whole is shown before what is in it.
func (o *Opener) Walk(m Message, visit func(*Part)) Report {
	w := &walk{o: o, visit: visit, left: o.limits}
	if !m.Response {
		w.url(m.URL)
	}
	for _, h := range m.Headers {
		w.header(h, m.Response)
	}
	if len(m.Body) > 0 {
		w.body(m)
	}
	return w.report
}

// File shows every part of a file.
func (o *Opener) File(name string, data []byte, visit func(*Part)) Report {
	w := &walk{o: o, visit: visit, left: o.limits}
	w.open(&Part{Parent: -1, Type: Bytes, Data: data, root: "file:" + name}, 0)
	return w.report
}

// Value shows a single value as if it stood in a body, and what is in it.
func (o *Opener) Value(data []byte, visit func(*Part)) Report {
	w := &walk{o: o, visit: visit, left: o.limits}
	w.open(&Part{Parent: -1, Type: Text, Data: data, root: flow.SurfaceBody}, 0)
	return w.report
}

// walk is one message being opened.
type walk struct {
	o      *Opener
	visit  func(*Part)
	left   Limits
	next   int
	report Report
}

// show numbers a part and hands it to the visitor.
func (w *walk) show(p *Part) {
	p.ID = w.next
	w.next++
	w.visit(p)
}

func (w *walk) cut(p *Part, format string, args ...any) {
	if len(w.report.Cuts) < 16 {
		w.report.Cuts = append(w.report.Cuts, Cut{Surface: p.Surface(), Why: fmt.Sprintf(format, args...)})
	}
}

// spend takes a step off the budget and reports whether there was one left.
func (w *walk) spend(p *Part, depth int) bool {
	if depth >= w.o.limits.Depth {
		w.cut(p, "more than %d containers stand within each other", w.o.limits.Depth)
		return false
	}
	if w.left.Steps <= 0 {
		if w.left.Steps == 0 {
			w.left.Steps = -1
			w.cut(p, "more than %d containers in one message", w.o.limits.Steps)
		}
		return false
	}
	w.left.Steps--
	return true
}

func (w *walk) url(raw string) {
	whole := &Part{Parent: -1, Type: Bytes, Data: []byte(raw), root: flow.SurfaceURL}
	w.show(whole)
	rest := raw
	if _, after, ok := strings.Cut(raw, "://"); ok {
		end := strings.IndexAny(after, "/?#")
		if end < 0 {
			end = len(after)
		}
		host := after[:end]
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			w.open(whole.child([]byte(host[:i]), Text, "userinfo", nil), 1)
			host = host[i+1:]
		}
		if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
			host = host[:i]
		}
		w.show(&Part{Parent: whole.ID, Type: Text, Data: []byte(host), root: flow.SurfaceHost})
		rest = after[end:]
	}
	path, query, _ := strings.Cut(rest, "?")
	query, fragment, _ := strings.Cut(query, "#")
	path, pathFragment, _ := strings.Cut(path, "#")
	for _, segment := range strings.Split(path, "/") {
		if segment != "" {
			w.open(whole.child([]byte(segment), Text, "", whole.at.Field("path")), 1)
		}
	}
	w.form(whole, query, 1)
	for _, f := range []string{fragment, pathFragment} {
		if f != "" {
			w.open(whole.child([]byte(f), Text, "", whole.at.Field("fragment")), 1)
		}
	}
}

func (w *walk) header(h flow.Header, response bool) {
	name := strings.ToLower(h.Name)
	switch {
	case name == "cookie" && !response:
		for _, pair := range strings.Split(h.Value, ";") {
			w.cookie(strings.TrimSpace(pair))
		}
	case name == "set-cookie" && response:
		pair, _, _ := strings.Cut(h.Value, ";")
		w.cookie(strings.TrimSpace(pair))
	case strings.HasPrefix(name, ":"):
	default:
		w.open(&Part{Parent: -1, Type: Text, Key: h.Name, Data: []byte(h.Value), root: flow.HeaderSurface(h.Name)}, 0)
	}
}

func (w *walk) cookie(pair string) {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		name, value = "", pair
	}
	if value == "" {
		return
	}
	value = strings.Trim(value, `"`)
	w.open(&Part{Parent: -1, Type: Text, Key: name, Data: []byte(value), root: flow.CookieSurface(name)}, 0)
}

// child is a part that is taken out of p.
func (p *Part) child(data []byte, t Type, key string, at *container.Step) *Part {
	if at == nil {
		at = p.at
	}
	return &Part{Parent: p.ID, Type: t, Key: key, Chain: p.Chain, Data: data, JWT: p.JWT, Guess: p.Guess, root: p.root, at: at}
}

// decoded is what comes out of p by one decoding.
func (p *Part) decoded(name string, data []byte) *Part {
	d := p.child(data, p.Type, p.Key, nil)
	d.Chain = append(slices.Clip(slices.Clone(p.Chain)), name)
	return d
}

// form takes fields apart; it reports whether there were any.
func (w *walk) form(p *Part, text string, depth int) {
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		name, value, has := strings.Cut(pair, "=")
		name = unescape(name)
		if !has {
			name, value = "", pair
		}
		w.open(p.child([]byte(unescape(value)), Text, name, p.at.Field(name)), depth)
	}
}

// unescape decodes a field of a form; what is no escape stays as it is.
func unescape(s string) string {
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return string(percent([]byte(strings.ReplaceAll(s, "+", " "))))
}

// percent decodes what is a percent escape and keeps the rest.
func percent(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := nibble(s[i+1]), nibble(s[i+2]); hi < 16 && lo < 16 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
