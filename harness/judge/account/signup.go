package account

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// InferSignup has the tracker recognise a person's sign-up or login by what requests
// hold. It is for recordings only: in an audit the protocol says who signed up, and what
// an app sends of its own accord excuses nothing.
func (t *Tracker) InferSignup() { t.infer = true }

// signedUp reports whether a request is a person's sign-up or login: what they typed, or
// what another service says of them.
func (t *Tracker) signedUp(m *Message) bool {
	s := &t.kb.Fields.Signup
	var identifier, made, mail, secret, personal, device, provider, foreign bool
	for i := range m.Values {
		v := &m.Values[i]
		if v.JWT && v.Key == "iss" && inBody(v) {
			provider = provider || slices.ContainsFunc(s.Providers, func(name string) bool { return strings.Contains(name, ".") && strings.Contains(v.Text, name) })
		}
		if v.Key == "" || v.Listed || len(v.Text) < 2 || !inBody(v) && v.Root != "url" || v.JWT {
			continue
		}
		name := knowledge.FoldName(v.field())
		switch {
		case knowledge.Named(s.Identifiers, name):
			// What nobody can remember the app made up, with a password to match.
			typed := allDigits(v.Text) || strings.Contains(v.Text, "@") || !unguessable(v.Text)
			identifier, made = identifier || typed, made || !typed
			mail = mail || strings.Contains(v.Text, "@") || strings.HasPrefix(v.Text, "+")
		case name == "granttype":
			if slices.Contains(s.Grants, v.Text) {
				foreign, provider = foreign || v.Text != "password", true
			}
			continue
		case knowledge.Named(s.Personal, name):
			personal = true
		case knowledge.Named(s.Hardware, name):
			device = true
		}
		if knowledge.Named(s.Secrets, name) {
			secret = true
		}
		if knowledge.Named(s.ProviderFields, name) && slices.Contains(s.Providers, strings.ToLower(v.Text)) {
			provider = true
		}
		// What was issued here is nothing that another service says of a person.
		if knowledge.Named(s.ProviderTokens, name) && len(v.Text) >= shortestMinted {
			if _, minted := t.byValue[v.Text]; !minted {
				foreign = true
				provider = provider || strings.Contains(v.Text, "providerId=")
			}
		}
		if name == "code" && unguessable(v.Text) {
			if _, minted := t.byValue[v.Text]; !minted {
				foreign = true
			}
		}
	}
	words := pathWords(m.Path)
	asked := slices.ContainsFunc(words, func(w string) bool {
		return knowledge.Named(s.Paths, w) || slices.Contains(s.Providers, strings.ToLower(w))
	})
	asked = asked || knowledge.Named(s.Paths, lastTwo(m.Path))
	creating := m.Method == "POST" && knowledge.Named(s.Creating, lastWord(m.Path))
	installs := slices.ContainsFunc(words, func(w string) bool { return knowledge.Named(t.kb.Fields.InstallationHints, w) })
	switch {
	case identifier && secret, provider && foreign:
		return true
	case identifier && personal && (asked || creating):
		return true
	case device || installs || made && !identifier:
		return false // an app that sends the address of the phone's owner along
	}
	return identifier && mail && (asked || creating) || secret && asked
}

// lastTwo is the end of a path whose last words belong together: accounts:signUp.
func lastTwo(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// Site is the registrable domain of a host, whose names are usually one service's.
func Site(host string) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return domain
}

// renews reports whether a request asks for new credentials with one that was issued
// before anything was recorded.
func (t *Tracker) renews(m *Message) bool {
	return slices.ContainsFunc(m.Values, func(v Value) bool {
		if v.JWT || !inBody(&v) && v.Root != flow.SurfaceURL || !knowledge.Named(t.kb.Fields.Renewals, v.field()) || !unguessable(v.Text) {
			return false
		}
		_, known := t.byValue[v.Text]
		return !known
	})
}

// anonymous reports whether a response says that its user did not sign up.
func (t *Tracker) anonymous(m *Message) bool {
	f := &t.kb.Fields
	return slices.ContainsFunc(m.Values, func(v Value) bool {
		switch name := v.field(); {
		case v.Listed && !strings.HasSuffix(v.Path, "]") || !fielded(&v) || len(v.Text) > 32:
			return false
		case knowledge.Named(f.Anonymous, name):
			return v.Text == "true" || v.Text == "1"
		case knowledge.Named(f.AnonymousPlaces, name):
			return slices.Contains(f.AnonymousValues, strings.ToLower(v.Text))
		}
		return false
	})
}
