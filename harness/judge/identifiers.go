package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
)

// mostMatches is how many matches of decoys are listed.
const mostMatches = 100

// sure is the confidence from which on a canary counts as seen. One that is less sure is
// listed as possible, with the reason, and violates nothing by itself.
const sure = 0.5

// mostReturned is how many canaries in answers are kept.
const mostReturned = 20_000

// returned is a canary in an answer. Whether anybody had been seen sending it before is
// known when the log has been read to its end.
type returned struct {
	e   evidence.Event
	p   Pointer
	hit recognise.Hit
	to  string // the host that answered
}

// identified takes in the canaries that stand in a message.
func (c *inquiry) identified(e evidence.Event, v *view, a asked) {
	if v.untried != "" && !a.noise {
		c.untried[v.host]++
	}
	c.keep(e, v, a)
	c.report(e, v)
	for i := range v.hits {
		h := &v.hits[i]
		p := c.pointer(e, h.Surface, h.Chain, h.Excerpt)
		p.Flow, p.Side, p.Role = v.flow, v.direction, h.Half
		p.Confidence, p.Reason = h.Confidence, h.Reason
		if strings.HasPrefix(h.Surface, flow.SurfaceBody) || strings.HasPrefix(h.Surface, "ws:") {
			p.Blob = v.body.Blob
		}
		if h.Decoy {
			if len(c.decoys.Matches) < mostMatches {
				c.decoys.Matches = append(c.decoys.Matches, p)
			}
			continue
		}
		if v.direction == Sent {
			c.carry(e, h)
			c.signsUp(e, h)
		}
		switch {
		case a.alone && v.direction == Sent:
			c.noisy[[2]string{h.Kind, v.host}] = true
		case a.alone, a.noise:
		case v.direction == Sent:
			c.sent(p, e, h, v.host)
		case len(c.returned) < mostReturned:
			c.returned = append(c.returned, returned{e, p, *h, v.host})
		}
	}
}

// carry notes that a canary was seen leaving, whoever sent it to whomever. A connection
// stands in the log when it ends, so what it carried may have left any time before.
func (c *inquiry) carry(e evidence.Event, h *recognise.Hit) {
	key := [2]string{h.Kind, h.Value}
	seq := e.Seq
	if e.Kind == evidence.KindConnection {
		seq = 0
	}
	if known, ok := c.carried[key]; !ok || seq < known {
		c.carried[key] = seq
	}
}

func (c *inquiry) sent(p Pointer, e evidence.Event, h *recognise.Hit, host string) {
	label := c.kb.Disguises.Kind(h.Kind).Label
	f := Finding{
		Claim: IdentifierSent, Level: 1, Subject: h.Kind, Value: h.Value, Host: host,
		Title:   fmt.Sprintf("The %s was sent to %s", label, host),
		Grounds: fmt.Sprintf("what was planted as the %s stands in the request%s", label, disguise(h)),
	}
	if h.Confidence < sure {
		f.Possible, f.Level = true, 0
		f.Title = fmt.Sprintf("The %s may have been sent to %s", label, host)
		f.Grounds = fmt.Sprintf("what stands in the request may be what was planted as the %s%s", label, disguise(h))
	}
	g := c.findings.add(f, sighting{Pointer: p, arm: e.Arm, signup: c.signup(e.Arm, e.Phase)})
	if g.Signup || g.Possible {
		return
	}
	if to := c.recipient(host); !slices.Contains(to.Kinds, h.Kind) {
		to.Kinds = append(to.Kinds, h.Kind)
		slices.Sort(to.Kinds)
	}
}

// answered turns canaries in answers into findings. A service that answers with what it
// was told tells nothing new. One that knows a value that nobody was seen sending was
// sent it in a way that could not be read, or by an earlier audit with the same seed.
func (c *inquiry) answered() {
	for i := range c.returned {
		r := &c.returned[i]
		h := &r.hit
		label := c.kb.Disguises.Kind(h.Kind).Label
		first, was := c.carried[[2]string{h.Kind, h.Value}]
		f := Finding{
			Claim: IdentifierReturned, Subject: h.Kind, Value: h.Value, Host: r.to,
			Title:   fmt.Sprintf("%s answered with the %s, which it had been sent", r.to, label),
			Grounds: fmt.Sprintf("what was planted as the %s stands in the response%s; it had been seen leaving the device before", label, disguise(h)),
		}
		switch {
		case h.Confidence < sure:
			f.Possible = true
			f.Title = fmt.Sprintf("%s may have answered with the %s", r.to, label)
			f.Grounds = fmt.Sprintf("what stands in the response may be what was planted as the %s%s", label, disguise(h))
		case !was || first > r.e.Seq:
			f.Level, f.Unseen = 1, true
			f.Title = fmt.Sprintf("%s knows the %s, and was not seen being sent it", r.to, label)
			f.Grounds = fmt.Sprintf("what was planted as the %s stands in the response%s, and in nothing that was read before: so it was sent in a way that could not be read (or by an earlier audit with the same seed)",
				label, disguise(h))
		}
		c.findings.add(f, sighting{Pointer: r.p, arm: r.e.Arm, signup: c.signup(r.e.Arm, r.e.Phase)})
	}
}

// report tells of a message's sightings, where somebody wants to hear of them.
func (c *inquiry) report(e evidence.Event, v *view) {
	if c.tell == nil || c.untold != nil || len(v.hits) == 0 {
		return
	}
	for _, s := range c.sightings(e, v) {
		if c.untold = c.tell(s); c.untold != nil {
			return
		}
	}
}

// disguise says how a canary was disguised, for the grounds.
func disguise(h *recognise.Hit) string {
	s := ", " + h.Disguise()
	if h.Variant != "" {
		s += ", spelled otherwise (" + h.Variant + ")"
	}
	if h.Half != "" {
		s += ", latitude and longitude in separate places"
	}
	if h.Embedded {
		s += ", with more of the same characters beside it; it is too long to stand there by chance"
	}
	return s
}

func (c *inquiry) pointer(e evidence.Event, surface string, chain []string, text []byte) Pointer {
	return Pointer{Event: e.Seq, Surface: surface, Chain: chain, Excerpt: excerpt(text), Phase: e.Phase, Consent: e.Consent}
}

// dropNoise takes out what the device sends by itself, with or without the app.
func (c *inquiry) dropNoise() {
	c.findings.order = slices.DeleteFunc(c.findings.order, func(g *gathered) bool {
		if g.Claim != IdentifierSent || !c.noisy[[2]string{g.Subject, g.Host}] {
			return false
		}
		label := c.kb.Disguises.Kind(g.Subject).Label
		c.spots.add(BlindSpot{
			What:  fmt.Sprintf("The device sent the %s to %s while the app was not there, so what the app sends there can't be told apart.", label, g.Host),
			Hides: c.hiding(g.consents, QuestionIdentifier),
			Do:    "Use a device whose apps can be told apart by their uid.",
		})
		to := c.recipient(g.Host)
		to.Kinds = slices.DeleteFunc(to.Kinds, func(k string) bool { return k == g.Subject })
		return true
	})
}
