package account

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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

	// names are the values that name the user, as they were first minted.
	names []*Minted
}

// Outcomes says what was issued, in the order of the log. It is called last.
func (t *Tracker) Outcomes() []Outcome {
	var out []Outcome
	accounts := map[*Minted]bool{} // by what names them
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
				for _, m := range o.names {
					accounts[m] = true
				}
			}
		}
		out = append(out, issued...)
	}
	return slices.DeleteFunc(out, func(o Outcome) bool {
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
			return a.Kind == knowledge.KindAccount && a.Used && a.Arm == o.Arm && site(a.Host) == site(o.Host) && a.Response <= o.Response
		})
	})
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
	o.Service, o.Signature, o.Client = s.Service, s.ID, s.Client
	for _, m := range r.alive() {
		if m.Role != "" {
			o.Minted = append(o.Minted, m)
			if m.Role == knowledge.MintedID {
				o.name(m)
				o.Used = o.Used || m.first != nil && accounts[m.root()]
			}
			o.Used = o.Used || slices.ContainsFunc(m.Uses, func(p Place) bool { return p.Event > o.Response })
		}
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

// byBehaviour classifies a reply that no signature fits.
func (t *Tracker) byBehaviour(r *reply, index int, accounts map[*Minted]bool) []Outcome {
	var principals, installations, credentials []*Minted
	for _, m := range r.alive() {
		if m.reply != index {
			continue
		}
		switch {
		case t.principal(m, r):
			principals = append(principals, m)
		case t.installation(m):
			installations = append(installations, m)
			continue
		}
		if m.Credential && t.mayBeCredential(m) {
			credentials = append(credentials, m)
		}
	}
	// An account that came back is one whether or not the app went on to use it here.
	counted := func(m *Minted) bool { return m.first != nil && accounts[m.root()] }
	// An id that an earlier response gave out names the user of this one too.
	old := len(principals) == 0
	for _, m := range r.known {
		if !m.gone() && t.principal(m, r) {
			principals = append(principals, m)
			old = old && accounts[m.root()]
		}
	}
	var out []Outcome
	switch {
	case len(principals) > 0 && old:
		// New credentials of an account that was counted.
	case len(credentials) == 0 && slices.ContainsFunc(principals, counted):
		o := r.outcome(knowledge.KindAccount)
		o.name(principals...)
		o.Minted, o.Used = principals, true
		o.Grounds = fmt.Sprintf("no known service fits; the answer gave out %s, which names the user of an account that the app used before%s",
			list(principals), o.cameBack())
		out = append(out, o)
	case len(principals) > 0 && len(credentials) > 0:
		o := r.outcome(knowledge.KindAccount)
		o.name(principals...)
		o.Minted = unique(append(principals, credentials...))
		o.Used = true
		o.Grounds = fmt.Sprintf("no known service fits; the answer gave out %s, which names a user, and %s, which the app sent back as a credential%s%s",
			list(principals), list(credentials), used(credentials), o.cameBack())
		out = append(out, o)
	case len(credentials) > 0:
		o := r.outcome(knowledge.KindSession)
		o.Minted = credentials
		o.Used = true
		o.Grounds = fmt.Sprintf("no known service fits; the answer gave out %s, which the app sent back as a credential%s; nothing in it names a user",
			list(credentials), used(credentials))
		out = append(out, o)
	}
	if len(installations) > 0 && (t.hinted(r, t.kb.Fields.InstallationHints) || slices.ContainsFunc(installations, func(m *Minted) bool { return len(m.Uses) > 0 })) {
		o := r.outcome(knowledge.KindInstallation)
		o.Minted = installations
		o.Used = slices.ContainsFunc(installations, func(m *Minted) bool { return len(m.Uses) > 0 })
		o.Grounds = fmt.Sprintf("no known service fits; the answer gave out %s, which names an installation or a device%s; it is no account",
			list(installations), used(installations))
		out = append(out, o)
	}
	return out
}

// named reports whether the name alone makes a value worth checking.
func (t *Tracker) named(m *Minted) bool { return t.principal(m, nil) || t.installation(m) }

// principal reports whether a value names a user: by its field, by the object that it
// is the id of, or as the subject of a token. One of many in a list names others.
func (t *Tracker) principal(m *Minted, r *reply) bool {
	v, f := &m.value, &t.kb.Fields
	if v.Listed || !inBody(v) {
		return false
	}
	if v.JWT && v.Key == "sub" {
		return r == nil || !t.hinted(r, f.SessionHints)
	}
	if knowledge.Named(f.Principals, v.Key) {
		return true
	}
	switch knowledge.FoldName(v.Key) {
	case "id", "uuid", "guid", "idstr", "objectid":
		return len(v.Keys) > 1 && knowledge.Named(f.PrincipalParents, v.Keys[len(v.Keys)-2])
	}
	return false
}

func (t *Tracker) installation(m *Minted) bool {
	return !m.value.Listed && inBody(&m.value) && knowledge.Named(t.kb.Fields.Installations, m.value.Key)
}

// mayBeCredential leaves out cookies whose name says nothing: those of delivery
// networks and counters have new names every month.
func (t *Tracker) mayBeCredential(m *Minted) bool {
	kind, name, _ := strings.Cut(m.value.Root, ":")
	return kind != "cookie" || knowledge.Named(t.kb.Fields.SessionCookies, name)
}

// hinted reports whether a word of the path tells what a request is about.
func (t *Tracker) hinted(r *reply, words []string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(r.message.Path, func(c rune) bool { return c == '/' || c == '.' || c == ':' }), func(segment string) bool {
		return knowledge.Named(words, segment)
	})
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

// site is the last two labels of a host, which its services usually share.
func site(host string) string {
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}
