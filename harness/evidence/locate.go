package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Limits of the search for a changed byte, in bytes of what is searched. The
// work grows with their square; within them it stays below about a second.
const (
	searchBits  = 8 << 10 // one bit was flipped
	searchBytes = 2 << 10 // one byte was changed to any other
)

// locate finds the one byte of data that must have been another for data to
// have had the digest want. Nothing but trying says where a hash went wrong; for
// short data that is quick, and to be told the byte is worth it. data is
// changed during the search and is as before afterwards.
func locate(data []byte, want Digest) (at int, was byte, ok bool) {
	if len(data) > searchBits {
		return 0, 0, false
	}
	var target [sha256.Size]byte
	if _, err := hex.Decode(target[:], []byte(want)); err != nil || !want.Valid() {
		return 0, 0, false
	}
	var bits, all []byte
	for i := range 8 {
		bits = append(bits, 1<<i)
	}
	if len(data) <= searchBytes {
		for d := 1; d < 256; d++ {
			if d&(d-1) != 0 {
				all = append(all, byte(d))
			}
		}
	}
	for _, flips := range [][]byte{bits, all} {
		prefix := sha256.New()
		for i := range data {
			if i > 0 && i%sha256.BlockSize == 0 {
				prefix.Write(data[i-sha256.BlockSize : i])
			}
			if was, ok := tryAt(prefix, data, i, flips, target); ok {
				return i, was, true
			}
		}
	}
	return 0, 0, false
}

// tryAt tries the flips at index i, and says what the byte was where one of
// them leads to the target. prefix has hashed the blocks before i's.
func tryAt(prefix hash.Hash, data []byte, i int, flips []byte, target [sha256.Size]byte) (byte, bool) {
	start := i - i%sha256.BlockSize
	is := data[i]
	defer func() { data[i] = is }()
	var sum [sha256.Size]byte
	for _, flip := range flips {
		h, err := prefix.(hash.Cloner).Clone()
		if err != nil {
			return 0, false
		}
		data[i] = is ^ flip
		h.Write(data[start:])
		if [sha256.Size]byte(h.Sum(sum[:0])) == target {
			return is ^ flip, true
		}
	}
	return 0, false
}

// edited reports whether a digest was written as got where it was want, and
// which of its characters differs first. Two digests of different things differ
// in nearly all characters, so a few are a change of the digest itself.
func edited(got, want Digest) (at int, ok bool) {
	if len(got) != len(want) {
		return 0, false
	}
	at = -1
	differ := 0
	for i := range len(got) {
		if got[i] != want[i] {
			if at < 0 {
				at = i
			}
			differ++
		}
	}
	return at, differ > 0 && differ <= len(want)/2
}
