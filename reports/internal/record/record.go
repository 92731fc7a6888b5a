// Package record reads the evidence once, from its first event to its last, and keeps
// what a report needs of it: the course of the audit, and in full only those flows that
// a finding points at. A bundle of a hundred thousand flows is counted, not held.
package record

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
)

// Limits on what is kept of one audit. What is beyond them is counted.
const (
	maxPictures = 400 // distinct screenshots
	maxMoments  = 40  // moments at which the same screenshot was taken
	maxOpaque   = 500 // hosts whose connections could not be read
	maxSteps    = 5000
)

// Record is what a report needs of the evidence.
type Record struct {
	Manifest  evidence.Manifest
	Start     evidence.AuditStart
	Began     time.Time // of the first event
	Ended     time.Time // of the last
	Phases    []Phase   // in order
	Plantings []evidence.Planting
	Steps     []Step     // what the harness did, in order
	Pictures  []*Picture // distinct screenshots, in order of first appearance
	Exhibits  []Exhibit  // other than screenshots and screen trees
	Opaque    []Opaque   // hosts with connections that could not be read
	Noted     []evidence.BlindSpot
	Flows     map[flow.ID]*Flow        // those that the judgement points at
	Messages  map[uint64]*flow.Message // of WebSockets, by event: those that the judgement points at
	Times     map[uint64]time.Time     // when the events that the judgement points at happened
	Traffic   []time.Time              // when each request and unread connection began
	Spare     int                      // connections that the app opened and did not need, of those that the judge counts as unread
	Events    uint64
	Dropped   bool // more than the limits allow was there
}

// Phase is one stretch of the audit.
type Phase struct {
	evidence.Phase
	Arm          string
	Began, Ended time.Time
	Open         bool // the log ends in it
	Requests     int
	Opaque       int     // connections that could not be read, without those that the app did not need
	States       []State // the consent states that it went through, in order
}

// State is a stretch of a phase in one consent state.
type State struct {
	Consent  evidence.Consent
	Began    time.Time
	Requests int // that began in it
}

// Step is something that the harness did: an action or a touch.
type Step struct {
	Event   uint64
	At      time.Time
	Arm     string
	Phase   string
	Consent evidence.Consent
	Action  *evidence.Action // either this
	Tap     *evidence.Tap    // or this
	After   evidence.Digest  // of a touch: the screen that followed, where one was taken
}

// Picture is one distinct screenshot.
type Picture struct {
	Blob    evidence.Digest
	Moments []Moment
	Taps    []evidence.Tap // touches of ours that it was taken before
}

// Moment is when a screenshot was taken.
type Moment struct {
	At    time.Time
	Arm   string
	Phase string
	Title string
}

// Exhibit is a blob with when it was taken.
type Exhibit struct {
	evidence.Exhibit
	Event uint64
	At    time.Time
	Arm   string
	Phase string
}

// Opaque is a host with connections that could not be read, for one reason.
type Opaque struct {
	Host     string
	Port     int
	Reason   string
	Detail   string // of the first, as the five after it
	SNI      string
	Server   string // address of the origin
	JA3, JA4 string // of the client's hello
	Hides    bool   // it could hide a breach of a promise
	Times    int
	Sent     int64 // bytes from the device
	Received int64
	Event    uint64 // of the first
	Phase    string
	Spare    bool // nothing was sent, and the judge found that it hides nothing: the app did not need it

	phases       []int // of each connection, as indices; -1 outside of any
	noted, hides bool  // a blind spot names one of the connections; one that hides something
}

// Flow is a flow that the judgement points at.
type Flow struct {
	flow.Flow
	RequestAt, ResponseAt time.Time
}

// Read reads the evidence. An event that can't be read is an error that names it.
func Read(ctx context.Context, ev evidence.Evidence, j *judge.Judgement) (*Record, error) {
	r := &reader{
		Record: Record{
			Manifest: ev.Manifest(),
			Flows:    make(map[flow.ID]*Flow),
			Times:    make(map[uint64]time.Time),
			Messages: make(map[uint64]*flow.Message),
		},
		wanted:   make(map[flow.ID]bool),
		events:   make(map[uint64]bool),
		open:     make(map[string]int),
		pictures: make(map[evidence.Digest]*Picture),
		opaque:   make(map[opaqueKey]int),
		hiding:   make(map[uint64]bool),
		touched:  make(map[string]time.Time),
		last:     make(map[string]int),
	}
	for _, f := range j.Findings {
		r.want(f.Proof)
	}
	r.want(j.Decoys.Matches)
	for _, s := range j.BlindSpots {
		r.events[s.Event] = true
		if s.Event != 0 {
			r.hiding[s.Event] = r.hiding[s.Event] || len(s.Hides) > 0
		}
	}
	for e, err := range ev.Events(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read evidence: %w", err)
		}
		if err := r.add(e); err != nil {
			return nil, fmt.Errorf("read evidence: event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	for i := range r.Phases {
		if r.Phases[i].Open {
			r.Phases[i].Ended = r.Ended
		}
	}
	r.countOpaque()
	sort.SliceStable(r.Opaque, func(a, b int) bool { return r.Opaque[a].Times > r.Opaque[b].Times })
	return &r.Record, nil
}

type reader struct {
	Record
	wanted   map[flow.ID]bool
	events   map[uint64]bool
	open     map[string]int // open phases by arm and name, as indices
	pictures map[evidence.Digest]*Picture
	opaque   map[opaqueKey]int
	hiding   map[uint64]bool      // events of blind spots, and whether one of them hides something
	touched  map[string]time.Time // by arm, when the last touch was made that is not yet recorded as one
	last     map[string]int       // by arm, the last touch, whose screen is still to come, as an index of a step and one
}

type opaqueKey struct {
	host   string
	port   int
	reason string
	silent bool // nothing was sent
}

func (r *reader) want(proof []judge.Pointer) {
	for _, p := range proof {
		r.events[p.Event] = true
		if p.Flow != "" {
			r.wanted[p.Flow] = true
		}
	}
}

func (r *reader) add(e evidence.Event) error {
	if r.Events == 0 {
		r.Began = e.At
	}
	r.Events++
	r.Ended = e.At
	if r.events[e.Seq] {
		r.Times[e.Seq] = e.At
	}
	if e.Kind != evidence.KindPhaseStart {
		r.state(e)
	}
	switch e.Kind {
	case evidence.KindAuditStart:
		return json.Unmarshal(e.Data, &r.Start)
	case evidence.KindPlanting:
		return decode(e, func(p evidence.Planting) { r.Plantings = append(r.Plantings, p) })
	case evidence.KindPhaseStart:
		return decode(e, func(p evidence.Phase) {
			r.open[phaseKey(e.Arm, p.Name)] = len(r.Phases)
			r.Phases = append(r.Phases, Phase{Phase: p, Arm: e.Arm, Began: e.At, Ended: e.At, Open: true})
			r.state(e)
		})
	case evidence.KindPhaseEnd:
		return decode(e, func(p evidence.Phase) { r.endPhase(e, p) })
	case evidence.KindAction:
		return decode(e, func(a evidence.Action) {
			if a.OK && a.Verb == "tap" {
				r.touched[e.Arm] = e.At
			}
			r.step(Step{Action: &a}, e)
		})
	case evidence.KindTap:
		return decode(e, func(t evidence.Tap) { r.tap(e, t) })
	case evidence.KindExhibit:
		return decode(e, func(x evidence.Exhibit) { r.exhibit(e, x) })
	case evidence.KindBlindSpot:
		return decode(e, func(b evidence.BlindSpot) { r.Noted = append(r.Noted, b) })
	case evidence.KindRequest:
		r.Traffic = append(r.Traffic, e.At)
		if p := r.phase(e); p != nil {
			p.Requests++
		}
		return r.request(e)
	case evidence.KindResponse:
		return r.response(e)
	case evidence.KindMessage:
		if !r.events[e.Seq] {
			return nil
		}
		return decode(e, func(m flow.Message) { r.Messages[e.Seq] = &m })
	case evidence.KindConnection:
		r.Traffic = append(r.Traffic, e.At)
		return decode(e, func(c flow.Connection) { r.connection(e, c) })
	}
	return nil // a kind that this version does not know says nothing in a report
}

// decode reads the payload of an event and hands it over.
func decode[T any](e evidence.Event, use func(T)) error {
	var v T
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return err
	}
	use(v)
	return nil
}

func phaseKey(arm, name string) string { return arm + "\x00" + name }

// phase is the phase that an event was recorded in; nil outside of any.
func (r *reader) phase(e evidence.Event) *Phase {
	if i, ok := r.open[phaseKey(e.Arm, e.Phase)]; ok {
		return &r.Phases[i]
	}
	return nil
}

// state notes in which consent state a phase is. It only goes on: a request that began before the choice and is
// recorded after it stands in the state in which it began.
func (r *reader) state(e evidence.Event) {
	p := r.phase(e)
	if p == nil || e.Consent == "" || e.Kind == evidence.KindPhaseEnd {
		return
	}
	i := 0
	for i < len(p.States) && p.States[i].Consent != e.Consent {
		i++
	}
	if i == len(p.States) {
		began := e.At
		if i == 0 {
			began = p.Began
		}
		p.States = append(p.States, State{Consent: e.Consent, Began: began})
	}
	if e.Kind == evidence.KindRequest {
		p.States[i].Requests++
	}
}

func (r *reader) endPhase(e evidence.Event, end evidence.Phase) {
	i, ok := r.open[phaseKey(e.Arm, end.Name)]
	if !ok {
		return
	}
	p := &r.Phases[i]
	p.Phase, p.Ended, p.Open = end, e.At, false
	delete(r.last, e.Arm)
}

func (r *reader) step(s Step, e evidence.Event) {
	if len(r.Steps) >= maxSteps {
		r.Dropped = true
		return
	}
	s.Event, s.Arm, s.Phase, s.Consent = e.Seq, e.Arm, e.Phase, e.Consent
	if s.At.IsZero() {
		s.At = e.At
	}
	r.Steps = append(r.Steps, s)
}

func (r *reader) tap(e evidence.Event, t evidence.Tap) {
	// Its time is that of the touch, which the action before it has: older logs describe a touch once the screen is still.
	r.step(Step{Tap: &t, After: t.After, At: r.touched[e.Arm]}, e)
	delete(r.touched, e.Arm)
	delete(r.last, e.Arm)
	if n := len(r.Steps); t.After == "" && n > 0 && r.Steps[n-1].Event == e.Seq {
		r.last[e.Arm] = n
	}
	if t.Before != "" {
		if p := r.picture(e, t.Before, ""); p != nil && len(p.Taps) < maxMoments {
			p.Taps = append(p.Taps, t)
		}
	}
	if t.After != "" {
		r.picture(e, t.After, "")
	}
}

func (r *reader) exhibit(e evidence.Event, x evidence.Exhibit) {
	switch x.Kind {
	case evidence.ExhibitScreenshot:
		if n := r.last[e.Arm]; n > 0 {
			r.Steps[n-1].After = x.Blob
			delete(r.last, e.Arm)
		}
		r.picture(e, x.Blob, x.Title)
	case evidence.ExhibitScreen:
	default:
		if len(r.Exhibits) >= maxSteps {
			r.Dropped = true
			return
		}
		r.Exhibits = append(r.Exhibits, Exhibit{Exhibit: x, Event: e.Seq, At: e.At, Arm: e.Arm, Phase: e.Phase})
	}
}

// picture notes a moment of a screenshot; nil where there are too many.
func (r *reader) picture(e evidence.Event, blob evidence.Digest, title string) *Picture {
	p := r.pictures[blob]
	if p == nil {
		if len(r.Pictures) >= maxPictures {
			r.Dropped = true
			return nil
		}
		p = &Picture{Blob: blob}
		r.pictures[blob] = p
		r.Pictures = append(r.Pictures, p)
	}
	if n := len(p.Moments); n > 0 && title == "" {
		return p // a touch names a screenshot that was recorded with its title
	}
	if len(p.Moments) < maxMoments {
		p.Moments = append(p.Moments, Moment{At: e.At, Arm: e.Arm, Phase: e.Phase, Title: title})
	}
	return p
}
