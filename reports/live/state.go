// Package live shows an audit while it runs: on a terminal a display that is
// redrawn, elsewhere a line for each thing worth knowing. It follows the
// evidence log and concludes nothing.
package live

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// Sighting is an identifier that was recognised in a request while the audit runs.
type Sighting struct {
	Kind string // of the canary
	Host string
}

// Spotter looks into an event for identifiers. It is called in the log's order.
type Spotter func(evidence.Event) []Sighting

// state is what the events so far add up to.
type state struct {
	app, device string
	simulated   bool
	arm, phase  string
	consent     evidence.Consent
	began       time.Time     // of the phase
	lasts       time.Duration // of the phase; 0 where nothing is being waited for
	doing       string        // the last thing the harness did
	requests    int
	opaque      int
	hosts       map[string]int // requests by host
	sightings   []seen
	ended       string
}

// seen is a sighting with where it was first made.
type seen struct {
	Sighting
	phase   string
	consent evidence.Consent
	times   int
}

// news is what one event adds, for a display of lines.
type news struct {
	at   time.Time
	text string
	bad  bool // a person should look at this
}

func newState() *state { return &state{hosts: map[string]int{}} }

// apply takes an event in and returns what is new. Payloads that can't be read
// are passed over: they are in the log, and the judge will say so.
func (s *state) apply(e evidence.Event, spotted []Sighting) []news {
	var out []news
	say := func(bad bool, text string) { out = append(out, news{e.At, text, bad}) }
	switch e.Kind {
	case evidence.KindDevice:
		if d, ok := payload[evidence.Device](e); ok {
			s.device, s.simulated = inert.Line(d.Model+", Android "+d.Release, 60), d.Simulated
			text := "device   " + s.device
			if d.Simulated {
				text += " (SIMULATED)"
			}
			say(false, text)
		}
	case evidence.KindApp:
		if a, ok := payload[evidence.App](e); ok && s.app == "" {
			s.app = inert.Line(a.Package+" "+a.VersionName, 80)
			say(false, "app      "+s.app)
		}
	case evidence.KindPhaseStart:
		if p, ok := payload[evidence.Phase](e); ok {
			s.arm, s.phase, s.consent = e.Arm, inert.Line(p.Name, 40), e.Consent
			s.began, s.lasts, s.doing = e.At, p.Lasts, ""
			text := "phase    " + s.phase
			if p.Lasts > 0 {
				text += " (" + p.Lasts.String() + ")"
			}
			say(false, text)
		}
	case evidence.KindPhaseEnd:
		if p, ok := payload[evidence.Phase](e); ok {
			s.lasts = 0
			if !p.Reached {
				say(true, "         not reached: "+inert.Line(p.Why, 200))
			}
		}
	case evidence.KindAction:
		if a, ok := payload[evidence.Action](e); ok {
			s.doing = inert.Line(a.Verb+" "+a.Detail, 80)
			if !a.OK {
				say(true, "failed   "+s.doing+": "+inert.Line(a.Error, 200))
			}
		}
	case evidence.KindTap:
		if t, ok := payload[evidence.Tap](e); ok {
			s.consent, s.doing = e.Consent, "tap "+inert.Line(t.Text, 60)
			say(false, "tap      "+inert.Line(t.Text, 60)+" ("+inert.Line(t.Why, 100)+")")
		}
	case evidence.KindBlindSpot:
		if b, ok := payload[evidence.BlindSpot](e); ok {
			say(true, "unseen   "+inert.Line(b.What, 200))
		}
	case evidence.KindProbe:
		if p, ok := payload[evidence.Probe](e); ok {
			say(p.Answer != evidence.ProbeNot, "website  "+inert.Middle(p.Host, 100)+", asked about the "+inert.Line(p.Who, 20)+": "+inert.Line(p.Answer+": "+p.Because, 200))
		}
	case evidence.KindRequest:
		s.requests++
		if r, ok := payload[flow.Request](e); ok {
			if host := hostOf(r.URL); host != "" {
				if s.hosts[host]++; s.hosts[host] == 1 {
					say(false, "host     "+inert.Middle(host, 100))
				}
			}
		}
	case evidence.KindConnection:
		// A client opens connections that it then does not need; they hide nothing.
		if c, ok := payload[flow.Connection](e); ok && c.Reason != flow.Unused && (c.Reason != flow.HungUp || c.Sent > 0) {
			s.opaque++
			say(true, "unread   "+inert.Middle(c.Host, 100)+": "+inert.Line(c.Reason, 40))
		}
	case evidence.KindAuditEnd:
		if a, ok := payload[evidence.AuditEnd](e); ok {
			s.ended = a.How
			say(a.How != evidence.Completed, "audit    "+a.How)
		}
	}
	for _, x := range spotted {
		if s.see(x, e) {
			say(true, "sent     "+explain.Kind(x.Kind)+" to "+inert.Middle(x.Host, 100)+", "+explain.When(e.Phase, e.Consent))
		}
	}
	return out
}

// see counts a sighting and reports whether it is the first of its kind, host and consent state.
func (s *state) see(x Sighting, e evidence.Event) bool {
	for i := range s.sightings {
		if old := &s.sightings[i]; old.Sighting == x && old.consent == e.Consent {
			old.times++
			return false
		}
	}
	s.sightings = append(s.sightings, seen{x, e.Phase, e.Consent, 1})
	return true
}

func payload[T any](e evidence.Event) (T, bool) {
	var v T
	return v, json.Unmarshal(e.Data, &v) == nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
