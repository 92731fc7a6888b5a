package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// hearTime bounds how long the rest of a request is waited for that has nowhere to go.
const hearTime = 10 * time.Second

// drainTime bounds how long a client may take to read the last bytes that are for it.
const drainTime = time.Second

// answer is what the proxy says by itself.
type answer struct {
	status int
	text   string
}

// noAnswer is the answer to requests whose origin can't be reached.
func (c *conn) noAnswer(failure error) answer {
	status := http.StatusBadGateway
	if errors.Is(failure, errLoop) {
		status = http.StatusLoopDetected
	}
	return answer{status, fmt.Sprintf("unasked has no answer from %s: %v", c.known(), failure)}
}

// write answers in HTTP/1. What becomes of it is the client's affair.
func (a answer) write(w io.Writer) {
	_, _ = fmt.Fprintf(w, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n",
		a.status, http.StatusText(a.status), len(a.text)+1, a.text)
}

// hear takes what the client sends to an origin that can't be reached, so that what the
// app would have sent is recorded, and answers each request with the reason.
func (c *conn) hear(device *stream, failure error, h2 bool) {
	if err := device.await(); err != nil {
		if c.tls == nil {
			c.silent(err)
		} // else afterHandshake knows
		return
	}
	c.begin()
	defer c.done()
	r := &recorder{noOrigin: failure.Error()}
	o := c.observe(r, c.scheme(), h2)
	if !c.join(nil, o) {
		return
	}
	first := device.ahead
	if device.tls == nil {
		first, _ = device.Peek(min(len(preface), len(device.here())))
	}
	if h2 || speaksHTTP2(first) {
		c.hearH2(device, o, c.noAnswer(failure))
	} else {
		c.hearH1(device, o, c.noAnswer(failure))
	}
	_ = o.Close(c.p.whyCut(failure.Error()))
	now := o.State()
	c.requests, c.unread = now.Requests, now.NoHTTP
	for _, id := range r.asked {
		about := c.record("")
		about.Flow, about.Reason, about.Detail = id, flow.NoOrigin, failure.Error()
		_ = c.p.record(r.at, evidence.KindConnection, about)
	}
}

// hearH1 hears one request in HTTP/1, or what is none.
func (c *conn) hearH1(device *stream, o observer, a answer) {
	device.within(hearTime)
	defer device.within(0)
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	first := true
	for {
		n, err := device.Read(*buf)
		if n > 0 && c.pass(nil, (*buf)[:n], nil, o.Sent) != nil {
			return
		}
		now := o.State()
		switch {
		case now.NoHTTP && err != nil:
			return // nobody can answer it
		case now.NoHTTP:
			device.within(c.p.o.patience) // nor say when it is at its end
			continue
		case !now.Asking && now.Requests > 0, isTimeout(err):
			a.write(device)
			device.finish()
			return
		case err != nil:
			_ = o.SentAll(eofIsNil(err))
			return
		}
		if first && expectsContinue((*buf)[:n]) {
			_, _ = io.WriteString(device, "HTTP/1.1 100 Continue\r\n\r\n") // or the body never comes
		}
		first = false
	}
}

// expectsContinue reports whether a request wants to be told to go on (RFC 9110 section 10.1.1).
func expectsContinue(head []byte) bool {
	return bytes.Contains(bytes.ToLower(head), []byte("\nexpect: 100-continue"))
}

func eofIsNil(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// finish closes a connection whose last bytes were written, and gives the client the
// time to read them: what it still sends would undo them (RFC 9112 section 9.6).
func (s *stream) finish() {
	_ = s.CloseWrite()
	s.within(drainTime)
	_, _ = io.Copy(io.Discard, s.socket) // TLS or not, it is over
	_ = s.socket.Close()
}
