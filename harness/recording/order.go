package recording

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// key is an event's place in the order of things.
type key struct {
	nanos int64 // since 1970
	at    int64 // in the file of those that did not fit into memory
}

// key notes when an event happened that is about to be added. One that does not say keeps
// its place behind the one before it. What is no traffic stands first or last.
func (m *memory) key(kind string, at time.Time) {
	k := key{nanos: nanos(at), at: m.late.size}
	last := int64(math.MinInt64)
	if n := len(m.keys); n > 0 {
		last = m.keys[n-1].nanos
	}
	switch kind {
	case evidence.KindRequest, evidence.KindConnection:
		if k.nanos == 0 {
			k.nanos = last
		}
	case evidence.KindResponse, evidence.KindMessage: // follow their request
		if k.nanos == 0 || k.nanos < m.asked {
			k.nanos = m.asked
		}
	default:
		if k.nanos = math.MaxInt64; last == math.MinInt64 {
			k.nanos = last
		}
	}
	if kind == evidence.KindRequest {
		m.asked = k.nanos
	}
	m.keys = append(m.keys, k)
}

// arrange puts the events in the order of their times: recordings list requests by page,
// by connection or by the end of their answers.
func (m *memory) arrange() {
	byTime := func(a, b key) int { return cmp.Compare(a.nanos, b.nanos) }
	if slices.IsSortedFunc(m.keys, byTime) {
		m.keys = nil
		return
	}
	m.order = make([]int, len(m.keys))
	for i := range m.order {
		m.order[i] = i
	}
	slices.SortStableFunc(m.order, func(a, b int) int { return byTime(m.keys[a], m.keys[b]) })
}
