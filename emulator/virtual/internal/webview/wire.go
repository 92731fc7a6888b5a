package webview

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// wire is a DevTools connection to one browser. chromedp's own tabs are not
// used on it, since they switch on domains that a page can notice and cannot
// hold a worker or a foreign frame before it starts.
type wire struct {
	transport chromedp.Transport
	next      atomic.Int64
	done      chan struct{} // closed when the connection is over

	mu       sync.Mutex
	calls    map[int64]pending
	err      error
	sessions map[target.SessionID]*session
}

// pending is a call that waits for its answer.
type pending struct {
	session target.SessionID
	answer  chan *cdproto.Message // holds one
}

// session is one target's part of a connection; the zero id is the browser's own.
type session struct {
	wire *wire
	id   target.SessionID
	gone chan struct{} // closed when the target was detached; nil for the browser
}

// event is something that a target said by itself.
type event struct {
	session *session
	method  string
	params  jsonv2.Value
}

var (
	errGone   = errors.New("the page is gone")
	errClosed = errors.New("the browser has ended")
)

// newWire starts to read. Events go to handle one by one, in order, which must
// not wait for an answer of the browser. run returns when the connection is over.
func newWire(t chromedp.Transport) *wire {
	w := &wire{transport: t, done: make(chan struct{}), calls: map[int64]pending{}, sessions: map[target.SessionID]*session{}}
	w.sessions[""] = &session{wire: w} // gone when the connection is
	return w
}

// browser is the session of the browser itself.
func (w *wire) browser() *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sessions[""]
}

// run reads until the connection ends. It is called once.
func (w *wire) run(handle func(event)) {
	// A page that floods its console is slowed down by the bound.
	events := make(chan event, 4096)
	var handled sync.WaitGroup
	handled.Go(func() {
		for e := range events {
			handle(e)
		}
	})
	for {
		msg := new(cdproto.Message)
		if err := w.transport.Read(context.Background(), msg); err != nil {
			w.fail(fmt.Errorf("%w: %w", errClosed, err))
			break
		}
		if msg.ID != 0 {
			w.answered(msg)
			continue
		}
		if s := w.noted(msg); s != nil {
			events <- event{s, string(msg.Method), msg.Params}
		}
	}
	close(events)
	handled.Wait()
}

// answered hands an answer to the call that waits for it.
func (w *wire) answered(msg *cdproto.Message) {
	w.mu.Lock()
	p, ok := w.calls[msg.ID]
	delete(w.calls, msg.ID)
	w.mu.Unlock()
	if ok {
		p.answer <- msg
	}
}

// noted keeps the table of sessions and says whose event this is; nil when nobody's.
func (w *wire) noted(msg *cdproto.Message) *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.sessions[msg.SessionID]
	switch string(msg.Method) {
	case target.AttachedToTarget.Method:
		var e target.EventAttachedToTarget
		if jsonv2.Unmarshal(msg.Params, &e) == nil {
			w.sessions[e.SessionID] = &session{wire: w, id: e.SessionID, gone: make(chan struct{})}
		}
	case target.DetachedFromTarget.Method:
		var e target.EventDetachedFromTarget
		if jsonv2.Unmarshal(msg.Params, &e) == nil {
			w.detached(e.SessionID)
		}
	}
	return s
}

// detached ends a session; w.mu is held.
func (w *wire) detached(id target.SessionID) {
	s := w.sessions[id]
	if s == nil || id == "" {
		return
	}
	delete(w.sessions, id)
	close(s.gone)
	for n, p := range w.calls {
		if p.session == id {
			delete(w.calls, n)
		}
	}
}

// fail ends the connection for everybody.
func (w *wire) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
		close(w.done)
	}
}

// session finds a session by its id.
func (w *wire) session(id target.SessionID) *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sessions[id]
}

// send writes a command; a nil answer means that nobody waits for one.
func (s *session) send(method string, params any, answer chan *cdproto.Message) (int64, error) {
	raw, err := jsonv2.Marshal(params, jsonv2.AllowInvalidUTF8(true))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", method, err)
	}
	id := s.wire.next.Add(1)
	s.wire.mu.Lock()
	if err := s.wire.err; err != nil {
		s.wire.mu.Unlock()
		return 0, err
	}
	if answer != nil {
		s.wire.calls[id] = pending{s.id, answer}
	}
	s.wire.mu.Unlock()
	msg := &cdproto.Message{ID: id, SessionID: s.id, Method: cdproto.MethodType(method), Params: raw}
	if err := s.wire.transport.Write(context.Background(), msg); err != nil {
		return id, fmt.Errorf("%w: %w", errClosed, err)
	}
	return id, nil
}

// tell sends a command and does not wait. Commands of one session are carried
// out in the order in which they were sent.
func tell[P, R any](s *session, c cdp.Command[P, R], params P) {
	// An error means that the browser has ended, which others are told of.
	s.send(c.Method, params, nil)
}

// call sends a command and waits for its result.
func call[P, R any](ctx context.Context, s *session, c cdp.Command[P, R], params P) (R, error) {
	var result R
	answer := make(chan *cdproto.Message, 1)
	id, err := s.send(c.Method, params, answer)
	if err != nil {
		return result, err
	}
	defer func() {
		s.wire.mu.Lock()
		delete(s.wire.calls, id)
		s.wire.mu.Unlock()
	}()
	select {
	case msg := <-answer:
		if msg.Error != nil {
			return result, fmt.Errorf("%s: %w", c.Method, msg.Error)
		}
		if len(msg.Result) == 0 {
			return result, nil
		}
		if err := jsonv2.Unmarshal(msg.Result, &result, jsonv2.AllowInvalidUTF8(true)); err != nil {
			return result, fmt.Errorf("%s: the browser's answer: %w", c.Method, err)
		}
		return result, nil
	case <-ctx.Done():
		return result, fmt.Errorf("%s: %w", c.Method, context.Cause(ctx))
	case <-s.wire.done:
		return result, fmt.Errorf("%s: %w", c.Method, errClosed)
	case <-s.gone:
		return result, fmt.Errorf("%s: %w", c.Method, errGone)
	}
}

// read decodes an event.
func read[E any](c cdp.Event[E], e event) (E, bool) {
	var out E
	if e.method != c.Method {
		return out, false
	}
	err := jsonv2.Unmarshal(e.params, &out, jsonv2.AllowInvalidUTF8(true))
	return out, err == nil
}
