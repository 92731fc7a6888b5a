package container

import (
	"strconv"
	"sync"
)

// walk is what the readers share: where values go, what may be spent, and steps and
// names that are used again, so that a value costs no allocation.
type walk struct {
	leaf  Leaf
	b     *Budget
	steps []*Step
	names map[string]string
	// digits is where a number is written that is shown; a float has at most about
	// 330 of them.
	digits [400]byte
	// tallied shows every name of a member: it is text, whatever it says.
	tallied bool
}

// Bounds of the names that are kept from one message to the next.
const (
	longestName = 64
	mostNames   = 4096
)

// shortestKey is how long a name of a member is that may hold data.
const shortestKey = 8

var walks = sync.Pool{New: func() any { return &walk{names: map[string]string{}} }}

// begin is a walk; end gives it back.
func begin(b *Budget, leaf Leaf) *walk {
	w := walks.Get().(*walk)
	if b == nil {
		own := usual
		b = &own
	}
	w.b, w.leaf = b, leaf
	return w
}

func (w *walk) end() {
	w.b, w.leaf, w.tallied = nil, nil, false
	for _, s := range w.steps {
		*s = Step{}
	}
	if len(w.names) > mostNames {
		clear(w.names)
	}
	walks.Put(w)
}

// show takes a value off the budget and hands it on.
func (w *walk) show(at *Step, name string, t Type, value []byte) error {
	if !w.b.value() {
		return ErrBudget
	}
	w.leaf(at, name, t, value)
	return nil
}

// key shows the name of a member if it may hold data: a name that is a word or an
// identifier of a program does not.
func (w *walk) key(at *Step, name string, key []byte) error {
	if !w.tallied && !telling(key) {
		return nil
	}
	return w.show(at, name, Text, key)
}

// telling reports whether the name of a member may hold data: it is long, and has
// something else in it than letters, or is longer than names of fields are.
func telling(key []byte) bool {
	if len(key) < shortestKey {
		return false
	}
	if len(key) >= 3*shortestKey {
		return true
	}
	for _, c := range key {
		if (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '-' && c != '.' {
			return true
		}
	}
	return false
}

// name is a string of bytes that is made once only.
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

// step is the step at a depth, to be filled in.
func (w *walk) step(depth int) *Step {
	for depth >= len(w.steps) {
		w.steps = append(w.steps, new(Step))
	}
	return w.steps[depth]
}

// field is at.Field(key), valid until the next step at this depth.
func (w *walk) field(at *Step, depth int, key string) *Step {
	s := w.step(depth)
	*s = Step{up: at, key: key, index: named}
	return s
}

// item is at.Item(i), valid until the next step at this depth.
func (w *walk) item(at *Step, depth, i int) *Step {
	s := w.step(depth)
	*s = Step{up: at, index: i}
	return s
}

// numbered is at.Numbered(n), valid until the next step at this depth.
func (w *walk) numbered(at *Step, depth, n int) *Step {
	s := w.step(depth)
	*s = Step{up: at, key: w.number(n), index: numbered}
	return s
}

// smallNumbers are the numbers that most fields have, in digits.
var smallNumbers = func() (digits [256]string) {
	for n := range digits {
		digits[n] = strconv.Itoa(n)
	}
	return digits
}()

// number is a small number in digits that is made once only.
func (w *walk) number(n int) string {
	if n >= 0 && n < len(smallNumbers) {
		return smallNumbers[n]
	}
	var digits [20]byte
	return w.name(strconv.AppendInt(digits[:0], int64(n), 10))
}

// pass takes a value off the budget that is not shown: a null, an empty list.
func (w *walk) pass() error {
	if !w.b.value() {
		return ErrBudget
	}
	return nil
}

// certainly is the likeness of bytes of a binary format without a signature: Certain if
// they can be read to their last byte and have enough text in them, else Possible. Beside
// values that are bytes, the names of the members may be all the text that there is.
func certainly(data []byte, read func(w *walk) error) Likeness {
	text, short, opaque := 0, 0, 0
	b := usual
	w := begin(&b, func(_ *Step, _ string, t Type, value []byte) {
		switch {
		case t == Text && len(value) >= 4:
			text += len(value)
		case t == Text && len(value) >= 2:
			short += len(value)
		case t == Bytes:
			opaque += len(value)
		}
	})
	w.tallied = true
	defer w.end()
	if read(w) == nil && (text >= 8 && text*8 >= len(data) || text >= 4 && text*2 >= len(data) ||
		opaque > 0 && text >= 6 && text+short >= 8 && (text+short)*2 >= len(data)-opaque) {
		return Certain
	}
	return Possible
}
