package recognise

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// salting finds digests of a value together with something else: a fixed salt, a value
// of the same message, a text of the app.
type salting struct {
	n *Needles
	// spellings are all, chief the first few of each canary. All are tried in the ways
	// that are most frequent, the chief ones in the others.
	spellings, chief []salted
	fixed            []string
	ways             []way
	names            map[int][]int // size of a digest → the digests that have it

	mu     sync.Mutex
	tables map[saltedSize]*heads
	spent  int // digests that were made
}

// salted is what is hashed together with a salt: a spelling, or the bytes that it stands for.
type salted struct {
	spelling int
	form     int // in saltedForms, and one; 0 for as it is spelled
	text     []byte
}

// saltedForms are what a value may be written as before it is salted.
var saltedForms = []string{"bytes", "fixed64-big", "fixed64"}

// way is how a salt and a value come together.
type way struct {
	before  bool // the salt stands before the value
	between string
	keyed   bool // as the key of an HMAC
}

// saltedSize is a salt with the size of the digests that were made with it.
type saltedSize struct {
	salt string
	size int
}

// Budgets, in digests: of one message, and of all. At some 200 ns a digest they are
// 12 ms and 12 s. Tables for salts that come again are kept, up to a number.
const (
	saltedOfMessage = 60_000
	saltedOfAll     = 60_000_000
	saltedOfTexts   = 24_000_000
	mostSaltTables  = 192

	chiefSpellings = 3
	frequentWays   = 3 // right before the value, right behind it, as a key
)

func newSalting(n *Needles, d *knowledge.Disguises) (*salting, error) {
	s := &salting{n: n, names: map[int][]int{}, tables: map[saltedSize]*heads{}}
	chosen, err := chosenSums(d.Salted, knowledge.FileDisguises)
	if err != nil {
		return nil, err
	}
	taken, seen := 0, map[string]bool{}
	for i := range n.spellings {
		if i > 0 && n.spellings[i].target != n.spellings[i-1].target {
			taken = 0
		}
		value := salted{spelling: i, text: n.spellings[i].text}
		if taken++; taken <= chiefSpellings {
			s.chief = append(s.chief, value)
		}
		s.spellings = append(s.spellings, value)
		if taken == 1 {
			clear(seen)
		}
		for f, form := range saltedForms {
			if b := encodings[form].of(value.text); b != nil && !seen[string(b)] {
				seen[string(b)] = true
				s.spellings = append(s.spellings, salted{spelling: i, form: f + 1, text: b})
			}
		}
	}
	for _, i := range chosen {
		s.names[sums[i].size] = append(s.names[sums[i].size], i)
	}
	for _, x := range d.Salts {
		s.fixed = append(s.fixed, x.Value)
	}
	for _, between := range d.Separators {
		s.ways = append(s.ways, way{before: true, between: between}, way{between: between})
	}
	// The most frequent first, as what is cut off for want of time is the rest.
	slices.SortStableFunc(s.ways, func(a, b way) int { return len(a.between) - len(b.between) })
	s.ways = slices.Insert(s.ways, min(2, len(s.ways)), way{keyed: true})
	return s, nil
}

// cost is how many digests are made for one salt.
func (s *salting) cost(size int) int {
	first := min(len(s.ways), frequentWays)
	return len(s.names[size]) * (len(s.spellings)*first + len(s.chief)*(len(s.ways)-first))
}

// each calls do with every digest of a size that a salt gives.
func (s *salting) each(salt string, sizes []int, ways []way, do func(d []byte, of salted, sum, way int)) {
	var scratch [64]byte
	text := make([]byte, 0, 512)
	for w, x := range ways {
		spellings := s.spellings
		if w >= frequentWays {
			spellings = s.chief
		}
		for _, i := range spellings {
			value := i.text
			switch {
			case x.keyed:
				text = append(text[:0], value...)
			case x.before:
				text = append(append(append(text[:0], salt...), x.between...), value...)
			default:
				text = append(append(append(text[:0], value...), x.between...), salt...)
			}
			for _, size := range sizes {
				for _, k := range s.names[size] {
					switch {
					case !x.keyed:
						do(sums[k].of(scratch[:0], text), i, k, w)
					case sums[k].keyed != nil:
						do(sums[k].keyedSum(scratch[:0], []byte(salt), text), i, k, w)
					}
				}
			}
		}
	}
}

// table returns the digests of a size that a salt gives, made now or before. budget is
// how many may still be made; nil when they are too few.
func (s *salting) table(salt string, size int, budget *int) *heads {
	key := saltedSize{salt, size}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tables[key]; ok {
		return t
	}
	cost := s.cost(size)
	if cost > *budget || s.spent+cost > saltedOfAll {
		return nil
	}
	*budget -= cost
	s.spent += cost
	var list headList
	s.each(salt, []int{size}, s.ways, func(d []byte, of salted, sum, way int) {
		list.heads = append(list.heads, head{binary.BigEndian.Uint64(d), newRecipe(of.spelling, sum, way, of.form)})
	})
	t := newHeads([]headList{list})
	if len(s.tables) < mostSaltTables {
		s.tables[key] = &t
	}
	return &t
}

// again makes the digest of a recipe again.
func (s *salting) again(salt string, r recipe) []byte {
	w, form := r.steps()
	text := s.n.spellings[r.spelling()].text
	if form > 0 {
		text = encodings[saltedForms[form-1]].of(text)
	}
	x, value, k := s.ways[w], string(text), &sums[r.sum()]
	switch {
	case x.keyed:
		return k.keyedSum(nil, []byte(salt), []byte(value))
	case x.before:
		return k.of(nil, []byte(salt+x.between+value))
	}
	return k.of(nil, []byte(value+x.between+salt))
}

// found is a token that a salt explains, as a match and in words.
func (s *salting) found(salt string, r recipe, form string, size int, whence string) (Match, string) {
	w, raw := r.steps()
	x := s.ways[w]
	chain := []string{sums[r.sum()].name, form}
	if raw > 0 {
		chain = append(chain, encodings[saltedForms[raw-1]].link)
	}
	how := ""
	switch {
	case x.keyed:
		chain[0] = hmacOf + chain[0]
		how = fmt.Sprintf("keyed with %q, %s", salt, whence)
	case x.before:
		how = fmt.Sprintf("hashed with %q before it, %s", salt+x.between, whence)
	default:
		how = fmt.Sprintf("hashed with %q behind it, %s", x.between+salt, whence)
	}
	m := s.n.match(&needle{spelling: r.spelling(), chain: chain, bits: float32(8 * size)}, 0, size, false)
	return m, how
}

// Token is what looks like a digest and nothing in its message explains. See [Collector.Unexplained].
type Token struct {
	Digest  []byte
	Form    string // hex, base64 or raw
	Surface string
	Chain   []string // decodings that led to it
	Excerpt []byte
}

// Salted looks for digests of canaries that were made together with a text of the app:
// texts are the strings of the APK, tokens what [Collector.Unexplained] gave over the
// audit, without repetitions. Each text is tried before and behind each spelling and as
// the key of an HMAC. It calls found with the index of each token that is explained. left
// is how many texts were not tried, because the budget was spent.
func (n *Needles) Salted(tokens []Token, texts iter.Seq[string], found func(token int, h Hit)) (left int) {
	s := n.salting
	want := map[uint64][]int{}
	var sizes []int
	for i, t := range tokens {
		if len(t.Digest) >= 16 && s.names[len(t.Digest)] != nil {
			first := binary.BigEndian.Uint64(t.Digest)
			want[first] = append(want[first], i)
			sizes = append(sizes, len(t.Digest))
		}
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	if len(sizes) == 0 || len(s.ways) < frequentWays {
		return 0
	}
	ways := s.ways[:frequentWays]
	each := 0
	for _, size := range sizes {
		each += len(s.spellings) * len(s.names[size]) * len(ways)
	}
	budget := saltedOfTexts
	for salt := range texts {
		if len(salt) < shortestSalt || len(salt) > longestSalt {
			continue
		}
		if budget -= each; budget < 0 {
			left++
			continue
		}
		s.each(salt, sizes, ways, func(d []byte, of salted, sum, way int) {
			for _, i := range want[binary.BigEndian.Uint64(d)] {
				t := &tokens[i]
				if string(t.Digest) != string(d) {
					continue
				}
				m, how := s.found(salt, newRecipe(of.spelling, sum, way, of.form), t.Form, len(d), "which is a text of the app")
				h := Hit{Match: m, Surface: t.Surface, Chain: slices.Concat(t.Chain, m.Chain), Excerpt: t.Excerpt, salt: how}
				h.weigh()
				found(i, h)
			}
		})
	}
	return left
}

// salted explains a token by a salt; it reports whether the budget sufficed.
func (c *Collector) salted(t *leftover, salts []string, budget *int, found func(Match, string)) bool {
	s := c.n.salting
	if s.names[len(t.data)] == nil {
		return true
	}
	enough := true
	for i, salt := range salts {
		table := s.table(salt, len(t.data), budget)
		if table == nil {
			enough = false
			continue
		}
		done := false
		table.find(binary.BigEndian.Uint64(t.data), func(r recipe) {
			if done || string(s.again(salt, r)) != string(t.data) {
				return
			}
			done = true
			whence := "which stands in the same message"
			if i < len(s.fixed) {
				whence = "a salt that many apps use"
			}
			found(s.found(salt, r, t.form, len(t.data), whence))
		})
		if done {
			break
		}
	}
	return enough
}

// saltsOf lists the values of a message that may be a salt, fixed ones first.
func (c *Collector) saltsOf() []string {
	out := slices.Clone(c.n.salting.fixed)
	for _, l := range c.left.salts {
		for _, v := range []string{string(l.data), strings.TrimSpace(string(l.data))} {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}
