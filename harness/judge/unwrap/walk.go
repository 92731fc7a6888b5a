package unwrap

import (
	"fmt"
	"slices"
	"sync"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// walk is one message being opened. Parts, buffers and names are used again, so that
// a value of a message costs no allocation.
type walk struct {
	o      *Opener
	visit  func(*Part)
	left   Limits
	budget container.Budget
	next   int
	report Report
	d      coding.Decompressor

	free    []*Part
	buffers [][]byte
	names   map[string]string
	head    [4*prefix + 8]byte // what the first characters of a text are

	tries   int       // of what nothing announces, that are left
	sums    int       // values as long as a digest that were tried under every key
	keys    keys      // that may have been used in this message
	pending []*sealed // that a key may open
	closing bool
}

// Bounds of what is kept from one message to the next.
const (
	largestKept = 1 << 20 // bytes of a buffer
	mostNames   = 4096
	longestName = 64
)

func (o *Opener) begin(visit func(*Part)) *walk {
	w := o.idle.take()
	if w == nil {
		w = &walk{o: o, names: map[string]string{}}
	}
	w.visit, w.left, w.next, w.report = visit, o.limits, 0, Report{}
	w.budget = container.Budget{Bytes: o.limits.Bytes, Values: valuesPerStep * o.limits.Steps}
	w.tries, w.sums, w.closing = mostTries, 0, false
	w.keys.n = 0
	return w
}

// valuesPerStep is how many values there may be for each container that may be opened.
const valuesPerStep = 20

// close opens what needs to have seen the whole message, and ends it.
func (w *walk) close() Report {
	w.closing = true
	for _, s := range w.pending {
		w.withKeys(s)
	}
	w.pending = w.pending[:0]
	return w.report
}

func (w *walk) end() {
	w.visit, w.report = nil, Report{}
	w.pending = w.pending[:0]
	if len(w.names) > mostNames {
		clear(w.names)
	}
	w.o.idle.give(w)
}

// idle are walks that nobody uses, with what they have grown to.
type idle struct {
	mu   sync.Mutex
	list []*walk
}

// mostIdle is how many walks are kept.
const mostIdle = 8

func (i *idle) take() (w *walk) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if n := len(i.list); n > 0 {
		w, i.list = i.list[n-1], i.list[:n-1]
	}
	return w
}

func (i *idle) give(w *walk) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.list) < mostIdle {
		i.list = append(i.list, w)
	}
}

// part is a part to be filled in; drop takes it back.
func (w *walk) part() *Part {
	if n := len(w.free); n > 0 {
		p := w.free[n-1]
		w.free = w.free[:n-1]
		return p
	}
	return new(Part)
}

func (w *walk) drop(p *Part) {
	*p = Part{}
	w.free = append(w.free, p)
}

// buffer is an empty buffer; release takes it back when what was in it was visited.
func (w *walk) buffer() []byte {
	if n := len(w.buffers); n > 0 {
		b := w.buffers[n-1]
		w.buffers = w.buffers[:n-1]
		return b[:0]
	}
	return make([]byte, 0, 1024)
}

func (w *walk) release(b []byte) {
	if cap(b) <= largestKept {
		w.buffers = append(w.buffers, b)
	}
}

// name is a string that is made once only.
func (w *walk) name(b []byte) string {
	if s, ok := w.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) <= longestName && len(w.names) <= mostNames {
		w.names[s] = s
	}
	return s
}

// show numbers a part and hands it to the visitor.
func (w *walk) show(p *Part) {
	p.ID = w.next
	w.next++
	if !w.closing {
		w.keys.note(p)
	}
	w.visit(p)
}

func (w *walk) cut(p *Part, format string, args ...any) {
	if len(w.report.Cuts) < 16 {
		w.report.Cuts = append(w.report.Cuts, Cut{Surface: p.Surface(), Why: fmt.Sprintf(format, args...)})
	}
}

// spend takes a step off the budget and reports whether there was one left.
func (w *walk) spend(p *Part, depth int) bool {
	if depth >= w.o.limits.Depth {
		w.cut(p, "more than %d containers stand within each other", w.o.limits.Depth)
		return false
	}
	if w.left.Steps <= 0 {
		if w.left.Steps == 0 {
			w.left.Steps = -1
			w.cut(p, "more than %d containers in one message", w.o.limits.Steps)
		}
		return false
	}
	w.left.Steps--
	return true
}

// room is how many bytes may still come out of containers.
func (w *walk) room() int { return int(max(w.left.Bytes, 0)) }

// whole opens a part that stands in no other.
func (w *walk) whole(data []byte, t Type, key, root string) {
	p := w.part()
	*p = Part{Parent: -1, Type: t, Key: key, Data: data, root: root}
	w.open(p, 0)
	w.drop(p)
}

// leaf opens a value that is taken out of a text.
func (w *walk) leaf(p *Part, data []byte, t Type, key string, at *container.Step, depth int) {
	w.value(p, data, t, key, at, t != Bytes && within(data, p.Data), depth)
}

// value opens a value that is taken out of p. alias says that nothing around it can
// belong to it: in bytes that are no text a length or a tag may look like a digit.
func (w *walk) value(p *Part, data []byte, t Type, key string, at *container.Step, alias bool, depth int) {
	c := w.part()
	*c = Part{Parent: p.ID, Type: t, Key: key, Chain: p.Chain, Data: data, JWT: p.JWT, Guess: p.Guess, root: p.root, at: at, Alias: alias}
	w.open(c, depth)
	w.drop(c)
}

// within reports whether data is a piece of the very memory of whole.
func within(data, whole []byte) bool {
	if len(data) == 0 {
		return true
	}
	from := cap(whole) - cap(data)
	return from >= 0 && from+len(data) <= len(whole) && &whole[from] == &data[0]
}

// inside is a part for what one decoding gave out of p.
func (w *walk) inside(p *Part, name string, data []byte) *Part {
	c := w.part()
	*c = Part{Parent: p.ID, Type: p.Type, Key: p.Key, Chain: chained(p.Chain, name), Data: data, JWT: p.JWT, Guess: p.Guess, root: p.root, at: p.at}
	return c
}

// chained is a chain with one decoding more. Visitors keep chains.
func chained(chain []string, name string) []string {
	return append(slices.Clip(chain), name)
}

// opened opens what a decoding gave, as deep as what it came from and one more. It
// reports whether the budget allowed that.
func (w *walk) opened(p *Part, name string, data []byte, depth int, guess bool) bool {
	if w.left.Bytes -= int64(len(data)); w.left.Bytes < 0 {
		w.cut(p, "more than %d bytes come out of one message", w.o.limits.Bytes)
		return false
	}
	c := w.inside(p, name, data)
	c.Guess = c.Guess || guess
	w.open(c, depth+1)
	w.drop(c)
	return true
}
