package record

import (
	"cmp"
	"encoding/json"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// flowID reads which flow an event belongs to, without reading the rest of it into memory.
func flowID(e evidence.Event) (flow.ID, error) {
	var v struct {
		Flow flow.ID `json:"flow"`
	}
	err := json.Unmarshal(e.Data, &v)
	return v.Flow, err
}

func (r *reader) request(e evidence.Event) error {
	id, err := flowID(e)
	if err != nil {
		return err
	}
	if !r.wanted[id] && !r.events[e.Seq] {
		return nil
	}
	r.wanted[id] = true // its response too, where only the event was named
	return decode(e, func(q flow.Request) {
		f := r.flow(id)
		f.Request, f.RequestEvent, f.RequestAt = q, e.Seq, e.At
		f.Phase, f.Arm, f.Consent = e.Phase, e.Arm, e.Consent
	})
}

func (r *reader) response(e evidence.Event) error {
	id, err := flowID(e)
	if err != nil {
		return err
	}
	if !r.wanted[id] && !r.events[e.Seq] {
		return nil
	}
	return decode(e, func(a flow.Response) {
		f := r.flow(id)
		f.Response, f.ResponseEvent, f.ResponseAt = &a, e.Seq, e.At
	})
}

func (r *reader) flow(id flow.ID) *Flow {
	f := r.Flows[id]
	if f == nil {
		f = &Flow{}
		r.Flows[id] = f
	}
	return f
}

func (r *reader) connection(e evidence.Event, c flow.Connection) {
	host := c.Host
	if host == "" {
		host = c.SNI
	}
	key := opaqueKey{host, c.Port, c.Reason, c.Sent == 0}
	i, ok := r.opaque[key]
	if !ok {
		if len(r.Opaque) >= maxOpaque {
			r.Dropped = true
			return
		}
		i = len(r.Opaque)
		r.opaque[key] = i
		r.Opaque = append(r.Opaque, Opaque{Host: host, Port: c.Port, Reason: c.Reason, Detail: c.Detail, SNI: c.SNI, Server: c.Server, JA3: c.JA3, JA4: c.JA4, Event: e.Seq, Phase: e.Phase})
	}
	o := &r.Opaque[i]
	o.Times++
	o.SNI, o.Server = cmp.Or(o.SNI, c.SNI), cmp.Or(o.Server, c.Server)
	o.JA3, o.JA4 = cmp.Or(o.JA3, c.JA3), cmp.Or(o.JA4, c.JA4)
	o.Sent += c.Sent
	o.Received += c.Received
	in := -1
	if n, ok := r.open[phaseKey(e.Arm, e.Phase)]; ok {
		in = n
	}
	o.phases = append(o.phases, in)
	if hides, ok := r.hiding[e.Seq]; ok {
		o.noted, o.hides = true, o.hides || hides
	}
}

// countOpaque tells connections that the app did not need from those that could not be read. The judge knows: it
// notes the first kind as blind spots that hide nothing.
func (r *reader) countOpaque() {
	for i := range r.Opaque {
		o := &r.Opaque[i]
		o.Hides = o.hides
		o.Spare = o.Sent == 0 && !o.hides && (o.Reason == flow.Unused || o.noted && (o.Reason == flow.HungUp || o.Reason == flow.Broken))
		if o.Spare {
			if o.Reason != flow.Unused {
				r.Spare += o.Times
			}
			continue
		}
		for _, n := range o.phases {
			if n >= 0 {
				r.Phases[n].Opaque++
			}
		}
	}
}
