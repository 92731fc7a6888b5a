package unwrap

import (
	"strconv"
	"strings"
)

// step is one step of a path, linked to the step before.
type step struct {
	up    *step
	key   string
	index int // position in a list, or -1 for a key
}

func (s *step) field(key string) *step { return &step{up: s, key: key, index: -1} }
func (s *step) item(i int) *step       { return &step{up: s, index: i} }

// String writes the path as $.a.b[2], and a key of other characters as $["a b"].
func (s *step) String() string {
	var steps []*step
	for ; s != nil; s = s.up {
		steps = append(steps, s)
	}
	var b strings.Builder
	b.WriteByte('$')
	for i := len(steps) - 1; i >= 0; i-- {
		switch s := steps[i]; {
		case s.index >= 0:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case plain(s.key):
			b.WriteString("." + s.key)
		default:
			b.WriteString("[" + strconv.Quote(s.key) + "]")
		}
	}
	return b.String()
}

func plain(key string) bool {
	for i := range len(key) {
		c := key[i]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return key != ""
}
