package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// How much of the dossier a page lists; the rest is counted.
const (
	maxCompanies = 100
	maxHoldings  = 60 // of one company
	maxLinks     = 60
)

// dossier is what each company holds, as it is shown: the company with the gravest first.
type dossier struct {
	Companies []dossierCompany
	Left      int // companies that are not listed
	Links     []dossierLink
	LeftLinks int
}

// dossierCompany is a company with what it holds, the gravest first.
type dossierCompany struct {
	judge.Company
	Rows []dossierRow
	Left int // rows that are not listed
}

// dossierRow is one thing that a company holds.
type dossierRow struct {
	First    bool
	What     string // in words
	How      string // how it came by it
	Value    string
	Hashed   bool   // what it has is a hash of the value
	When     string // by consent state
	Findings []numbered
	Links    []int // by number: who else holds the value
}

// dossierLink is one value that several companies hold.
type dossierLink struct {
	Number    int
	What      string
	Value     string
	Companies []string
	Issued    bool // one of them gave it out
}

// Issued reports whether an ID that a company gave out is among what joins records.
func (d dossier) Issued() bool {
	return slices.ContainsFunc(d.Links, func(l dossierLink) bool { return l.Issued })
}

// newDossier shows what the judge found that companies hold.
func newDossier(j *judge.Judgement, findings []numbered) dossier {
	var d dossier
	if j.Dossier == nil {
		return d
	}
	type value struct {
		issued bool
		value  string
	}
	at := make(map[value]int) // numbers of links
	for i, l := range j.Dossier.Links {
		issued := l.What != judge.HeldIdentifier
		at[value{issued, l.Value}] = i + 1
		if i >= maxLinks {
			d.LeftLinks++
			continue
		}
		what := idName(l.Kind)
		if !issued {
			what = explain.Kind(l.Kind)
		}
		d.Links = append(d.Links, dossierLink{Number: i + 1, What: title(what), Value: inert.Middle(l.Value, 120), Companies: l.Companies, Issued: issued})
	}
	byID := make(map[string]numbered, len(findings))
	for _, f := range findings {
		byID[f.ID] = f
	}
	least := make(map[string]int, len(j.Dossier.Companies)) // gravity, by company
	for _, c := range j.Dossier.Companies {
		company := dossierCompany{Company: c}
		gravity := make(map[string]int) // by what, so that rows of one kind stand together
		for _, h := range c.Holds {
			row := newDossierRow(h, c, byID, findings)
			if n := at[value{h.What != judge.HeldIdentifier, h.Value}]; n > 0 && h.Value != "" && h.What != judge.HeldDraft && n <= maxLinks {
				row.Links = append(row.Links, n)
			}
			g := 40
			if h.Kind == judge.IssuedPrincipal {
				g = 0
			}
			for _, f := range row.Findings {
				g = min(g, explain.Gravity(f.Finding))
			}
			if have, ok := gravity[row.What]; !ok || g < have {
				gravity[row.What] = g
			}
			company.Rows = append(company.Rows, row)
		}
		slices.SortStableFunc(company.Rows, func(a, b dossierRow) int {
			return cmp.Or(gravity[a.What]-gravity[b.What], strings.Compare(a.What, b.What))
		})
		if len(company.Rows) == 0 {
			continue
		}
		least[c.Name] = gravity[company.Rows[0].What]
		company.Left = max(len(company.Rows)-maxHoldings, 0)
		company.Rows = company.Rows[:len(company.Rows)-company.Left]
		company.Rows[0].First = true
		d.Companies = append(d.Companies, company)
	}
	slices.SortStableFunc(d.Companies, func(a, b dossierCompany) int {
		return cmp.Or(least[a.Name]-least[b.Name], len(b.Rows)-len(a.Rows))
	})
	d.Left = max(len(d.Companies)-maxCompanies, 0)
	d.Companies = d.Companies[:len(d.Companies)-d.Left]
	return d
}

func newDossierRow(h judge.Holding, c judge.Company, byID map[string]numbered, findings []numbered) dossierRow {
	row := dossierRow{Value: inert.Middle(h.Value, 120)}
	for _, id := range h.Findings {
		if f, ok := byID[id]; ok {
			row.Findings = append(row.Findings, f)
		}
	}
	switch h.What {
	case judge.HeldIdentifier:
		row.What, row.Hashed = explain.Kind(h.Kind), len(row.Findings) > 0
		var chain []string
		for i, f := range row.Findings {
			steps, hashed := disguise(f.Finding)
			if i == 0 || row.Hashed && !hashed {
				chain = steps
			}
			row.Hashed = row.Hashed && hashed
		}
		row.How = "sent to it, " + howSent(chain, row.Hashed)
	case judge.HeldIssued, judge.HeldReceived:
		row.What, row.How = idName(h.Kind), "issued by it"
		if h.What == judge.HeldReceived {
			row.How = "sent to it; issued by " + inert.Middle(h.Service, 60)
		}
		for _, f := range findings {
			if kind, ok := issuedKind(f.Claim); ok && kind == h.Kind && f.Subject == h.Service && (h.What == judge.HeldReceived || slices.Contains(c.Hosts, f.Host)) {
				row.Findings = append(row.Findings, f)
			}
		}
	default:
		row.What, row.How = inert.Line(string(h.What), 60), "sent to it"
		if len(row.Findings) > 0 {
			row.What = itemName(row.Findings[0].Finding)
		}
	}
	row.What = title(row.What)
	slices.SortFunc(row.Findings, func(a, b numbered) int { return a.Number - b.Number })
	seen := make(map[string]bool)
	for _, consent := range h.Consents {
		seen[explain.Consent(consent)] = true
	}
	var when []string
	for _, consent := range allConsents {
		if said := explain.Consent(consent); seen[said] {
			when = append(when, said)
		}
	}
	if h.Signup {
		when = append(when, "after a person’s own sign-up")
	}
	row.When = strings.Join(when, "; ")
	return row
}

// idName names what a service issued.
func idName(kind string) string {
	switch kind {
	case judge.IssuedPrincipal:
		return "user account"
	case judge.IssuedSession:
		return "guest session"
	case judge.IssuedInstallation:
		return "installation ID"
	}
	return explain.Kind(kind)
}

// issuedKind is the kind of id that a claim is about.
func issuedKind(c judge.Claim) (kind string, ok bool) {
	switch c {
	case judge.AccountCreated, judge.AccountRecoverable, judge.AccountObject, judge.AccountContinued, judge.AccountConfirmed:
		return judge.IssuedPrincipal, true
	case judge.InstallationIssued, judge.DeviceRemembered:
		return judge.IssuedInstallation, true
	case judge.SessionIssued:
		return judge.IssuedSession, true
	}
	return "", false
}
