package judge

import (
	"cmp"
	"slices"
	"strings"
)

// mostRuns is how many arm runs a finding lists.
const mostRuns = 200

// order is the order in which roles are listed: what is compared with, before what was changed.
const order = "AFBCDG"

// ran lists the runs of the comparison with the id of one service that each was given.
func (b *bench) ran(service string) []ArmRun {
	change := map[string]string{} // by the run's label
	for _, a := range b.arms {
		change[a.Arm] = a.data.Change
	}
	var out []ArmRun
	for i := range b.compare {
		r := &b.compare[i]
		out = append(out, ArmRun{
			Arm: r.Arm, Role: string(r.Role), Repeat: r.Repeat, Change: change[r.Arm],
			ID: cut(r.IDs[service], longestExcerpt), Then: cut(r.Then[service], longestExcerpt), Undone: r.Undone,
		})
	}
	slices.SortStableFunc(out, func(a, b ArmRun) int {
		return cmp.Or(
			cmp.Compare(strings.Index(order, a.Role), strings.Index(order, b.Role)), cmp.Compare(a.Change, b.Change),
			cmp.Compare(a.Repeat, b.Repeat), cmp.Compare(a.Arm, b.Arm))
	})
	if len(out) > mostRuns {
		out = out[:mostRuns]
	}
	return out
}
