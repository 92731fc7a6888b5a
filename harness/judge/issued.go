package judge

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/account"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// The kinds of what services issue.
const (
	IssuedPrincipal    = "principal"    // a person's account, and the app uses it
	IssuedSession      = "session"      // a guest session, no account
	IssuedInstallation = "installation" // an id of the installation or the device, no account
)

// Issued is something that a service gave out, by the flows in which it was minted and used.
type Issued struct {
	Kind      string // IssuedPrincipal, IssuedSession or IssuedInstallation
	Level     int    // the ladder's; 0 for a session
	Service   string // the signature's name, or the host where none fits
	Signature string // id in the knowledge base, "" where none fits
	Host      string
	Request   IssuedAt   // what was asked
	Minted    []IssuedAt // what the answer gave out: an id before a token
	Used      []IssuedAt // where the app sent it back, in the order of the log
	Signup    bool       // a person's sign-up precedes it
	CreatedAt time.Time  // when the account came to be, as far as the service said; zero where it did not
	Sure      float64    // of the kind, from 0 to 1
	Grounds   string
}

// IssuedAt is a place of a value that a service gave out.
type IssuedAt struct {
	Event   uint64
	Flow    flow.ID
	Phase   string
	Consent evidence.Consent
	Where   string // a surface
	Chain   []string
	Value   string // as it was minted, also where it was sent back
	As      string // of a use: bearer, basic, cookie, path, parameter, header, body, jwt subject, jwt claim, websocket message
}

// gaveOut says what services issued. An account that the app was not seen using is none of it.
func gaveOut(outcomes []account.Outcome) []Issued {
	var out []Issued
	for i := range outcomes {
		o := &outcomes[i]
		x := Issued{
			Kind: IssuedSession, Level: o.Level, Service: o.Service, Signature: o.Signature, Host: o.Host, Signup: o.Signup, CreatedAt: o.CreatedAt,
			Sure: o.Sure, Grounds: o.Grounds, Request: IssuedAt{Event: o.Request, Flow: o.Flow, Where: flow.SurfaceURL},
		}
		switch {
		case o.Kind == knowledge.KindAccount && !o.Used:
			continue
		case o.Kind == knowledge.KindAccount:
			x.Kind = IssuedPrincipal
		case o.Kind == knowledge.KindInstallation:
			x.Kind = IssuedInstallation
		}
		minted := slices.Clone(o.Minted)
		slices.SortStableFunc(minted, func(a, b *account.Minted) int {
			return cmp.Or(cmp.Compare(a.At.Event, b.At.Event), cmp.Compare(rankMinted(o, a), rankMinted(o, b)))
		})
		for _, m := range minted {
			x.Minted = append(x.Minted, mintedAt(m, &m.At))
			for _, u := range m.Uses {
				as := u.As
				for _, named := range []string{"header", "cookie", "parameter", "body", "websocket message"} {
					if strings.HasPrefix(as, named+" ") {
						as = named
					}
				}
				use := mintedAt(m, &u)
				use.As = as
				if !slices.ContainsFunc(x.Used, func(k IssuedAt) bool {
					return k.Event == use.Event && k.Where == use.Where && k.As == use.As && k.Value == use.Value
				}) {
					x.Used = append(x.Used, use)
				}
			}
		}
		slices.SortStableFunc(x.Used, func(a, b IssuedAt) int { return cmp.Compare(a.Event, b.Event) })
		out = append(out, x)
	}
	return out
}

// mintedAt is where a minted value was seen.
func mintedAt(m *account.Minted, at *account.Place) IssuedAt {
	return IssuedAt{Event: at.Event, Flow: at.Flow, Phase: at.Phase, Consent: evidence.Consent(at.Consent), Where: at.Surface, Chain: at.Chain, Value: m.Value}
}

// rankMinted puts what names the user before what the user is let in with.
func rankMinted(o *account.Outcome, m *account.Minted) int {
	switch {
	case m.Role == knowledge.MintedID, o.Names(m):
		return 0
	case m.Role == knowledge.MintedToken:
		return 2
	}
	return 1
}
