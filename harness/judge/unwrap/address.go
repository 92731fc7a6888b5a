package unwrap

import (
	"bytes"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// longestLabel is how long a label of a host name is that is a word, and no data.
const longestLabel = 12

// The names of the steps to what stands in a URL.
const (
	stepPath     = "path"
	stepFragment = "fragment"
)

// url opens the URL of a request: its host, the segments of its path, its query.
func (w *walk) url(raw string) {
	whole := w.part()
	defer w.drop(whole)
	*whole = Part{Parent: -1, Type: Bytes, Data: []byte(raw), root: flow.SurfaceURL}
	w.show(whole)
	rest := whole.Data
	if i := bytes.Index(rest, []byte("://")); i >= 0 {
		host := rest[i+3:]
		end := bytes.IndexAny(host, "/?#")
		if end < 0 {
			end = len(host)
		}
		host, rest = host[:end], host[end:]
		if i := bytes.LastIndexByte(host, '@'); i >= 0 {
			w.leaf(whole, host[:i], Text, "userinfo", nil, 1)
			host = host[i+1:]
		}
		if i := bytes.LastIndexByte(host, ':'); i >= 0 && !bytes.HasSuffix(host, []byte("]")) {
			host = host[:i]
		}
		w.host(whole, host)
	}
	w.location(whole, rest, 1)
}

// host opens a host name, and each label that is longer than a word.
func (w *walk) host(whole *Part, host []byte) {
	p := w.part()
	*p = Part{Parent: whole.ID, Type: Text, Data: host, root: flow.SurfaceHost, Alias: true}
	w.show(p)
	if out, sure := coding.Punycode(w.buffer(), host); sure == coding.Strong && w.has(canPunycode) && w.spend(p, 1) {
		w.opened(p, "punycode", out, 1, false)
		w.release(out)
	}
	for label := range bytes.SplitSeq(host, []byte(".")) {
		if len(label) > longestLabel {
			w.leaf(p, label, Text, "", nil, 1)
		}
	}
	w.drop(p)
}

// location opens what stands behind the host in a URL.
func (w *walk) location(p *Part, rest []byte, depth int) {
	path, query, _ := bytes.Cut(rest, []byte("?"))
	query, fragment, _ := bytes.Cut(query, []byte("#"))
	path, pathFragment, _ := bytes.Cut(path, []byte("#"))
	var at *container.Step
	for segment := range bytes.SplitSeq(path, []byte("/")) {
		if len(segment) > 0 {
			if at == nil {
				at = p.at.Field(stepPath)
			}
			w.segment(p, segment, at, depth)
		}
	}
	w.form(p, query, depth)
	for _, f := range [][]byte{fragment, pathFragment} {
		if len(f) > 0 {
			w.leaf(p, f, Text, "", p.at.Field(stepFragment), depth)
		}
	}
}

// segment opens a segment of a path. Its escapes come first: what looks like a form with
// them may be none without.
func (w *walk) segment(p *Part, data []byte, at *container.Step, depth int) {
	if bytes.IndexByte(data, '%') < 0 || bytes.IndexByte(data, '=') < 0 {
		w.leaf(p, data, Text, "", at, depth)
		return
	}
	c := w.part()
	*c = Part{Parent: p.ID, Type: Text, Chain: p.Chain, Data: data, JWT: p.JWT, Guess: p.Guess, root: p.root, at: at, Alias: within(data, p.Data)}
	w.show(c)
	if !w.escape(c, canURL, "url", coding.Percent, depth) {
		w.look(c, depth)
	}
	w.drop(c)
}

// link opens the query and fragment of a text that is a URL; it reports whether it is one that has any.
func (w *walk) link(p *Part, depth int) bool {
	data := p.Data
	i := bytes.Index(data[:min(len(data), 32)], []byte("://"))
	if i <= 0 || bytes.ContainsAny(data, " \t\r\n\"<>") {
		return false
	}
	for _, c := range data[:i] {
		if classes[c]&(digit|hexLower|hexUpper|lower|upper) == 0 && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	rest := data[i+3:]
	end := bytes.IndexAny(rest, "/?#")
	if end < 0 || !w.spend(p, depth) {
		return false
	}
	w.location(p, rest[end:], depth+1)
	return true
}

func (w *walk) header(h flow.Header, response bool) {
	name := strings.ToLower(h.Name)
	switch {
	case name == "cookie" && !response:
		for pair := range strings.SplitSeq(h.Value, ";") {
			w.cookie(strings.TrimSpace(pair))
		}
	case name == "set-cookie" && response:
		pair, _, _ := strings.Cut(h.Value, ";")
		w.cookie(strings.TrimSpace(pair))
	case strings.HasPrefix(name, ":"):
	default:
		w.whole([]byte(h.Value), Text, h.Name, flow.HeaderSurface(h.Name))
	}
}

func (w *walk) cookie(pair string) {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		name, value = "", pair
	}
	if value != "" {
		w.whole([]byte(strings.Trim(value, `"`)), Text, name, flow.CookieSurface(name))
	}
}

// form takes the fields of a form or of a query apart.
func (w *walk) form(p *Part, text []byte, depth int) {
	err := container.Fields(text, p.at, &w.budget, func(at *container.Step, key string, t Type, value []byte) {
		w.leaf(p, value, t, key, at, depth)
	})
	if err != nil {
		w.cut(p, "form: more comes out than %d values", valuesPerStep*w.o.limits.Steps)
	}
}

// fields takes a form apart that stands where none was announced.
func (w *walk) fields(p *Part, depth int) bool {
	if w.o.form == nil || w.o.form.Looks(p.Data) != container.Certain || !w.spend(p, depth) {
		return false
	}
	w.form(p, bytes.TrimSpace(p.Data), depth+1)
	return true
}

// pairs takes cookies apart that stand in a text: name=value pairs with "; " between them
// (RFC 6265, section 4.2.1).
func (w *walk) pairs(p *Part, depth int) bool {
	if !w.has(canForm) || !bytes.Contains(p.Data, []byte("; ")) {
		return false
	}
	for pair := range bytes.SplitSeq(p.Data, []byte("; ")) {
		if name, value, ok := bytes.Cut(pair, []byte("=")); !ok || len(name) == 0 || len(name) > 64 || bytes.ContainsAny(pair, " ,\"\t\r\n") || bytes.ContainsAny(name, "/:") || len(value) == 0 {
			return false
		}
	}
	if !w.spend(p, depth) {
		return false
	}
	for pair := range bytes.SplitSeq(p.Data, []byte("; ")) {
		name, value, _ := bytes.Cut(pair, []byte("="))
		key := w.name(name)
		w.leaf(p, value, Text, key, p.at.Field(key), depth+1)
	}
	return true
}
