package reports

import (
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// How many names that the device asked for, and destinations of what could not be read, a page lists.
const (
	maxNames  = 300
	maxClosed = 100
)

// coverageBar is the picture of how much of what the app sent was read; widths are of a thousand.
type coverageBar struct {
	Says                   string
	Clear, Unread, Missing int64
	Parts                  []barPart
}

// barPart is one part of the bar.
type barPart struct {
	Class    string // clear, unread or missing
	From, To int
}

// Width is how wide the part is.
func (b barPart) Width() int { return b.To - b.From }

// newCoverageBar is nil where nothing was counted. A part that is there is never too thin to be seen.
func newCoverageBar(c judge.Coverage) *coverageBar {
	all := c.Clear + c.Unread + c.Missing
	if all <= 0 {
		return nil
	}
	b := &coverageBar{Says: explain.Coverage(c), Clear: c.Clear, Unread: c.Unread, Missing: c.Missing}
	const thin = 6
	at := 0
	for _, part := range []struct {
		class string
		bytes int64
	}{{"missing", c.Missing}, {"unread", c.Unread}} {
		if part.bytes > 0 {
			width := max(int(part.bytes*1000/all), thin)
			b.Parts = append(b.Parts, barPart{part.class, 1000 - at - width, 1000 - at})
			at += width
		}
	}
	if c.Clear > 0 {
		b.Parts = append(b.Parts, barPart{"clear", 0, max(1000-at, thin)})
	}
	return b
}

// closed is a destination of what could not be read.
type closed struct {
	judge.OpaqueDestination
	When  string
	Why   string
	Early bool // before any choice
}

func closedTo(list []judge.OpaqueDestination) []closed {
	var out []closed
	for _, o := range list {
		if len(out) == maxClosed {
			break
		}
		var why []string
		for _, w := range o.Why {
			why = append(why, inert.Line(w, 200))
		}
		out = append(out, closed{o, explain.Consent(o.Consent), strings.Join(why, "; "), o.Consent == evidence.Untouched})
	}
	return out
}
