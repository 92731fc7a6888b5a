package recognise

import (
	"math/bits"
	"sync"

	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// masked finds needles under an XOR with any one byte, without trying keys: what a key
// does to two bytes beside each other cancels out in their difference, so the needles'
// differences stand in the differences of the data.
type masked struct {
	n       *Needles
	once    sync.Once
	filter  filter
	needles []int32 // in the filter → of n
	// whole are raw bytes too few for the filter, by their differences: they count as all
	// that there is.
	whole map[string][]needle
}

// shortestMasked is how long a needle must be: its first byte gives the key.
const shortestMasked = shortest + 1

// maskedAt is how many bits a needle needs: the key was not given by anything, and
// takes eight of them away.
const maskedAt = 32

func (m *masked) build() {
	m.whole = map[string][]needle{}
	var texts [][]byte
	for i := range m.n.needles {
		x, text := &m.n.needles[i], m.n.text(i)
		if x.sum > 0 && len(text) < shortestMasked {
			m.enter(text, *x)
			continue
		}
		if x.sum > 0 && len(text) == shortestRaw {
			texts = append(texts, differences(nil, text))
			m.needles = append(m.needles, int32(i)) //nolint:gosec // as many as needles
			continue
		}
		if x.near == binaryOnly && len(text) < shortestMasked {
			m.enter(text, *x)
		}
		if len(text) < shortestMasked || x.bits < maskedAt || len(x.chain) > 1 {
			continue
		}
		texts = append(texts, differences(nil, text))
		m.needles = append(m.needles, int32(i)) //nolint:gosec // as many as needles
	}
	for text, list := range m.n.brief {
		for _, x := range list {
			m.enter([]byte(text), x)
		}
	}
	// An error can only be that there are too many, and then n has failed to build.
	_ = m.filter.build(len(texts), func(i int) []byte { return texts[i] })
}

// enter keeps raw bytes that count as all that there is.
func (m *masked) enter(text []byte, x needle) {
	x.first = text[0]
	d := string(differences(nil, text))
	m.whole[d] = append(m.whole[d], x)
}

// scan calls found with every needle under one byte, and the byte.
func (m *masked) scan(data []byte, found func(Match, byte)) {
	if len(data) < shortestBrief {
		return
	}
	m.once.Do(m.build)
	var short [mostMasked]byte
	if len(data) < shortestMasked {
		for _, x := range m.whole[string(differences(short[:0], data))] {
			key := data[0] ^ x.first
			switch {
			case key == 0 || x.half != "":
			case x.sum > 0:
				found(m.n.digested(sighted{recipe: newRecipe(int(x.spelling), int(x.sum)-1, 0, 0), form: "raw", to: len(data), seen: 8 * len(data), whole: 8 * len(data)}), key)
			default:
				found(m.n.match(&x, 0, len(data), false), key)
			}
		}
		return
	}
	m.filter.each(differences(short[:0], data), func(at, i int) {
		x := &m.n.needles[m.needles[i]]
		text := m.n.text(int(m.needles[i]))
		key, end := data[at]^text[0], at+len(text)
		if key == 0 {
			return // it stands there in the clear
		}
		if x.sum > 0 {
			plain := make([]byte, min(64, len(data)-at))
			for j := range plain {
				plain[j] = data[at+j] ^ key
			}
			if s, ok := m.n.digests.rawAt(plain, 0, newRecipe(int(x.spelling), int(x.sum)-1, 0, 0)); ok {
				s.from, s.to = at, at+s.to
				found(m.n.digested(s), key)
			}
			return
		}
		from, to := max(0, at-8), min(len(data), end+8)
		around := make([]byte, to-from)
		for j := range around {
			around[j] = data[from+j] ^ key
		}
		if embedded, ok := m.n.stands(x, around, at-from, end-from); ok {
			found(m.n.match(x, at, end, embedded), key)
		}
	})
}

// differences appends what stands between each byte and the next.
func differences(to, data []byte) []byte {
	for i := range len(data) - 1 {
		to = append(to, data[i]^data[i+1])
	}
	return to
}

// longestDigest is how many characters a digest has at most, with something before it.
const longestDigest = 160

// keysOf are, for each byte, the keys under which it is a digit of base64 or its padding:
// one bit for each of the 256.
var keysOf = func() (t [256][4]uint64) {
	for b := range t {
		for key := 1; key < 256; key++ {
			if c := byte(b ^ key); characters[c]&inBase64 != 0 || c == '=' {
				t[b][key/64] |= 1 << (key % 64)
			}
		}
	}
	return t
}()

// digestsUnder looks for a digest in hexadecimal digits or in base64 under a key of one
// byte. The keys that make such digits of all bytes are few, and mostly none.
func (c *Collector) digestsUnder(p *unwrap.Part) {
	if len(p.Data) < shortestSixes || len(p.Data) > longestDigest {
		return
	}
	keys := keysOf[p.Data[0]]
	for _, b := range p.Data[1:] {
		k := &keysOf[b]
		if keys[0], keys[1], keys[2], keys[3] = keys[0]&k[0], keys[1]&k[1], keys[2]&k[2], keys[3]&k[3]; keys == [4]uint64{} {
			return
		}
	}
	for i, set := range keys {
		for ; set != 0; set &= set - 1 {
			if key := byte(64*i + bits.TrailingZeros64(set)); c.n.digests.mayBeUnder(p.Data, key) {
				c.underKey(p, key)
			}
		}
	}
}

// mayBeUnder reports whether a value under a key may be a digest, as most words under most
// keys are not: hexadecimal digits only, or capitals and small letters. What is shorter
// than a run is looked up, for only a digest of 64 bits has so few characters.
func (g *digests) mayBeUnder(data []byte, key byte) bool {
	all, both := uint8(0), uint8(0xff)
	for _, b := range data {
		c := characters[b^key]
		all |= c
		both &= c
	}
	if len(data) >= shortestRun {
		return both&inHex != 0 || all&(inCapitals|inSmall) == inCapitals|inSmall
	}
	if len(data) > shortestSixes && (len(data) != shortestSixes+1 || data[shortestSixes]^key != '=') {
		return false
	}
	var plain [shortestSixes]byte
	for i := range plain {
		plain[i] = data[i] ^ key
	}
	return g.table().may(mix(headOfSixes(plain[:])))
}

// underKey looks for a digest in a value under a key.
func (c *Collector) underKey(p *unwrap.Part, key byte) {
	plain := make([]byte, len(p.Data))
	for j := range plain {
		plain[j] = p.Data[j] ^ key
	}
	c.n.digests.scan(plain, func(s sighted) { c.unmasked(p, c.n.digested(s), key) })
	if len(plain) >= 22 {
		c.left.digestLike(p, plain, []byte{key})
	}
}
