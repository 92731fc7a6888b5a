package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// armTable shows which id each run of an experiment was given: the same id is the same letter, and the same colour
// where it stands there more than once.
type armTable struct {
	Rows    []armRow
	IDs     []armID // in the order in which they come
	P       string
	HangsOn string
	Several bool // it hangs on more than one source
	Open    string
}

// armRow is the runs of one arm.
type armRow struct {
	Role  string // "C"
	What  string // what was done, in words
	Cells []armCell
	Says  string // how many were given the id that the first run was given
	P     string // of a changed source
}

// armCell is one run.
type armCell struct {
	ID, Then *armID // nil where none was given
	Label    string // of the run, in words
	Undone   bool
}

// armID is one id.
type armID struct {
	Letter string
	Class  string // its colour; "once" where it stands in the table but once
	Value  string
	Runs   int
	shown  int // how often it stands in the table
}

// idColours is how many colours there are; the style sheet has them.
const idColours = 6

// letters name ids. Latin capitals name roles already.
var letters = []rune("αβγδεζηθικλμνξοπρστυφχψω")

func letter(i int) string {
	s := string(letters[i%len(letters)])
	if n := i / len(letters); n > 0 {
		s += fmt.Sprint(n + 1)
	}
	return s
}

// did says what is done in a run of a role.
func did(role, change string) string {
	switch role {
	case "A":
		return "the invented person, for the first time"
	case "F":
		return "the same; the app is stopped and started again"
	case "B":
		return "the same person, after everything was wiped"
	case "C":
		return "as B, with another " + explain.Kind(change)
	case "D":
		return "another person, everything new"
	case "G":
		return "a person who then signs up"
	}
	return "role " + inert.Line(role, 20)
}

// newArmTable is nil where a finding rests on no runs, or older evidence does not say which ids they were given.
func newArmTable(f judge.Finding) *armTable {
	x := f.Experiment
	if x == nil || len(x.Runs) == 0 {
		return nil
	}
	t := &armTable{}
	if x.SignUps == nil { // else they are those of other runs
		var kinds []string
		for _, k := range x.HangsOn {
			kinds = append(kinds, explain.Kind(k))
		}
		t.HangsOn, t.Several = join(kinds, "and"), len(kinds) > 1
		t.P, t.Open = inert.Line(x.P, 60), explain.Line(x.Open, 400)
	}
	known := make(map[string]*armID)
	var ids []*armID
	name := func(id string) *armID {
		if id == "" {
			return nil
		}
		if known[id] == nil {
			known[id] = &armID{Letter: letter(len(ids)), Value: inert.Middle(id, 60)}
			ids = append(ids, known[id])
		}
		return known[id]
	}
	at := make(map[[2]string]int)
	first := ""
	for _, r := range x.Runs {
		key := [2]string{r.Role, r.Change}
		i, ok := at[key]
		if !ok {
			i = len(t.Rows)
			at[key] = i
			row := armRow{Role: inert.Line(r.Role, 8), What: did(r.Role, r.Change)}
			for _, c := range x.Sources {
				if r.Role == "C" && c.Source == r.Change {
					row.P = inert.Line(c.P, 60)
				}
			}
			t.Rows = append(t.Rows, row)
		}
		cell := armCell{Label: inert.Line(r.Arm, 60), Undone: r.Undone != ""}
		if !cell.Undone {
			cell.ID = name(r.ID)
			if first == "" {
				first = r.ID
			}
			if r.Then != r.ID {
				cell.Then = name(r.Then)
			} else if r.Role == "G" {
				cell.Then = cell.ID
			}
			for n, id := range []*armID{cell.ID, cell.Then} {
				if id != nil {
					id.shown++
					if n == 0 || id != cell.ID {
						id.Runs++
					}
				}
			}
		}
		t.Rows[i].Cells = append(t.Rows[i].Cells, cell)
	}
	t.count(known[first])
	colours := 0
	for _, id := range ids {
		id.Class = "once"
		if id.shown > 1 {
			id.Class = fmt.Sprintf("id%d", colours%idColours+1)
			colours++
		}
		t.IDs = append(t.IDs, *id)
	}
	return t
}

// count says of each arm how many of its runs were given an id.
func (t *armTable) count(first *armID) {
	for i := range t.Rows {
		row := &t.Rows[i]
		answered, same, kept, undone := 0, 0, 0, 0
		for _, c := range row.Cells {
			switch {
			case c.Undone:
				undone++
			case c.ID != nil:
				answered++
				if c.ID == first {
					same++
				}
				if c.Then == c.ID {
					kept++
				}
			}
		}
		switch {
		case undone == len(row.Cells):
			row.Says = "could not be done"
		case row.Role == "G":
			row.Says = fmt.Sprintf("%d of %d went on with it", kept, answered)
		case row.Role == "A" && answered == 1:
			row.Says = "what the others are compared with"
		case answered == 0:
			row.Says = "no answer"
		default:
			row.Says = fmt.Sprintf("%d of %d the same as in A", same, answered)
		}
	}
}

// Pattern writes the table on one line: "A α; B α α α; D β γ δ".
func (t *armTable) Pattern() string {
	var out []string
	for _, r := range t.Rows {
		parts := []string{r.Role}
		if r.Role == "C" {
			parts[0] += " (" + strings.TrimPrefix(r.What, "as B, with ") + ")"
		}
		for _, c := range r.Cells {
			parts = append(parts, c.String())
		}
		out = append(out, strings.Join(parts, "\u00a0"))
	}
	return strings.Join(out, "; ")
}

// String is the cell's letter: "α", "α→β" where a sign-up or a restart changed it, "–" where there is none.
func (c armCell) String() string {
	switch {
	case c.ID == nil:
		return "–"
	case c.Then != nil:
		return c.ID.Letter + "→" + c.Then.Letter
	}
	return c.ID.Letter
}

// Shared reports whether any id stands in the table more than once.
func (t *armTable) Shared() bool {
	return slices.ContainsFunc(t.IDs, func(id armID) bool { return id.shown > 1 })
}
