package recognise

import (
	"sync"
)

// heads is a table from the first eight bytes of digests to how they came about:
// open addressing behind a blocked Bloom filter, as in [filter].
type heads struct {
	bloom []uint64
	shift uint // of a hash, for a word of bloom
	slots []head
	width uint // of a hash, for a slot
}

func newHeads(lists []headList) heads {
	count := 0
	for i := range lists {
		count += len(lists[i].heads)
	}
	words, width := uint(4), uint(5)
	for count*14 > 64<<words {
		words++
	}
	for count*3 > 2<<width { // two thirds full at most
		width++
	}
	h := heads{bloom: make([]uint64, 1<<words), shift: 64 - words, slots: make([]head, 1<<width), width: 64 - width}
	// Two writers, each for one half of the hashes, so that they never meet: the last
	// slots of the first half are left to run over into nothing but their own half.
	var wait sync.WaitGroup
	for half := range uint64(2) {
		wait.Go(func() {
			for i := range lists {
				for _, x := range lists[i].heads {
					if m := mix(x.first); m>>63 == half {
						h.enter(m, x)
					}
				}
			}
		})
	}
	wait.Wait()
	return h
}

// next is the slot behind a slot, round within its half of the table.
func (h *heads) next(slot uint64) uint64 {
	half := uint64(len(h.slots)) / 2
	return slot&half | (slot+1)&(half-1)
}

func (h *heads) enter(m uint64, x head) {
	h.bloom[m>>h.shift] |= mask(m)
	slot := m >> h.width
	for h.slots[slot] != (head{}) {
		if h.slots[slot].first == x.first && h.slots[slot].recipe.spelling() == x.recipe.spelling() {
			return // the same in a simpler way
		}
		slot = h.next(slot)
	}
	h.slots[slot] = x
}

// may reports whether a head may be in the table.
func (h *heads) may(m uint64) bool {
	k := mask(m)
	return h.bloom[m>>h.shift]&k == k
}

// find calls do with every recipe of a head.
func (h *heads) find(first uint64, do func(recipe)) {
	if len(h.slots) == 0 {
		return
	}
	m := mix(first)
	if !h.may(m) {
		return
	}
	for slot := m >> h.width; h.slots[slot] != (head{}); slot = h.next(slot) {
		if h.slots[slot].first == first {
			do(h.slots[slot].recipe)
		}
	}
}
