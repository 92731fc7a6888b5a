package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// window is how many flows are held while the oldest waits for its response.
// Beyond it, the log is looked through for responses that come late, so that a
// connection that stays open for the whole audit does not fill the memory.
const window = 2048

// Read yields the flows of an audit, in the order in which their requests were
// recorded, each joined with its response. It streams: it holds no more than
// some thousand flows, however many there are. It stops after the first error
// it yields.
func Read(ctx context.Context, ev evidence.Evidence) iter.Seq2[Flow, error] {
	return read(ctx, ev, window)
}

func read(ctx context.Context, ev evidence.Evidence, window int) iter.Seq2[Flow, error] {
	return func(yield func(Flow, error) bool) {
		j := &joiner{waiting: map[ID]*Flow{}, window: window}
		for e, err := range ev.Events(ctx) {
			if err == nil {
				err = j.take(e)
			}
			if err == nil && len(j.order) > window && j.late == nil {
				err = j.lookAhead(ctx, ev, e.Seq)
			}
			if err != nil {
				yield(Flow{}, err)
				return
			}
			if !j.emit(yield, false) {
				return
			}
		}
		j.emit(yield, true)
	}
}

// joiner brings requests and responses together.
type joiner struct {
	order   []*Flow // requests in order, the oldest first
	waiting map[ID]*Flow
	window  int
	late    map[ID]answer // responses far behind their requests; nil until looked for
}

// answer is a response and where it stands.
type answer struct {
	response *Response
	event    uint64
}

// take adds an event.
func (j *joiner) take(e evidence.Event) error {
	switch e.Kind {
	case evidence.KindRequest:
		f := &Flow{Phase: e.Phase, Arm: e.Arm, Consent: e.Consent, RequestEvent: e.Seq}
		if err := decode(e, &f.Request); err != nil {
			return err
		}
		if _, there := j.waiting[f.Request.Flow]; there {
			return fmt.Errorf("event %d is a second request of flow %s", e.Seq, f.Request.Flow)
		}
		if a, ok := j.late[f.Request.Flow]; ok {
			f.Response, f.ResponseEvent = a.response, a.event
			delete(j.late, f.Request.Flow)
		} else {
			j.waiting[f.Request.Flow] = f
		}
		j.order = append(j.order, f)
	case evidence.KindResponse:
		var r Response
		if err := decode(e, &r); err != nil {
			return err
		}
		if f, ok := j.waiting[r.Flow]; ok {
			f.Response, f.ResponseEvent = &r, e.Seq
			delete(j.waiting, r.Flow)
		} // else it was found by looking ahead
	}
	return nil
}

func decode(e evidence.Event, into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return fmt.Errorf("event %d, %s: %w", e.Seq, e.Kind, err)
	}
	return nil
}

// emit yields what is complete at the front; everything, once the log has ended
// or no response is left that could come.
func (j *joiner) emit(yield func(Flow, error) bool, all bool) bool {
	for len(j.order) > 0 {
		f := j.order[0]
		if _, open := j.waiting[f.Request.Flow]; open && !all && (j.late == nil || len(j.order) <= j.window) {
			return true
		}
		delete(j.waiting, f.Request.Flow)
		j.order[0] = nil
		j.order = j.order[1:]
		if !yield(*f, nil) {
			return false
		}
	}
	return true
}

// lookAhead finds, once, every response that comes after the event here and more
// than half a window behind its request, and gives the requests that are waiting
// theirs.
func (j *joiner) lookAhead(ctx context.Context, ev evidence.Evidence, here uint64) error {
	j.late = map[ID]answer{}
	asked := map[ID]int{} // the number of requests before
	n := 0
	for e, err := range ev.Events(ctx) {
		if err != nil {
			return err
		}
		switch e.Kind {
		case evidence.KindRequest:
			var r struct{ Flow ID }
			if err := decode(e, &r); err != nil {
				return err
			}
			asked[r.Flow] = n
			n++
		case evidence.KindResponse:
			var r struct{ Flow ID }
			if err := decode(e, &r); err != nil {
				return err
			}
			before, ok := asked[r.Flow]
			delete(asked, r.Flow)
			if !ok || e.Seq <= here || n-before <= j.window/2 {
				continue
			}
			a := answer{response: new(Response), event: e.Seq}
			if err := decode(e, a.response); err != nil {
				return err
			}
			if f, waits := j.waiting[r.Flow]; waits {
				f.Response, f.ResponseEvent = a.response, a.event
				delete(j.waiting, r.Flow)
				continue
			}
			j.late[r.Flow] = a
		}
	}
	return nil
}
