package observe

import (
	"github.com/unasked-audit/unasked/harness/flow"
)

// exchange is a request and its response, while they come.
type exchange struct {
	c        *Conn
	request  flow.Request
	response flow.Response
	up, down Body // nil until there is a byte

	asked    bool   // the request is recorded
	complete bool   // the response is, and waits for that
	answered bool   // the response is recorded
	upgrades bool   // HTTP/1: it asks for another protocol
	settings string // HTTP/1: what HTTP2-Settings says, with an upgrade to h2c

	heads, downHeads int // what heads and trailers weigh, of the request and the response
}

// begin counts a request in.
func (c *Conn) begin() *exchange {
	x := &exchange{c: c, request: c.o.Request}
	x.request.Flow = c.o.Recorder.NextID()
	c.begun++
	c.open++
	return x
}

// respond makes room for the response, when its first byte has come.
func (x *exchange) respond() {
	if x.response.Flow == "" {
		x.response = x.c.o.Response
		x.response.Flow = x.request.Flow
	}
}

// write adds bytes to a body.
func (x *exchange) write(sent bool, b []byte) error {
	to := &x.down
	if sent {
		to = &x.up
	}
	return writeTo(to, x.c.o.Recorder, b)
}

func writeTo(to *Body, r Recorder, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if *to == nil {
		*to = r.Body()
	}
	_, err := (*to).Write(b)
	return err
}

// endBody says what a body is.
func endBody(b *Body, cut string) flow.Body {
	if *b == nil {
		return flow.Body{Cut: cut}
	}
	body := (*b).End(cut)
	*b = nil
	return body
}

// endRequest records the request, and the response if that has been waiting. cut is
// why the body is not whole. It does nothing the second time.
func (x *exchange) endRequest(cut string) error {
	if x.asked {
		return nil
	}
	x.asked = true
	x.request.Body = endBody(&x.up, cut)
	if err := x.c.o.Recorder.Request(x.request); err != nil {
		return err
	}
	if x.complete {
		return x.answer()
	}
	return nil
}

// endResponse records the response, or lets it wait for its request. failed is why
// there is none. It does nothing the second time.
func (x *exchange) endResponse(cut, failed string) error {
	if x.complete {
		return nil
	}
	begun := x.response.Status != 0
	x.respond()
	if failed != "" && begun {
		cut, failed = failed, ""
	}
	if !begun {
		x.response.Started, x.response.Error = x.c.at, failed
	}
	x.response.Body, x.response.Ended = endBody(&x.down, cut), x.c.at
	x.complete = true
	if !x.asked {
		return nil
	}
	return x.answer()
}

func (x *exchange) answer() error {
	x.answered = true
	x.c.open--
	return x.c.o.Recorder.Response(x.response)
}

// cutRequest is why a request ends early.
func (x *exchange) cutRequest() string {
	if x.c.why == "" && x.complete && x.response.Status != 0 {
		return "the origin answered before all of it was sent"
	}
	return x.c.blame()
}
