package judge

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// The directions of a sighting.
const (
	Sent     = "request"  // from the device
	Received = "response" // to it
)

// Sighting is one place in one message where an identifier stands.
type Sighting struct {
	Event      uint64   `json:"event"` // of the message, in the log
	Flow       flow.ID  `json:"flow"`  // "" for a name that was asked for
	Kind       string   `json:"kind"`
	Value      string   `json:"value"` // the identifier as it was given, not as it stands there
	Decoy      bool     `json:"decoy,omitempty"`
	Direction  string   `json:"direction"` // Sent or Received
	Where      string   `json:"where"`     // url, host, header:NAME, cookie:NAME, body, body:$.path, ws:N
	Chain      []string `json:"chain"`     // decodings and hashes, outermost first
	Host       string   `json:"host"`
	Owner      string   `json:"owner,omitempty"` // the company behind the host, if known
	Confidence float64  `json:"confidence"`      // from 0 to 1
	Reason     string   `json:"reason"`          // why it is that sure
	Excerpt    string   `json:"excerpt"`
}

// Sightings yields every place in every message where an identifier of the evidence's
// manifest, or a decoy, stands: requests, responses, messages of WebSockets, names
// that were asked for, and connections that carry no HTTP, whatever else was found
// there, in the order of the log; last come digests that were made together with a text
// of the app, which is known when all have been seen. What stands twice at the same place of the same
// message, in the same disguise, is yielded once. It stops after the first error it
// yields.
func Sightings(ctx context.Context, ev evidence.Evidence, kb *knowledge.Base) iter.Seq2[Sighting, error] {
	return func(yield func(Sighting, error) bool) {
		m := ev.Manifest()
		s, err := newSight(ev, kb, []recognise.Planted{{Identity: m.Identity}, {Identity: m.Decoys, Decoy: true}})
		if err != nil {
			yield(Sighting{}, err)
			return
		}
		for e, err := range ev.Events(ctx) {
			if err == nil {
				err = ctx.Err()
			}
			var views []view
			if err == nil {
				views, err = s.event(e)
			}
			if err != nil {
				yield(Sighting{}, fmt.Errorf("read the log: %w", err))
				return
			}
			for i := range views {
				s.keep(e, &views[i], asked{})
				for _, found := range s.sightings(e, &views[i]) {
					if !yield(found, nil) {
						return
					}
				}
			}
		}
		going := true
		s.salted(ctx, m.App, func(at *occurrence) {
			for _, found := range s.sightings(at.e, &at.view) {
				going = going && yield(found, nil)
			}
		})
		if err := ctx.Err(); err != nil && going {
			yield(Sighting{}, err)
		}
	}
}

// event looks at a message, whatever it is.
func (s *sight) event(e evidence.Event) (views []view, err error) {
	switch e.Kind {
	case evidence.KindRequest:
		err = read(e, func(r flow.Request) { views = append(views, s.request(&r, nobody)) })
	case evidence.KindResponse:
		err = read(e, func(r flow.Response) { views = append(views, s.response(&r)) })
	case evidence.KindMessage:
		err = read(e, func(r flow.Message) { views = append(views, s.message(&r, nobody)) })
	case evidence.KindConnection:
		err = read(e, func(r flow.Connection) {
			views = append(views, s.connection(&r, Sent, nobody), s.connection(&r, Received, nobody))
		})
	case evidence.KindQuery:
		err = read(e, func(r flow.Query) { views = append(views, s.query(&r)) })
	}
	if err != nil {
		err = fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
	}
	return views, err
}

// sightings are a view's hits, each once.
func (s *sight) sightings(e evidence.Event, v *view) []Sighting {
	var out []Sighting
	for i := range v.hits {
		h := &v.hits[i]
		chain := notNil(h.Chain)
		if slices.ContainsFunc(out, func(o Sighting) bool {
			return o.Kind == h.Kind && o.Value == h.Value && o.Decoy == h.Decoy && o.Where == h.Surface && slices.Equal(o.Chain, chain)
		}) {
			continue
		}
		out = append(out, Sighting{
			Event: e.Seq, Flow: v.flow, Kind: h.Kind, Value: h.Value, Decoy: h.Decoy, Direction: v.direction,
			Where: h.Surface, Chain: chain, Host: v.host, Owner: s.owner(v.host),
			Confidence: h.Confidence, Reason: h.Reason, Excerpt: excerpt(h.Excerpt),
		})
	}
	return out
}
