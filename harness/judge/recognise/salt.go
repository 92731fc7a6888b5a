package recognise

import (
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
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
	seen   map[saltedSize]bool // salts that came once
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

// Budgets, in digests: of one message, of one that has more values than are
// kept (most of which are what it tells, and no salts), and of all texts of an app. At some 150 ns a digest they
// are 36 ms, 9 ms and 4 s; salts that come again cost hardly any time. What a budget
// allows depends on the message alone, so that the same message gives the same hits
// wherever it stands.
const (
	saltedOfMessage = 240_000
	saltedOfFull    = 60_000
	saltedOfTexts   = 24_000_000

	// A message with more digests than manyTokens is full of somebody's ids: its budget
	// shrinks with the square of their number, and they are no salts of each other.
	manyTokens = 8
	// Digests of salts that come again are kept in tables, up to a number.
	mostSaltTables = 512
	mostSaltsSeen  = 1 << 14

	chiefSpellings = 3
	frequentWays   = 3 // right before the value, right behind it, as a key
)

func newSalting(n *Needles, d *knowledge.Disguises) (*salting, error) {
	s := &salting{n: n, names: map[int][]int{}, tables: map[saltedSize]*heads{}, seen: map[saltedSize]bool{}}
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

// cost is how many digests are made for one salt; a slow one counts for several.
func (s *salting) cost(size int) (n int) {
	first := min(len(s.ways), frequentWays)
	for _, k := range s.names[size] {
		if sums[k].slow() {
			n += slowness * len(s.chief) * first
		} else {
			n += len(s.spellings)*first + len(s.chief)*(len(s.ways)-first)
		}
	}
	return n
}

// each calls do with every digest of a size that a salt gives. d is valid during the call only.
func (s *salting) each(salt string, sizes []int, ways []way, do func(d []byte, of salted, sum, way int)) {
	var scratch [64]byte
	text := make([]byte, 0, 512)
	for w, x := range ways {
		spellings := s.spellings
		if w >= frequentWays {
			spellings = s.chief
		}
		for _, size := range sizes {
			for _, k := range s.names[size] {
				spellings := spellings
				if sums[k].slow() {
					if w >= frequentWays {
						continue
					}
					spellings = s.chief
				}
				if x.keyed {
					s.eachKeyed(salt, k, spellings, func(d []byte, of salted) { do(d, of, k, w) })
					continue
				}
				of := sums[k].of
				for _, i := range spellings {
					if x.before {
						text = append(append(append(text[:0], salt...), x.between...), i.text...)
					} else {
						text = append(append(append(text[:0], i.text...), x.between...), salt...)
					}
					do(of(scratch[:0], text), i, k, w)
				}
			}
		}
	}
}

// eachKeyed calls do with the HMAC of each spelling under a key, which is taken in once.
func (s *salting) eachKeyed(key string, k int, spellings []salted, do func(d []byte, of salted)) {
	if sums[k].keyed == nil {
		return
	}
	var scratch [64]byte
	h := hmac.New(sums[k].keyed, []byte(key))
	for _, i := range spellings {
		h.Reset()
		h.Write(i.text)
		do(h.Sum(scratch[:0]), i)
	}
}

// table returns the digests of a size that a salt gives, where that salt came before;
// nil where it did not, for most come once.
func (s *salting) table(salt string, size int, fixed bool) *heads {
	key := saltedSize{salt, size}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tables[key]; ok {
		return t
	}
	if !fixed && !s.seen[key] {
		if len(s.seen) >= mostSaltsSeen {
			clear(s.seen)
		}
		s.seen[key] = true
		return nil
	}
	if len(s.tables) >= mostSaltTables && !fixed {
		return nil
	}
	var list headList
	s.each(salt, []int{size}, s.ways, func(d []byte, of salted, sum, way int) {
		list.heads = append(list.heads, head{binary.BigEndian.Uint64(d), newRecipe(of.spelling, sum, way, of.form)})
	})
	t := newHeads([]headList{list})
	s.tables[key] = &t
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
		for _, k := range s.names[size] {
			if sums[k].slow() {
				each += slowness * len(s.chief) * len(ways)
			} else {
				each += len(s.spellings) * len(ways)
			}
		}
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

// solve explains tokens by salts.
func (c *Collector) solve(tokens []*unsolved) {
	s := c.n.salting
	tokens = slices.DeleteFunc(slices.Clone(tokens), func(u *unsolved) bool { return s.names[len(u.data)] == nil })
	if len(tokens) == 0 {
		return
	}
	salts := c.saltsOf(len(tokens) > manyTokens)
	many := max(manyTokens, len(tokens))
	budget := saltedOfMessage
	if len(c.left.salts) == mostSalts {
		budget = saltedOfFull
	}
	budget = budget * manyTokens * manyTokens / (many * many)
	left := map[int][]*unsolved{} // by size
	for _, u := range tokens {
		left[len(u.data)] = append(left[len(u.data)], u)
	}
	sizes := slices.Sorted(maps.Keys(left))
	untried := 0
	for i, salt := range salts {
		whence := "which stands in the same message"
		fixed := i < len(s.fixed)
		if fixed {
			whence = "a salt that many apps use"
		}
		for _, size := range sizes {
			open := slices.DeleteFunc(left[size], func(u *unsolved) bool { return u.found })
			left[size] = open
			cost := s.cost(size)
			switch {
			case len(open) == 0:
				continue
			case fixed: // made once for all messages
			case cost > budget:
				untried++
				continue
			default:
				budget -= cost
			}
			s.try(salt, size, fixed, open, func(u *unsolved, r recipe) { u.add(s.found(salt, r, u.form, size, whence)) })
		}
	}
	if untried > 0 && len(tokens) <= manyTokens {
		c.cut = fmt.Sprintf("%d values that look like digests were not compared with all %d values of the message that may be salts", len(tokens), len(salts))
	}
}

// try calls found with each token of a size that a salt explains.
func (s *salting) try(salt string, size int, fixed bool, tokens []*unsolved, found func(u *unsolved, r recipe)) {
	if table := s.table(salt, size, fixed); table != nil {
		for _, u := range tokens {
			table.find(binary.BigEndian.Uint64(u.data), func(r recipe) {
				if !u.found && string(s.again(salt, r)) == string(u.data) {
					found(u, r)
				}
			})
		}
		return
	}
	s.each(salt, []int{size}, s.ways, func(d []byte, of salted, sum, way int) {
		for _, u := range tokens {
			if d[0] == u.data[0] && !u.found && string(d) == string(u.data) {
				found(u, newRecipe(of.spelling, sum, way, of.form))
			}
		}
	})
}

// saltsOf lists the values of a message that may be a salt, fixed ones first. plain leaves
// out those that look like digests themselves.
func (c *Collector) saltsOf(plain bool) []string {
	out := slices.Clone(c.n.salting.fixed)
	seen := map[string]bool{}
	for _, v := range out {
		seen[v] = true
	}
	fixed := len(out)
	for _, l := range c.left.salts {
		if plain && len(l.data) >= 32 && digestLike(l.data) {
			continue
		}
		for _, v := range []string{string(l.data), strings.TrimSpace(string(l.data))} {
			if !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	// What the budget cuts off is what is hardly ever a salt: sentences, addresses, decimals.
	slices.SortStableFunc(out[fixed:], func(a, b string) int { return unlikely(a) - unlikely(b) })
	return out
}

// unlikely is 1 for a value that is hardly ever a salt, and 0 for another.
func unlikely(salt string) int {
	if strings.ContainsAny(salt, " /?") {
		return 1
	}
	if _, err := strconv.ParseFloat(salt, 64); err == nil && strings.Contains(salt, ".") {
		return 1
	}
	return 0
}

// digestLike reports whether a text is made of hexadecimal digits only.
func digestLike(text []byte) bool {
	return !slices.ContainsFunc(text, func(c byte) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F')
	})
}
