package unwrap

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync/atomic"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// fruitless remembers bytes in which nothing was found, so that a session's token
// is tried once and not with each request. It changes no result.
type fruitless struct {
	prints [1 << 12]atomic.Uint64
}

var seed = maphash.MakeSeed()

func (f *fruitless) known(data []byte) (print uint64, known bool) {
	print = maphash.Bytes(seed, data)
	return print, f.prints[print%uint64(len(f.prints))].Load() == print
}

func (f *fruitless) note(print uint64) { f.prints[print%uint64(len(f.prints))].Store(print) }

// keys are the values of a message that may be keys of others.
type keys struct {
	n    int
	list [mostKeys][longestSecret]byte
	size [mostKeys]int
}

// note keeps a value that may be a key: a guess, a word, a number, an address or a sentence is none.
func (k *keys) note(p *Part) {
	n := len(p.Data)
	if p.Guess || k.n == mostKeys || n < shortestSecret || n > longestSecret || p.Type == Number || p.Type == Bool || p.root == flow.SurfaceHost || p.root == flow.SurfaceURL && p.at == nil {
		return
	}
	var seen class
	for _, c := range p.Data {
		seen |= classes[c]
	}
	letters := seen & (hexLower | hexUpper | lower | upper)
	if seen&(blank|mark) != 0 || seen&(digit|control|high|sign) == 0 && !coded(p.Data, seen) && changes(p.Data) < fewestChanges || letters == 0 && seen&(control|high) == 0 {
		return
	}
	copy(k.list[k.n][:], p.Data)
	k.size[k.n] = n
	k.n++
}

// fewestChanges is how often the letters of a key change case that has nothing else.
const fewestChanges = 4

// changes counts where letters change case.
func changes(text []byte) (n int) {
	for i := 1; i < len(text); i++ {
		if (text[i]^text[i-1])&0x20 != 0 {
			n++
		}
	}
	return n
}

// sealed is a value that a key of the message may open.
type sealed struct {
	part  Part
	depth int
}

// await keeps bytes until all of the message was seen.
func (w *walk) await(p *Part, depth int) {
	if w.closing || turned(p) || !w.has(canXOR) || len(w.pending) >= mostPending || len(p.Data) > longestHidden || depth >= w.o.limits.Depth {
		return
	}
	if slices.ContainsFunc(w.pending, func(s *sealed) bool { return bytes.Equal(s.part.Data, p.Data) }) {
		return
	}
	s := &sealed{part: *p, depth: depth}
	s.part.Data, s.part.at = bytes.Clone(p.Data), p.at.Keep()
	w.pending = append(w.pending, s)
}

// withKeys opens a value with the keys that came with it.
func (w *walk) withKeys(s *sealed) {
	p := &s.part
	few := w.keys.n <= fewKeys && len(p.Data) <= longestXOR
	var room [prefix]byte
	var digits [longestSecret / 2]byte
	for i := range 2 * w.keys.n {
		// Each as it is, then as the bytes that it writes.
		key := w.keys.list[i/2][:w.keys.size[i/2]]
		if bytes.Equal(key, p.Data) { // the value itself
			continue
		}
		if i%2 == 1 {
			if key = written(digits[:0], key); len(key) == 0 {
				continue
			}
		}
		head := room[:min(len(room), len(p.Data))]
		for j, k := 0, 0; j < len(head); j++ {
			head[j] = p.Data[j] ^ key[k]
			if k++; k == len(key) {
				k = 0
			}
		}
		readable, stream := begins(head, len(p.Data))
		if (readable || stream || few) && w.underKey(p, key, readable || few, s.depth) {
			return
		}
	}
}

// shortestWritten is how many bytes a key has that is sent in digits.
const shortestWritten = 2

// written is what a key in hexadecimal digits or in base64 stands for; empty for none.
func written(dst, key []byte) []byte {
	for _, f := range [...]*form{&inHex, &inBase64} {
		if out, sure := f.decode(dst, key); sure != coding.No && len(out) >= shortestWritten {
			return out
		}
	}
	return dst
}

// begins reports whether a head is that of something readable, or may be that of a
// stream without a sign, of size bytes.
func begins(head []byte, size int) (readable, stream bool) {
	if _, text := legible(head[:min(len(head), 16)], 0); text || coding.Magic(head) != "" {
		return true, false
	}
	if head[0] == 0 && head[2] == 0 || head[1] == 0 && head[3] == 0 {
		return true, false
	}
	for _, name := range coding.Bare {
		if coding.PlausibleHead(name, head, size, 0) {
			return false, true
		}
	}
	return false, false
}

// longestShown is how many bytes are shown as they are under a key that may be theirs.
const longestShown = 64

// fewKeys are so few values in a message that all are tried in earnest.
const fewKeys = 8

// underKey opens a value with a key of several bytes: as what is readable, or as a stream.
func (w *walk) underKey(p *Part, key []byte, readable bool, depth int) (found bool) {
	out := w.buffer()
	for j, c := range p.Data {
		out = append(out, c^key[j%len(key)])
	}
	defer func() { w.release(out) }()
	if readable && w.readable(out) {
		return w.spend(p, depth) && w.opened(p, "xor", out, depth, false)
	}
	c := w.guessed(p, []string{"xor"}, out)
	if readable && len(out) <= longestHidden {
		w.lzstring(c, out, depth+1) // a wrong key may make a few characters of any bytes: that explains nothing
	}
	if len(out) <= longestShown && w.spend(p, depth) {
		w.show(c)
		w.numbers(c, depth+1)
	}
	found = w.bare(c, out, depth+1, 1)
	w.drop(c)
	return found
}
