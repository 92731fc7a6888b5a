package recognise

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// weakRecipe is a digest of 32 bits: of which spelling, and which digest.
type weakRecipe struct {
	spelling int32
	sum      uint8
}

// weakTable makes the digests of 32 bits of all spellings.
func (n *Needles) weakTable(d *knowledge.Disguises) (map[uint32][]weakRecipe, error) {
	var chosen []uint8
	for _, name := range d.WeakDigests {
		at := -1
		for i := range weakSums {
			if weakSums[i].name == name {
				at = i
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("%s: no digest of 32 bits is named %q", knowledge.FileDisguises, name)
		}
		chosen = append(chosen, uint8(at)) //nolint:gosec // a handful
	}
	out := make(map[uint32][]weakRecipe, len(n.spellings)*len(chosen))
	for i := range n.spellings {
		for _, s := range chosen {
			v := weakSums[s].of(n.spellings[i].text)
			out[v] = append(out[v], weakRecipe{int32(i), s}) //nolint:gosec // as many as spellings
		}
	}
	return out, nil
}

// weakly calls found with what a whole value may be a digest of 32 bits of: eight
// hexadecimal digits, a number in decimal, or four bytes. Such a match is no hit without
// a second sign, for about one value in four thousand million is one by chance, for each
// digest that is looked for. named says that the field has the digest's own name.
func (n *Needles) weakly(p *unwrap.Part, found func(m Match, named bool)) {
	if len(n.weak) == 0 || len(p.Data) < 4 || len(p.Data) > 11 {
		return
	}
	data := p.Data
	try := func(v uint32, form string) {
		for _, r := range n.weak[v] {
			s := &n.spellings[r.spelling]
			t := &n.targets[s.target]
			name := weakSums[r.sum].name
			key := strings.ToLower(p.Key)
			family := strings.TrimRight(name, "-0123456789") // crc, murmur, xxhash
			found(Match{
				Kind: t.kind, Value: t.value, Decoy: t.decoy, Variant: s.variant, Chain: []string{name, form}, To: len(data), Bits: 32,
				spelling: r.spelling, target: int(s.target),
			}, strings.Contains(key, family))
		}
	}
	if len(data) == 4 {
		try(binary.BigEndian.Uint32(data), "raw")
		try(binary.LittleEndian.Uint32(data), "raw")
		return
	}
	if nibbles[data[len(data)-1]] > 15 { // most words: not even a digit at the end
		return
	}
	if len(data) == 8 {
		if v, err := strconv.ParseUint(string(data), 16, 32); err == nil {
			try(uint32(v), "hex") //nolint:gosec // parsed as 32 bits
		}
	}
	if !onlyDigits(data[1:]) || data[0] != '-' && data[0] != '+' && !onlyDigits(data[:1]) {
		return
	}
	if v, err := strconv.ParseInt(string(data), 10, 64); err == nil && v >= -1<<31 && v < 1<<32 {
		try(uint32(v), "decimal") //nolint:gosec // either sign, as programs write it
	}
}

// onlyDigits reports whether bytes are decimal digits.
func onlyDigits(data []byte) bool {
	for _, c := range data {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
