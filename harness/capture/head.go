package capture

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// head is the beginning of an HTTP/1 request (RFC 9112 section 2.1), as it was written.
type head struct {
	method, target, version string
	fields                  []field
}

// field is a header field: its line, or lines where it is folded, with their ends.
type field struct{ name, line string }

// The errors of reading a head.
var (
	errNoHead  = errors.New("it is no head of an HTTP/1 request")
	errTooLong = fmt.Errorf("the head of the request is longer than %d bytes", maxHead)
)

// head waits for the whole head of a request, and leaves it in place. Its error wraps
// errNoHead as soon as what comes can't be one.
func (s *socket) head() ([]byte, error) {
	for n := 0; ; {
		b := s.here()
		if len(b) > n {
			if !plausible(b) {
				return b, errNoHead
			}
			if end := headEnd(b, n); end > 0 {
				return b[:end], nil
			}
			if len(b) > maxHead {
				return b, errTooLong
			}
			n = len(b)
		}
		if _, err := s.Peek(len(b) + 1); err != nil {
			return s.here(), err
		}
	}
}

// headEnd is where a head ends in b, the empty line included; 0 where it does not. All
// but the last bytes of b[:seen] were looked at before.
func headEnd(b []byte, seen int) int {
	for at := max(0, seen-3); ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return 0
		}
		at += i + 1
		if bytes.HasPrefix(b[at:], []byte("\n")) {
			return at + 1
		}
		if bytes.HasPrefix(b[at:], []byte("\r\n")) {
			return at + 2
		}
	}
}

// plausible reports whether bytes can begin a request: a method, and a space if they
// are long enough.
func plausible(b []byte) bool {
	b = bytes.TrimLeft(b[:min(len(b), maxMethod+4)], "\r\n")
	for i, c := range b {
		if c == ' ' && i > 0 {
			return true
		}
		if !isToken(c) {
			return false
		}
	}
	return len(b) <= maxMethod
}

// isToken reports whether a character may stand in a method or a field's name (RFC 9110 section 5.6.2).
func isToken(c byte) bool {
	return alphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isTokens(s string) bool {
	for i := range len(s) {
		if !isToken(s[i]) {
			return false
		}
	}
	return s != ""
}

// parseHead reads a whole head.
func parseHead(raw []byte) (*head, error) {
	lines := strings.SplitAfter(strings.TrimLeft(string(raw), "\r\n"), "\n")
	words := strings.Split(strings.TrimRight(lines[0], "\r\n"), " ")
	if len(words) != 3 || !isTokens(words[0]) || words[1] == "" || !strings.HasPrefix(words[2], "HTTP/1.") {
		return nil, errNoHead
	}
	h := &head{method: words[0], target: words[1], version: words[2]}
	for _, line := range lines[1:] {
		text := strings.TrimRight(line, "\r\n")
		if text == "" {
			break
		}
		if text[0] == ' ' || text[0] == '\t' { // folded: RFC 9112 section 5.2
			if len(h.fields) == 0 {
				return nil, errNoHead
			}
			h.fields[len(h.fields)-1].line += line
			continue
		}
		name, _, found := strings.Cut(text, ":")
		if !found || !isTokens(strings.TrimRight(name, " \t")) {
			return nil, errNoHead
		}
		h.fields = append(h.fields, field{strings.TrimRight(name, " \t"), line})
	}
	return h, nil
}

// get is the value of the first field of a name, or "".
func (h *head) get(name string) string {
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			_, value, _ := strings.Cut(f.line, ":")
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// without takes fields away.
func (h *head) without(names ...string) {
	kept := h.fields[:0:0]
	for _, f := range h.fields {
		drop := false
		for _, n := range names {
			drop = drop || strings.EqualFold(f.name, n)
		}
		if !drop {
			kept = append(kept, f)
		}
	}
	h.fields = kept
}

// setHost makes the host that the request is for the one in its target, as RFC 9112
// section 3.2.2 has it.
func (h *head) setHost(authority string) {
	for i, f := range h.fields {
		if !strings.EqualFold(f.name, "Host") {
			continue
		}
		if h.get("Host") != authority {
			h.fields[i].line = f.name + ": " + authority + "\r\n"
		}
		return
	}
}

// bytes is the head as it is sent on.
func (h *head) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(h.method + " " + h.target + " " + h.version + "\r\n")
	for _, f := range h.fields {
		b.WriteString(f.line)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// absolute takes an absolute target apart (RFC 9112 section 3.2.2): what is asked, in
// origin form, and of whom.
func (h *head) absolute() (scheme, authority, target string, ok bool) {
	scheme, rest, found := strings.Cut(h.target, "://")
	scheme = strings.ToLower(scheme)
	if !found || scheme != "http" && scheme != "https" {
		return "", "", "", false
	}
	authority, target = rest, "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, target = rest[:i], rest[i:]
		if target[0] != '/' {
			target = "/" + target
		}
	} else if h.method == "OPTIONS" {
		target = "*"
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	return scheme, authority, target, authority != ""
}

// splitAuthority reads a host with or without a port.
func splitAuthority(authority string, port int) (string, int, error) {
	if strings.HasPrefix(authority, "[") && strings.HasSuffix(authority, "]") {
		authority = authority[1 : len(authority)-1]
	} else if strings.Count(authority, ":") == 1 || strings.HasPrefix(authority, "[") {
		if !strings.HasSuffix(authority, ":") {
			return splitTarget(authority)
		}
		authority = strings.TrimSuffix(authority, ":")
	}
	if authority == "" {
		return "", 0, errors.New("there is no host")
	}
	return authority, port, nil
}

// splitTarget reads the target of CONNECT.
func splitTarget(target string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(target)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || host == "" {
		return "", 0, fmt.Errorf("%q is no host and port", target)
	}
	return host, port, nil
}

func defaultPort(scheme string) int {
	if scheme == "https" {
		return 443
	}
	return 80
}
