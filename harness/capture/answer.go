package capture

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// unanswered tells the client that its origin gave no answer.
func (x *exchange) unanswered(w http.ResponseWriter, _ *http.Request, err error) {
	x.mu.Lock()
	x.err = err
	x.mu.Unlock()
	if x.in.Context().Err() != nil {
		panic(http.ErrAbortHandler) // nobody is there any more: net/http closes the connection
	}
	x.hearOut(w)
	status := http.StatusBadGateway
	if errors.Is(err, errLoop) {
		status = http.StatusLoopDetected
	}
	http.Error(w, fmt.Sprintf("unasked has no answer from %s: %v", x.host, err), status)
}

// hearTime bounds how long the body of a request is waited for that has nowhere to go.
const hearTime = 10 * time.Second

// hearOut reads the body of a request whose origin can't be reached, so that what
// the app would have sent is recorded.
func (x *exchange) hearOut(w http.ResponseWriter) {
	x.mu.Lock()
	idle := !x.asked && !x.dialled
	x.mu.Unlock()
	if !idle || x.in.ContentLength == 0 || x.in.Context().Err() != nil {
		return
	}
	c := http.NewResponseController(w)
	if c.SetReadDeadline(time.Now().Add(hearTime)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, x.in.Body) // how it ends is recorded with it
	_ = c.SetReadDeadline(time.Time{})    // it could be set before
}

// connection is a record about the connection that carried, or should have
// carried, this exchange.
func (x *exchange) connection(reason, detail string) flow.Connection {
	c := flow.Connection{Flow: x.request.Flow, Started: x.request.Started, Ended: x.p.o.Now(), Reason: reason, Detail: detail}
	u := &url.URL{Host: x.host}
	c.Host, c.Port = u.Hostname(), defaultPort(x.scheme)
	if port, err := strconv.Atoi(u.Port()); err == nil {
		c.Port = port
	}
	if x.request.TLS != nil {
		c.SNI = x.request.TLS.SNI
	}
	return c
}

// plainWriter answers with what the origin answered, and adds nothing: net/http
// would put in a date, and a content type of its own guess.
type plainWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *plainWriter) WriteHeader(status int) {
	if status >= 200 {
		h := w.Header()
		for _, name := range []string{"Date", "Content-Type"} {
			if _, there := h[name]; !there {
				h[name] = nil
			}
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (w *plainWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
