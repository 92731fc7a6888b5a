// Package recognise finds canaries in what an app sends, in any disguise that the
// knowledge lists: spelled otherwise, encoded, hashed, inside containers.
//
// Build [Needles] once for all identities of an audit. For each message take a
// [Needles.Collector], hand it every part that package unwrap shows, and ask it for
// its [Hit]s. [Needles.Scan] is the search in plain bytes underneath. What was hashed
// together with a text of the app is found at the end, by [Needles.Salted].
package recognise

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// Planted is an identity to look for.
type Planted struct {
	Identity canary.Identity
	Decoy    bool // never planted: a hit is a false positive of ours
}

// Refusal is a canary that is not looked for.
type Refusal struct {
	Canary canary.Canary
	Decoy  bool
	Why    string
}

// target is a canary that is looked for.
type target struct {
	kind  string
	value string
	decoy bool
}

// spelling is one way to spell a canary.
type spelling struct {
	target  int32
	variant string // "" for as it was planted
	text    []byte
}

// needle is one disguise of one spelling. Its bytes stand in the filter.
type needle struct {
	spelling int32
	chain    []string // encodings, outermost first
	half     string   // of a location
	how      string   // for the reason, where the chain does not say it: "as a double"
	// near says which neighbours make the bytes a piece of something else.
	near class
	// unmistakable needles can't stand in a longer run by chance.
	unmistakable bool
	even         bool // within hexadecimal digits, only whole bytes count
	sum          int8 // the digest of which these are the first bytes, and one; 0 for none
	code         *code
	first        byte // of raw bytes that are looked for under a key
	bits         float32
}

// Needles are all disguises of all canaries. They may be used by several goroutines
// at once.
type Needles struct {
	targets   []target
	spellings []spelling
	needles   []needle
	locations []location
	filter    filter               // of those that may stand in a text, which come first
	binary    filter               // of the others, which are only looked for where something is no text
	brief     map[string][]needle  // raw bytes too few for the filter
	briefHead [1 << 16 / 64]uint64 // pairs of bytes that one of them begins with, or has second and third
	digests   *digests
	weak      map[uint32][]weakRecipe
	salting   *salting
	masked    *masked
	grouped   grouped
}

// The fewest bytes that are searched for, and the bits at which a value can't be
// found by chance in all of an audit's traffic: 2^60 places are more than there are.
const (
	shortest        = 8
	unmistakableAt  = 60.0
	shortestAligned = 10 // characters of base64 or base32 that follow from the value alone
)

// Build makes the needles for all identities. Canaries that too many places hold
// by chance are refused with the reason. An unknown name in the knowledge is an error.
func Build(ids []Planted, kb *knowledge.Base) (*Needles, []Refusal, error) {
	n := &Needles{}
	var refused []Refusal
	for _, id := range ids {
		for _, c := range id.Identity.Canaries {
			if c.Value == "" {
				continue
			}
			if why := kb.Traps.Refuse(c.Value); why != "" {
				refused = append(refused, Refusal{Canary: c, Decoy: id.Decoy, Why: why})
				continue
			}
			n.targets = append(n.targets, target{kind: string(c.Kind), value: c.Value, decoy: id.Decoy})
		}
	}
	d := &kb.Disguises
	for t := range n.targets {
		if err := n.spell(t, d, &kb.Traps); err != nil {
			return nil, nil, err
		}
	}
	if err := n.render(d); err != nil {
		return nil, nil, err
	}
	var err error
	if n.digests, err = newDigests(n, d); err != nil {
		return nil, nil, err
	}
	if n.salting, err = newSalting(n, d); err != nil {
		return nil, nil, err
	}
	if n.weak, err = n.weakTable(d); err != nil {
		return nil, nil, err
	}
	n.masked = &masked{n: n}
	return n, refused, nil
}

// Targets is how many canaries are looked for; decoys counts those that were never planted.
func (n *Needles) Targets() (canaries, decoys int) {
	for _, t := range n.targets {
		if t.decoy {
			decoys++
		} else {
			canaries++
		}
	}
	return canaries, decoys
}

// Omitted says which disguises are not looked for, because there are so many canaries
// that their number would go beyond all bounds.
func (n *Needles) Omitted() []string { return n.digests.omitted }

// spell adds the spellings of a canary: those of its kind and those of its shape.
func (n *Needles) spell(t int, d *knowledge.Disguises, traps *knowledge.Traps) error {
	value := n.targets[t].value
	names := slices.Clone(d.Kind(n.targets[t].kind).Variants)
	shape, more, err := shapeOf(value, d)
	if err != nil {
		return err
	}
	names = append(names, more...)
	if shape == shapeCoordinates {
		if lat, lon, ok := coordinates(value); ok {
			n.locations = append(n.locations, location{target: t, lat: lat, lon: lon, decimals: d.LocationDecimals})
		}
	}
	seen := map[string]bool{}
	for _, name := range names {
		spell, ok := variants[name]
		if !ok {
			return fmt.Errorf("%s: kind %s: no variant is named %q", knowledge.FileDisguises, n.targets[t].kind, name)
		}
		spelled := spell(value, d)
		if seen[spelled] || traps.Refuse(spelled) != "" && !together(value, spelled) {
			continue
		}
		seen[spelled] = true
		if spelled == value {
			name = ""
		}
		if shape == "phone" || shape == "decimal" {
			n.grouped.enter(int32(len(n.spellings)), spelled, shape) //nolint:gosec // as many as canaries
			if name == "phone-national" {
				n.grouped.enterTrunk(int32(len(n.spellings)), digits(value), spelled) //nolint:gosec // as many as canaries
			}
		}
		n.spellings = append(n.spellings, spelling{target: int32(t), variant: name, text: []byte(spelled)}) //nolint:gosec // as many as canaries
	}
	return nil
}

// longNumber is how many digits a number has that no other is by chance.
const longNumber = 12

// together reports whether a spelling is several words of a value in one, which looks like a
// word and is none, or a long number without the zeros that it begins with, which looks like
// a time and is none.
func together(value, spelled string) bool {
	if len(spelled) >= longNumber && strings.TrimLeft(value, "0") == spelled {
		return true
	}
	return strings.Contains(value, " ") && len(spelled) >= shortest && strings.EqualFold(bare(value), spelled)
}

// render makes the needles of all spellings and enters them into the filter.
func (n *Needles) render(d *knowledge.Disguises) error {
	for _, r := range d.Renderings {
		if renderings[r] == nil {
			return fmt.Errorf("%s: no rendering is named %q", knowledge.FileDisguises, r)
		}
	}
	var digests []int
	if slices.Contains(d.DigestForms, "raw") {
		var err error
		if digests, err = chosenSums(d.Digests, knowledge.FileDisguises); err != nil {
			return err
		}
	}
	made := make([]maker, runtime.GOMAXPROCS(0))
	share := (len(n.spellings) + len(made) - 1) / len(made)
	var wait sync.WaitGroup
	for w := range made {
		m := &made[w]
		m.n, m.seen = n, map[string]bool{}
		from, to := min(len(n.spellings), w*share), min(len(n.spellings), (w+1)*share)
		wait.Go(func() { m.make(from, to, d.Renderings, digests) })
	}
	wait.Wait()
	n.brief = map[string][]needle{}
	count := 0
	for i := range made {
		count += len(made[i].needles)
	}
	n.needles = make([]needle, 0, count)
	texts := make([][]byte, 0, count)
	// A needle with bytes that no text has can't stand in one.
	for _, binary := range []bool{false, true} {
		for i := range made {
			for j, x := range made[i].needles {
				t := made[i].texts[j]
				switch {
				case text(t) == binary:
				case len(t) < shortest:
					n.enterBrief(t, x)
				default:
					n.needles, texts = append(n.needles, x), append(texts, t)
				}
			}
			if binary {
				made[i] = maker{}
			}
		}
		if !binary {
			count = len(texts)
		}
	}
	if err := n.filter.build(count, func(i int) []byte { return texts[i] }); err != nil {
		return err
	}
	return n.binary.build(len(texts)-count, func(i int) []byte { return texts[count+i] })
}

// enterBrief keeps raw bytes that are too few for a filter.
func (n *Needles) enterBrief(text []byte, x needle) {
	n.brief[string(text)] = append(n.brief[string(text)], x)
	for _, pair := range []uint16{uint16(text[0]) | uint16(text[1])<<8, uint16(text[1]) | uint16(text[2])<<8} {
		n.briefHead[pair/64] |= 1 << (pair % 64)
	}
}

// text is what the i-th needle looks for.
func (n *Needles) text(i int) []byte {
	if i < n.filter.entered {
		return n.filter.text(i)
	}
	return n.binary.text(i - n.filter.entered)
}

// maker makes needles.
type maker struct {
	n       *Needles
	at      int32 // the spelling
	needles []needle
	texts   [][]byte
	seen    map[string]bool // of the canary at hand
}

func (m *maker) make(from, to int, names []string, digests []int) {
	for i := from; i < to; i++ {
		if i == from || m.n.spellings[i].target != m.n.spellings[i-1].target {
			clear(m.seen)
		}
		m.at = int32(i) //nolint:gosec // as many as spellings
		for _, r := range names {
			renderings[r](m, m.n.spellings[i].text)
		}
		for _, s := range digests {
			d := sums[s].of(nil, m.n.spellings[i].text)
			m.add(d[:min(len(d), shortestRaw)], needle{sum: int8(s + 1)}) //nolint:gosec // a handful
		}
	}
}

// add keeps a needle, unless it is too short or stands there already.
func (m *maker) add(text []byte, x needle) {
	if len(text) < shortest && (len(text) < shortestBrief || x.near != binaryOnly) || m.seen[string(text)] {
		return
	}
	m.seen[string(text)] = true
	x.spelling = m.at
	m.needles = append(m.needles, x)
	m.texts = append(m.texts, text)
}

// class is a set of characters that a value is made of.
type class uint8

const (
	anything class = iota // any neighbour will do
	decimal
	hexadecimal
	wordlike
	mailAddress  // a mail address: what may belong to one makes it another
	mailReversed // the same in reverse
	binaryOnly   // raw bytes: among text they stand by chance
)

// nearOf is the class of what stands beside a value.
func nearOf(value []byte) class {
	if i := bytes.IndexByte(value, '@'); i > 0 && bytes.IndexByte(value[i:], '.') > 0 {
		return mailAddress
	}
	return classOf(value)
}

func classOf(value []byte) class {
	c := decimal
	for _, b := range value {
		switch {
		case b >= '0' && b <= '9':
		case c <= hexadecimal && (b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'):
			c = hexadecimal
		default:
			return wordlike
		}
	}
	return c
}

// touches reports whether a neighbour may belong to the same value. A number that
// touches a hexadecimal digit may be a piece of a digest.
func (c class) touches(b byte) bool {
	switch c {
	case decimal, hexadecimal:
		return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
	case wordlike, mailAddress, mailReversed:
		return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
	}
	return false
}
