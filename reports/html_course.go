package reports

import (
	"fmt"
	"strings"
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
	Consent  string // "before any choice, then after rejection"
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
	State bool   // no step, but the moment from which another consent state holds
	After string // of a touch: the screen that followed, by the beginning of its digest
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
			Number: i + 1, Name: inert.Line(p.Name, 60), Consent: statesOf(p), Began: p.Began, Signup: p.Signup,
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
		var turns []record.State // of consent, that are still to come
		if len(p.States) > 1 {
			turns = p.States[1:]
		}
		for _, st := range rec.Steps {
			if st.Action != nil && st.Action.OK && st.Action.Verb == "tap" {
				continue // the touch itself is listed, with why
			}
			if st.Arm != p.Arm || st.Phase != p.Name || st.At.Before(p.Began) || st.At.After(p.Ended) {
				continue
			}
			for len(turns) > 0 && !turns[0].Began.After(st.At) {
				s.Steps, turns = append(s.Steps, newTurn(turns[0])), turns[1:]
			}
			if len(s.Steps) >= maxSteps {
				s.Left++
				continue
			}
			s.Steps = append(s.Steps, newStep(st))
		}
		for _, turn := range turns {
			s.Steps = append(s.Steps, newTurn(turn))
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

// statesOf says which consent states a phase went through: a choice splits its phase at the touch.
func statesOf(p record.Phase) string {
	var said []string
	for _, s := range p.States {
		said = append(said, explain.Consent(s.Consent))
	}
	if len(said) == 0 {
		return explain.Consent(p.Consent)
	}
	return strings.Join(said, ", then ")
}

func newTurn(s record.State) stageStep {
	return stageStep{At: s.Began, State: true, What: "From here on: " + explain.Consent(s.Consent) + ", " + explain.Count(int64(s.Requests), "request", "requests")}
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
		s.After = inert.Line(string(st.After), shortDigest)
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
