package capture

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// serveFront answers what comes to the proxy's own port: CONNECT, and requests with an
// absolute target.
func (c *conn) serveFront() {
	var f forward
	defer f.end(c)
	for {
		raw, err := c.device.head()
		if f.isOver() {
			return
		}
		var h *head
		if err == nil {
			h, err = parseHead(raw)
		}
		switch {
		case errors.Is(err, errNoHead), errors.Is(err, errTooLong):
			c.misread(raw, err)
			return
		case err != nil && len(raw) > 0 && !c.isCut():
			c.misread(raw, errNoHead)
			return
		case err != nil:
			return
		}
		if h.method == http.MethodConnect {
			if f.origin != nil {
				f.wait()
				f.leave(c)
			}
			c.serveConnect(h, len(raw))
			return
		}
		scheme, authority, target, ok := h.absolute()
		if !ok {
			c.reply(http.StatusBadRequest, "This is unasked's capture proxy. It answers requests that are addressed to a proxy: CONNECT, or with an absolute http or https URL.")
			return
		}
		if !f.serve(c, h, raw, scheme, authority, target) {
			return
		}
	}
}

// serveConnect opens a tunnel. It always succeeds, so that what the app would
// send is recorded even where the origin can't be reached.
func (c *conn) serveConnect(h *head, n int) {
	host, port, err := splitTarget(h.target)
	if err != nil {
		c.reply(http.StatusBadRequest, fmt.Sprintf("CONNECT %s: %v", h.target, err))
		return
	}
	c.device.take(n)
	c.host, c.port = host, port
	c.at, c.started = c.p.o.Log.Where(), c.p.o.Now()
	c.name = c.nameOf(host)
	if _, err := io.WriteString(c.device, "HTTP/1.1 200 Connection established\r\n\r\n"); err == nil {
		c.tunnel()
	} // else the client is gone before anything was asked
}

// misread answers and records what is no request to a proxy.
func (c *conn) misread(raw []byte, why error) {
	up := &tap{p: c.p}
	_, _ = up.Write(raw) // an error is the log's, which the proxy has
	r := c.record(flow.NoHTTP)
	r.Detail = "what came to the proxy's port was no well-formed request to a proxy: " + why.Error()
	r.Up = up.End("")
	r.Sent = r.Up.Size
	_ = c.p.record(c.at, evidence.KindConnection, r)
	c.reply(http.StatusBadRequest, "unasked's capture proxy can't read this request: "+why.Error())
}

// reply answers by itself, and ends the connection.
func (c *conn) reply(status int, text string) {
	c.begin()
	defer c.done()
	s := &stream{socket: c.device}
	answer{status, text}.write(s)
	s.finish()
}
