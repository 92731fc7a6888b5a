package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// The purposes of phases, as the evidence names them.
const (
	purposeBaseline = "baseline"
	purposeDraft    = "draft"
	purposeConsent  = "consent"
)

// survey is what the log says apart from its messages: who, what, when and how far.
type survey struct {
	manifest   evidence.Manifest
	identity   canary.Identity
	phases     []*phase
	byName     map[[2]string]*phase // arm and name
	arms       []string
	uids       map[int]bool // the app's, which change when it is installed anew
	installs   bool         // the log tells when the app was on the device
	launches   int          // that worked
	failed     []failure    // acts that did not
	plantings  []evidence.Planting
	accounts   []at[evidence.Accounts]
	counters   []at[evidence.Counters]
	exhibits   []at[evidence.Exhibit]
	spots      []at[evidence.BlindSpot]
	opaque     []opaque
	end        *evidence.AuditEnd
	lastEvent  uint64
	app        evidence.App
	installed  []span // of events between which the app was on the device
	sawRequest bool
}

// phase is one phase of one arm.
type phase struct {
	arm, name string
	purpose   string
	consent   evidence.Consent // at its end
	signup    bool
	ended     bool
	reached   bool
	why       string
	start     uint64
}

// at is a payload with its event.
type at[T any] struct {
	evidence.Event
	data T
}

// failure is an act that did not work.
type failure struct {
	event  uint64
	action evidence.Action
}

// opaque is a connection that could not be read.
type opaque struct {
	evidence.Event
	connection flow.Connection
	noise      bool
}

// span is a stretch of the log; to is 0 while it lasts.
type span struct{ from, to uint64 }

// look reads the log once, without any body.
func look(ctx context.Context, ev evidence.Evidence) (*survey, error) {
	s := &survey{manifest: ev.Manifest(), byName: map[[2]string]*phase{}, uids: map[int]bool{}}
	s.app = s.manifest.App
	if s.app.UID != 0 {
		s.uids[s.app.UID] = true
	}
	for e, err := range ev.Events(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
		if err := s.take(e); err != nil {
			return nil, fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.identity = s.manifest.Identity
	if len(s.identity.Canaries) == 0 {
		for _, p := range s.plantings {
			s.identity.Canaries = append(s.identity.Canaries, canary.Canary{Kind: canary.Kind(p.Kind), Value: p.Value})
		}
	}
	return s, nil
}

func (s *survey) take(e evidence.Event) error {
	s.lastEvent = e.Seq
	switch e.Kind {
	case evidence.KindApp:
		return read(e, func(a evidence.App) {
			s.app = a
			if a.UID != 0 {
				s.uids[a.UID] = true
			}
		})
	case evidence.KindPlanting:
		return read(e, func(p evidence.Planting) { s.plantings = append(s.plantings, p) })
	case evidence.KindPhaseStart:
		return read(e, func(p evidence.Phase) { s.begin(e, p) })
	case evidence.KindPhaseEnd:
		return read(e, func(p evidence.Phase) { s.finish(e, p) })
	case evidence.KindAction:
		return read(e, func(a evidence.Action) { s.act(e, a) })
	case evidence.KindExhibit:
		return keep(e, &s.exhibits)
	case evidence.KindAccounts:
		return keep(e, &s.accounts)
	case evidence.KindCounters:
		return keep(e, &s.counters)
	case evidence.KindBlindSpot:
		return keep(e, &s.spots)
	case evidence.KindRequest:
		s.sawRequest = true
	case evidence.KindConnection:
		return read(e, func(c flow.Connection) {
			s.opaque = append(s.opaque, opaque{Event: e, connection: c, noise: s.noise(e, c.UID)})
		})
	case evidence.KindAuditEnd:
		return read(e, func(end evidence.AuditEnd) { s.end = &end })
	}
	return nil
}

// read decodes an event's payload. A field that we do not know is one of a newer version.
func read[T any](e evidence.Event, use func(T)) error {
	var data T
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return err
	}
	use(data)
	return nil
}

func keep[T any](e evidence.Event, list *[]at[T]) error {
	return read(e, func(data T) { *list = append(*list, at[T]{Event: e, data: data}) })
}

func (s *survey) begin(e evidence.Event, p evidence.Phase) {
	ph := &phase{arm: e.Arm, name: p.Name, purpose: p.Purpose, consent: p.Consent, signup: p.Signup, start: e.Seq}
	s.phases = append(s.phases, ph)
	s.byName[[2]string{e.Arm, p.Name}] = ph
	if !slices.Contains(s.arms, e.Arm) {
		s.arms = append(s.arms, e.Arm)
	}
}

func (s *survey) finish(e evidence.Event, p evidence.Phase) {
	ph := s.byName[[2]string{e.Arm, p.Name}]
	if ph == nil {
		return
	}
	ph.ended, ph.reached, ph.why = true, p.Reached, p.Why
	ph.signup = ph.signup || p.Signup
	if p.Consent != "" {
		ph.consent = p.Consent
	}
}

func (s *survey) act(e evidence.Event, a evidence.Action) {
	if !a.OK {
		s.failed = append(s.failed, failure{e.Seq, a})
	}
	switch a.Verb {
	case "install":
		s.installs = true
		if a.OK {
			s.installed = append(s.installed, span{from: e.Seq})
		}
	case "uninstall":
		if n := len(s.installed); a.OK && n > 0 && s.installed[n-1].to == 0 {
			s.installed[n-1].to = e.Seq
		}
	case "launch":
		if a.OK {
			s.launches++
		}
	}
}

// noise reports whether traffic is not the app's: it was seen in a baseline, while
// the app was not on the device, or from another app's uid.
func (s *survey) noise(e evidence.Event, uid int) bool {
	if uid != 0 && len(s.uids) > 0 && !s.uids[uid] {
		return true
	}
	return s.withoutApp(e)
}

// withoutApp reports whether the app could have sent nothing at that moment.
func (s *survey) withoutApp(e evidence.Event) bool {
	if ph := s.byName[[2]string{e.Arm, e.Phase}]; ph != nil && ph.purpose == purposeBaseline {
		return true
	}
	return s.installs && !slices.ContainsFunc(s.installed, func(sp span) bool {
		return sp.from < e.Seq && (sp.to == 0 || e.Seq < sp.to)
	})
}

// signup reports whether a person had signed up when something happened.
func (s *survey) signup(arm, phase string) bool {
	ph := s.byName[[2]string{arm, phase}]
	return ph != nil && ph.signup
}

// repeats counts in how many of how many runs something was seen, out of the runs
// of the arms that it was seen in: "rejected", "rejected#2", "rejected#3".
func (s *survey) repeats(seen map[string]bool) Repeats {
	bases := map[string]bool{}
	for arm := range seen {
		bases[armBase(arm)] = true
	}
	of := 0
	for _, arm := range s.arms {
		if bases[armBase(arm)] {
			of++
		}
	}
	return Repeats{Times: max(1, len(seen)), Of: max(of, len(seen), 1)}
}

func armBase(arm string) string {
	base, _, _ := strings.Cut(arm, "#")
	return base
}

// has reports whether a phase of that kind is in the log.
func (s *survey) has(is func(*phase) bool) bool { return slices.ContainsFunc(s.phases, is) }
