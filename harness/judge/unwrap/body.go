package unwrap

import (
	"bytes"
	"errors"
	"mime"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// codings maps the names of HTTP's content codings (RFC 9110, section 8.4.1) to those of containers.
var codings = map[string]string{
	"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "br": "brotli", "zstd": "zstd", "lz4": "lz4",
	"x-snappy-framed": "snappy", "snappy": "snappy", "x-lz4": "lz4", "identity": "", "": "",
}

// body takes the content codings off and opens what the media type says.
func (w *walk) body(m Message) {
	headers := flow.HTTPHeader(m.Headers)
	p := w.part()
	defer w.drop(p)
	*p = Part{Parent: -1, Type: Bytes, Data: m.Body, root: flow.SurfaceBody}
	applied := strings.Split(strings.ToLower(strings.Join(headers.Values("Content-Encoding"), ",")), ",")
	for i := len(applied) - 1; i >= 0; i-- {
		coding := strings.TrimSpace(applied[i])
		name, known := codings[coding]
		if known && name == "" {
			continue
		}
		if !known || !w.has(abilities[name]) {
			w.cut(p, "content coding %q is not known", coding)
			break
		}
		out, done := w.decoded(p, coding, name)
		defer w.release(out)
		if !done {
			break
		}
		p.Chain, p.Data = chained(p.Chain, name), out
	}
	w.announced(p, headers.Get("Content-Type"), 0)
}

// decoded takes one coding off that a header announces, as far as that goes.
func (w *walk) decoded(p *Part, announced, name string) (out []byte, done bool) {
	out, err := w.d.Open(name, w.buffer(), p.Data, w.room())
	w.left.Bytes -= int64(len(out))
	if err == nil {
		return out, true
	}
	if len(out) == 0 && !errors.Is(err, coding.ErrBudget) {
		// Recordings by other tools keep the header and drop the coding.
		if !coding.Text(p.Data) {
			w.cut(p, "it is said to be %s and can't be read as that: %v", announced, err)
		}
		return out, false
	}
	w.cut(p, "%s: %v", announced, err)
	return out, true
}

// announced opens a whole that a media type was given for. What it says is believed
// where the bytes don't contradict.
func (w *walk) announced(p *Part, contentType string, depth int) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
	}
	switch {
	case strings.HasPrefix(media, "multipart/") && w.has(canMultipart):
		if w.multipart(p, params["boundary"], depth) {
			return
		}
	case media == "application/x-www-form-urlencoded" && w.has(canForm):
		// Some SDKs announce a form and send JSON.
		if text := bytes.TrimSpace(p.Data); len(text) > 0 && text[0] != '{' && text[0] != '[' && coding.Text(text) && bytes.IndexByte(text, '=') >= 0 {
			w.show(p)
			w.form(p, text, depth+1)
			return
		}
	case strings.HasPrefix(media, "application/grpc-web-text") && w.has(canBase64) && w.spend(p, depth):
		if frames, ok := container.GRPCWebText(p.Data); ok {
			w.show(p)
			c := w.part()
			defer w.drop(c)
			*c = *p
			c.Parent, c.Chain, c.Data = p.ID, chained(p.Chain, "base64"), frames
			w.announced(c, "application/grpc-web", depth+1)
			return
		}
	case media != "" && coding.Magic(p.Data) == "":
		if f, ok := container.ByMedia(media); ok && f.Name != "form" && w.knows(f.Name) && f.Looks(p.Data) >= container.Possible {
			w.show(p)
			if w.read(p, &f, depth) {
				return
			}
			w.look(p, depth)
			return
		}
	}
	w.open(p, depth)
}

// knows reports whether a format is among those that are opened.
func (w *walk) knows(name string) bool {
	for _, list := range [...][]container.Format{w.o.texts, w.o.binary} {
		for i := range list {
			if list[i].Name == name {
				return true
			}
		}
	}
	return false
}
