package har

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/flow"
)

// tried is how much of a body is decoded to see whether a content coding is on it, in bytes.
const tried = 64 << 10

// content is a message's body as bytes, and why it is not whole. Where the coding that
// the headers name is off already, as HAR has it, the field that names it is dropped.
func (r *Reader) content(i int, what string, m *rawMessage, headers *[]flow.Header) (data []byte, cut string) {
	b := m.body
	if b == nil || !b.hasText && len(b.params) == 0 {
		return nil, r.missing(i, what, m)
	}
	announce(headers, b.mime.value)
	switch {
	case b.hasText && (len(b.text) > 0 || len(b.params) == 0):
		data = r.decoded(i, what, b)
	default:
		data = form(b, headers)
	}
	if b.cut {
		cut = "it is longer than is read of one"
		r.notes.add(i, said(what, "is longer than is read of one; its end was left out"), lost(what))
	}
	if len(data) == 0 && cut == "" && what == "response" {
		cut = r.missing(i, what, m)
	}
	if len(data) > 0 && !coded(data, *headers) {
		*headers = without(*headers, "Content-Encoding")
	}
	return data, cut
}

// missing says why there is no body, where the file says that one was sent.
func (r *Reader) missing(i int, what string, m *rawMessage) string {
	size := m.bodySize.bytes()
	if m.body != nil && what == "response" {
		size = max(size, m.body.size.bytes())
	}
	switch {
	case m.body != nil && m.body.elsewhere.ok:
		r.notes.add(i, said(what, "is in a file of its own (_file), which is not read"), lost(what))
		return "it is in a file of its own, which is not read"
	case size > 0:
		if what == "request" {
			r.notes.add(i, said(what, "the file does not hold"), lost(what))
		}
		return "the recording does not hold it"
	}
	return ""
}

// decoded takes the encoding of a body's text off.
func (r *Reader) decoded(i int, what string, b *rawBody) []byte {
	encoding := strings.ToLower(strings.TrimSpace(b.encoding.value))
	// Where there is no place for an encoding, some say it in the comment.
	aside := encoding == "" && strings.EqualFold(strings.TrimSpace(b.comment.value), "base64")
	switch {
	case encoding == "base64" || aside:
		data, ok := unbase64(b.text)
		if !ok && !aside {
			member := map[string]string{"request": "request.postData.text", "response": "response.content.text"}[what]
			r.notes.add(i, "has broken base64 in "+member+"; it was taken as text", lost(what))
		}
		return data
	case encoding != "" && encoding != "utf-8" && encoding != "utf8" && encoding != "text" && encoding != "plain":
		r.notes.add(i, said(what, "has an encoding that is not known (%.40q); it was taken as text", encoding), lost(what))
	}
	if data, ok := fromLatin1(b.text); ok {
		return data
	}
	if what == "request" && bytes.Contains(b.text, []byte("\ufffd")) && control(b.text) {
		r.notes.add(i, said(what, "is binary and was written as text; what was no text is lost"), lost(what))
	}
	return b.text
}

// fromLatin1 gives binary data back that a tool wrote as text, a character for each
// byte: all are below U+0100, some above ASCII, and many are control characters, in the
// whole or in a part of it: beside the texts of a form in parts (RFC 7578), a file of a few bytes is little.
func fromLatin1(text []byte) ([]byte, bool) {
	high := false
	for _, b := range text {
		if b > 0xc3 {
			return nil, false // of a character beyond U+00FF, or of no character
		}
		high = high || b >= 0x80
	}
	if !high || !utf8.Valid(text) || !control(text) && !slices.ContainsFunc(parted(text), control) {
		return nil, false
	}
	out := make([]byte, 0, len(text))
	for _, c := range string(text) {
		out = append(out, byte(c))
	}
	return out, true
}

// parted is the lines of a text that begins as a form in parts does, and nothing of another.
func parted(text []byte) [][]byte {
	if !bytes.HasPrefix(text, []byte("--")) {
		return nil
	}
	return bytes.Split(text, []byte("\r\n"))
}

// control reports whether more than a few characters of a text are such that no text
// has them.
func control(text []byte) bool {
	all, odd := 0, 0
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		text = text[n:]
		all++
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' || c >= 0x7f && c < 0xa0 {
			odd++
		}
	}
	return odd*32 > all
}

// announce adds the media type, where only the body's object says it.
func announce(headers *[]flow.Header, media string) {
	if media != "" && flow.HTTPHeader(*headers).Get("Content-Type") == "" {
		*headers = append(*headers, flow.Header{Name: "Content-Type", Value: media})
	}
}

// form puts the body of a form together again from its parameters.
func form(b *rawBody, headers *[]flow.Header) []byte {
	kind := flow.HTTPHeader(*headers).Get("Content-Type")
	media, params, err := mime.ParseMediaType(kind)
	if err == nil && media == "multipart/form-data" {
		return parts(b, params["boundary"], headers)
	}
	if kind == "" {
		announce(headers, "application/x-www-form-urlencoded")
	}
	var out strings.Builder
	for n, p := range b.params {
		if n > 0 {
			out.WriteByte('&')
		}
		out.WriteString(url.QueryEscape(p.name.value))
		if p.value.ok {
			out.WriteString("=" + url.QueryEscape(p.value.value))
		}
	}
	return []byte(out.String())
}

// parts writes parameters as multipart/form-data (RFC 7578).
func parts(b *rawBody, boundary string, headers *[]flow.Header) []byte {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	if boundary == "" || w.SetBoundary(boundary) != nil {
		_ = w.SetBoundary("parts-of-the-form") // one that may be set
		*headers = append(without(*headers, "Content-Type"), flow.Header{Name: "Content-Type", Value: w.FormDataContentType()})
	}
	for _, p := range b.params {
		named := map[string]string{"name": p.name.value}
		if p.file.ok {
			named["filename"] = p.file.value
		}
		h := textproto.MIMEHeader{"Content-Disposition": {mime.FormatMediaType("form-data", named)}}
		if p.media.ok {
			h.Set("Content-Type", p.media.value)
		}
		if part, err := w.CreatePart(h); err == nil {
			_, _ = io.WriteString(part, p.value.value) // a buffer takes all
		}
	}
	_ = w.Close()
	return out.Bytes()
}

// coded reports whether the content coding that headers name lies on a body still.
func coded(data []byte, headers []flow.Header) bool {
	codings, err := flow.Codings(headers)
	if err != nil {
		return !utf8.Valid(data)
	}
	if len(codings) == 0 {
		return true // there is nothing to drop
	}
	rc, _, err := flow.Content(nil, flow.Body{Inline: data, Size: int64(len(data))}, headers, tried)
	if err != nil {
		return false
	}
	defer rc.Close()
	n, err := io.Copy(io.Discard, rc)
	// One that was cut off is coded all the same; text that is taken for coded fails at once.
	return err == nil || errors.Is(err, flow.ErrBudget) || n > 0 && !utf8.Valid(data)
}

func without(headers []flow.Header, name string) []flow.Header {
	var out []flow.Header
	for _, h := range headers {
		if !strings.EqualFold(h.Name, name) {
			out = append(out, h)
		}
	}
	return out
}
