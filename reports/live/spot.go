package live

import (
	"io"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// spotLimit is the most bytes of a body that are looked into while an audit runs.
// The judge looks into all of them afterwards.
const spotLimit = 256 << 10

// Blobs opens a blob of the evidence that is being written.
type Blobs func(evidence.Digest) (io.ReadCloser, error)

// Spot returns a spotter that looks for the canaries that the log says were
// planted, with the judge's own eyes. With knowledge that can't be used it sees
// nothing; the judge will say why.
func Spot(kb *knowledge.Base, blobs Blobs) Spotter {
	opener, err := unwrap.New(kb.Disguises.Containers, nil)
	if err != nil {
		return func(evidence.Event) []Sighting { return nil }
	}
	s := &spotter{kb: kb, blobs: blobs, opener: opener, sockets: map[flow.ID]string{}}
	return s.spot
}

type spotter struct {
	kb      *knowledge.Base
	blobs   Blobs
	opener  *unwrap.Opener
	planted canary.Identity
	sockets map[flow.ID]string // hosts of WebSockets
	needles *recognise.Needles // nil until needed, and after a planting
}

func (s *spotter) spot(e evidence.Event) []Sighting {
	switch e.Kind {
	case evidence.KindPlanting:
		if p, ok := payload[evidence.Planting](e); ok && p.OK {
			s.planted.Canaries = append(s.planted.Canaries, canary.Canary{Kind: canary.Kind(p.Kind), Value: p.Value})
			s.needles = nil
		}
	case evidence.KindRequest:
		if r, ok := payload[flow.Request](e); ok {
			if slices.ContainsFunc(r.Headers, func(h flow.Header) bool { return strings.EqualFold(h.Name, "Upgrade") }) {
				s.sockets[r.Flow] = hostOf(r.URL)
			}
			return s.search(hostOf(r.URL), func(found func(*unwrap.Part)) {
				s.opener.Walk(unwrap.Message{URL: r.URL, Headers: r.Headers, Body: s.body(r.Body)}, found)
			})
		}
	case evidence.KindMessage:
		if m, ok := payload[flow.Message](e); ok && m.Sent {
			return s.search(s.sockets[m.Flow], func(found func(*unwrap.Part)) { s.opener.Message(m.Index, s.body(m.Body), found) })
		}
	}
	return nil
}

// sure is the confidence from which on a canary is shown; the judge lists the others.
const sure = 0.5

// search looks at the parts that open shows, of something that was sent to a host.
func (s *spotter) search(host string, open func(found func(*unwrap.Part))) []Sighting {
	if s.needles == nil {
		needles, _, err := recognise.Build([]recognise.Planted{{Identity: s.planted}}, s.kb)
		if err != nil {
			return nil // the judge will say so
		}
		s.needles = needles
	}
	found := s.needles.Collector()
	open(found.Part)
	var out []Sighting
	seen := map[string]bool{}
	for _, hit := range found.Hits() {
		if !seen[hit.Kind] && hit.Confidence >= sure {
			seen[hit.Kind] = true
			out = append(out, Sighting{Kind: hit.Kind, Host: host})
		}
	}
	return out
}

// body reads the beginning of a body. One that can't be read is left to the judge.
func (s *spotter) body(b flow.Body) []byte {
	if b.Blob == "" {
		return b.Inline
	}
	r, err := s.blobs(b.Blob)
	if err != nil {
		return nil
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, spotLimit))
	if err != nil {
		return nil
	}
	return data
}
