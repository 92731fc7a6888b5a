package matrix

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/internal/disguise"
)

// specimen is a message with one value in it.
type specimen struct {
	canary.Canary
	disguise []disguise.Disguise
	planted  disguise.Planted
	place    string
	message  message
}

// specimens puts a person's values of every kind into a chain, at places that fit.
// most is how many are made; the chain's name decides which. 0 is for all.
func specimens(id canary.Identity, chain []disguise.Disguise, most int) []specimen {
	var list []specimen
	names := disguise.Names(chain)
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(names))            // a hash takes everything
	r := rand.New(rand.NewPCG(seed.Sum64(), 1)) //nolint:gosec // repeatable, not secret
	for _, i := range r.Perm(len(id.Canaries)) {
		c := id.Canaries[i]
		for _, at := range r.Perm(len(places)) {
			env := disguise.NewEnv(seed.Sum64() + uint64(i)<<8 + uint64(at))
			p, why := disguise.Plant(string(c.Kind), []byte(c.Value), chain, env)
			if why != "" {
				break
			}
			if !places[at].fits(p.Data) {
				continue
			}
			list = append(list, specimen{Canary: c, disguise: chain, planted: p, place: places[at].name, message: places[at].put(p, env)})
			if len(list) == most {
				return list
			}
			if most > 0 {
				break // the next value, at a place of its own
			}
		}
	}
	return list
}

// String names a specimen for a list of failures.
func (s specimen) String() string {
	return fmt.Sprintf("%s: %s %q in a %s", disguise.Names(s.disguise), s.Kind, s.Value, s.place)
}

// outcome is what the judge made of a specimen.
type outcome int

const (
	found   outcome = iota
	missed          // no hit
	misread         // a hit of the right kind, but with another chain
	strayed         // a hit of a value that was not planted
)

func (o outcome) String() string {
	return [...]string{"found", "MISSED", "CHAIN", "STRAY", "FALSE"}[o]
}

// look judges a specimen; why says what was found instead.
func (j *judges) look(t *testing.T, s specimen) (o outcome, why string) {
	t.Helper()
	o = missed
	want := canonical(s.planted.Chain)
	escaped := want
	if s.place == "path" { // whoever wrote the URL escaped what had to be, which need not be the value itself
		escaped = canonical(append([]string{"url"}, s.planted.Chain...))
	}
	var chains []string
	for _, h := range j.hits(t, s.message, s.planted.Keyed) {
		if h.Value != s.Value {
			return strayed, fmt.Sprintf("%s %q by %v", h.Kind, h.Value, h.Chain)
		}
		switch got := canonical(h.Chain); {
		case h.Kind != string(s.Kind):
		case got == want || got == escaped:
			o = found
		case o == missed:
			o = misread
		}
		chains = append(chains, fmt.Sprint(h.Kind, " ", h.Chain))
	}
	if o == misread {
		slices.Sort(chains)
		return o, fmt.Sprintf("want [%s], got %s", want, strings.Join(slices.Compact(chains), ", "))
	}
	return o, ""
}

// canonical writes a chain in one way where the bytes allow several:
//
//   - the base64 of a raw digest is a digest in base64, and so for hex;
//   - base64 and LZString's own base64 differ in nothing but the name, and its bytes
//     are what LZString's base64 decodes to;
//   - letters may be rotated before they are put in reverse, or after;
//   - the raw bytes of a value, and a field of a message that holds them as a number,
//     are the same bytes.
func canonical(chain []string) string {
	c := slices.Clone(chain)
	if n := len(c); n > 0 && c[n-1] == "raw" && (n == 1 || !isDigest(c[n-2])) {
		c = c[:n-1]
	}
	for i := 0; i+1 < len(c); i++ {
		switch {
		case i+2 < len(c) && (c[i] == "base64" || c[i] == "hex") && c[i+2] == "raw":
			c[i], c[i+1] = c[i+1], c[i]
			c = slices.Delete(c, i+2, i+3)
		case c[i] == "base64" && c[i+1] == "lzstring":
			c = slices.Delete(c, i, i+1)
		case c[i] == "rot13" && c[i+1] == "reversed":
			c[i], c[i+1] = c[i+1], c[i]
		}
	}
	return strings.Join(c, " ")
}

// isDigest reports whether an element of a chain is a digest's name.
func isDigest(name string) bool {
	return slices.ContainsFunc(disguise.All(), func(d disguise.Disguise) bool { return d.Digest && d.Chain[0] == name })
}
