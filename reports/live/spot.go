package live

import (
	"io"

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
	s := &spotter{kb: kb, blobs: blobs, opener: opener}
	return s.spot
}

type spotter struct {
	kb      *knowledge.Base
	blobs   Blobs
	opener  *unwrap.Opener
	planted canary.Identity
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
			return s.search(r)
		}
	}
	return nil
}

func (s *spotter) search(r flow.Request) []Sighting {
	if s.needles == nil {
		needles, _, err := recognise.Build([]recognise.Planted{{Identity: s.planted}}, s.kb)
		if err != nil {
			return nil // the judge will say so
		}
		s.needles = needles
	}
	found := s.needles.Collector()
	s.opener.Walk(unwrap.Message{URL: r.URL, Headers: r.Headers, Body: s.body(r.Body)}, found.Part)
	var out []Sighting
	seen := map[string]bool{}
	for _, hit := range found.Hits() {
		if !seen[hit.Kind] {
			seen[hit.Kind] = true
			out = append(out, Sighting{Kind: hit.Kind, Host: hostOf(r.URL)})
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
