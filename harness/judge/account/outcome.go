package account

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// Outcome is something that a service issued.
type Outcome struct {
	Kind      string // knowledge.KindAccount, KindSession or KindInstallation
	Service   string // the service's name, or the host where no signature fits
	Signature string // its id, "" where none fits
	Host      string
	Arm       string
	Phase     string
	Consent   evidence.Consent
	Signup    bool
	Flow      flow.ID
	URL       string // of the request
	Request   uint64 // event
	Response  uint64 // event
	Minted    []*Minted
	// Used is whether the app sent back something of it. An account that was issued
	// and not seen in use is not at L3.
	Used bool
	// Client says that the id was made by the app and only registered.
	Client bool
	// Again says that an earlier installation of the app was issued the same.
	Again   bool
	Grounds string

	// Level is the ladder's: 2 for an installation, 3 for an account in use, 5 for one whose
	// object the service shows; 0 for what is none of these.
	Level int
	// CreatedAt is when the account came to be, as far as answers say or the id encodes
	// it beyond doubt; zero where they don't. Profile are the surfaces of its profile.
	CreatedAt time.Time
	Profile   []string
	// Sure is how sure the kind is, from 0 to 1.
	Sure float64

	// names are the values that name the user, as they were first minted.
	names []*Minted
}

// Outcomes says what was issued, in the order of the log. It is called last.
func (t *Tracker) Outcomes() []Outcome {
	var out []Outcome
	accounts := map[*Minted]bool{} // by what names them, and lets into them
	for i, r := range t.replies {
		if r.message.Noise {
			continue
		}
		var issued []Outcome
		if r.signature < 0 {
			issued = t.byBehaviour(r, i, accounts)
		} else if o, ok := t.bySign(r, accounts); ok {
			issued = []Outcome{o}
		}
		for _, o := range issued {
			if o.Kind == knowledge.KindAccount && o.Used {
				for _, m := range slices.Concat(o.names, o.Minted) {
					accounts[m.root()] = true
				}
			}
		}
		out = append(out, issued...)
	}
	out = slices.DeleteFunc(out, func(o Outcome) bool {
		// A reply that names an account is no less than that account, whether or not
		// the app went on to use this reply.
		if o.Kind == knowledge.KindSession || o.Kind == knowledge.KindAccount && !o.Used {
			if slices.ContainsFunc(out, func(a Outcome) bool {
				return a.Kind == knowledge.KindAccount && a.Used && (!a.Signup || a.Response <= o.Response) &&
					slices.ContainsFunc(a.names, func(m *Minted) bool { return slices.Contains(o.names, m) })
			}) {
				return true
			}
		}
		// A session of an account that is known is no news.
		return o.Kind == knowledge.KindSession && o.Signature == "" && slices.ContainsFunc(out, func(a Outcome) bool {
			return a.Kind == knowledge.KindAccount && a.Used && a.Arm == o.Arm && (Site(a.Host) == Site(o.Host) && a.Response <= o.Response ||
				!slices.ContainsFunc(o.Minted, func(m *Minted) bool { return !slices.Contains(a.Minted, m) }))
		})
	})
	return t.finished(renewed(out))
}

// renewed leaves out sessions that go on with an earlier one: of the same place, in the same arm.
func renewed(out []Outcome) []Outcome {
	seen := map[[3]string]bool{}
	return slices.DeleteFunc(out, func(o Outcome) bool {
		if o.Kind != knowledge.KindSession || o.Signature != "" || o.Signup {
			return false
		}
		key := [3]string{o.Arm, o.Phase, Site(o.Host)}
		again := seen[key]
		seen[key] = true
		return again
	})
}

// finished adds to each outcome how far up the ladder it is, and what its account is.
func (t *Tracker) finished(out []Outcome) []Outcome {
	for i := range out {
		o := &out[i]
		switch o.Kind {
		case knowledge.KindInstallation:
			o.Level = 2
		case knowledge.KindAccount:
			known := t.object(o.names)
			o.Profile, o.CreatedAt = known.profile, known.created
			if known.sure {
				o.CreatedAt = earliest(o.CreatedAt, known.encoded)
			}
			if o.Used {
				o.Level = known.level()
			}
			o.Grounds += known.grounds()
		}
	}
	return out
}

func (r *reply) outcome(kind string) Outcome {
	m := &r.message
	return Outcome{
		Kind: kind, Service: m.Host, Host: m.Host, Arm: m.Arm, Phase: m.Phase, Consent: m.Consent, Signup: m.Signup,
		Flow: m.Flow, URL: m.Method + " " + m.URL, Request: r.request, Response: m.Event,
	}
}

// alive are the values of a reply that were minted indeed.
func (r *reply) alive() []*Minted {
	return slices.DeleteFunc(slices.Clone(r.minted), (*Minted).gone)
}

// name notes what names the user. What a person signed up for stays theirs when a
// later installation is issued it again.
func (o *Outcome) name(list ...*Minted) {
	for _, m := range list {
		o.Signup = o.Signup || m.root().signup
		o.Again = o.Again || m.first != nil
		if m = m.root(); !slices.Contains(o.names, m) {
			o.names = append(o.names, m)
		}
	}
}

// Names reports whether a value is one of those that name the user.
func (o *Outcome) Names(m *Minted) bool { return slices.Contains(o.names, m.root()) }

// cameBack ends the grounds of what an earlier installation had been issued too.
func (o *Outcome) cameBack() string {
	if !o.Again {
		return ""
	}
	return "; it " + CameBack
}

// CameBack says of something issued that it is what an earlier installation had.
const CameBack = "came back after a reinstall: a later installation, which had not sent it, was issued the same"

func (t *Tracker) bySign(r *reply, accounts map[*Minted]bool) (Outcome, bool) {
	s := &t.kb.Signatures[r.signature]
	o := r.outcome(s.Kind)
	o.Service, o.Signature, o.Client, o.Sure = s.Service, s.ID, s.Client, 0.99
	for _, m := range r.alive() {
		if m.Role == "" && s.Kind == knowledge.KindAccount && t.principal(&m.value, r) {
			o.name(m) // the signature knows of the token, and the token names the user
		}
		if m.Role != "" {
			o.Minted = append(o.Minted, m)
			if m.Role == knowledge.MintedID {
				o.name(m)
				o.Used = o.Used || m.first != nil && accounts[m.root()]
			}
			// The number of a user is no proof on its own that the app uses the account.
			o.Used = o.Used || !m.short && slices.ContainsFunc(m.Uses, func(p Place) bool { return p.Event > o.Response })
		}
	}
	if !slices.ContainsFunc(o.Minted, func(m *Minted) bool { return !m.short }) {
		o.Minted, o.names = nil, nil
	}
	registered := s.Client || len(s.Minted) == 0
	if len(o.Minted) == 0 && !registered {
		return o, false
	}
	o.Grounds = fmt.Sprintf("the request has the form of %s (signature %s)", s.Service, s.ID)
	switch {
	case len(o.Minted) > 0:
		o.Grounds += "; the answer gave out " + list(o.Minted) + used(o.Minted)
	case s.Client:
		o.Grounds += "; the id is made in the app and registered with the service"
	}
	if s.Kind == knowledge.KindInstallation {
		o.Grounds += "; it names an installation, which is no account"
	}
	o.Grounds += o.cameBack()
	return o, true
}

func list(minted []*Minted) string {
	var names []string
	for _, m := range minted {
		name := m.Key
		if name == "" {
			name = m.At.Surface
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// used says how values were sent back.
func used(minted []*Minted) string {
	var as []string
	for _, m := range minted {
		for _, u := range m.Uses {
			if !slices.Contains(as, u.As) {
				as = append(as, u.As)
			}
		}
	}
	slices.Sort(as)
	if len(as) == 0 {
		return ""
	}
	return " (as " + strings.Join(as[:min(3, len(as))], ", ") + ")"
}

func unique(minted []*Minted) []*Minted {
	slices.SortStableFunc(minted, func(a, b *Minted) int { return cmp.Compare(a.At.Surface, b.At.Surface) })
	return slices.Compact(minted)
}
