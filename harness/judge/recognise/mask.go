package recognise

import "sync"

// masked finds needles under an XOR with any one byte, without trying keys: what a key
// does to two bytes beside each other cancels out in their difference, so the needles'
// differences stand in the differences of the data.
type masked struct {
	n       *Needles
	once    sync.Once
	filter  filter
	needles []int32 // in the filter → of n
}

// shortestMasked is how long a needle must be: its first byte gives the key.
const shortestMasked = shortest + 1

// maskedAt is how many bits a needle needs: the key was not given by anything, and
// takes eight of them away.
const maskedAt = 32

func (m *masked) build() {
	var texts [][]byte
	for i := range m.n.needles {
		x, text := &m.n.needles[i], m.n.filter.text(i)
		if x.sum > 0 && len(text) == shortestRaw {
			texts = append(texts, differences(nil, text))
			m.needles = append(m.needles, int32(i)) //nolint:gosec // as many as needles
			continue
		}
		if x.near == binaryOnly || len(text) < shortestMasked || x.bits < maskedAt || len(x.chain) > 1 {
			continue
		}
		switch first(x.chain) {
		case "", "base64", "hex", "url":
			texts = append(texts, differences(nil, text))
			m.needles = append(m.needles, int32(i)) //nolint:gosec // as many as needles
		}
	}
	// An error can only be that there are too many, and then n has failed to build.
	_ = m.filter.build(len(texts), func(i int) []byte { return texts[i] })
}

// scan calls found with every needle under one byte, and the byte.
func (m *masked) scan(data []byte, found func(Match, byte)) {
	if len(data) < shortestMasked {
		return
	}
	m.once.Do(m.build)
	var short [mostMasked]byte
	m.filter.each(differences(short[:0], data), func(at, i int) {
		x := &m.n.needles[m.needles[i]]
		text := m.n.filter.text(int(m.needles[i]))
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
		if embedded, ok := x.stands(around, at-from, end-from); ok {
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
