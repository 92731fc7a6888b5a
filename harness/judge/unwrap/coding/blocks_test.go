package coding

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

// What a bare block is said to give is what the libraries take out of it, and what they
// take for broken is none: over blocks, and over blocks with bytes changed or cut off.
func TestBareBlocksAreMeasuredAsTheLibrariesReadThem(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2)) //nolint:gosec // repeatable, not secret
	words := []string{"device", "identifier", "4f3c", " ", "0000000000000000", "{}", strings.Repeat("z", 300)}
	whole, broken, lenient := 0, 0, 0
	const most = 1 << 20
	room := make([]byte, most)
	for range 2000 {
		var text []byte
		for range 1 + r.IntN(60) {
			text = append(text, words[r.IntN(len(words))]...)
		}
		var c lz4.Compressor
		block := make([]byte, lz4.CompressBlockBound(len(text)))
		n, err := c.CompressBlock(text, block)
		if err != nil {
			t.Fatal(err)
		}
		block = block[:n]
		snap := snappy.Encode(nil, text)
		if r.IntN(2) == 0 { // broken, as a rule
			for _, b := range [][]byte{block, snap} {
				if len(b) > 0 {
					b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
				}
			}
			block = block[:len(block)-min(len(block), r.IntN(2))]
		}
		got, err := lz4.UncompressBlock(block, room)
		// The library refuses a little more, near the end of a block.
		length := lz4Length(block, most)
		if err != nil && length >= 0 {
			lenient++
		} else if len(block) > 0 && err == nil && length != got {
			t.Fatalf("lz4 %x: said to give %d bytes, gives %d, %v", block, length, got, err)
		}
		size, err := snappy.DecodedLen(snap)
		if err != nil || size > most {
			continue
		}
		plain, err := snappy.Decode(nil, snap)
		if gives := snappyGives(snap, size); gives != (err == nil) {
			t.Fatalf("snappy %x: %v, and the library says %d bytes, %v", snap, gives, len(plain), err)
		}
		if err == nil && bytes.Equal(plain, text) {
			whole++
		} else {
			broken++
		}
	}
	if lenient > broken/10 {
		t.Errorf("%d blocks of lz4 were measured that the library does not read, of %d broken ones", lenient, broken)
	}
	if whole < 400 || broken < 400 {
		t.Errorf("%d whole blocks and %d broken ones: too few of a kind", whole, broken)
	}
}
