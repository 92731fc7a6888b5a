package recognise

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// unsolved is a token that no digest of a canary alone explains.
type unsolved struct {
	*leftover
	certain bool // else it may be no digest at all
	found   bool
	add     func(m Match, salt string)
}

// explain looks at what is left over when all parts were shown: what looks like a
// digest, and bytes that are no text and that nothing opened.
func (c *Collector) explain() {
	var open []*unsolved
	tokens := slices.Concat(c.left.tokens, c.left.turned)
	for i := range tokens {
		t := &tokens[i]
		if c.explained(t) {
			continue
		}
		u := &unsolved{leftover: t, certain: i < len(c.left.tokens)}
		u.add = func(m Match, salt string) {
			p, chain := t.part, t.part.Chain
			p.Data = t.text
			if t.key != nil {
				chain = append(slices.Clip(chain), "xor")
			}
			u.found = true
			m.From, m.To = 0, len(t.text)
			if c.keep(&c.hits, &p, chain, t.key, m) {
				c.hits[len(c.hits)-1].salt = salt
			}
		}
		if deep := c.n.digests.deeper(len(t.data)); deep != nil && c.n.digests.forms[t.form] {
			deep.find(binary.BigEndian.Uint64(t.data), func(r recipe) {
				if !u.found && bytes.Equal(c.n.digests.digest(r), t.data) {
					u.add(c.n.digested(sighted{recipe: r, form: t.form, seen: 8 * len(t.data), whole: 8 * len(t.data)}), "")
				}
			})
		}
		if !u.found {
			open = append(open, u)
		}
	}
	c.solve(open)
	for _, u := range open {
		if !u.certain || u.found {
			continue
		}
		c.tokens = slices.DeleteFunc(c.tokens, func(o Token) bool { return bytes.Equal(o.Digest, u.data) }) // in the whole around it
		c.tokens = append(c.tokens, Token{Digest: u.data, Form: u.form, Surface: u.part.Surface(), Chain: u.part.Chain, Excerpt: bytes.Clone(u.text)})
	}
	var keys [][]byte
	for i := range c.left.binaries {
		b := &c.left.binaries[i]
		if !c.opened[b.part.ID] && !c.hitIn(b.part.ID) {
			if keys == nil {
				keys = c.keys()
			}
			c.unmask(b, keys)
		}
	}
	c.unmaskTexts()
	c.left = leftovers{}
}

// explained reports whether a digest was found where a token stands, or in what came of it.
func (c *Collector) explained(t *leftover) bool {
	return slices.ContainsFunc(c.hits, func(h Hit) bool {
		if h.part != t.part.ID {
			return c.within(h.part, t.part.ID) && t.form != "hex"
		}
		return isSum(first(h.Match.Chain)) && (t.form != "hex" || bytes.Contains(h.Excerpt, t.text[:min(len(t.text), around)])) || len(h.Match.Chain) == 0
	})
}

func (c *Collector) hitIn(part int) bool {
	return slices.ContainsFunc(c.hits, func(h Hit) bool { return h.part == part })
}

// Unexplained lists what looks like a digest in the message and was not recognised, for
// [Needles.Salted]. It is there after Hits.
func (c *Collector) Unexplained() []Token { return c.tokens }

// Cut says what could not be tried within the budget of a message; "" for nothing. It is
// there after Hits.
func (c *Collector) Cut() string { return c.cut }

// unmask takes keys off bytes that nothing explains: one byte, whatever it is, and those
// that the short values of the same message may be.
func (c *Collector) unmask(b *leftover, keys [][]byte) {
	p := b.part
	p.Data = b.data
	chain := append(slices.Clone(p.Chain), "xor")
	found := false
	if masks(p.Chain) {
		return
	}
	c.n.masked.scan(b.data, func(m Match, key byte) {
		found = c.unmasked(&p, m, key) || found
	})
	if found {
		return
	}
	plain := make([]byte, len(b.data))
	for _, key := range keys {
		for i := range plain {
			plain[i] = b.data[i] ^ key[i%len(key)]
		}
		before := len(c.hits) + len(c.halves)
		if coding.Text(plain[:min(len(plain), 256)]) || beginsCompressed(plain) {
			q := p
			q.Data = plain
			c.search(&q, chain, key)
			if c.opener != nil {
				c.openUnder(&p, plain, chain, key)
			}
		}
		if len(c.hits)+len(c.halves) == before && len(plain) <= mostMasked {
			// A digest as it is, or another key of one byte.
			c.n.digests.raw(plain, func(s sighted) { c.keep(&c.hits, &p, chain, key, c.n.digested(s)) })
			c.n.masked.scan(plain, func(m Match, _ byte) {
				m.Chain = append([]string{"xor"}, m.Chain...)
				c.keep(&c.hits, &p, chain, key, m)
			})
		}
		if len(c.hits)+len(c.halves) > before {
			return
		}
	}
}

// unmaskTexts takes the short values of a message off each other, as keys: of text under
// a key the characters that show it may be few, or none.
func (c *Collector) unmaskTexts() {
	var keys []*leftover
	for i := range c.left.salts {
		if k := &c.left.salts[i]; keylike(k.data) {
			keys = append(keys, k)
		}
	}
	var room [longestSalt]byte
	for i := range c.left.salts {
		l := &c.left.salts[i]
		if len(l.data) < shortest || l.part.Type == unwrap.Number || masks(l.part.Chain) {
			continue
		}
		for _, k := range keys {
			if k == l || c.hitIn(l.part.ID) {
				continue
			}
			p := l.part
			if p.Data = printableUnder(room[:0], l.data, k.data); p.Data != nil {
				c.search(&p, append(slices.Clip(p.Chain), "xor"), k.data)
				continue
			}
			slices.Reverse(l.data)
			if p.Data = printableUnder(room[:0], l.data, k.data); p.Data != nil && !inOrder(p.Chain) {
				c.search(&p, append(slices.Clip(p.Chain), "reversed", "xor"), k.data)
			}
			slices.Reverse(l.data)
		}
	}
}

// printableUnder is what a key makes of data, if that is printable throughout; nil otherwise.
func printableUnder(dst, data, key []byte) []byte {
	for i, b := range data {
		if b ^= key[i%len(key)]; b < ' ' || b >= 0x7f {
			return nil
		}
		dst = append(dst, b)
	}
	return dst
}

// keylike reports whether a value may be a key: no word and no number, and without blanks.
func keylike(value []byte) bool {
	letters, others, changes := false, false, 0
	for i, b := range value {
		switch {
		case b <= ' ' || b >= 0x7f:
			return false
		case b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z':
			letters = true
			if i > 0 && (b^value[i-1])&0x20 != 0 {
				changes++
			}
		default:
			others = true
		}
	}
	return letters && (others || changes*4 >= len(value))
}

// openUnder opens what a key laid bare. What is found there stands where the bytes stood.
func (c *Collector) openUnder(p *unwrap.Part, plain []byte, chain []string, key []byte) {
	base := len(c.parents)
	c.opener.Value(plain, func(sub *unwrap.Part) {
		q := *sub
		q.ID += base
		for len(c.parents) <= q.ID {
			c.parents = append(c.parents, p.ID)
			c.opened = append(c.opened, true)
		}
		if sub.Parent >= 0 {
			c.parents[q.ID] = base + sub.Parent
		}
		if sub.Parent < 0 { // the whole, which was searched
			return
		}
		from := [3]int{len(c.hits), len(c.halves), len(c.weak)}
		c.search(&q, slices.Concat(chain, sub.Chain), key)
		for i, list := range [][]Hit{c.hits, c.halves, c.weak} {
			for j := from[i]; j < len(list); j++ {
				list[j].Surface = p.Surface() + strings.TrimPrefix(list[j].Surface, flow.SurfaceBody)
			}
		}
	})
}

// keys lists the values of a message that may be a key, as they are and decoded.
func (c *Collector) keys() [][]byte {
	var out [][]byte
	add := func(k []byte) {
		if len(k) >= 2 && !slices.ContainsFunc(out, func(o []byte) bool { return bytes.Equal(o, k) }) {
			out = append(out, k)
		}
	}
	for _, l := range c.left.salts {
		add(l.data)
		if d, err := hex.DecodeString(string(l.data)); err == nil {
			add(d)
		}
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			if d, err := enc.DecodeString(string(l.data)); err == nil {
				add(d)
			}
		}
	}
	return out
}

// beginsCompressed reports whether bytes begin as gzip (RFC 1952), zlib (RFC 1950) or
// Zstandard (RFC 8878) do.
func beginsCompressed(b []byte) bool {
	return len(b) > 4 && (b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 ||
		b[0] == 0x78 && (b[1] == 0x01 || b[1] == 0x5e || b[1] == 0x9c || b[1] == 0xda) ||
		bytes.HasPrefix(b, []byte{0x28, 0xb5, 0x2f, 0xfd}))
}
