package matrix

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/internal/disguise"
)

// Each disguise alone: every kind of value that it is for, at every place that fits.
func TestEveryDisguiseAlone(t *testing.T) {
	tally := newTally()
	for _, d := range disguise.All() {
		made := specimens(planted, []disguise.Disguise{d}, 0)
		if len(made) == 0 {
			t.Errorf("%s is for no value", d.Name)
		}
		for i, s := range made {
			if i%share == 0 {
				tally.add(t, s)
			}
		}
	}
	tally.report(t, "singles", 1, 1)
}

// Each ordered pair that makes sense, with two kinds of value.
func TestEveryPair(t *testing.T) {
	tally := newTally()
	all := disguise.All()
	n := 0
	for _, outer := range all {
		for _, inner := range all {
			chain := []disguise.Disguise{outer, inner}
			if disguise.Senseless(chain) != "" {
				continue
			}
			if n++; n%share != 0 {
				continue
			}
			for _, s := range specimens(planted, chain, 2) {
				tally.add(t, s)
			}
		}
	}
	tally.report(t, "pairs", 0.999, 0.99)
	tally.onlyUnmet(t)
	if tally.of < 5000/share {
		t.Errorf("only %d pairs were made", tally.of)
	}
}

// A seeded sample of chains of three.
func TestChainsOfThree(t *testing.T) {
	tally := newTally()
	for chain := range triples(5000 / share) {
		for _, s := range specimens(planted, chain, 1) {
			tally.add(t, s)
		}
	}
	tally.report(t, "triples", 0.99, 0.97)
}

// triples yields a seeded sample of chains of three that make sense and apply to some
// value. Families are drawn first, so that fifty digests are no half of the sample.
func triples(n int) func(func([]disguise.Disguise) bool) {
	return func(yield func([]disguise.Disguise) bool) {
		families := map[string][]disguise.Disguise{}
		for _, d := range disguise.All() {
			family, _, _ := strings.Cut(d.Name, "/")
			families[family] = append(families[family], d)
		}
		names := slices.Sorted(maps.Keys(families))
		r := rand.New(rand.NewPCG(3, 5000)) //nolint:gosec // repeatable, not secret
		draw := func() disguise.Disguise {
			family := families[names[r.IntN(len(names))]]
			return family[r.IntN(len(family))]
		}
		for n > 0 {
			chain := []disguise.Disguise{draw(), draw(), draw()}
			if disguise.Senseless(chain) != "" || len(specimens(planted, chain, 1)) == 0 {
				continue
			}
			if n--; !yield(chain) {
				return
			}
		}
	}
}

// tally counts outcomes and keeps what failed, by chain.
type tally struct {
	of, found int
	told      int                 // found with the chain that was planted
	missed    map[string]bool     // chains of which a specimen was not found at all
	failures  map[string][]string // outcome and families → specimens
	judges    judges
}

func newTally() *tally {
	return &tally{failures: map[string][]string{}, missed: map[string]bool{}}
}

// unmet are the pairs that are known not to be found with one value or the other. They
// are what is left to do: all pairs are to be found.
var unmet = []string{
	// So short a text in base 85 has nothing that tells it from a word.
	"ascii85/plain < raw/fixed32", "ascii85/plain < xor/byte",
	// HTML reads &#128; as a euro sign.
	"html/decimal < lzstring/utf16",
	// Of few bytes under a key most are no letters, and stay as they are.
	"rot13 < xor/byte",
}

// onlyUnmet fails the test when a pair is missed that is not known to be, or one that is
// known to be missed is found.
func (c *tally) onlyUnmet(t *testing.T) {
	t.Helper()
	for _, chain := range slices.Sorted(maps.Keys(c.missed)) {
		if !slices.Contains(unmet, chain) {
			t.Errorf("%s is not found", chain)
		}
	}
	for _, chain := range unmet {
		if share == 1 && !c.missed[chain] {
			t.Errorf("%s is found now: it is unmet no more", chain)
		}
	}
}

func (c *tally) add(t *testing.T, s specimen) {
	t.Helper()
	c.of++
	o, why := c.judges.look(t, s)
	if o == found || o == misread {
		c.found++
	}
	if o == found {
		c.told++
		return
	}
	var families, names []string
	for _, d := range s.disguise {
		family, _, _ := strings.Cut(d.Name, "/")
		families, names = append(families, family), append(names, d.Name)
	}
	if o != misread {
		c.missed[strings.Join(names, " < ")] = true
	}
	key := o.String() + " " + strings.Join(families, " < ")
	c.failures[key] = append(c.failures[key], s.String()+" "+why)
}

// report fails the test when less than a share was found, or told with the right chain.
func (c *tally) report(t *testing.T, name string, least, leastTold float64) {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "%s: of %d, %d found, %d with their chain\n", name, c.of, c.found, c.told)
	keys := slices.SortedFunc(maps.Keys(c.failures), func(a, b string) int {
		if d := len(c.failures[b]) - len(c.failures[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, k := range keys {
		fmt.Fprintf(&text, "%5d %s, such as %s\n", len(c.failures[k]), k, c.failures[k][0])
	}
	t.Logf("%s: of %d, %d found, %d with their chain", name, c.of, c.found, c.told)
	if path := os.Getenv("UNASKED_MATRIX_FAILURES"); path != "" {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text.String()); err != nil {
			t.Fatal(err)
		}
	}
	all := float64(c.of)
	if c.of == 0 || float64(c.found) < least*all || float64(c.told) < leastTold*all {
		lines := strings.SplitAfter(text.String(), "\n")
		t.Errorf("less than %.0f %% were found, or less than %.0f %% told with their chain:\n%s", 100*least, 100*leastTold, strings.Join(lines[:min(len(lines), 60)], ""))
	}
}
