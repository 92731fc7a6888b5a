package unwrap

import (
	"bytes"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// Bounds of what is tried on bytes that nothing explains.
const (
	shortestDark   = 6
	darkest        = 2       // bare streams within each other
	longestKeyed   = 4 << 20 // bytes that are tried with keys
	longestXOR     = 4096    // bytes of a structure that is looked for under a key
	expansion      = 64      // of a bare stream: what gives more is chance, or a bomb that has a name
	shortestSecret = 4       // bytes of a key that is sent along
	longestSecret  = 64
	shortestSure   = 32 // bytes of which one key in 255 makes a text by chance only
	mostKeys       = 64
	mostSums       = 8 // values as long as a digest: a message with more of them is full of ids
	mostPending    = 32
)

// dark tries compressions without a sign, XOR with each key of one byte, and both, on
// bytes that are no text and nothing known. It reports whether something readable
// came out. Nothing is opened whose first bytes rule it out.
func (w *walk) dark(p *Part, depth, level int) bool {
	data := p.Data
	if len(data) < shortestDark || level > darkest || !w.try(p) {
		return false
	}
	print, known := w.o.fruitless.known(data)
	pending := len(w.pending)
	if !known && w.bare(p, data, depth, level) || len(data) <= longestHidden && w.lzstring(p, data, depth) {
		return true
	}
	w.await(p, depth)
	if known {
		return false
	}
	if w.has(canXOR) && !w.closing && !turned(p) && len(data) <= longestKeyed && !uniform(data) && (w.xorSigns(p, data, depth) || w.xorText(p, data, overview{seen: high}, depth) || w.xorBytes(p, data, depth)) {
		return true
	}
	// What came out and waits for a key would not be there the next time.
	if level == 0 && !w.closing && len(w.pending) <= pending+1 {
		w.o.fruitless.note(print)
	}
	return false
}

// uniform reports whether bytes begin with one byte over and over, of which a key makes any other.
func uniform(data []byte) bool {
	for _, c := range data[:min(len(data), prefix)] {
		if c != data[0] {
			return false
		}
	}
	return true
}

// bare opens streams that begin with no sign.
func (w *walk) bare(p *Part, data []byte, depth, level int) bool {
	for _, name := range coding.Bare {
		link, _, _ := strings.Cut(name, "-")
		if !w.has(abilities[link]) || !coding.Plausible(name, data, 0) || depth >= w.o.limits.Depth {
			continue
		}
		out, err := w.d.OpenAll(name, w.buffer(), data, min(w.room(), expansion*len(data)+1024))
		found := false
		if err == nil && len(out) >= shortestOpened && !bytes.Equal(out, data) {
			if w.readable(out) {
				found = w.spend(p, depth) && w.opened(p, link, out, depth, false)
			} else if len(out) >= shortestDark && level < darkest && w.spend(p, depth) {
				c := w.guessed(p, []string{link}, out)
				c.Type = Bytes
				w.show(c)
				w.numbers(c, depth+1)
				found = w.dark(c, depth+1, level+1)
				w.drop(c)
			}
		}
		w.release(out)
		if found {
			return true
		}
	}
	return false
}

// keyed opens data under a key that makes something of it that chance does not.
func (w *walk) keyed(p *Part, data []byte, key byte, depth int) bool {
	out := coding.XOR(w.buffer(), data, key)
	opened := w.spend(p, depth) && w.opened(p, "xor", out, depth, false)
	w.release(out)
	return opened
}
