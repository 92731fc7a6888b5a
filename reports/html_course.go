package reports

import (
	"fmt"
	"time"

	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// maxSteps is how many steps of one phase the course lists.
const maxSteps = 40

// stage is one phase in the course of the audit.
type stage struct {
	Number   int
	Name     string
	Arm      string
	Consent  string
	Began    time.Time
	Lasted   string
	Traffic  string
	Why      string // why it was not reached
	Signup   bool
	Steps    []stageStep
	Left     int // steps that are not listed
	Findings []numbered
}

// stageStep is something that the harness did.
type stageStep struct {
	At    time.Time
	Event uint64
	What  string
	Tap   bool
	Fail  string
}

func course(rec *record.Record, findings []numbered) []stage {
	several := false
	for _, p := range rec.Phases {
		several = several || p.Arm != rec.Phases[0].Arm
	}
	var out []stage
	for i, p := range rec.Phases {
		s := stage{
			Number: i + 1, Name: inert.Line(p.Name, 60), Consent: explain.Consent(p.Consent), Began: p.Began, Signup: p.Signup,
			Lasted:  fmt.Sprintf("%.1f s", p.Ended.Sub(p.Began).Seconds()),
			Traffic: explain.Count(int64(p.Requests), "request", "requests"),
		}
		if several {
			s.Arm = inert.Line(p.Arm, 40)
		}
		if p.Opaque > 0 {
			s.Traffic += ", " + explain.Count(int64(p.Opaque), "unread connection", "unread connections")
		}
		switch {
		case p.Open:
			s.Why = "The audit ended in it."
		case !p.Reached:
			s.Why = "It was not reached. " + inert.Line(p.Why, 300)
		}
		for _, st := range rec.Steps {
			if st.Action != nil && st.Action.OK && st.Action.Verb == "tap" {
				continue // the touch itself is listed, with why
			}
			if st.Arm != p.Arm || st.Phase != p.Name || st.At.Before(p.Began) || st.At.After(p.Ended) {
				continue
			}
			if len(s.Steps) == maxSteps {
				s.Left++
				continue
			}
			s.Steps = append(s.Steps, newStep(st))
		}
		for _, f := range findings {
			if at, ok := firstSeen(rec, f); ok && !at.Before(p.Began) && !at.After(p.Ended) {
				s.Findings = append(s.Findings, f)
			}
		}
		out = append(out, s)
	}
	return out
}

// firstSeen is when the first place of a finding's proof was recorded.
func firstSeen(rec *record.Record, f numbered) (time.Time, bool) {
	var first time.Time
	for _, p := range f.Proof {
		if at, ok := rec.Times[p.Event]; ok && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, !first.IsZero()
}

func newStep(st record.Step) stageStep {
	s := stageStep{At: st.At, Event: st.Event}
	if t := st.Tap; t != nil {
		s.Tap = true
		s.What = "We touched the screen"
		if t.Text != "" {
			s.What = fmt.Sprintf("We touched “%s”", inert.Line(t.Text, 80))
		}
		s.What += fmt.Sprintf(" at %d, %d", t.X, t.Y)
		if t.Why != "" {
			s.What += ": " + inert.Line(t.Why, 160)
		}
		return s
	}
	s.What = inert.Line(st.Action.Verb, 40)
	if st.Action.Detail != "" {
		s.What += " " + inert.Middle(st.Action.Detail, 160)
	}
	if !st.Action.OK {
		s.Fail = "failed: " + inert.Line(st.Action.Error, 200)
	}
	return s
}
