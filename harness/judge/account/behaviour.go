package account

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// issued is what a reply gave out, sorted by what it is for.
type issued struct {
	principals    []*Minted // name the user, and are new
	known         []*Minted // name the user, and were issued before
	installations []*Minted
	credentials   []*Minted // were sent back as credentials
	secrets       []*Minted // of the credentials, those that nobody could guess
}

// sort takes a reply apart.
func (t *Tracker) sort(r *reply, index int) issued {
	var out issued
	alive := r.alive()
	for _, m := range alive {
		if m.reply != index {
			continue
		}
		principal := t.principal(&m.value, r) && (!m.value.Listed || sole(m, alive))
		switch {
		case principal:
			out.principals = append(out.principals, m)
		case t.installation(&m.value):
			out.installations = append(out.installations, m)
			continue
		case m.value.Listed && t.idLike(m):
			continue // one of many
		}
		if m.short {
			continue
		}
		if m.Credential && t.mayBeCredential(m) && !(principal && m.value.JWT) {
			out.credentials = append(out.credentials, m)
			if !principal {
				out.secrets = append(out.secrets, m)
			}
		}
	}
	for _, m := range r.known {
		if !m.gone() && t.principal(&m.value, r) {
			out.known = append(out.known, m)
		}
	}
	// An id whose field has no telling name names the user if the app sends it as what does.
	if len(out.principals) == 0 && len(out.known) == 0 {
		for _, m := range alive {
			beside := slices.ContainsFunc(out.secrets, func(c *Minted) bool { return c != m })
			if m.reply == index && m.Named && beside && !m.value.JWT && !t.token(&m.value) && !m.value.Listed && !t.others(&m.value) && !t.installation(&m.value) {
				out.principals = append(out.principals, m)
			}
		}
	}
	return out
}

// sole reports whether a principal in a list stands beside a credential that was used: then
// the list is how the service answers, and not one of people.
func sole(m *Minted, alive []*Minted) bool {
	own := m.value.object()
	return slices.ContainsFunc(alive, func(c *Minted) bool {
		return c != m && c.Credential && c.value.Listed && (c.value.object() == own || strings.HasPrefix(own, c.value.object()+"."))
	})
}

// idLike reports whether a value is an id by its name.
func (t *Tracker) idLike(m *Minted) bool {
	name := knowledge.FoldName(m.value.field())
	return name == "id" || name == "uuid" || knowledge.Named(t.kb.Fields.Principals, name)
}

// byBehaviour classifies a reply that no signature fits.
func (t *Tracker) byBehaviour(r *reply, index int, accounts map[*Minted]bool) []Outcome {
	is := t.sort(r, index)
	if r.before && !r.anonymous {
		return nil // whoever that is was known before anything was recorded
	}
	var out []Outcome
	account := func(sure float64, minted []*Minted, format string, args ...any) {
		o := r.outcome(knowledge.KindAccount)
		o.name(slices.Concat(is.principals, is.known)...)
		o.Minted, o.Used, o.Sure = minted, true, sure
		o.Grounds = "no known service fits; " + fmt.Sprintf(format, args...) + o.cameBack()
		if r.anonymous {
			o.Grounds += "; the answer itself says that the user is anonymous"
		}
		out = append(out, o)
	}
	// An account that came back is one whether or not the app went on to use it here.
	counted := func(m *Minted) bool { return m.first != nil && accounts[m.root()] }
	old := slices.ContainsFunc(is.known, func(m *Minted) bool { return accounts[m.root()] })
	named := slices.Concat(is.principals, is.known)
	unguessed := slices.DeleteFunc(slices.Clone(named), func(m *Minted) bool { return m.short })
	replayed := slices.DeleteFunc(slices.Clone(unguessed), func(m *Minted) bool { return !m.Named && !m.Credential })
	switch {
	case old:
		// New credentials of an account that was counted, or more of its ids.
	case len(is.credentials) == 0 && slices.ContainsFunc(is.principals, counted):
		account(0.9, is.principals, "the answer gave out %s, which names the user of an account that the app used before", list(is.principals))
	case len(named) > 0 && len(is.credentials) > 0:
		sure, but := 0.95, ""
		switch {
		case len(unguessed) == 0 && slices.ContainsFunc(named, func(m *Minted) bool { return m.value.JWT }):
			sure, but = 0.9, "; the id alone could be guessed, the token that is issued to it could not"
		case len(unguessed) == 0:
			sure, but = 0.8, "; the id alone could be guessed, what was issued with it could not"
		}
		account(sure, unique(slices.Concat(is.principals, is.credentials)), "the answer gave out %s, which names a user, and %s, which the app sent back as a credential%s%s",
			list(named), list(is.credentials), used(is.credentials), but)
	case slices.ContainsFunc(r.carried, func(m *Minted) bool { return accounts[m.root()] }):
		// More about an account that was counted.
	case len(named) > 0 && t.own(r, named) && len(t.carried(r)) > 0:
		carried := t.carried(r)
		account(0.85, append(slices.Clone(carried), is.principals...), "the app asked who it is with %s, which the service had issued%s, and the answer named a user in %s",
			list(carried), used(carried), list(named))
	case len(replayed) > 0:
		account(0.75, replayed, "the answer gave out %s, which names a user, and the app sent it back as the user's id%s", list(replayed), used(replayed))
	case len(is.credentials) > 0:
		o := r.outcome(knowledge.KindSession)
		o.Minted = is.credentials
		o.Used, o.Sure = true, 0.8
		o.Grounds = fmt.Sprintf("no known service fits; the answer gave out %s, which the app sent back as a credential%s; nothing in it names a user",
			list(is.credentials), used(is.credentials))
		out = append(out, o)
	}
	sent := slices.ContainsFunc(is.installations, func(m *Minted) bool { return len(m.Uses) > 0 })
	if len(is.installations) > 0 && (t.hinted(r, t.kb.Fields.InstallationHints) || sent) {
		o := r.outcome(knowledge.KindInstallation)
		o.Minted, o.Used, o.Sure = is.installations, sent, 0.8
		o.Grounds = fmt.Sprintf("no known service fits; the answer gave out %s, which names an installation or a device%s; it is no account",
			list(is.installations), used(is.installations))
		out = append(out, o)
	}
	return out
}

// carried are the credentials that a request was made with and that were minted indeed.
func (t *Tracker) carried(r *reply) []*Minted {
	return slices.DeleteFunc(slices.Clone(r.carried), func(m *Minted) bool {
		return m.gone() || m.short || t.installation(&m.value) || !t.mayBeCredential(m) || Site(m.host) != Site(r.message.Host)
	})
}

// own reports whether an answer is about whoever asked: the path says so, or the object.
func (t *Tracker) own(r *reply, named []*Minted) bool {
	if knowledge.Named(t.kb.Fields.SelfHints, lastWord(r.message.Path)) {
		return true
	}
	return slices.ContainsFunc(named, func(m *Minted) bool {
		parents := t.parents(&m.value)
		return len(parents) > 0 && knowledge.Named(t.kb.Fields.SelfHints, parents[len(parents)-1]) && !strings.EqualFold(parents[len(parents)-1], "user")
	})
}

// mayBeCredential leaves out cookies whose name says nothing: those of delivery
// networks and counters have new names every month. So do fields that a page's forms hide.
func (t *Tracker) mayBeCredential(m *Minted) bool {
	kind, name, _ := strings.Cut(m.value.Root, ":")
	return !m.value.Hidden && (kind != "cookie" || m.value.JWT || knowledge.Named(t.kb.Fields.SessionCookies, name))
}
