package reports

import (
	"slices"
	"sort"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
)

// Dossier is what each company now knows of the person who never signed up, and by what
// the records of several can be joined. It restates findings; each entry names its own.
type Dossier struct {
	Holders []Holder `json:"holders"` // the one with the gravest entry first
	Joins   []Join   `json:"joins"`   // identifiers that more than one holder has
}

// Holder is a company, or a host whose company is not known.
type Holder struct {
	Name    string   `json:"name"` // the company, else the host
	Country string   `json:"country,omitempty"`
	Hosts   []string `json:"hosts"`
	Entries []Entry  `json:"entries"`
}

// Entry is one thing that a holder has.
type Entry struct {
	Claim    judge.Claim        `json:"claim"`
	Subject  string             `json:"subject"`         // the canary's kind, the service, the draft
	Value    string             `json:"value,omitempty"` // the value itself, as it was planted or issued
	Hashed   bool               `json:"hashed,omitempty"`
	Chain    []string           `json:"chain,omitempty"` // decodings and hashes of the first proof
	Consents []evidence.Consent `json:"consents"`        // the states in which it was sent
	Signup   bool               `json:"signup,omitempty"`
	Findings []string           `json:"findings"` // ids
}

// Join is one value that several holders have: whoever has access to the records of two of them can join these.
type Join struct {
	Subject string   `json:"subject"`
	Value   string   `json:"value"`
	Holders []string `json:"holders"`
}

// NewDossier sorts the findings of a judgement by who holds what.
func NewDossier(j *judge.Judgement) Dossier {
	d := Dossier{Holders: []Holder{}, Joins: []Join{}}
	at := make(map[string]int)
	for _, f := range j.Findings {
		if !held(f) {
			continue
		}
		name := f.Owner
		if name == "" {
			name = f.Host
		}
		if name == "" {
			continue
		}
		i, ok := at[name]
		if !ok {
			i = len(d.Holders)
			at[name] = i
			d.Holders = append(d.Holders, Holder{Name: name, Country: f.Country, Hosts: []string{}, Entries: []Entry{}})
		}
		d.Holders[i].add(f)
	}
	for i := range d.Holders {
		entries := d.Holders[i].Entries
		sort.SliceStable(entries, func(a, b int) bool { return entries[a].gravity() < entries[b].gravity() })
	}
	sort.SliceStable(d.Holders, func(a, b int) bool {
		ea, eb := d.Holders[a].Entries, d.Holders[b].Entries
		if ga, gb := ea[0].gravity(), eb[0].gravity(); ga != gb {
			return ga < gb
		}
		return len(ea) > len(eb)
	})
	d.join()
	return d
}

func (e *Entry) gravity() int {
	return explain.Gravity(judge.Finding{Claim: e.Claim, Subject: e.Subject})
}

// held reports whether a finding leaves something with somebody else. What is only possible does not, and what a
// service answers with was counted when it was sent, if that was seen.
func held(f judge.Finding) bool {
	switch f.Claim {
	case judge.DeviceAccountAdded, judge.CredentialsKept, judge.IdentifierIsOnlyApp:
		return false
	case judge.IdentifierReturned:
		return f.Unseen && !f.Possible
	}
	return !f.Possible
}

func (h *Holder) add(f judge.Finding) {
	if f.Host != "" && !slices.Contains(h.Hosts, f.Host) {
		h.Hosts = append(h.Hosts, f.Host)
	}
	var e *Entry
	for i := range h.Entries {
		if have := &h.Entries[i]; have.Claim == f.Claim && have.Subject == f.Subject && have.Value == f.Value {
			e = have
		}
	}
	chain, hashed := disguise(f)
	if e == nil {
		h.Entries = append(h.Entries, Entry{
			Claim: f.Claim, Subject: f.Subject, Value: f.Value, Hashed: hashed, Chain: chain,
			Consents: []evidence.Consent{}, Signup: f.Signup, Findings: []string{},
		})
		e = &h.Entries[len(h.Entries)-1]
	}
	e.Hashed = e.Hashed && hashed
	e.Signup = e.Signup && f.Signup
	e.Findings = append(e.Findings, f.ID)
	for _, c := range consents(f) {
		if !slices.Contains(e.Consents, c) {
			e.Consents = append(e.Consents, c)
		}
	}
}

// disguise is the chain of a finding's plainest proof, and whether only fingerprints were seen.
func disguise(f judge.Finding) (chain []string, hashed bool) {
	hashed = len(f.Proof) > 0
	for i, p := range f.Proof {
		isHash := false
		for _, step := range p.Chain {
			isHash = isHash || explain.Hash(step)
		}
		if i == 0 || hashed && !isHash {
			chain = p.Chain
		}
		hashed = hashed && isHash
	}
	return chain, hashed
}

// consents lists the states that a finding was seen in, in the order in which a person goes through them.
func consents(f judge.Finding) []evidence.Consent {
	seen := map[evidence.Consent]bool{f.Consent: true}
	for _, p := range f.Proof {
		seen[p.Consent] = true
	}
	var out []evidence.Consent
	for _, c := range allConsents {
		if seen[c] {
			out = append(out, c)
		}
	}
	return out
}

var allConsents = []evidence.Consent{evidence.Untouched, evidence.Ignored, evidence.Choosing, evidence.Rejected, evidence.Accepted, evidence.Withdrawn}

func (d *Dossier) join() {
	type key struct{ subject, value string }
	at := make(map[key]int)
	var joins []Join
	for _, h := range d.Holders {
		for _, e := range h.Entries {
			if e.Claim != judge.IdentifierSent || e.Value == "" {
				continue
			}
			k := key{e.Subject, e.Value}
			i, ok := at[k]
			if !ok {
				i = len(joins)
				at[k] = i
				joins = append(joins, Join{Subject: e.Subject, Value: e.Value})
			}
			if !slices.Contains(joins[i].Holders, h.Name) {
				joins[i].Holders = append(joins[i].Holders, h.Name)
			}
		}
	}
	for _, j := range joins {
		if len(j.Holders) > 1 {
			d.Joins = append(d.Joins, j)
		}
	}
	sort.SliceStable(d.Joins, func(a, b int) bool { return len(d.Joins[a].Holders) > len(d.Joins[b].Holders) })
}
