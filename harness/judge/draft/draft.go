// Package draft finds recordings that a person never posted in what an app sends:
// whole or in pieces, in any order, through whatever package unwrap opens.
//
// A draft is known by the hashes of its blocks at fixed places. A window of a
// block's size rolls over every body, byte by byte, so that a piece may begin
// anywhere: one of twice a block's size always holds a whole block.
package draft

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// The size of a block in bytes, the fewest distinct values that make a block
// particular, and the longest draft that is looked for.
const (
	Block    = 256
	distinct = 24
	Longest  = 256 << 20
)

// Shortest is the length of a piece that is always found, in bytes.
const Shortest = 2*Block - 1

// Draft is one recording.
type Draft struct {
	Blob   evidence.Digest
	Name   string
	Size   int64
	Event  uint64 // where it was recorded; what was sent before is none of it
	blocks int    // that are particular
}

// Blocks is how many of the draft's blocks can be told from others.
func (d *Draft) Blocks() int { return d.blocks }

// Finder looks for drafts.
type Finder struct {
	drafts []Draft
	data   [][]byte
	byHash map[uint32][]place
	bitmap []uint64
}

// place is a block of a draft.
type place struct{ draft, at int32 }

// NewFinder makes a finder that knows no draft yet.
func NewFinder() *Finder {
	return &Finder{byHash: map[uint32][]place{}, bitmap: make([]uint64, bitmapBits/64)}
}

const bitmapBits = 1 << 20

// Add makes a draft known. It reports an error for one that is too long.
func (f *Finder) Add(d Draft, data []byte) error {
	if len(data) > Longest {
		return fmt.Errorf("the draft %s has %d bytes; at most %d are looked for", d.Name, len(data), Longest)
	}
	if i := slices.IndexFunc(f.drafts, func(o Draft) bool { return o.Blob == d.Blob }); i >= 0 {
		f.drafts[i].Event = min(f.drafts[i].Event, d.Event)
		return nil
	}
	n := int32(len(f.drafts))
	seen := map[string]bool{}
	for at := 0; at+Block <= len(data); at += Block {
		block := data[at : at+Block]
		if !particular(block) || seen[string(block)] {
			continue
		}
		seen[string(block)] = true
		h := hashOf(block)
		f.byHash[h] = append(f.byHash[h], place{n, int32(at)})
		f.bitmap[h%bitmapBits/64] |= 1 << (h % 64)
		d.blocks++
	}
	d.Size = int64(len(data))
	f.drafts = append(f.drafts, d)
	f.data = append(f.data, data)
	return nil
}

// Drafts are the drafts that were added.
func (f *Finder) Drafts() []Draft { return f.drafts }

// Forget takes out blocks that stand in data too: in the app itself, or in what was
// sent before anything was recorded. They tell nothing.
func (f *Finder) Forget(data []byte) {
	f.roll(data, func(p place, _ int) {
		h := hashOf(f.data[p.draft][p.at : p.at+Block])
		f.byHash[h] = slices.DeleteFunc(f.byHash[h], func(o place) bool { return o == p })
		f.drafts[p.draft].blocks--
	})
}

// Piece is what a body holds of a draft.
type Piece struct {
	Draft  int   // index in Drafts
	Blocks []int // places of the blocks found, in the draft, sorted, without repeats
	From   int   // the first byte in the body that is the draft's
	Bytes  int   // how many bytes follow each other there
}

// Find returns what data holds of each draft.
func (f *Finder) Find(data []byte) []Piece {
	if len(f.byHash) == 0 {
		return nil
	}
	var pieces []Piece
	f.roll(data, func(p place, at int) {
		i := slices.IndexFunc(pieces, func(x Piece) bool { return x.Draft == int(p.draft) })
		if i < 0 {
			i = len(pieces)
			from, n := f.extend(data, p, at)
			pieces = append(pieces, Piece{Draft: int(p.draft), From: from, Bytes: n})
		}
		pieces[i].Blocks = append(pieces[i].Blocks, int(p.at))
	})
	for i := range pieces {
		slices.Sort(pieces[i].Blocks)
		pieces[i].Blocks = slices.Compact(pieces[i].Blocks)
	}
	return pieces
}

// extend follows a match to both sides.
func (f *Finder) extend(data []byte, p place, at int) (from, n int) {
	d := f.data[p.draft]
	i, j := at, int(p.at)
	for i > 0 && j > 0 && data[i-1] == d[j-1] {
		i, j = i-1, j-1
	}
	from = i
	for i < len(data) && j < len(d) && data[i] == d[j] {
		i, j = i+1, j+1
	}
	return from, i - from
}

// particular reports whether a block can be told from others: padding and silence can't.
func particular(block []byte) bool {
	var seen [256]bool
	n := 0
	for _, c := range block {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n >= distinct
}

// The rolling hash is Rabin and Karp's, modulo 2^32.
const prime = 16777619

// leading is prime to the power of Block-1.
func leading() uint32 {
	p := uint32(1)
	for range Block - 1 {
		p *= prime
	}
	return p
}

func hashOf(block []byte) uint32 {
	h := uint32(0)
	for _, c := range block {
		h = h*prime + uint32(c) + 1
	}
	return mix(h)
}

// mix spreads the low bits, in which a product modulo 2^32 is weak.
func mix(h uint32) uint32 {
	h ^= h >> 15
	h *= 0x2c1b3c6d
	return h ^ h>>13
}

// roll calls found for every place in data where a block of a draft stands.
func (f *Finder) roll(data []byte, found func(p place, at int)) {
	if len(data) < Block {
		return
	}
	lead := leading()
	h := uint32(0)
	for _, c := range data[:Block-1] {
		h = h*prime + uint32(c) + 1
	}
	for end := Block - 1; end < len(data); end++ {
		h = h*prime + uint32(data[end]) + 1
		at := end - Block + 1
		if m := mix(h); f.bitmap[m%bitmapBits/64]&(1<<(m%64)) != 0 {
			for _, p := range slices.Clone(f.byHash[m]) {
				if bytes.Equal(data[at:at+Block], f.data[p.draft][p.at:p.at+Block]) {
					found(p, at)
				}
			}
		}
		h -= (uint32(data[at]) + 1) * lead
	}
}
