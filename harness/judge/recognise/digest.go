package recognise

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// digests are the digests of all spellings: of each as it is, of what each encoding
// makes of it, and of its digests.
//
// Only the first eight bytes of a digest are kept, in one table for hexadecimal digits,
// base64 and raw bytes alike; where a head is met, the digest is made again and compared
// as far as it goes. So a digest that was cut off is found like a whole one.
type digests struct {
	n     *Needles
	forms map[string]bool
	sums  []int  // that are made
	sizes []int  // of the digests, in bytes
	steps []step // what may be done to a value before
	// once are the steps, and one, that the first table has; 0 is no step. It is made when a
	// message first shows something that may be a digest.
	once  []int
	made  sync.Once
	first heads
	// deep are digests of values to which two steps were done, by the size of the
	// digest; made when a message shows something of that size that nothing explains.
	deep    map[int]*deepHeads
	omitted []string
}

// step is something that is done to a value before it is hashed.
type step struct {
	links  []string // in a chain
	do     func([]byte) []byte
	sum    int // the digest that is made, or -1
	common bool
}

// recipe is how a digest came about: a spelling, two steps (0 for none, else an index
// and one), and the digest at last.
type recipe uint64

// middle marks the recipe of MD5's middle 16 digits, which some take for a short digest.
const middle recipe = 1 << 31

func (r recipe) spelling() int32 { return int32(r >> 32) } //nolint:gosec // 31 bits
func (r recipe) sum() int        { return int(r >> 24 & 0x3f) }
func (r recipe) steps() (one, two int) {
	return int(r >> 12 & 0xfff), int(r & 0xfff)
}

func newRecipe(spelling, sum, one, two int) recipe {
	return recipe(spelling)<<32 | recipe(sum)<<24 | recipe(one)<<12 | recipe(two) //nolint:gosec // each within its bits
}

// most digests: those that are made at once, and those of one size that are made later.
const (
	mostHeads     = 2_500_000
	mostDeepHeads = 250_000
)

func newDigests(n *Needles, d *knowledge.Disguises) (*digests, error) {
	g := &digests{n: n, forms: map[string]bool{}, deep: map[int]*deepHeads{}}
	var err error
	if g.sums, err = chosenSums(d.Digests, knowledge.FileDisguises); err != nil {
		return nil, err
	}
	for _, f := range d.DigestForms {
		if digestForms[f] == nil {
			return nil, fmt.Errorf("%s: no form of a digest is named %q", knowledge.FileDisguises, f)
		}
		g.forms[f] = true
	}
	for _, name := range d.BeforeDigest {
		e, ok := encodings[name]
		if !ok {
			return nil, fmt.Errorf("%s: no encoding is named %q", knowledge.FileDisguises, name)
		}
		g.steps = append(g.steps, step{links: []string{e.link}, do: e.of, sum: -1, common: !e.rare})
	}
	for _, form := range d.HashedAgain {
		write := digestForms[form]
		if write == nil {
			return nil, fmt.Errorf("%s: no form of a digest is named %q", knowledge.FileDisguises, form)
		}
		for _, s := range g.sums {
			link, _, _ := strings.Cut(form, "-")
			g.steps = append(g.steps, step{
				links: []string{sums[s].name, link}, sum: s, common: form == "hex",
				do: func(v []byte) []byte { return write(sums[s].of(nil, v)) },
			})
		}
	}
	for _, s := range g.sums {
		if g.deep[sums[s].size] == nil {
			g.deep[sums[s].size] = &deepHeads{}
			g.sizes = append(g.sizes, sums[s].size)
		}
	}
	g.once = g.atOnce()
	return g, nil
}

// digestForms write a digest.
var digestForms = map[string]func([]byte) []byte{
	"hex":       func(b []byte) []byte { return hex.AppendEncode(nil, b) },
	"hex-upper": func(b []byte) []byte { return []byte(strings.ToUpper(hex.EncodeToString(b))) },
	"raw":       func(b []byte) []byte { return b },
	"base64":    func(b []byte) []byte { return base64.StdEncoding.AppendEncode(nil, b) },

	"base64-unpadded": func(b []byte) []byte { return base64.RawStdEncoding.AppendEncode(nil, b) },
	"base64-url":      func(b []byte) []byte { return base64.RawURLEncoding.AppendEncode(nil, b) },
}

// atOnce chooses the steps that the first table has: none, encodings, and digests in
// hexadecimal digits; other forms of digests where there is room.
func (g *digests) atOnce() []int {
	steps := make([]int, 1, len(g.steps)+1)
	for i, s := range g.steps {
		if s.common {
			steps = append(steps, i+1)
		}
	}
	each := len(g.n.spellings) * len(g.sums)
	if each*(len(g.steps)+1) <= mostHeads {
		for i, s := range g.steps {
			if !s.common {
				steps = append(steps, i+1)
			}
		}
	} else {
		g.omitted = append(g.omitted, "digests of what LZString makes of a value, and of digests that are not written in lower-case hexadecimal digits")
	}
	if each*len(steps) > 2*mostHeads {
		steps = steps[:1]
		g.omitted = append(g.omitted, "digests of encoded values and of digests")
	}
	return steps
}

// table are the digests that are looked for at once.
func (g *digests) table() *heads {
	g.made.Do(func() {
		each := len(g.once) * (len(g.sums) + 1) // one more for the middle of MD5
		g.first = g.makeTable(each, func(i int, made *headList) {
			text := g.n.spellings[i].text
			for _, one := range g.once {
				v := text
				if one > 0 {
					if v = g.steps[one-1].do(text); len(v) == 0 || string(v) == string(text) {
						continue
					}
				}
				for _, s := range g.sums {
					made.sum(s, v, newRecipe(i, s, one, 0))
				}
			}
		})
	})
	return &g.first
}

// deepHeads are the digests of one size of values to which two steps were done.
type deepHeads struct {
	once  sync.Once
	heads heads
}

// deeper returns the digests of a size of values to which two of the common steps were
// done. They are made when they are asked for first; nil where nothing has that size, and
// none where there would be too many.
func (g *digests) deeper(size int) *heads {
	d := g.deep[size]
	if d == nil {
		return nil
	}
	d.once.Do(func() {
		var of, common []int
		for _, s := range g.sums {
			if sums[s].size == size {
				of = append(of, s)
			}
		}
		for i, s := range g.steps {
			if s.common {
				common = append(common, i)
			}
		}
		if len(g.n.spellings)*len(common)*len(common)*len(of) > mostDeepHeads {
			return
		}
		d.heads = g.makeTable(len(common)*len(common)*len(of), func(i int, made *headList) {
			text := g.n.spellings[i].text
			for _, b := range common {
				inner := g.steps[b].do(text)
				if len(inner) == 0 || string(inner) == string(text) {
					continue
				}
				for _, a := range common {
					v := g.steps[a].do(inner)
					if len(v) == 0 || string(v) == string(inner) {
						continue
					}
					for _, s := range of {
						made.sum(s, v, newRecipe(i, s, a+1, b+1))
					}
				}
			}
		})
	})
	return &d.heads
}

// makeTable makes a table from what do gives for each spelling, so many heads about;
// spellings are shared out among the processors.
func (g *digests) makeTable(each int, do func(spelling int, made *headList)) heads {
	lists := make([]headList, runtime.GOMAXPROCS(0))
	share := (len(g.n.spellings) + len(lists) - 1) / len(lists)
	var wait sync.WaitGroup
	for w := range lists {
		wait.Go(func() {
			lists[w].heads = make([]head, 0, share*each)
			for i := w * share; i < min(len(g.n.spellings), (w+1)*share); i++ {
				do(i, &lists[w])
			}
		})
	}
	wait.Wait()
	return newHeads(lists)
}

// headList gathers heads.
type headList struct {
	heads   []head
	scratch [64]byte
}

// head is the first eight bytes of a digest, and how it came about.
type head struct {
	first  uint64
	recipe recipe
}

func (l *headList) sum(s int, v []byte, r recipe) {
	d := sums[s].of(l.scratch[:0], v)
	l.heads = append(l.heads, head{binary.BigEndian.Uint64(d), r})
	if _, two := r.steps(); sums[s].name == "md5" && two == 0 {
		l.heads = append(l.heads, head{binary.BigEndian.Uint64(d[4:]), r | middle})
	}
}

// digest makes the digest of a recipe again; what is compared is its first bytes.
func (g *digests) digest(r recipe) []byte {
	v := g.n.spellings[r.spelling()].text
	one, two := r.steps()
	if two > 0 {
		v = g.steps[two-1].do(v)
	}
	if one > 0 {
		v = g.steps[one-1].do(v)
	}
	d := sums[r.sum()].of(nil, v)
	if r&middle != 0 {
		return d[4:12]
	}
	return d
}

// chain is what was done to the value, outermost first; form is how the digest is written.
func (g *digests) chain(r recipe, form string) []string {
	out := []string{sums[r.sum()].name, form}
	one, two := r.steps()
	if one > 0 {
		out = append(out, g.steps[one-1].links...)
	}
	if two > 0 {
		out = append(out, g.steps[two-1].links...)
	}
	return slices.Clip(out)
}
