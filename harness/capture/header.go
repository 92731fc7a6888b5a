package capture

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/flow"
)

// requestHeaders are the fields of a request as far as net/http kept them, Host
// and Transfer-Encoding put back.
func requestHeaders(r *http.Request) []flow.Header {
	h := r.Header.Clone()
	if r.ProtoMajor == 1 && r.Host != "" {
		h.Set("Host", r.Host)
	}
	return withEncoding(h, r.TransferEncoding, r.ProtoMajor)
}

func responseHeaders(r *http.Response) []flow.Header {
	h := r.Header.Clone()
	if r.Close && r.ProtoMajor == 1 && r.ProtoMinor == 1 && h["Connection"] == nil {
		h.Set("Connection", "close") // in HTTP/1.1 nothing else means it
	}
	return withEncoding(h, r.TransferEncoding, r.ProtoMajor)
}

func withEncoding(h http.Header, codings []string, major int) []flow.Header {
	if len(codings) > 0 && major == 1 {
		h["Transfer-Encoding"] = []string{strings.Join(codings, ", ")}
	}
	return fields(h, major)
}

// fields lists headers by name. HTTP/2's names are lower-case (RFC 9113 section 8.2).
func fields(h http.Header, major int) []flow.Header {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	var list []flow.Header
	for _, name := range names {
		for _, v := range h[name] {
			f := flow.Header{Name: strings.TrimPrefix(name, http.TrailerPrefix), Value: readable(v)}
			if major >= 2 {
				f.Name = strings.ToLower(f.Name)
			}
			list = append(list, f)
		}
	}
	return list
}

// readable turns bytes that are no UTF-8 into the characters of Latin-1, byte
// for byte, as browsers do with header values.
func readable(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

// targetOf is a request's target as the client wrote it, from the path on; "/*"
// for OPTIONS * (RFC 9112 section 3.2.4), which has no path.
func targetOf(r *http.Request) string {
	t := r.RequestURI
	if _, rest, found := strings.Cut(t, "://"); found && !strings.HasPrefix(t, "/") && r.URL.IsAbs() {
		if i := strings.IndexAny(rest, "/?"); i < 0 {
			t = "/"
		} else if t = rest[i:]; t[0] == '?' {
			t = "/" + t
		}
	}
	if t == "*" {
		return "/*"
	}
	return t
}

// escapeRaw writes bytes outside ASCII as %XX, so that none is lost in JSON, and
// a number sign too: in a request's target it is one like any other.
func escapeRaw(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x80 && c != '#' {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return b.String()
}

func defaultPort(scheme string) int {
	if scheme == "https" {
		return 443
	}
	return 80
}

// withoutDefaultPort is a host as it is written in a URL.
func withoutDefaultPort(scheme, host string) string {
	return strings.TrimSuffix(host, ":"+strconv.Itoa(defaultPort(scheme)))
}

// sameTarget reports whether host is what the connection was opened to.
func sameTarget(scheme, host string, l *link) bool {
	u := &url.URL{Host: host}
	port := defaultPort(scheme)
	if u.Port() != "" {
		port, _ = strconv.Atoi(u.Port()) // 0 is no port of a target
	}
	return strings.EqualFold(u.Hostname(), l.host) && port == l.port
}

func addressOf(c net.Conn) string {
	if a := c.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}
