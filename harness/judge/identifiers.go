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

// identified takes in the canaries that stand in what was sent; body is the blob that holds it.
func (c *inquiry) identified(e evidence.Event, id flow.ID, body evidence.Digest, host string, a asked, hits []recognise.Hit) {
	for i := range hits {
		h := &hits[i]
		p := c.pointer(e, h.Surface, h.Chain, h.Excerpt)
		p.Flow, p.Side, p.Role = id, "request", h.Half
		if strings.HasPrefix(h.Surface, flow.SurfaceBody) || strings.HasPrefix(h.Surface, "ws:") {
			p.Blob = body
		}
		switch {
		case h.Decoy:
			if len(c.decoys.Matches) < mostMatches {
				c.decoys.Matches = append(c.decoys.Matches, p)
			}
		case a.alone:
			c.noisy[[2]string{h.Kind, host}] = true
		case a.noise:
		default:
			c.sent(p, e, h, host)
		}
	}
}

func (c *inquiry) sent(p Pointer, e evidence.Event, h *recognise.Hit, host string) {
	label := c.kb.Disguises.Kind(h.Kind).Label
	g := c.findings.add(Finding{
		Claim: IdentifierSent, Level: 1, Subject: h.Kind, Value: h.Value, Host: host,
		Title:   fmt.Sprintf("The %s was sent to %s", label, host),
		Grounds: fmt.Sprintf("what was planted as the %s stands in the request%s", label, disguise(h)),
	}, sighting{Pointer: p, arm: e.Arm, signup: c.signup(e.Arm, e.Phase)})
	if g.Signup {
		return
	}
	if to := c.recipient(host); !slices.Contains(to.Kinds, h.Kind) {
		to.Kinds = append(to.Kinds, h.Kind)
		slices.Sort(to.Kinds)
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
