package observe

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// urls makes the URLs of requests. Those of one connection mostly have one host.
type urls struct {
	o *Options

	scheme, host string // of the last
	prefix       string // what they make
	target       string // Request.Target with them
}

// of is the URL of a request: its target as the client wrote it, and what the host
// is beside that. target is what is to be noted as the connection's own.
func (u *urls) of(scheme, host, path string) (absolute, target string) {
	if u.prefix == "" || u.scheme != scheme || u.host != host {
		u.scheme, u.host = scheme, host
		u.prefix, u.target = u.begin(scheme, host)
	}
	return u.prefix + escapeRaw(path), u.target
}

func (u *urls) begin(scheme, host string) (prefix, target string) {
	if !isHost(host) {
		host = u.o.Authority
	}
	if host == "" {
		host = u.o.Target
	}
	if u.o.Target != "" && !sameTarget(scheme, host, u.o.Target) {
		target = u.o.Target
	}
	return scheme + "://" + withoutDefaultPort(scheme, host), target
}

// split takes an HTTP/1 request's target apart (RFC 9112 section 3.2). host is the
// Host field's. ok is false for what is no target.
func (u *urls) split(method, target, host string) (scheme, authority, path string, ok bool) {
	scheme = u.o.Scheme
	if scheme == "" {
		scheme = "http"
	}
	switch {
	case method == "CONNECT":
		return scheme, target, "/", isHost(target)
	case target == "*":
		return scheme, host, "/*", true
	case strings.HasPrefix(target, "/"):
		return scheme, host, target, true
	}
	given, rest, found := strings.Cut(target, "://")
	if !found || !isToken(given, "http") && !isToken(given, "https") {
		return "", "", "", false
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest, path = rest[:i], rest[i:]
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return strings.ToLower(given), rest, path, isHost(rest)
}

func isScheme(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

// maxHost is how long a host with its port may be, and what else stands with it, to be
// written into a URL.
const maxHost = 1 << 12

// isHost reports whether a host, with its port, can stand in a URL.
func isHost(s string) bool {
	if len(s) > maxHost {
		return false
	}
	host, port, found := strings.Cut(s, ":")
	plain := host != "" && (!found || len(port) > 0)
	for i := range len(host) {
		c := host[i]
		plain = plain && (c == '.' || c == '-' || c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z')
	}
	for i := range len(port) {
		plain = plain && port[i] >= '0' && port[i] <= '9'
	}
	if plain {
		return true
	}
	if strings.ContainsAny(s, "/?#\\ ") || escapeRaw(s) != s {
		return false
	}
	u, err := url.Parse("http://" + s + "/")
	return err == nil && u.Hostname() != ""
}

// escapeRaw writes bytes as %XX that can't stand in a URL: those outside ASCII,
// controls and spaces, a number sign (in a request's target it is one like any other),
// and, in a path, a percent sign with no two digits behind it.
func escapeRaw(s string) string {
	const hex = "0123456789ABCDEF"
	n, query := 0, false
	for i := range len(s) {
		if s[i] == '?' {
			query = true
		}
		if mustEscape(s, i, query) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+2*n)
	query = false
	for i := range len(s) {
		c := s[i]
		if c == '?' {
			query = true
		}
		if mustEscape(s, i, query) {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

func mustEscape(s string, i int, query bool) bool {
	switch c := s[i]; {
	case c <= ' ' || c >= 0x7f || c == '#':
		return true
	case c == '%' && !query:
		return i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
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

// sameTarget reports whether a host, of a URL, is what the connection was opened to.
func sameTarget(scheme, host, target string) bool {
	to, port, err := net.SplitHostPort(target)
	if err != nil {
		return false
	}
	u := &url.URL{Host: host}
	given := u.Port()
	if given == "" {
		given = strconv.Itoa(defaultPort(scheme))
	}
	return strings.EqualFold(u.Hostname(), to) && given == port
}
