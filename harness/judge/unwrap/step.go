package unwrap

import (
	"slices"

	"github.com/unasked-audit/unasked/harness/flow"
)

// step is one step of a path, linked to the step before.
type step struct {
	up    *step
	key   string
	index int // position in a list, or -1 for a key
}

func (s *step) field(key string) *step { return &step{up: s, key: key, index: -1} }
func (s *step) item(i int) *step       { return &step{up: s, index: i} }

// String writes the path as package flow does: $.a.b[2], and $['a b'] for a key of other characters.
func (s *step) String() string {
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
