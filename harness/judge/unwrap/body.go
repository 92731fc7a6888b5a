package unwrap

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
)

// codings maps the names of HTTP's content codings (RFC 9110, section 8.4.1) to those of containers.
var codings = map[string]string{
	"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "br": "brotli", "zstd": "zstd", "identity": "", "": "",
}

// body takes the content codings off and opens what the media type says.
func (w *walk) body(m Message) {
	headers := flow.HTTPHeader(m.Headers)
	p := &Part{Parent: -1, Type: Bytes, Data: m.Body, root: flow.SurfaceBody}
	applied := strings.Split(strings.ToLower(strings.Join(headers.Values("Content-Encoding"), ",")), ",")
	for i := len(applied) - 1; i >= 0; i-- {
		coding := strings.TrimSpace(applied[i])
		name, known := codings[coding]
		if known && name == "" {
			continue
		}
		if !known || !w.o.containers[name] {
			w.cut(p, "content coding %q is not known", coding)
			break
		}
		out, err := inflate(name, p.Data, max(w.left.Bytes, 0))
		w.left.Bytes -= int64(len(out))
		if err != nil && len(out) == 0 && !errors.Is(err, errBudget) {
			// Recordings by other tools keep the header and drop the coding.
			if printable(p.Data) {
				break
			}
			w.cut(p, "it is said to be %s and can't be read as that: %v", coding, err)
			break
		}
		if err != nil {
			w.cut(p, "%s: %v", coding, err)
		}
		p = p.decoded(name, out)
		p.Parent = -1
	}
	media, params, err := mime.ParseMediaType(headers.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	switch {
	case strings.HasPrefix(media, "multipart/") && w.o.containers["multipart"]:
		if w.multipart(p, params["boundary"]) {
			return
		}
	case media == "" && bytes.HasPrefix(p.Data, []byte("--")) && w.o.containers["multipart"]:
		line, _, _ := bytes.Cut(p.Data, []byte("\r\n"))
		if bytes.Contains(p.Data[:min(len(p.Data), 4096)], []byte("Content-Disposition")) && w.multipart(p, string(line[2:])) {
			return
		}
	case media == "application/x-www-form-urlencoded" && w.o.containers["form"]:
		// Some SDKs announce a form and send JSON.
		if text := bytes.TrimSpace(p.Data); len(text) > 0 && text[0] != '{' && text[0] != '[' && printable(text) && bytes.ContainsRune(text, '=') {
			w.show(p)
			w.form(p, string(text), 1)
			return
		}
	}
	w.open(p, 0)
}

// multipart opens a body of parts (RFC 7578); it reports whether there was any.
func (w *walk) multipart(p *Part, boundary string) bool {
	if boundary == "" || len(boundary) > 200 {
		return false
	}
	r := multipart.NewReader(bytes.NewReader(p.Data), boundary)
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if err != nil {
			if !errors.Is(err, io.EOF) && n > 0 {
				w.cut(p, "the parts break off: %v", err)
			}
			return n > 0
		}
		if n == 0 {
			w.show(p)
		}
		if !w.spend(p, 1) {
			return true
		}
		w.part(p, part, n)
	}
}

func (w *walk) part(p *Part, part *multipart.Part, n int) {
	name := part.FormName()
	at := p.at.Field(name)
	if name == "" {
		at = p.at.Item(n)
	}
	data, err := io.ReadAll(part)
	if err != nil && len(data) == 0 {
		return
	}
	if file := part.FileName(); file != "" {
		w.open(p.child([]byte(file), Text, "filename", at.Field("filename")), 2)
	}
	c := p.child(data, Text, name, at)
	switch textproto.TrimString(strings.ToLower(part.Header.Get("Content-Transfer-Encoding"))) {
	case "base64":
		if out, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(data))); err == nil || len(out) > 0 {
			c = c.encoded("base64", out)
		}
	case "quoted-printable":
		if out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(data))); err == nil || len(out) > 0 {
			c = c.encoded("quoted-printable", out)
		}
	}
	if coding := codings[strings.ToLower(part.Header.Get("Content-Encoding"))]; coding != "" && w.o.containers[coding] {
		if out, err := inflate(coding, c.Data, max(w.left.Bytes, 0)); err == nil {
			w.left.Bytes -= int64(len(out))
			c = c.encoded(coding, out)
		}
	}
	w.open(c, 2)
}

// encoded is p with an announced encoding taken off, in its place.
func (p *Part) encoded(name string, data []byte) *Part {
	d := *p
	d.Data = data
	d.Chain = append(append([]string(nil), p.Chain...), name)
	return &d
}
