package reports

import (
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// unread is how many connections could not be read, without those that the app opened and did not need: nothing was
// sent on them, and the judge found that they hide nothing.
func unread(rec *record.Record, j *judge.Judgement) int {
	return max(j.Coverage.Opaque-rec.Spare, 0)
}

// neverRead is how many of the names that were asked for had no request that was read.
func neverRead(names []judge.Name) int {
	n := 0
	for _, name := range names {
		if !name.Read {
			n++
		}
	}
	return n
}

// plantedOf counts the canaries that were put on the device and read back, and names the others.
func plantedOf(all []Canary) (planted int, missing []string) {
	for _, c := range all {
		if c.Planted {
			planted++
		} else {
			missing = append(missing, explain.Kind(string(c.Kind)))
		}
	}
	return planted, missing
}
