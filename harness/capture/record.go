package capture

import (
	"net/http"

	"github.com/unasked-audit/unasked/harness/capture/observe"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// recorder writes what was read on one connection into the evidence. What happens
// belongs to the phase in which it began. An observe.Conn calls its methods one at a time.
type recorder struct {
	p     *Proxy
	at    evidence.Stamp // of the connection
	flows map[flow.ID]evidence.Stamp

	noOrigin string    // why there is no origin; empty where there is one
	asked    []flow.ID // requests that had none
}

var _ observe.Recorder = (*recorder)(nil)

// NextID implements observe.Recorder.
func (r *recorder) NextID() flow.ID {
	id := r.p.nextID()
	if r.flows == nil {
		r.flows = map[flow.ID]evidence.Stamp{}
	}
	r.flows[id] = r.p.o.Log.Where()
	return id
}

// Body implements observe.Recorder.
func (r *recorder) Body() observe.Body { return &tap{p: r.p} }

// Request implements observe.Recorder.
func (r *recorder) Request(q flow.Request) error {
	if r.noOrigin != "" {
		r.asked = append(r.asked, q.Flow)
	}
	return r.p.record(r.stamp(q.Flow), evidence.KindRequest, q)
}

// Response implements observe.Recorder.
func (r *recorder) Response(a flow.Response) error {
	at := r.stamp(a.Flow)
	if a.Status != http.StatusSwitchingProtocols {
		delete(r.flows, a.Flow) // it is over; a WebSocket is not
	}
	return r.p.record(at, evidence.KindResponse, a)
}

// Message implements observe.Recorder. A message belongs to the time at which it was
// sent, however long its socket was open.
func (r *recorder) Message(m flow.Message) error {
	return r.p.record(r.p.o.Log.Where(), evidence.KindMessage, m)
}

// Connection implements observe.Recorder.
func (r *recorder) Connection(c flow.Connection) error {
	if r.noOrigin != "" && c.Reason == flow.NoHTTP {
		c.Reason, c.Detail = flow.NoOrigin, r.noOrigin
	}
	return r.p.record(r.stamp(c.Flow), evidence.KindConnection, c)
}

// stamp is where the audit was when a flow began.
func (r *recorder) stamp(id flow.ID) evidence.Stamp {
	if at, ok := r.flows[id]; ok {
		return at
	}
	return r.at
}
