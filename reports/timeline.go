package reports

import (
	"slices"
	"time"

	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

// timeline is the picture of the audit on one axis: phases, touches, screenshots, traffic and findings.
type timeline struct {
	Width, Height int
	Left          int // where the axis begins
	Phases        []band
	States        []band // the consent states within the phases
	Touches       []int
	Screens       []int
	Bars          []bar
	Most          int // requests in the highest bar
	Findings      []dot
	FindingsY     int
	Ticks         []tick
	AxisY         int
}

type band struct {
	X, W   int
	Number int
	Name   string // empty where it does not fit
	Full   string
	State  string // the class of its consent state
}

type bar struct{ X, Y, W, H int }

type dot struct {
	X, Y     int
	Finding  numbered
	Violates bool
}

type tick struct {
	X     int
	Label string
}

// Where the lanes of the picture are, in pixels.
const (
	timeWidth  = 880
	timeLeft   = 92
	phaseY     = 8
	trafficY   = 118 // its base line
	trafficH   = 44
	findingsY  = 146
	bars       = 120
	dotSpacing = 31
	maxDots    = 40
	maxRows    = 5
)

// newTimeline lays the picture out; nil for an audit without a length.
func newTimeline(rec *record.Record, findings []numbered) *timeline {
	span := rec.Ended.Sub(rec.Began)
	if span <= 0 || len(rec.Phases) == 0 {
		return nil
	}
	t := &timeline{Width: timeWidth, Left: timeLeft, FindingsY: findingsY}
	x := func(at time.Time) int {
		return timeLeft + int(float64(at.Sub(rec.Began))/float64(span)*float64(timeWidth-timeLeft-4))
	}
	for i, p := range rec.Phases {
		b := band{X: x(p.Began), Number: i + 1, Full: inert.Line(p.Name, 60)}
		if said := statesOf(p); said != "" {
			b.Full += ": " + said
		}
		b.W = max(x(p.Ended)-b.X, 2)
		if name := inert.Line(p.Name, 24); len(name)*7+26 <= b.W {
			b.Name = name
		}
		t.Phases = append(t.Phases, b)
		for k, s := range p.States {
			end := p.Ended
			if k+1 < len(p.States) {
				end = p.States[k+1].Began
			}
			if explain.Consent(s.Consent) != "" {
				from := x(s.Began)
				t.States = append(t.States, band{X: from, W: max(x(end)-from, 2), State: string(s.Consent)})
			}
		}
	}
	for _, s := range rec.Steps {
		if s.Tap != nil {
			t.Touches = append(t.Touches, x(s.At))
		}
	}
	for _, p := range rec.Pictures {
		for _, m := range p.Moments {
			t.Screens = append(t.Screens, x(m.At))
		}
	}
	t.Touches, t.Screens = thin(t.Touches), thin(t.Screens)
	t.traffic(rec, x)
	rows := t.place(rec, findings, x)
	t.AxisY = findingsY + rows*22 + 10
	t.Height = t.AxisY + 24
	for _, d := range ticks(span) {
		t.Ticks = append(t.Ticks, tick{X: x(rec.Began.Add(d)), Label: lasted(d)})
	}
	return t
}

// thin leaves out marks that would stand on each other.
func thin(xs []int) []int {
	var out []int
	seen := make(map[int]bool)
	for _, x := range xs {
		if k := x / 3; !seen[k] {
			seen[k] = true
			out = append(out, x)
		}
	}
	return out
}

func (t *timeline) traffic(rec *record.Record, x func(time.Time) int) {
	width := timeWidth - timeLeft
	counts := make([]int, bars+1)
	for _, at := range rec.Traffic {
		i := min(max((x(at)-timeLeft)*bars/width, 0), bars)
		counts[i]++
		t.Most = max(t.Most, counts[i])
	}
	for i, n := range counts {
		if n == 0 {
			continue
		}
		h := max(n*trafficH/t.Most, 2)
		t.Bars = append(t.Bars, bar{X: timeLeft + i*width/bars, Y: trafficY - h, W: max(width/bars-1, 2), H: h})
	}
}

// place puts findings where they were first seen, in as many rows as they need.
func (t *timeline) place(rec *record.Record, findings []numbered, x func(time.Time) int) (rows int) {
	var free []int // per row, from where on it is free
	for _, f := range findings {
		at, ok := firstSeen(rec, f)
		if !ok || len(t.Findings) == maxDots {
			continue
		}
		d := dot{X: min(x(at), timeWidth-16), Finding: f, Violates: len(f.Violates) > 0}
		row := 0
		for row < len(free) && free[row] > d.X-dotSpacing/2 {
			row++
		}
		switch {
		case row < len(free):
		case row < maxRows:
			free = append(free, 0)
		default: // all rows are taken here: a little later in the emptiest one
			row = slices.Index(free, slices.Min(free))
			d.X = min(free[row]+dotSpacing/2, timeWidth-16)
		}
		free[row] = d.X + dotSpacing/2 + 4
		d.Y = findingsY + 6 + row*22
		t.Findings = append(t.Findings, d)
	}
	return max(len(free), 1)
}

// ticks are round times along an audit that lasts so long.
func ticks(span time.Duration) []time.Duration {
	step := time.Second
	for _, s := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour} {
		step = s
		if span/s <= 9 {
			break
		}
	}
	var out []time.Duration
	for d := time.Duration(0); d < span && len(out) < 60; d += step {
		out = append(out, d)
	}
	return out
}
