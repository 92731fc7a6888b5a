package recording

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
)

// maxHead is how long a message's head may be, in bytes, and mostMessages how many
// messages of one connection are read.
const (
	maxHead      = 1 << 20
	mostMessages = 1 << 18
)

// requestLine begins a message of HTTP/1 (RFC 9112, section 3).
var requestLine = regexp.MustCompile(`^[A-Z][A-Z-]{0,31} [!-~]+ HTTP/1\.[01]\r?\n`)

// isRequest reports whether bytes begin with a request of HTTP/1.
func isRequest(b []byte) bool { return requestLine.Match(b[:min(len(b), maxHead)]) }

// http1 reads requests and responses that follow one another (RFC 9112). Where what
// comes is no HTTP any more, the rest is kept as bytes.
func (l *line) http1(up, down []byte) error {
	for n := 0; len(up) > 0; n++ {
		if n == mostMessages || !isRequest(up) {
			return l.raw(flow.NoHTTP, "", up, down)
		}
		x := &exchange{}
		first, headers, rest := head(up)
		method, target, _ := strings.Cut(first, " ")
		target, proto, _ := strings.Cut(target, " ")
		x.request = flow.Request{Method: method, URL: l.url(target, headers), Proto: proto, Headers: headers}
		x.sent, up, x.request.Body.Cut = content(rest, headers, 0)
		status := 0
		for len(down) > 0 {
			line, fields, after := head(down)
			if status = statusOf(line); status == 0 {
				break
			}
			if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
				x.response.Interim = append(x.response.Interim, flow.Interim{Status: status, Headers: fields})
				down = after
				continue
			}
			x.answered = true
			x.response.Status, x.response.Proto, x.response.Headers = status, strings.SplitN(line, " ", 2)[0], fields
			switch {
			case method == http.MethodHead, status == http.StatusNoContent, status == http.StatusNotModified, status == http.StatusSwitchingProtocols, method == http.MethodConnect && status < 300:
				down = after
			default:
				x.received, down, x.response.Body.Cut = content(after, fields, len(after))
			}
			break
		}
		if method == http.MethodConnect && status/100 == 2 {
			// A tunnel: what follows is meant for its end.
			l.host = target
			if len(up) == 0 {
				return nil
			}
			if !isRequest(up) {
				return l.raw(flow.NoHTTP, "", up, down)
			}
			continue
		}
		if named := flow.HTTPHeader(headers).Get("Host"); named != "" {
			l.host = named
		}
		id, err := l.put(x)
		if err != nil {
			return err
		}
		if status == http.StatusSwitchingProtocols {
			return l.raw(flow.Upgraded, id, up, down)
		}
	}
	return nil
}

// url is the absolute URL of a request.
func (l *line) url(target string, headers []flow.Header) string {
	if strings.Contains(target, "://") {
		return target
	}
	host := l.host
	if named := flow.HTTPHeader(headers).Get("Host"); named != "" {
		host = named
	}
	return l.scheme + "://" + host + "/" + strings.TrimPrefix(target, "/")
}

// head takes the head of a message off: its first line and its fields, in their order
// and case. A head that does not end is all that there is.
func head(b []byte) (first string, headers []flow.Header, rest []byte) {
	for n := 0; ; n++ {
		line, after, whole := bytes.Cut(b, []byte("\n"))
		b = after
		text := strings.TrimSuffix(string(line), "\r")
		switch {
		case n == 0:
			first = text
		case text == "":
			return first, headers, b
		default:
			name, value, _ := strings.Cut(text, ":")
			headers = append(headers, flow.Header{Name: name, Value: strings.TrimSpace(value)})
		}
		if !whole {
			return first, headers, nil
		}
	}
}

// statusOf reads a status line; 0 for what is none.
func statusOf(line string) int {
	proto, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(proto, "HTTP/1.") || n < 100 || n > 999 {
		return 0
	}
	return n
}

// content takes the body of a message off (RFC 9112, section 6). unsaid is its length
// where no field says one. cut says why it is not whole.
func content(b []byte, headers []flow.Header, unsaid int) (body, rest []byte, cut string) {
	h := flow.HTTPHeader(headers)
	codings := h.Values("Transfer-Encoding")
	if slices.ContainsFunc(codings, func(c string) bool { return strings.Contains(strings.ToLower(c), "chunked") }) {
		in := bytes.NewReader(b) // what it still holds afterwards is what follows
		body, err := io.ReadAll(httputil.NewChunkedReader(&oneByte{in}))
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return body, nil, "the capture ends in it"
			}
			return body, nil, "its chunks can't be read: " + err.Error()
		}
		return body, afterTrailers(b[len(b)-in.Len():]), ""
	}
	length := unsaid
	if said := h.Get("Content-Length"); said != "" {
		n, err := strconv.Atoi(strings.TrimSpace(said))
		if err != nil || n < 0 {
			return b, nil, "its Content-Length is no number"
		}
		length = n
	}
	if length > len(b) {
		return b, nil, "the capture ends in it"
	}
	return b[:length], b[length:], ""
}

// afterTrailers is what follows the trailers of a chunked body and the empty line behind them.
func afterTrailers(b []byte) []byte {
	for {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		if b = rest; !whole || len(bytes.TrimRight(line, "\r")) == 0 {
			return b
		}
	}
}

// oneByte is a reader that is never read ahead of what is asked for.
type oneByte struct{ *bytes.Reader }

// Read implements io.Reader.
func (r *oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }
