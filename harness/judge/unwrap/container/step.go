package container

import (
	"slices"

	"github.com/unasked-audit/unasked/harness/flow"
)

// Step is one step of a path, linked to the step before. A nil step is the whole.
type Step struct {
	up    *Step
	key   string
	index int // position in a list, or -1 for a key
}

// Field is the step to a name within s.
func (s *Step) Field(key string) *Step { return &Step{up: s, key: key, index: -1} }

// Item is the step to a position in a list within s, from 0.
func (s *Step) Item(i int) *Step { return &Step{up: s, index: i} }

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

// String writes the path as package flow does: $.a.b[2], and $['a b'] for a key of other characters.
func (s *Step) String() string {
	var steps []any
	for ; s != nil; s = s.up {
		if s.index >= 0 {
			steps = append(steps, s.index)
		} else {
			steps = append(steps, s.key)
		}
	}
	slices.Reverse(steps)
	return flow.Path(steps...)
}
