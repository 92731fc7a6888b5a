package container

import (
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Step is one step of a path, linked to the step before. A nil step is the whole.
//
// Readers use their steps again for the values that follow: a step that a Leaf is
// given is valid during the call only.
type Step struct {
	up    *Step
	key   string
	index int // position in a list, or one of the kinds below
}

// What a step is if it is no position in a list.
const (
	named    = -1 // a name
	numbered = -2 // a field that has a number in place of a name
)

// Field is the step to a name within s.
func (s *Step) Field(key string) *Step { return &Step{up: s, key: key, index: named} }

// Numbered is the step to the field of a number within s, as protobuf has them.
func (s *Step) Numbered(n int) *Step {
	return &Step{up: s, key: strconv.Itoa(n), index: numbered}
}

// Item is the step to a position in a list within s, from 0.
func (s *Step) Item(i int) *Step { return &Step{up: s, index: i} }

// Keep is a copy of the path that stays as it is.
func (s *Step) Keep() *Step {
	if s == nil {
		return nil
	}
	kept := *s
	kept.up = s.up.Keep()
	return &kept
}

// Names lists the names on the path, outermost first, without positions in lists.
func (s *Step) Names() []string {
	var names []string
	for ; s != nil; s = s.up {
		if s.index < 0 {
			names = append(names, s.key)
		}
	}
	slices.Reverse(names)
	return names
}

// String writes the path as package flow does: $.a.b[2], and $['a b'] for a key of
// other characters. A field that has a number is written $.1.
func (s *Step) String() string {
	var steps []*Step
	for ; s != nil; s = s.up {
		steps = append(steps, s)
	}
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range slices.Backward(steps) {
		switch s.index {
		case named:
			b.WriteString(flow.Path(s.key)[1:])
		case numbered:
			b.WriteString("." + s.key)
		default:
			b.WriteString(flow.Path(s.index)[1:])
		}
	}
	return b.String()
}
