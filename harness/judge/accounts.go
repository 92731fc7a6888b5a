package judge

import (
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/account"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// issued turns what services issued into findings.
func (c *inquiry) issued() []account.Outcome {
	outcomes := c.tracker.Outcomes()
	c.gave = gaveOut(outcomes)
	c.claims = make(map[*account.Outcome]Finding, len(outcomes))
	for i := range outcomes {
		c.issue(&outcomes[i])
	}
	if c.tracker.Full() {
		c.spots.add(BlindSpot{
			What:  "More values were minted than could be followed.",
			Hides: []string{QuestionAccount},
			Do:    "Audit in shorter phases.",
		})
	}
	return outcomes
}

func (c *inquiry) issue(o *account.Outcome) {
	f := Finding{Subject: o.Service, Host: o.Host, Signature: o.Signature, Grounds: o.Grounds}
	switch {
	case o.Kind == knowledge.KindAccount && o.Used:
		f.Claim, f.Level = AccountCreated, 3
		f.Title = fmt.Sprintf("%s created an account without a sign-up, and the app uses it", o.Service)
		if o.Signup {
			f.Title = fmt.Sprintf("%s created the account that the person signed up for", o.Service)
		}
	case o.Kind == knowledge.KindAccount:
		f.Claim = SessionIssued
		f.Title = fmt.Sprintf("%s answered a request for an account; the app was not seen using it", o.Service)
		if !o.Signup {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("%s answered a request for an account, and the audit ended before the app used it.", o.Service),
				Hides: []string{QuestionAccount}, Do: "Let the phases last longer.", Event: o.Response,
			})
		}
	case o.Kind == knowledge.KindInstallation:
		f.Claim, f.Level = InstallationIssued, 2
		f.Title = fmt.Sprintf("%s issued an id for this installation", o.Service)
		if o.Client {
			f.Title = fmt.Sprintf("%s was told an id for this installation", o.Service)
		}
	default:
		f.Claim = SessionIssued
		f.Title = fmt.Sprintf("%s issued a guest session, which is no account", o.Service)
	}
	f.Value = value(o.Minted)
	c.claims[o] = f
	for _, p := range places(o) {
		// An account that is used in a later arm was issued in this one.
		g := c.findings.add(f, sighting{Pointer: p, arm: o.Arm, signup: o.Signup})
		if !o.Signup {
			g.Title = f.Title // whatever a person signed up for elsewhere
		}
		if o.Again && !strings.Contains(g.Grounds, account.CameBack) {
			g.Grounds += "; it " + account.CameBack
		}
	}
}

// value is the minted value that names what was issued: an id before a token.
func value(minted []*account.Minted) string {
	best := ""
	for _, m := range minted {
		if m.Role == knowledge.MintedID || best == "" || len(m.Value) < len(best) && m.Role == "" {
			best = m.Value
		}
		if m.Role == knowledge.MintedID {
			break
		}
	}
	return cut(best, longestExcerpt)
}

// places are the proof: the request, what the answer minted, and where the app used it.
func places(o *account.Outcome) []Pointer {
	out := []Pointer{{
		Event: o.Request, Flow: o.Flow, Side: "request", Surface: flow.SurfaceURL, Excerpt: o.URL,
		Phase: o.Phase, Consent: o.Consent, Role: "asked",
	}}
	for _, m := range o.Minted {
		at := m.At
		out = append(out, Pointer{
			Event: at.Event, Flow: at.Flow, Side: "response", Surface: at.Surface, Chain: at.Chain, Excerpt: at.Excerpt,
			Phase: at.Phase, Consent: evidence.Consent(at.Consent), Role: "minted",
		})
		for _, u := range m.Uses {
			role, _, _ := strings.Cut(u.As, " ")
			if role == "jwt" || role == "websocket" {
				role = strings.Join(strings.Fields(u.As)[:2], " ")
			}
			out = append(out, Pointer{
				Event: u.Event, Flow: u.Flow, Side: "request", Surface: u.Surface, Chain: u.Chain, Excerpt: u.Excerpt,
				Phase: u.Phase, Consent: evidence.Consent(u.Consent), Role: "used: " + role,
			})
		}
	}
	return out
}
