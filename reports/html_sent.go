package reports

import (
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// sentTo is one host of the table of what was sent to whom.
type sentTo struct {
	transfer
	Rows []sentRow
}

// sentRow is one thing that it was sent.
type sentRow struct {
	item
	First bool
	When  []bool // by consent state, as the table's columns are
	In    string // the phases
}

func sentTable(with []transfer, states []evidence.Consent) []sentTo {
	var out []sentTo
	for _, t := range with {
		s := sentTo{transfer: t}
		for i, it := range t.Items {
			row := sentRow{item: it, First: i == 0}
			for _, c := range states {
				row.When = append(row.When, it.Consents[c])
			}
			var phases []string
			for _, f := range it.Findings {
				for _, p := range f.Phases {
					phases = add(phases, p)
				}
			}
			row.In = strings.Join(phases, ", ")
			s.Rows = append(s.Rows, row)
		}
		out = append(out, s)
	}
	return out
}
