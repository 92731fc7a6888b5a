package flow

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// The surfaces of a flow: the places in which a value can stand, named alike in
// findings, reports, import and export. The others are made by functions.
const (
	SurfaceURL  = "url"  // the whole URL
	SurfaceHost = "host" // the host alone, without its port
	SurfaceBody = "body" // the body as a whole
)

// HeaderSurface is the value of a header field.
func HeaderSurface(name string) string { return "header:" + name }

// CookieSurface is the value of a cookie, sent or set.
func CookieSurface(name string) string { return "cookie:" + name }

// BodySurface is a place within a body: a path that Path makes.
func BodySurface(path string) string { return "body:" + path }

// MessageSurface is a message of a WebSocket, by its index among the messages of both directions.
func MessageSurface(n int) string { return fmt.Sprintf("ws:%d", n) }

// Path is a place within structured data, in JSONPath's notation (RFC 9535):
// Path("user", "e-mail", 0) is $.user['e-mail'][0]. A step is a name or an index.
func Path(steps ...any) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range steps {
		switch s := s.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", s)
		case string:
			if plain(s) {
				b.WriteString("." + s)
			} else {
				b.WriteString("['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + "']")
			}
		}
	}
	return b.String()
}

// plain reports whether a name can stand behind a dot.
func plain(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// Host is the host that the request was for, without port and in lower case.
func (r Request) Host() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// Surfaces yields every surface of the request but the body's, with its text.
func (r Request) Surfaces() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if !yield(SurfaceURL, r.URL) || !yield(SurfaceHost, r.Host()) {
			return
		}
		for _, h := range append(r.Headers[:len(r.Headers):len(r.Headers)], r.Trailers...) {
			if !yield(HeaderSurface(h.Name), h.Value) {
				return
			}
			if !strings.EqualFold(h.Name, "Cookie") {
				continue
			}
			for pair := range strings.SplitSeq(h.Value, ";") {
				name, value, _ := strings.Cut(pair, "=")
				if !yield(CookieSurface(strings.TrimSpace(name)), strings.TrimSpace(value)) {
					return
				}
			}
		}
	}
}

// Surfaces yields every surface of the response but the body's, with its text.
func (r Response) Surfaces() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, h := range append(r.Headers[:len(r.Headers):len(r.Headers)], r.Trailers...) {
			if !yield(HeaderSurface(h.Name), h.Value) {
				return
			}
			if !strings.EqualFold(h.Name, "Set-Cookie") {
				continue
			}
			if c, err := http.ParseSetCookie(h.Value); err == nil && !yield(CookieSurface(c.Name), c.Value) {
				return
			}
		}
	}
}
