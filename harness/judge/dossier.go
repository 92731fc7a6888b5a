package judge

import (
	"cmp"
	"slices"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge/account"
)

// Holdings are what each company now holds about this person, and by which values the
// records of several can be joined.
type Holdings struct {
	Companies []Company `json:"companies"` // by name
	Links     []Link    `json:"links"`     // what more than one of them holds, by how many that are
}

// Company is who answers at some hosts: their owner, or the registrable domain where the
// owner is not known.
type Company struct {
	Name    string    `json:"name"`
	Known   bool      `json:"known"` // the name is an owner's, and no domain
	Country string    `json:"country,omitempty"`
	Hosts   []string  `json:"hosts"`
	Holds   []Holding `json:"holds"`
}

// Holding is one thing that a company holds.
type Holding struct {
	What     HeldAs             `json:"what"`
	Kind     string             `json:"kind"`              // of an identifier: the canary's; of an id: principal, session or installation; of a draft: the finding's subject
	Value    string             `json:"value,omitempty"`   // the identifier or the id
	Service  string             `json:"service,omitempty"` // that issued the id
	Event    uint64             `json:"event"`             // the first in which it was seen going there or coming from there
	Phases   []string           `json:"phases"`
	Consents []evidence.Consent `json:"consents"`           // in which it was seen
	Signup   bool               `json:"signup,omitempty"`   // only after a person's sign-up
	Findings []string           `json:"findings,omitempty"` // ids; none for an id that another company issued
}

// HeldAs says how a company came to hold something.
type HeldAs string

// The ways.
const (
	HeldIdentifier HeldAs = "identifier" // it was sent an identifier of the device or the person
	HeldIssued     HeldAs = "issued"     // it gave out the id itself
	HeldReceived   HeldAs = "received"   // it was sent an id that another company gave out
	HeldDraft      HeldAs = "draft"      // it was sent a recording that was never posted, or what was measured in it
)

// Link is one value that several companies hold: whoever has two of their records can
// tell that they are about the same person.
type Link struct {
	What      HeldAs   `json:"what"` // HeldIdentifier or HeldIssued
	Kind      string   `json:"kind"`
	Value     string   `json:"value"`
	Companies []string `json:"companies"` // names, of two or more
}

// files are holdings in the making.
type files struct {
	c         *inquiry
	companies map[string]*Company
}

// dossier sorts findings, and what services issued, by who holds it.
func (c *inquiry) dossier(findings []Finding) *Holdings {
	d := &files{c: c, companies: map[string]*Company{}}
	for i := range findings {
		d.finding(&findings[i])
	}
	for i := range c.gave {
		d.issued(&c.gave[i])
	}
	out := &Holdings{Companies: []Company{}, Links: d.links()}
	for _, name := range sorted(d.companies) {
		slices.Sort(d.companies[name].Hosts)
		holds := d.companies[name].Holds
		slices.SortStableFunc(holds, func(a, b Holding) int {
			return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.What, b.What), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
		})
		out.Companies = append(out.Companies, *d.companies[name])
	}
	return out
}

// at is the company at a host.
func (d *files) at(host string) *Company {
	name, known, country := account.Site(host), false, ""
	if o, ok := d.c.kb.Owners.Of(host); ok {
		name, known, country = o.Name(), true, o.Country
	}
	company := d.companies[name]
	if company == nil {
		company = &Company{Name: name, Known: known, Country: country, Hosts: []string{}, Holds: []Holding{}}
		d.companies[name] = company
	}
	if !slices.Contains(company.Hosts, host) {
		company.Hosts = append(company.Hosts, host)
	}
	return company
}

// finding files what somebody was sent. What is only possible, and what lies on the
// device alone, nobody else holds.
func (d *files) finding(f *Finding) {
	if f.Host == "" || f.Possible {
		return
	}
	h := Holding{Kind: f.Subject, Value: f.Value, Phases: f.Phases, Signup: f.Signup, Findings: []string{f.ID}}
	switch {
	case f.Claim == IdentifierSent, f.Claim == IdentifierReturned && f.Unseen:
		h.What = HeldIdentifier
	case f.Claim == DraftUploaded, f.Claim == FeatureVectorSent:
		h.What, h.Value = HeldDraft, ""
	default:
		return
	}
	for _, p := range f.Proof {
		h.see(p.Event, p.Phase, p.Consent)
	}
	d.at(f.Host).hold(h)
}

// issued files an id with who issued it, and with whom else it was sent to.
func (d *files) issued(x *Issued) {
	here := d.at(x.Host)
	for _, m := range x.Minted {
		h := Holding{What: HeldIssued, Kind: x.Kind, Value: cut(m.Value, longestExcerpt), Service: x.Service, Signup: x.Signup}
		h.see(m.Event, m.Phase, m.Consent)
		here.hold(h)
	}
	for _, u := range x.Used {
		host := d.c.sight.hosts[u.Flow]
		if host == "" || u.Value == "" {
			continue
		}
		if there := d.at(host); there != here {
			h := Holding{What: HeldReceived, Kind: x.Kind, Value: cut(u.Value, longestExcerpt), Service: x.Service, Signup: x.Signup}
			h.see(u.Event, u.Phase, u.Consent)
			there.hold(h)
		}
	}
}

// see notes where something was seen.
func (h *Holding) see(event uint64, phase string, consent evidence.Consent) {
	if h.Event == 0 || event < h.Event {
		h.Event = event
	}
	if phase != "" && !slices.Contains(h.Phases, phase) {
		h.Phases = append(h.Phases, phase)
	}
	if consent != "" && !slices.Contains(h.Consents, consent) {
		h.Consents = append(h.Consents, consent)
	}
}

// hold adds a holding, or to one that says the same.
func (c *Company) hold(h Holding) {
	for i := range c.Holds {
		old := &c.Holds[i]
		if old.What == h.What && old.Kind == h.Kind && old.Value == h.Value && old.Service == h.Service {
			old.Event, old.Signup = min(old.Event, h.Event), old.Signup && h.Signup
			for _, p := range h.Phases {
				old.see(old.Event, p, "")
			}
			for _, consent := range h.Consents {
				old.see(old.Event, "", consent)
			}
			for _, id := range h.Findings {
				if !slices.Contains(old.Findings, id) {
					old.Findings = append(old.Findings, id)
				}
			}
			return
		}
	}
	h.Phases, h.Consents = notNil(slices.Clone(h.Phases)), notNil(h.Consents)
	c.Holds = append(c.Holds, h)
}

// links are the values that more than one company holds.
func (d *files) links() []Link {
	type value struct {
		what  HeldAs
		value string
	}
	shared := map[value]*Link{}
	var order []value
	for _, name := range sorted(d.companies) {
		for _, h := range d.companies[name].Holds {
			what := h.What
			if what == HeldReceived {
				what = HeldIssued
			}
			if h.Value == "" || what == HeldDraft {
				continue
			}
			k := value{what, h.Value}
			if shared[k] == nil {
				shared[k] = &Link{What: what, Kind: h.Kind, Value: h.Value}
				order = append(order, k)
			}
			if l := shared[k]; !slices.Contains(l.Companies, name) {
				l.Companies = append(l.Companies, name)
			}
		}
	}
	out := []Link{}
	for _, k := range order {
		if len(shared[k].Companies) > 1 {
			out = append(out, *shared[k])
		}
	}
	slices.SortStableFunc(out, func(a, b Link) int {
		return cmp.Or(cmp.Compare(len(b.Companies), len(a.Companies)), cmp.Compare(a.What, b.What), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	return out
}
