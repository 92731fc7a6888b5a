package recognise

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// filter finds the places where one of many byte strings may begin. Its cost does
// not grow with their number.
//
// Every fourth place of the data is looked at. A string of 11 bytes and more has
// eight bytes in a row that begin at such a place, wherever it stands, and a shorter
// one (8 bytes at least) has five; so each string is entered under the four grams
// that its first bytes can show there. Most places are ruled out by a blocked Bloom
// filter: one word a lookup, with three of its 64 bits for each gram. Hashes are made
// first, for many places; the lookups come after, without a branch and with little
// between them, so that many are under way at once and a table that is larger than
// the cache costs hardly more time than a small one. Places that remain are compared.
type filter struct {
	arena   []byte // the strings, one after the other
	ends    []uint32
	long    grams
	short   grams
	entered int
}

// stride is how many bytes lie between two places that are looked at.
const stride = 4

// grams are strings by hashes of some of their bytes.
type grams struct {
	bloom []uint64
	shift uint // of a hash, for a word of bloom
	// starts and entries are the strings by the first bits of the hash: those of
	// bucket b are entries[starts[b]:starts[b+1]], each a string and how far in it
	// the gram begins.
	starts  []uint32
	entries []uint32
	narrow  uint // of a hash, for a bucket
}

// mix is a hash of eight bytes of which every bit can be used.
func mix(v uint64) uint64 {
	hi, lo := bits.Mul64(v^0x2545F4914F6CDD1D, 0x9E3779B97F4A7C15)
	return hi ^ lo
}

// mask are the three bits of a hash within a word.
func mask(h uint64) uint64 { return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) }

const fiveBytes = 1<<40 - 1

func gram8(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
func gram5(b []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(b)) | uint64(b[4])<<32
}

// build enters the strings; text gives the i-th of n.
func (f *filter) build(n int, text func(i int) []byte) error {
	if n >= 1<<30 {
		return fmt.Errorf("%d strings are more than can be looked for at once", n)
	}
	size, short, long := 0, 0, 0
	for i := range n {
		t := len(text(i))
		switch size += t; {
		case t < shortest:
			return fmt.Errorf("string %d of %d bytes is shorter than %d", i, t, shortest)
		case t < shortestLong:
			short++
		default:
			long++
		}
	}
	if size > 1<<31 {
		return fmt.Errorf("%d bytes are more than can be looked for at once", size)
	}
	f.entered = n
	f.arena = make([]byte, 0, size)
	f.ends = make([]uint32, n+1)
	for i := range n {
		f.arena = append(f.arena, text(i)...)
		f.ends[i+1] = uint32(len(f.arena)) //nolint:gosec // checked above
	}
	f.long.build(long*stride, func(enter func(gram uint64, entry uint32)) {
		f.eachGram(false, enter)
	})
	f.short.build(short*stride, func(enter func(gram uint64, entry uint32)) {
		f.eachGram(true, enter)
	})
	return nil
}

// shortestLong is the length from which on eight bytes stand at a place that is looked at.
const shortestLong = 8 + stride - 1

func (f *filter) eachGram(short bool, enter func(uint64, uint32)) {
	for i := range f.entered {
		t := f.text(i)
		if (len(t) < shortestLong) != short {
			continue
		}
		for off := range stride {
			entry := uint32(i)*stride + uint32(off) //nolint:gosec // n is below 1<<30
			if short {
				enter(gram5(t[off:]), entry)
			} else {
				enter(gram8(t[off:]), entry)
			}
		}
	}
}

// text is the i-th string.
func (f *filter) text(i int) []byte { return f.arena[f.ends[i]:f.ends[i+1]] }

func (g *grams) build(n int, each func(enter func(gram uint64, entry uint32))) {
	words := uint(4) // bits of the number of words: 15 bits a gram, and more
	for n*15 > 64<<words {
		words++
	}
	g.shift = 64 - words
	g.bloom = make([]uint64, 1<<words)
	width := uint(1)
	for 1<<width < n {
		width++
	}
	g.narrow = 64 - width
	g.starts = make([]uint32, 1<<width+1)
	g.entries = make([]uint32, n)
	each(func(gram uint64, _ uint32) {
		h := mix(gram)
		g.bloom[h>>g.shift] |= mask(h)
		g.starts[h>>g.narrow+1]++
	})
	for i := 1; i < len(g.starts); i++ {
		g.starts[i] += g.starts[i-1]
	}
	// Entering moves each start to where the next bucket begins; they are moved back after.
	each(func(gram uint64, entry uint32) {
		b := mix(gram) >> g.narrow
		g.entries[g.starts[b]] = entry
		g.starts[b]++
	})
	copy(g.starts[1:], g.starts[:len(g.starts)-1])
	g.starts[0] = 0
}

// batch is how many places are gathered before they are looked up.
const batch = 512

// each calls do with every string at every place where it stands.
func (f *filter) each(data []byte, do func(at, i int)) {
	if f.entered == 0 || len(data) < shortest {
		return
	}
	at := 0
	if len(data) <= fewBytes {
		for ; at+8 <= len(data); at += stride {
			f.lookUp(data, at, do)
		}
	} else {
		at = f.eachOfMany(data, do)
	}
	// The last place may have five bytes behind it and not eight.
	if at+5 <= len(data) {
		f.probe(&f.short, gram5(data[at:]), data, at, do)
	}
}

// fewBytes are not worth the room in which places are gathered.
const fewBytes = 192

// eachOfMany is each for all places with eight bytes behind them; it returns the next.
func (f *filter) eachOfMany(data []byte, do func(at, i int)) (at int) {
	var places [batch]uint32
	for at+8 <= len(data) {
		from := at
		n := f.gather(data[at:min(len(data), at+batch*stride+8-stride)], &places)
		for _, p := range places[:n] {
			f.lookUp(data, from+int(p), do)
		}
		at = from + min(batch*stride, (len(data)-from-8)/stride*stride+stride)
	}
	return at
}

// gather lists the places of data, each a multiple of stride, that the filters let pass.
// At most batch places of data have eight bytes behind them.
func (f *filter) gather(data []byte, places *[batch]uint32) int {
	var hashes [batch]uint64
	var passed [batch]uint8 // by the filter of short strings
	short, shift := f.short.bloom, f.short.shift&63
	count := 0
	for i := 0; i+8 <= len(data); i += stride {
		w := binary.LittleEndian.Uint64(data[i:])
		h := mix(w & fiveBytes)
		m := mask(h)
		var hit uint8
		if short[h>>shift]&m == m {
			hit = 1
		}
		hashes[count&(batch-1)] = mix(w)
		passed[count&(batch-1)] = hit
		count++
	}
	long, shift := f.long.bloom, f.long.shift&63
	n := 0
	for i, h := range hashes[:count] {
		m := mask(h)
		hit := 0
		if long[h>>shift]&m == m {
			hit = 1
		}
		places[n&(batch-1)] = uint32(i * stride) //nolint:gosec // below batch*stride
		n += hit | int(passed[i])
	}
	return n
}

func (f *filter) lookUp(data []byte, at int, do func(at, i int)) {
	w := binary.LittleEndian.Uint64(data[at:])
	f.probe(&f.long, w, data, at, do)
	f.probe(&f.short, w&fiveBytes, data, at, do)
}

// probe compares the strings that have a gram with what stands around a place.
func (f *filter) probe(g *grams, gram uint64, data []byte, at int, do func(at, i int)) {
	h := mix(gram)
	if m := mask(h); g.bloom[h>>g.shift]&m != m {
		return
	}
	b := h >> g.narrow
	for _, e := range g.entries[g.starts[b]:g.starts[b+1]] {
		i, from := int(e/stride), at-int(e%stride)
		t := f.text(i)
		if from >= 0 && from+len(t) <= len(data) && string(data[from:from+len(t)]) == string(t) {
			do(from, i)
		}
	}
}
