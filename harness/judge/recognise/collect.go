package recognise

import (
	"bytes"
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
	// the same, from 0 to 1, and Reason is why, in a sentence. See [Hit.weigh] for the scale.
	Confidence float64
	Reason     string

	part, parent int
	guess        bool
	beside       bool   // another value of the same person stands in the message
	folded       bool   // the chain was written as if the digest had not been decoded before
	second       string // the second sign of a digest of 32 bits
	salt         string // how the digest was salted
	key          []byte // of an XOR
}

// Collector gathers the hits of one message. It is not safe for concurrent use.
type Collector struct {
	n       *Needles
	opener  *unwrap.Opener
	parents []int // part → the part it was taken out of
	opened  []bool
	seen    seen
	hits    []Hit
	halves  []Hit
	weak    []Hit
	left    leftovers
	cut     string
	tokens  []Token
}

// Collector begins a message.
func (n *Needles) Collector() *Collector { return &Collector{n: n} }

// Opening makes the collector open what comes to light when it takes a key off that was
// sent in the same message. Without it, only what stands there in the clear is found.
func (c *Collector) Opening(o *unwrap.Opener) *Collector {
	c.opener = o
	return c
}

// around is how many bytes are shown on each side of a match.
const around = 48

// most is how many hits of one message are kept: a hostile message may repeat a
// canary a million times, and the first few say all.
const most = 256

// Part searches one part.
func (c *Collector) Part(p *unwrap.Part) {
	for len(c.parents) <= p.ID {
		c.parents = append(c.parents, -1)
		c.opened = append(c.opened, false)
	}
	c.parents[p.ID] = p.Parent
	if p.Parent >= 0 && p.Parent < len(c.opened) && !p.Guess && !p.Alias && !masks(p.Chain) {
		c.opened[p.Parent] = true
	}
	c.search(p, p.Chain, nil)
	if len(p.Data) <= mostMasked && !p.Guess && p.Type != unwrap.Number && !masks(p.Chain) {
		// Under some keys text stays text.
		c.n.masked.scan(p.Data, func(m Match, key byte) { c.unmasked(p, m, key) })
		c.digestsUnder(p)
		if !inOrder(p.Chain) {
			c.turnedNumbers(p)
		}
	}
	if p.Guess && len(p.Data) <= mostMasked && bytesOnly(p.Chain) {
		c.n.masked.scan(p.Data, func(m Match, key byte) {
			if m.Bits >= unmistakableAt {
				c.unmasked(p, m, key)
			}
		})
	}
	c.left.keep(p)
}

// bytesOnly reports whether what was decoded last is mostly used for bytes.
func bytesOnly(chain []string) bool {
	return len(chain) > 0 && (chain[len(chain)-1] == "base58" || chain[len(chain)-1] == "ascii85")
}

// masks reports whether a key was just taken off, by whoever opened the message.
func masks(chain []string) bool { return len(chain) > 0 && chain[len(chain)-1] == "xor" }

// inOrder reports whether a text was just put in order, or other letters in place of its own.
func inOrder(chain []string) bool {
	return len(chain) > 0 && (chain[len(chain)-1] == "reversed" || chain[len(chain)-1] == "rot13")
}

// mostMasked is how long a text may be that is searched under an XOR as well.
const mostMasked = 256

// unmasked keeps what was found under a key of one byte.
func (c *Collector) unmasked(p *unwrap.Part, m Match, key byte) bool {
	m.Chain = append([]string{"xor"}, m.Chain...)
	return c.keep(&c.hits, p, p.Chain, []byte{key}, m)
}

// search looks for needles in a part; chain is what led to it, key what was taken off.
func (c *Collector) search(p *unwrap.Part, chain []string, key []byte) {
	if c.searched(p) {
		c.seen.note(p, len(c.seen.spots))
		c.weakly(p, chain, key)
		return
	}
	before := len(c.seen.spots)
	there := func(from, to int) {
		if len(c.seen.spots) <= mostSpots {
			c.seen.spots = append(c.seen.spots, spot{p.ID, from, to})
		}
	}
	c.n.scan(p.Data, there, func(m Match) {
		if p.Guess && !guessed(p, &m) {
			return
		}
		if len(chain) > 0 && len(m.Chain) > 0 && chain[len(chain)-1] == m.Chain[0] && (m.Chain[0] == "reversed" || m.Chain[0] == "rot13") {
			return // twice is not at all: it was found where it stands
		}
		list := &c.hits
		if m.Half != "" {
			list = &c.halves
		}
		c.keep(list, p, chain, key, m)
	})
	if p.Guess && p.Type != unwrap.Number {
		return
	}
	c.n.halves(p.Data, func(m Match) {
		there(m.From, m.To)
		c.keep(&c.halves, p, chain, key, m)
	})
	c.seen.note(p, before)
	c.weakly(p, chain, key)
}

// guessed reports whether a match counts in what a decoding gave that nothing announces:
// one that can't stand there by chance, or that is all there is.
func guessed(p *unwrap.Part, m *Match) bool {
	whole := m.From == 0 && m.To == len(p.Data)
	if m.Embedded && !isSum(first(m.Chain)) {
		return false
	}
	return m.Bits >= unmistakableAt || whole && m.Bits >= leastWhole
}

// leastWhole is how many bits a value has that counts where it is all there is.
const leastWhole = 32

// searched reports whether a part was searched as a piece of the one that it was taken
// out of, with nothing found in it. The shortest digests and bytes that are no text are
// only recognised where they stand alone, so those parts are searched again.
func (c *Collector) searched(p *unwrap.Part) bool {
	return text(p.Data[:min(len(p.Data), shortest)]) && (len(p.Data) > shortestRun || !shortDigest(p.Data)) && c.seen.piece(p)
}

// weakly keeps what may be a digest of 32 bits.
func (c *Collector) weakly(p *unwrap.Part, chain []string, key []byte) {
	if p.Guess {
		return
	}
	c.n.weakly(p, func(m Match, named bool) {
		if c.keep(&c.weak, p, chain, key, m) && named {
			c.weak[len(c.weak)-1].second = "the field is named for the digest"
		}
	})
}

// keep adds a match to a list, unless the same disguise stands in the same place already,
// which says no more than once.
func (c *Collector) keep(list *[]Hit, p *unwrap.Part, chain []string, key []byte, m Match) bool {
	if len(*list) >= most {
		return false
	}
	for i := range *list {
		if h := &(*list)[i]; h.part == p.ID && h.target == m.target && h.Half == m.Half && h.Variant == m.Variant && slices.Equal(h.Match.Chain, m.Chain) {
			return false
		}
	}
	h := Hit{
		Match: m, Surface: p.Surface(), part: p.ID, parent: p.Parent, guess: p.Guess, key: key,
		Excerpt: bytes.Clone(p.Data[max(0, m.From-around):min(len(p.Data), m.To+around)]),
	}
	h.Chain, h.folded = joined(chain, m, len(p.Data))
	*list = append(*list, h)
	return true
}

// joined is a chain with that of a match behind it. A digest in raw bytes that were taken
// out of base64 or hexadecimal digits is a digest that was written so.
func joined(chain []string, m Match, size int) (whole []string, folded bool) {
	if n := len(chain); n > 0 && len(m.Chain) > 1 && m.Chain[1] == "raw" && isSum(m.Chain[0]) && m.From == 0 && m.To == size && (chain[n-1] == "hex" || chain[n-1] == "base64") {
		return slices.Concat(chain[:n-1], []string{m.Chain[0], chain[n-1]}, m.Chain[2:]), true
	}
	return slices.Concat(chain, m.Chain), false
}

func first(chain []string) string {
	if len(chain) == 0 {
		return ""
	}
	return chain[0]
}

// Hits ends the message: each canary where it stands, at the deepest place that
// was opened, in order of place.
func (c *Collector) Hits() []Hit {
	c.explain()
	c.secondSigns()
	hits := slices.DeleteFunc(slices.Clone(c.hits), func(h Hit) bool {
		return h.folded && slices.ContainsFunc(c.hits, func(o Hit) bool {
			return !o.folded && o.target == h.target && c.within(h.part, o.part) && slices.Equal(o.Chain, h.Chain)
		})
	})
	// What was guessed counts where nothing else was found.
	sure := slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool { return h.guess })
	hits = slices.DeleteFunc(hits, func(h Hit) bool {
		return h.guess && slices.ContainsFunc(sure, func(o Hit) bool {
			return o.target == h.target && (o.part == h.part || c.within(h.part, o.part))
		})
	})
	hits = c.deepest(hits)
	all := slices.Clone(hits)
	hits = slices.DeleteFunc(hits, func(h Hit) bool { return c.covered(h, all) })
	hits = append(hits, c.pairs(hits)...)
	for i := range hits {
		h := &hits[i]
		h.beside = h.coarse && slices.ContainsFunc(hits, func(o Hit) bool { return o.target != h.target && o.Decoy == h.Decoy && !o.coarse })
		hits[i].weigh()
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		if a.part != b.part {
			return a.part - b.part
		}
		return a.From - b.From
	})
	return hits
}

// pairs are the halves of locations of which both stand in the message, and neither
// where the whole was found.
func (c *Collector) pairs(hits []Hit) (pairs []Hit) {
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
			return o.target == h.target && o.Half == other && (o.part != h.part || o.From != h.From)
		}) {
			pairs = append(pairs, h)
		}
	}
	return pairs
}

// secondSigns adds the digests of 32 bits that something else speaks for: the field's
// name, the same value found otherwise, or another such digest of the same person's.
func (c *Collector) secondSigns() {
	for _, h := range c.weak {
		switch {
		case h.second != "":
		case slices.ContainsFunc(c.hits, func(o Hit) bool { return o.target == h.target }):
			h.second = "the same value stands in this message otherwise, too"
		case slices.ContainsFunc(c.weak, func(o Hit) bool {
			return o.Match.Chain[0] == h.Match.Chain[0] && o.target != h.target && o.part != h.part && o.Decoy == h.Decoy
		}):
			h.second = "the same digest of another value stands in this message, too"
		default:
			continue
		}
		c.hits = append(c.hits, h)
	}
	c.weak = nil
}

// deepest drops hits in a whole where the same was found in what was taken out of it; or
// the other way round, where it stands in the whole as it is and taking off escapes has
// changed nothing about it.
func (c *Collector) deepest(hits []Hit) []Hit {
	same := func(o, h Hit) bool {
		return o.target == h.target && o.Half == h.Half && digestOf(o.Chain) == digestOf(h.Chain) && !(o.folded && slices.Equal(o.Chain, h.Chain))
	}
	return slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool {
		return slices.ContainsFunc(hits, func(o Hit) bool {
			switch {
			case !same(o, h):
				return false
			case c.within(o.part, h.part):
				return !idle(h, o)
			case c.within(h.part, o.part):
				return idle(o, h)
			}
			return false
		})
	})
}

// idle reports whether all that was done to get from a hit in a whole to one in a part of
// it was to take off escapes that the value does not have.
func idle(whole, part Hit) bool {
	n := len(whole.Chain)
	if len(whole.Match.Chain) > 0 || len(part.Chain) <= n || !slices.Equal(part.Chain[:n], whole.Chain) {
		return false
	}
	return !slices.ContainsFunc(part.Chain[n:], func(link string) bool { return !escapes[link] })
}

// escapes are the links of encodings that leave most characters as they are.
var escapes = func() map[string]bool {
	m := map[string]bool{}
	for _, e := range encodings {
		if e.plain {
			m[e.link] = true
		}
	}
	return m
}()

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
		if isSum(c) {
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
