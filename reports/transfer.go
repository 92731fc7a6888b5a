package reports

import (
	"sort"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
)

// transfer is what one host was sent, over all findings.
type transfer struct {
	Host, Owner, Country, Purpose string
	Items                         []item
	Flows                         int
	Sent                          int64 // bytes
	Violates                      bool
}

// item is one thing that a host was sent, or one that it issued.
type item struct {
	What     string // in words
	How      string // "plain", "SHA-256"
	Issued   bool   // the service issued it
	Hashed   bool
	Signup   bool
	Violates bool // one of its findings violates a question
	Consents map[evidence.Consent]bool
	Findings []numbered
}

// gravity is that of the gravest finding about it.
func (it *item) gravity() int {
	least := explain.Gravity(it.Findings[0].Finding)
	for _, f := range it.Findings {
		least = min(least, explain.Gravity(f.Finding))
	}
	return least
}

// transfers sorts findings by the host they are about; hosts with the gravest come first.
// Hosts that were talked to and sent nothing that was looked for are returned apart.
func transfers(j *judge.Judgement, findings []numbered) (with []transfer, without []judge.Recipient) {
	at := make(map[string]int)
	for _, f := range findings {
		if !held(f.Finding) || f.Host == "" {
			continue
		}
		i, ok := at[f.Host]
		if !ok {
			i = len(with)
			at[f.Host] = i
			with = append(with, transfer{Host: f.Host, Owner: f.Owner, Country: f.Country})
		}
		with[i].add(f)
	}
	for _, r := range j.Recipients {
		if i, ok := at[r.Host]; ok {
			with[i].Purpose, with[i].Flows, with[i].Sent = r.Purpose, r.Flows, r.Sent
			if with[i].Owner == "" {
				with[i].Owner, with[i].Country = r.Owner, r.Country
			}
			continue
		}
		without = append(without, r)
	}
	for i := range with {
		items := with[i].Items
		sort.SliceStable(items, func(a, b int) bool { return items[a].gravity() < items[b].gravity() })
	}
	sort.SliceStable(with, func(a, b int) bool {
		if with[a].Violates != with[b].Violates {
			return with[a].Violates
		}
		if ga, gb := with[a].Items[0].gravity(), with[b].Items[0].gravity(); ga != gb {
			return ga < gb
		}
		return len(with[a].Items) > len(with[b].Items)
	})
	together(with)
	sort.SliceStable(without, func(a, b int) bool { return without[a].Flows > without[b].Flows })
	return with, without
}

// together puts the hosts of one company next to each other.
func together(with []transfer) {
	first := make(map[string]int)
	for i, t := range with {
		if _, ok := first[t.Owner]; !ok && t.Owner != "" {
			first[t.Owner] = i
		}
	}
	place := make(map[string]int, len(with)) // by host
	for i, t := range with {
		place[t.Host] = i
		if t.Owner != "" {
			place[t.Host] = first[t.Owner]
		}
	}
	sort.SliceStable(with, func(a, b int) bool { return place[with[a].Host] < place[with[b].Host] })
}

func (t *transfer) add(f numbered) {
	chain, hashed := disguise(f.Finding)
	what := itemName(f.Finding)
	t.Violates = t.Violates || len(f.Violates) > 0
	var it *item
	for i := range t.Items {
		if t.Items[i].What == what && t.Items[i].Hashed == hashed && t.Items[i].Signup == f.Signup {
			it = &t.Items[i]
		}
	}
	if it == nil {
		t.Items = append(t.Items, item{
			What: what, How: howSent(chain, hashed), Hashed: hashed, Signup: f.Signup,
			Issued: issued(f.Claim), Consents: make(map[evidence.Consent]bool),
		})
		it = &t.Items[len(t.Items)-1]
	}
	it.Findings = append(it.Findings, f)
	it.Violates = it.Violates || len(f.Violates) > 0
	for _, c := range consents(f.Finding) {
		it.Consents[c] = true
	}
}

// issued reports whether a claim is about something that the service gave, not got.
func issued(c judge.Claim) bool {
	switch c {
	case judge.AccountCreated, judge.AccountRecoverable, judge.AccountObject, judge.AccountContinued, judge.AccountConfirmed,
		judge.InstallationIssued, judge.DeviceRemembered, judge.SessionIssued:
		return true
	}
	return false
}

func itemName(f judge.Finding) string {
	switch f.Claim {
	case judge.IdentifierSent:
		return explain.Kind(f.Subject)
	case judge.IdentifierReturned:
		return explain.Kind(f.Subject) + ", which it was not seen being sent"
	case judge.DraftUploaded:
		return "unposted draft"
	case judge.FeatureVectorSent:
		return "what looks like face geometry"
	case judge.AccountCreated, judge.AccountRecoverable, judge.AccountObject, judge.AccountContinued, judge.AccountConfirmed:
		return "user account"
	case judge.InstallationIssued, judge.DeviceRemembered:
		return "installation ID"
	case judge.SessionIssued:
		return "guest session"
	}
	return explain.Claim(f.Claim)
}

// howSent says how a value stood in the message: the hashes, else "plain".
func howSent(chain []string, hashed bool) string {
	if !hashed {
		return "plain"
	}
	for _, step := range chain {
		if explain.Hash(step) {
			return "as " + explain.Step(step)
		}
	}
	return ""
}
