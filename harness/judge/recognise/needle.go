// Package recognise finds canaries in what an app sends, in any disguise that the
// knowledge lists: spelled otherwise, encoded, hashed, inside containers.
//
// Build [Needles] once for all identities of an audit. For each message take a
// [Needles.Collector], hand it every part that package unwrap shows, and ask it for
// its [Hit]s. [Needles.Scan] is the search in plain bytes underneath.
package recognise

import (
	"crypto/md5"  //nolint:gosec // what apps use, not what we rely on
	"crypto/sha1" //nolint:gosec
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"net/url"
	"strings"

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

// needle is one disguise of one canary.
type needle struct {
	bytes   []byte
	target  int
	variant string   // how it is spelled
	chain   []string // hash and encoding, outermost first
	// near says which neighbours make the bytes a piece of something else.
	near class
	// unmistakable needles can't stand in a longer run by chance.
	unmistakable bool
	even         bool // within hexadecimal digits, only whole bytes count
}

// Needles are all disguises of all canaries.
type Needles struct {
	targets   []target
	needles   []needle
	locations []location
	filter    filter
	seen      map[string]bool // while they are built
}

// The fewest bytes that are searched for, and the bits at which a value can't be
// found by chance in all of an audit's traffic: 2^60 places are more than there are.
const (
	shortest        = 8
	unmistakableAt  = 60.0
	shortestAligned = 10 // characters of base64 that follow from the value alone
)

// renderings and digests, by the names that the knowledge uses.
var digests = map[string]func([]byte) []byte{
	"md5":    func(b []byte) []byte { s := md5.Sum(b); return s[:] },  //nolint:gosec
	"sha1":   func(b []byte) []byte { s := sha1.Sum(b); return s[:] }, //nolint:gosec
	"sha256": func(b []byte) []byte { s := sha256.Sum256(b); return s[:] },
}

// Build makes the needles for all identities. Canaries that too many places hold
// by chance are refused with the reason. An unknown name in the knowledge is an error.
func Build(ids []Planted, kb *knowledge.Base) (*Needles, []Refusal, error) {
	n := &Needles{seen: map[string]bool{}}
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
			if err := n.disguise(len(n.targets)-1, &kb.Disguises, &kb.Traps); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := n.filter.build(n.needles); err != nil {
		return nil, nil, err
	}
	n.seen = nil
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

func (n *Needles) disguise(t int, d *knowledge.Disguises, traps *knowledge.Traps) error {
	value := n.targets[t].value
	kind := d.Kind(n.targets[t].kind)
	if n.targets[t].kind == string(canary.Location) {
		if lat, lon, ok := coordinates(value); ok {
			n.locations = append(n.locations, location{target: t, lat: lat, lon: lon, decimals: d.LocationDecimals})
		}
	}
	seen := map[string]bool{}
	for _, name := range kind.Variants {
		spell, ok := variants[name]
		if !ok {
			return fmt.Errorf("%s: kind %s: no variant is named %q", knowledge.FileDisguises, kind.Kind, name)
		}
		spelled := spell(value, d)
		if seen[spelled] || traps.Refuse(spelled) != "" {
			continue
		}
		seen[spelled] = true
		if spelled == value {
			name = ""
		}
		for _, r := range d.Renderings {
			render, ok := renderings[r]
			if !ok {
				return fmt.Errorf("%s: no rendering is named %q", knowledge.FileDisguises, r)
			}
			render(n, t, name, []byte(spelled))
		}
		for _, h := range d.Digests {
			digest, ok := digests[h]
			if !ok {
				return fmt.Errorf("%s: no digest is named %q", knowledge.FileDisguises, h)
			}
			for _, form := range d.DigestForms {
				write, ok := digestForms[form]
				if !ok {
					return fmt.Errorf("%s: no form of a digest is named %q", knowledge.FileDisguises, form)
				}
				write(n, t, name, h, digest([]byte(spelled)))
			}
		}
	}
	return nil
}

var renderings = map[string]func(n *Needles, t int, variant string, value []byte){
	"plain": func(n *Needles, t int, variant string, value []byte) {
		n.add(needle{bytes: value, target: t, variant: variant, near: classOf(value), unmistakable: bits(value) >= unmistakableAt})
	},
	"url": func(n *Needles, t int, variant string, value []byte) {
		n.add(needle{bytes: []byte(url.QueryEscape(string(value))), target: t, variant: variant, chain: []string{"url"}, near: wordlike, unmistakable: bits(value) >= unmistakableAt})
	},
	"base64": func(n *Needles, t int, variant string, value []byte) {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for shift := range 3 {
				n.add(needle{bytes: aligned(enc, value, shift), target: t, variant: variant, chain: []string{"base64"}, unmistakable: true})
			}
		}
	},
	"hex": func(n *Needles, t int, variant string, value []byte) {
		digits := hex.EncodeToString(value)
		for _, s := range []string{digits, strings.ToUpper(digits)} {
			n.add(needle{bytes: []byte(s), target: t, variant: variant, chain: []string{"hex"}, unmistakable: true, even: true})
		}
	},
}

var digestForms = map[string]func(n *Needles, t int, variant, name string, sum []byte){
	"hex": func(n *Needles, t int, variant, name string, sum []byte) {
		digits := hex.EncodeToString(sum)
		for _, s := range []string{digits, strings.ToUpper(digits)} {
			n.add(needle{bytes: []byte(s), target: t, variant: variant, chain: []string{name, "hex"}, unmistakable: true})
		}
	},
	"base64": func(n *Needles, t int, variant, name string, sum []byte) {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			n.add(needle{bytes: []byte(enc.EncodeToString(sum)), target: t, variant: variant, chain: []string{name, "base64"}, unmistakable: true})
		}
	},
}

// aligned is the part of a base64 text that follows from value alone, when value
// begins shift bytes after a border of three.
func aligned(enc *base64.Encoding, value []byte, shift int) []byte {
	padded := append(make([]byte, shift), value...)
	text := enc.EncodeToString(padded)
	from := (shift*8 + 5) / 6
	to := len(padded) * 8 / 6
	if to-from < shortestAligned {
		return nil
	}
	return []byte(text[from:to])
}

// add keeps a needle, unless it is too short or stands there already.
func (n *Needles) add(x needle) {
	key := fmt.Sprint(x.target, " ", string(x.bytes))
	if len(x.bytes) < shortest || n.seen[key] {
		return
	}
	n.seen[key] = true
	n.needles = append(n.needles, x)
}

// class is a set of characters that a value is made of.
type class int

const (
	anything class = iota // any neighbour will do
	decimal
	hexadecimal
	wordlike
)

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
	case wordlike:
		return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
	}
	return false
}

// bits estimates how hard a value is to hit by chance: its length times what each
// character could have been, less where it repeats itself. Words alone have none.
func bits(value []byte) float64 {
	distinct := map[byte]bool{}
	digits := false
	for _, b := range value {
		distinct[b] = true
		digits = digits || b >= '0' && b <= '9'
	}
	if !digits {
		return 0
	}
	size := map[class]float64{decimal: 10, hexadecimal: 16, wordlike: 32}[classOf(value)]
	return float64(len(value)) * math.Min(math.Log2(size), math.Log2(float64(len(distinct)))+0.75)
}
