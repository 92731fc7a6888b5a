package observe

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
)

const (
	// maxHead bounds the head of a message, its trailers and the informational
	// responses before it, together, in bytes.
	maxHead = 16 << 20
	// maxWeight bounds the same as it stands in the log, where some bytes need more
	// room: a line of the log has 32 MiB at most.
	maxWeight = 24 << 20
	// maxFields bounds the number of fields of a head.
	maxFields = 1 << 16
	// maxInterim bounds the number of informational responses before another.
	maxInterim = 256
)

// head is an HTTP/1 message's first line and fields, and what they say of its length.
type head struct {
	line   string
	fields []flow.Header
	weight int

	host, upgrade, connection    string
	extensions, settings, coding string
	length                       int64 // -1 where it isn't told
	coded                        bool  // there is a Transfer-Encoding
}

// headEnd finds the end of a head: the empty line, that is included. from is where
// to begin to look. Where there is none yet, end is 0, and next is where to look
// once more has come. A line may end with a line feed alone (RFC 9112 section 2.2).
func headEnd(b []byte, from int) (end, next int) {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0, len(b)
		}
		i += from
		rest := b[i+1:]
		switch {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 2, 0
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 3, 0
		case len(rest) == 0, len(rest) == 1 && rest[0] == '\r':
			return 0, i
		}
		from = i + 1
	}
}

// trailerEnd is headEnd for fields with no line before them, which may be none.
func trailerEnd(b []byte, from int) (end, next int) {
	switch {
	case len(b) > 1 && b[0] == '\r' && b[1] == '\n':
		return 2, 0
	case len(b) == 1 && b[0] == '\r':
		return 0, 0
	}
	return headEnd(b, from)
}

// The classes of bytes in a head.
const (
	heavy   = 1 // may take three bytes in the log
	foreign = 2 // outside ASCII
	barred  = 4 // no head holds it
)

var classes = func() (c [256]byte) {
	for i := range c {
		switch {
		case i >= 0x80:
			c[i] = heavy | foreign
		case i == '\t' || i == '"' || i == '\\' || i == '#' || i == '%' || i == 0x7f:
			c[i] = heavy
		case i < ' ' && i != '\r' && i != '\n':
			c[i] = barred
		}
	}
	return c
}()

// look says which classes of bytes a text holds, and what it may weigh in the log, but
// for controls.
func look(text string) (classOf byte, weight int) {
	for i := range len(text) {
		classOf |= classes[text[i]]
	}
	weight = len(text)
	if classOf&heavy != 0 {
		for i := range len(text) {
			weight += 2 * int(classes[text[i]]&heavy)
		}
	}
	return classOf, weight
}

// parseHead reads a head, that ends with its empty line, or trailers, which have no
// first line.
func parseHead(text string, trailers bool) (h head, err error) {
	classOf, weight := look(text)
	if classOf&barred != 0 {
		return h, notUnderstood("its head holds control characters")
	}
	h.weight, h.length = weight, -1
	if !trailers {
		h.line, text, _ = strings.Cut(text, "\n")
		h.line = strings.TrimSuffix(h.line, "\r")
		h.weight += 2 * strings.Count(h.line, " ") // in a URL they are %20
		if strings.IndexByte(h.line, '\r') >= 0 {
			return h, notUnderstood("its first line holds a carriage return")
		}
	}
	n := strings.Count(text, "\n") - 1
	if n > maxFields {
		return h, notUnderstood("its head has more than " + strconv.Itoa(maxFields) + " lines")
	}
	if n > 0 {
		h.fields = make([]flow.Header, 0, n)
	}
	var folded []byte
	unfold := func() {
		if folded != nil {
			h.fields[len(h.fields)-1].Value = string(folded)
			folded = nil
		}
	}
	for {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		if i := strings.IndexByte(line, '\r'); i >= 0 {
			if i != len(line)-1 {
				return h, notUnderstood("a line of its head holds a carriage return")
			}
			line = line[:i]
		}
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' { // RFC 9112 section 5.2
			if len(h.fields) == 0 {
				return h, notUnderstood("its first field begins with a space")
			}
			if folded == nil {
				folded = []byte(h.fields[len(h.fields)-1].Value)
			}
			folded = append(append(folded, ' '), trim(line)...)
			continue
		}
		unfold()
		colon := strings.IndexByte(line, ':')
		if colon <= 0 || strings.ContainsAny(line[:colon], " \t") {
			return h, notUnderstood("a line of its head is no field")
		}
		h.fields = append(h.fields, flow.Header{Name: line[:colon], Value: trim(line[colon+1:])})
	}
	unfold()
	if err := h.read(); err != nil {
		return h, err
	}
	if classOf&foreign != 0 {
		for i := range h.fields {
			h.fields[i].Name, h.fields[i].Value = readable(h.fields[i].Name), readable(h.fields[i].Value)
		}
	}
	return h, nil
}

func trim(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// read takes from the fields what decides how the message goes on.
func (h *head) read() error {
	hosts := 0
	for _, f := range h.fields {
		switch len(f.Name) {
		case len("Host"):
			if isToken(f.Name, "host") {
				if hosts++; hosts == 1 {
					h.host = f.Value
				}
			}
		case len("Upgrade"):
			if isToken(f.Name, "upgrade") {
				h.upgrade = join(h.upgrade, f.Value)
			}
		case len("Connection"):
			if isToken(f.Name, "connection") {
				h.connection = join(h.connection, f.Value)
			}
		case len("Content-Length"): // and HTTP2-Settings
			switch {
			case isToken(f.Name, "content-length"):
				if err := h.lengthOf(f.Value); err != nil {
					return err
				}
			case isToken(f.Name, "http2-settings"):
				h.settings = f.Value
			}
		case len("Transfer-Encoding"):
			if isToken(f.Name, "transfer-encoding") {
				h.coded = true
				h.coding = join(h.coding, f.Value)
			}
		case len("Sec-WebSocket-Extensions"):
			if isToken(f.Name, "sec-websocket-extensions") {
				h.extensions = join(h.extensions, f.Value)
			}
		}
	}
	return nil
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// lengthOf takes a Content-Length; the same one may be there twice (RFC 9112 section 6.3).
func (h *head) lengthOf(value string) error {
	if n, err := strconv.ParseUint(value, 10, 63); err == nil && value[0] != '+' {
		return h.one(int64(n))
	}
	for one := range strings.SplitSeq(value, ",") {
		one = trim(one)
		n, err := strconv.ParseUint(one, 10, 63)
		if err != nil {
			return notUnderstood("its Content-Length is no number")
		}
		if err := h.one(int64(n)); err != nil {
			return err
		}
	}
	return nil
}

func (h *head) one(n int64) error {
	if h.length >= 0 && h.length != n {
		return notUnderstood("it has two lengths")
	}
	h.length = n
	return nil
}

// chunked reports whether the body comes in chunks. The error is for what receivers
// read differently, so that nobody can say what they took for the body.
func (h *head) chunked(proto string, request bool) (bool, error) {
	switch {
	case !h.coded:
		return false, nil
	case !isToken(h.coding, "chunked"):
		return false, notUnderstood("its Transfer-Encoding is not chunked alone")
	case proto == "HTTP/1.0":
		return false, notUnderstood("it is HTTP/1.0 and has a Transfer-Encoding")
	case request && h.length >= 0:
		return false, notUnderstood("it has a Content-Length and a Transfer-Encoding")
	}
	return true, nil
}

// isToken compares without regard to case; lower is in lower case.
func isToken(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// isProto reports whether a version is one of HTTP/1.
func isProto(s string) bool {
	return len(s) == len("HTTP/1.1") && s[:7] == "HTTP/1." && s[7] >= '0' && s[7] <= '9'
}

// maxMethod is the longest that a request's method may be.
const maxMethod = 32

// mayBeRequest says whether bytes may be the beginning of a request's head: a method,
// a space, and a target's first character; and a version at the end of the line.
func mayBeRequest(b []byte) bool {
	line, _, whole := bytes.Cut(b, []byte("\n"))
	i := bytes.IndexByte(line, ' ')
	method := line
	if i >= 0 {
		method = line[:i]
	}
	if !isMethod(string(method)) {
		return false
	}
	if i >= 0 && i+1 < len(line) && string(method) != "CONNECT" {
		switch c := line[i+1]; {
		case c == '/', c == '*':
		case c|0x20 == 'h':
			const scheme = "http"
			given := line[i+1:]
			n := min(len(given), len(scheme))
			if !isToken(string(given[:n]), scheme[:n]) {
				return false
			}
		default:
			return false
		}
	}
	if whole {
		line = bytes.TrimSuffix(line, []byte("\r"))
		i := bytes.LastIndexByte(line, ' ')
		return i >= 0 && (isProto(string(line[i+1:])) || string(line) == "PRI * HTTP/2.0")
	}
	return true
}

// isMethod reports whether a method is made of letters, as every one is that is known.
func isMethod(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= maxMethod
}

// mayBeResponse says whether bytes may be the beginning of a response's head.
func mayBeResponse(b []byte) bool {
	const begin = "HTTP/1."
	n := min(len(b), len(begin))
	return string(b[:n]) == begin[:n]
}

// parseRequestLine takes a request's first line apart. A target with spaces in it is
// none that anybody should send, and is kept.
func parseRequestLine(line string) (method, target, proto string, ok bool) {
	i, j := strings.IndexByte(line, ' '), strings.LastIndexByte(line, ' ')
	if i <= 0 || j <= i+1 {
		return "", "", "", false
	}
	return line[:i], line[i+1 : j], line[j+1:], isProto(line[j+1:])
}

// parseStatusLine takes a response's first line apart.
func parseStatusLine(line string) (proto string, status int, ok bool) {
	if len(line) < len("HTTP/1.1 200") || !isProto(line[:8]) || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return "", 0, false
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return "", 0, false
		}
		status = status*10 + int(c-'0')
	}
	return line[:8], status, status >= 100
}
