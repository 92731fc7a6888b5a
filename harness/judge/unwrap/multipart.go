package unwrap

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"mime/quotedprintable"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// longestBoundary is more than the 70 characters that RFC 2046 allows.
const longestBoundary = 200

// boundary is that of a multipart body which nothing announces, or "".
func boundary(data []byte) string {
	if !bytes.HasPrefix(data, []byte("--")) {
		return ""
	}
	head := data[:min(len(data), 4096)]
	line, rest, ok := bytes.Cut(head, []byte("\n"))
	if !ok || len(line) < 4 || len(line) > longestBoundary || !bytes.Contains(rest, []byte("Content-")) && !bytes.Contains(rest, []byte("content-")) {
		return ""
	}
	return string(bytes.TrimRight(line[2:], "\r"))
}

// multipart shows a body of parts (RFC 7578) and opens it; it reports whether it was one.
func (w *walk) multipart(p *Part, boundary string, depth int) bool {
	if boundary == "" || len(boundary) > longestBoundary || !bytes.Contains(p.Data, []byte("--"+boundary)) {
		return false
	}
	w.show(p)
	return w.parts(p, boundary, depth) || w.look(p, depth)
}

// parts opens the parts of a body that was shown; it reports whether there was any.
func (w *walk) parts(p *Part, boundary string, depth int) bool {
	r := multipart.NewReader(bytes.NewReader(p.Data), boundary)
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if err != nil {
			if !errors.Is(err, io.EOF) && n > 0 {
				w.cut(p, "the parts break off: %v", err)
			}
			return n > 0
		}
		if !w.spend(p, depth+1) {
			return true
		}
		w.member(p, part, n, depth+2)
	}
}

// member opens one part of a multipart body.
func (w *walk) member(p *Part, part *multipart.Part, n, depth int) {
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
		w.leaf(p, []byte(file), Text, "filename", at.Field("filename"), depth)
	}
	c := w.part()
	defer w.drop(c)
	*c = Part{Parent: p.ID, Type: Text, Key: name, Chain: p.Chain, Data: data, JWT: p.JWT, Guess: p.Guess, root: p.root, at: at}
	switch strings.ToLower(strings.TrimSpace(part.Header.Get("Content-Transfer-Encoding"))) {
	case "base64":
		if out, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(data))); err == nil || len(out) > 0 {
			c.Chain, c.Data = chained(c.Chain, "base64"), out
		}
	case "quoted-printable":
		if out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(data))); err == nil || len(out) > 0 {
			c.Chain, c.Data = chained(c.Chain, "quoted-printable"), out
		}
	}
	if name := codings[strings.ToLower(part.Header.Get("Content-Encoding"))]; name != "" && w.has(abilities[name]) {
		if out, err := w.d.Open(name, w.buffer(), c.Data, w.room()); err == nil || errors.Is(err, coding.ErrBudget) {
			w.left.Bytes -= int64(len(out))
			c.Chain, c.Data = chained(c.Chain, name), out
			defer w.release(out)
		}
	}
	w.announced(c, part.Header.Get("Content-Type"), depth)
}
