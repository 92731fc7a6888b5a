package judge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// The purposes of phases, as the evidence names them.
const (
	purposeBaseline = evidence.PurposeBaseline
	purposeDraft    = evidence.PurposeDraft
	purposeConsent  = evidence.PurposeConsent
)

// survey is what the log says apart from its messages: who, what, when and how far.
type survey struct {
	manifest   evidence.Manifest
	identity   canary.Identity
	source     evidence.Digest // the protocol file
	phases     []*phase
	byName     map[[2]string]*phase // arm and name
	uids       map[int]bool         // the app's, which change when it is installed anew
	installs   bool                 // the log tells when the app was on the device
	launches   int                  // that worked
	failed     []failure            // acts that did not
	plantings  []at[evidence.Planting]
	arms       []at[evidence.Arm] // of an experiment, in the order in which they were run
	accounts   []at[evidence.Accounts]
	counters   []at[evidence.Counters]
	exhibits   []at[evidence.Exhibit]
	spots      []at[evidence.BlindSpot]
	probes     []at[evidence.Probe]
	earlier    *evidence.Earlier // the audit that this one rechecks
	opaque     []opaque
	end        *evidence.AuditEnd
	lastEvent  uint64
	app        evidence.App
	installed  []span // of events between which the app was on the device
	sawRequest bool
	began      map[flow.ID]time.Time // of requests whose response has not come yet
	late       map[uint64]bool       // events of the app's flows that stand in the log after it was removed
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

// span is a stretch of the log in which the app was on the device; to is 0 while it lasts.
type span struct {
	from, to   uint64
	since, end time.Time // of the same events
	arm        string
	launched   uint64 // event of the first start, 0 for none
}

// holds reports whether an event stands in the stretch.
func (sp span) holds(seq uint64) bool { return sp.from < seq && (sp.to == 0 || seq < sp.to) }

// look reads the log once, without any body.
func look(ctx context.Context, ev evidence.Evidence) (*survey, error) {
	s := &survey{
		manifest: ev.Manifest(), byName: map[[2]string]*phase{}, uids: map[int]bool{},
		began: map[flow.ID]time.Time{}, late: map[uint64]bool{},
	}
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
	clear(s.began)
	for i := range s.opaque { // only now is known which uids the app had, and when
		s.opaque[i].noise = s.noise(s.opaque[i].Event, s.opaque[i].connection.UID)
	}
	s.identity = s.manifest.Identity
	if len(s.identity.Canaries) == 0 {
		for _, p := range s.plantings {
			s.identity.Canaries = append(s.identity.Canaries, canary.Canary{Kind: canary.Kind(p.data.Kind), Value: p.data.Value})
		}
	}
	return s, nil
}

func (s *survey) take(e evidence.Event) error {
	s.lastEvent = e.Seq
	switch e.Kind {
	case evidence.KindAuditStart:
		return read(e, func(a evidence.AuditStart) { s.source, s.earlier = a.Source, a.Earlier })
	case evidence.KindApp:
		return read(e, func(a evidence.App) {
			s.app = a
			if a.UID != 0 {
				s.uids[a.UID] = true
			}
		})
	case evidence.KindPlanting:
		return keep(e, &s.plantings)
	case evidence.KindArm:
		return keep(e, &s.arms)
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
	case evidence.KindProbe:
		return keep(e, &s.probes)
	case evidence.KindRequest:
		s.sawRequest = true
		return read(e, func(r struct {
			Flow    flow.ID   `json:"flow"`
			Started time.Time `json:"started"`
		}) {
			s.began[r.Flow] = r.Started
			s.started(e, r.Started)
		})
	case evidence.KindResponse:
		return read(e, func(r struct {
			Flow flow.ID `json:"flow"`
		}) {
			s.started(e, s.began[r.Flow])
			delete(s.began, r.Flow)
		})
	case evidence.KindConnection:
		return read(e, func(c flow.Connection) {
			s.opaque = append(s.opaque, opaque{Event: e, connection: c})
			s.started(e, c.Started)
		})
	case evidence.KindWire:
		return read(e, func(w struct {
			Started time.Time `json:"started"`
		}) {
			s.started(e, w.Started)
		})
	case evidence.KindMessage:
		return read(e, func(m struct {
			At time.Time `json:"at"`
		}) {
			s.started(e, m.At)
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
			s.installed = append(s.installed, span{from: e.Seq, since: e.At, arm: e.Arm})
		}
	case "uninstall":
		if n := len(s.installed); a.OK && n > 0 && s.installed[n-1].to == 0 {
			s.installed[n-1].to, s.installed[n-1].end = e.Seq, e.At
		}
	case "launch":
		if n := len(s.installed); n > 0 && s.installed[n-1].launched == 0 {
			s.installed[n-1].launched = e.Seq // even one that failed may have run something
		}
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
	return s.installs && !s.late[e.Seq] && !slices.ContainsFunc(s.installed, func(sp span) bool { return sp.holds(e.Seq) })
}

// started notes an event that stands after the app was removed, of a flow that began
// before: an answer that took its time is the app's all the same. The stamp says in
// which phase the flow began; what the system sends once the app is gone has the same.
func (s *survey) started(e evidence.Event, began time.Time) {
	ph := s.byName[[2]string{e.Arm, e.Phase}]
	if e.Arm == "" || ph == nil || ph.purpose == purposeBaseline || began.IsZero() {
		return
	}
	for _, sp := range s.installed {
		if sp.holds(e.Seq) {
			return
		}
		if !began.Before(sp.since) && began.Before(sp.end) {
			s.late[e.Seq] = true
		}
	}
}

// beforeApp reports whether the app can have done nothing yet: it is not on the
// device, or is there and was never started.
func (s *survey) beforeApp(e evidence.Event) bool {
	return s.withoutApp(e) || slices.ContainsFunc(s.installed, func(sp span) bool {
		return sp.holds(e.Seq) && (sp.launched == 0 || e.Seq < sp.launched)
	})
}

// installation counts the installations up to that in which an event belongs; one
// that is late belongs to its own arm's, not to the next.
func (s *survey) installation(e evidence.Event) int {
	all, own := 0, 0
	for i, sp := range s.installed {
		if sp.from > e.Seq {
			break
		}
		all = i + 1
		if sp.arm == e.Arm {
			own = i + 1
		}
	}
	return cmp.Or(own, all)
}

// signup reports whether a person had signed up when something happened.
func (s *survey) signup(arm, phase string) bool {
	ph := s.byName[[2]string{arm, phase}]
	return ph != nil && ph.signup
}

// place is a phase of an arm, in whichever repeat.
type place struct{ arm, phase string }

// repeats counts in how many repeats of the protocol something was seen, by the arm
// and phase of each sighting, out of those in which one of these phases ran.
func (s *survey) repeats(seen map[[2]string]bool) Repeats {
	times, ran, at := map[int]bool{}, map[int]bool{}, map[place]bool{}
	for where := range seen {
		arm, n := repeatOf(where[0])
		times[n], ran[n] = true, true
		at[place{arm, where[1]}] = true
	}
	for _, p := range s.phases {
		arm, n := repeatOf(p.arm)
		if at[place{arm, p.name}] && (p.reached || !p.ended) {
			ran[n] = true
		}
	}
	return Repeats{Times: max(1, len(times)), Of: max(1, len(ran))}
}

// repeatOf takes an arm's label apart: "rejected", "rejected#2", "rejected#3".
func repeatOf(label string) (arm string, repeat int) {
	if i := strings.LastIndexByte(label, '#'); i >= 0 {
		if n, err := strconv.Atoi(label[i+1:]); err == nil {
			return label[:i], n
		}
	}
	return label, 1
}

// has reports whether a phase of that kind is in the log.
func (s *survey) has(is func(*phase) bool) bool { return slices.ContainsFunc(s.phases, is) }
