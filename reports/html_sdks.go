package reports

import (
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// How many SDKs, and marks of each, a page lists.
const (
	maxSDKs  = 150
	maxMarks = 3
	maxHosts = 8
)

// sdkRow is code of somebody else in the app, and where it may have talked to.
type sdkRow struct {
	Name, Owner, Purpose string
	Marks                []string
	MoreMarks            int
	Talked               []sdkHost
	MoreHosts            int
}

// sdkHost is a host of its maker that was talked to.
type sdkHost struct{ Host, How string }

// sdkTable lists the SDKs of an app, those whose hosts were talked to first, and how many are left out.
func sdkTable(all []judge.EmbeddedSDK) (rows []sdkRow, more int) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b judge.EmbeddedSDK) int { return min(len(b.Talked), 1) - min(len(a.Talked), 1) })
	for i, s := range all {
		if i == maxSDKs {
			return rows, len(all) - i
		}
		row := sdkRow{Name: inert.Line(s.Name, 80), Owner: explain.Recipient("", s.Owner, s.Country), Purpose: inert.Line(strings.Join(s.Purpose, ", "), 120)}
		for i, m := range s.Marks {
			if i == maxMarks {
				row.MoreMarks = len(s.Marks) - i
				break
			}
			row.Marks = append(row.Marks, inert.Middle(m, 80))
		}
		for i, t := range s.Talked {
			if i == maxHosts {
				row.MoreHosts = len(s.Talked) - i
				break
			}
			how := "requests read"
			if !t.Read {
				how = "a connection that could not be read"
			}
			if t.Shared {
				how += "; other code in the app talks to it too"
			}
			row.Talked = append(row.Talked, sdkHost{inert.Middle(t.Host, 80), how})
		}
		rows = append(rows, row)
	}
	return rows, 0
}
