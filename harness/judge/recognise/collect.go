package recognise

import (
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// Hit is a canary found in a message.
type Hit struct {
	Match
	Surface string   // where in the message
	Chain   []string // all decodings and hashes, outermost first
	Excerpt []byte   // what stands there, as it is

	// Confidence is how sure it is that the value stands there and not another that looks
	// the same, from 0 to 1, and Reason is why, in a sentence.
	Confidence float64
	Reason     string

	part, parent int
}

// Collector gathers the hits of one message. It is not safe for concurrent use.
type Collector struct {
	n       *Needles
	parents []int // part → the part it was taken out of
	hits    []Hit
	halves  []Hit
}

// Collector begins a message.
func (n *Needles) Collector() *Collector { return &Collector{n: n} }

// around is how many bytes are shown on each side of a match.
const around = 48

// most is how many hits of one message are kept: a hostile message may repeat a
// canary a million times, and the first few say all.
const most = 256

// Part searches one part.
func (c *Collector) Part(p *unwrap.Part) {
	for len(c.parents) <= p.ID {
		c.parents = append(c.parents, -1)
	}
	c.parents[p.ID] = p.Parent
	keep := func(list *[]Hit) func(Match) {
		return func(m Match) {
			if len(*list) >= most {
				return
			}
			// The same disguise twice in one place says no more than once.
			for _, h := range *list {
				if h.part == p.ID && h.target == m.target && h.Half == m.Half && h.Variant == m.Variant && slices.Equal(h.Match.Chain, m.Chain) {
					return
				}
			}
			from, to := max(0, m.From-around), min(len(p.Data), m.To+around)
			*list = append(*list, Hit{
				Match: m, Surface: p.Surface(),
				Chain:   append(slices.Clone(p.Chain), m.Chain...),
				Excerpt: slices.Clone(p.Data[from:to]),
				part:    p.ID, parent: p.Parent,
			})
		}
	}
	c.n.Scan(p.Data, keep(&c.hits))
	c.n.halves(p.Data, keep(&c.halves))
}

// Hits ends the message: each canary where it stands, at the deepest place that
// was opened, in order of place.
func (c *Collector) Hits() []Hit {
	hits := c.deepest(c.hits)
	all := slices.Clone(hits)
	hits = slices.DeleteFunc(hits, func(h Hit) bool { return c.covered(h, all) })
	halves := c.deepest(c.halves)
	halves = slices.DeleteFunc(halves, func(h Hit) bool {
		return slices.ContainsFunc(hits, func(o Hit) bool {
			return o.target == h.target && (o.part == h.part || c.within(o.part, h.part) || c.within(h.part, o.part))
		})
	})
	for _, h := range halves {
		other := latitude
		if h.Half == latitude {
			other = longitude
		}
		if slices.ContainsFunc(halves, func(o Hit) bool {
			return o.target == h.target && o.Half == other && !(o.part == h.part && o.From == h.From)
		}) {
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		if a.part != b.part {
			return a.part - b.part
		}
		return a.From - b.From
	})
	return hits
}

// deepest drops hits in a whole where the same was found in what was taken out of it.
func (c *Collector) deepest(hits []Hit) []Hit {
	return slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool {
		return slices.ContainsFunc(hits, func(o Hit) bool {
			return o.target == h.target && o.Half == h.Half && digestOf(o.Chain) == digestOf(h.Chain) && c.within(o.part, h.part)
		})
	})
}

// covered reports whether a longer match of the same canary stands at the same place.
func (c *Collector) covered(h Hit, hits []Hit) bool {
	return slices.ContainsFunc(hits, func(o Hit) bool {
		return o.target == h.target && o.part == h.part && o.From <= h.From && o.To >= h.To && o.To-o.From > h.To-h.From
	})
}

// within reports whether part stands in whole, at any depth.
func (c *Collector) within(part, whole int) bool {
	for part = c.parents[part]; part >= 0; part = c.parents[part] {
		if part == whole {
			return true
		}
	}
	return false
}

// digestOf is the hash in a chain, if there is one.
func digestOf(chain []string) string {
	for _, c := range chain {
		if _, ok := digests[c]; ok {
			return c
		}
	}
	return ""
}

// Disguise says in words how a hit was disguised, outermost first.
func (h *Hit) Disguise() string {
	if len(h.Chain) == 0 {
		return "in the clear"
	}
	return strings.Join(h.Chain, " → ")
}
