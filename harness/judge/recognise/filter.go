package recognise

import (
	"encoding/binary"
	"fmt"
)

// filter finds the places where a needle may begin: a bitmap over hashes of eight
// bytes rules out nearly all places at one load and one multiplication a byte, and
// its cost does not grow with the number of needles.
type filter struct {
	shift   uint
	bitmap  []uint64
	buckets map[uint64][]int32 // first eight bytes → needles
}

const multiplier = 0x9E3779B97F4A7C15

func (f *filter) build(needles []needle) error {
	size := uint(16) // bits of the hash: 8 KiB at least, 16 places a needle
	for 1<<size < 16*len(needles) && size < 28 {
		size++
	}
	f.shift = 64 - size
	f.bitmap = make([]uint64, 1<<size/64)
	f.buckets = make(map[uint64][]int32, len(needles))
	for i, n := range needles {
		if len(n.bytes) < shortest {
			return fmt.Errorf("needle %d of %d bytes is shorter than %d", i, len(n.bytes), shortest)
		}
		head := binary.LittleEndian.Uint64(n.bytes)
		f.buckets[head] = append(f.buckets[head], int32(i))
		h := head * multiplier >> f.shift
		f.bitmap[h/64] |= 1 << (h % 64)
	}
	return nil
}

// each calls do with the needles that may begin at a place, in order of place.
func (f *filter) each(data []byte, do func(at int, needles []int32)) {
	if len(f.bitmap) == 0 {
		return
	}
	bitmap, shift := f.bitmap, f.shift
	for i := 0; i+8 <= len(data); i++ {
		head := binary.LittleEndian.Uint64(data[i:])
		h := head * multiplier >> shift
		if bitmap[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		if list, ok := f.buckets[head]; ok {
			do(i, list)
		}
	}
}
