package reports

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports/internal/record"
)

//go:embed html
var htmlFiles embed.FS

// page is what the HTML template is given. Every string in it that came from outside is inert.
type page struct {
	CSS     template.CSS
	Policy  string // content security policy
	App     evidence.App
	Name    string
	Verdict judge.Verdict
	Lead    string
	Note    string // an audit that did not run to its end
	Stamp   string
	StampIs string

	Manifest  evidence.Manifest
	Start     evidence.AuditStart
	Bundle    evidence.Digest // of the manifest, where the evidence says it
	Judgement *judge.Judgement
	Began     time.Time
	Lasted    string
	Ladder    []rung
	Facts     []fact
	Questions []answer
	States    []evidence.Consent // the consent states of the audit, in order
	Sent      []sentTo
	Other     []judge.Recipient
	Map, Slim *flowMap
	Findings  []finding
	Brief     []numbered // findings that are listed without their proof
	Dossier   dossier
	Links     *linkMap
	SlimLinks *linkMap
	SDKs      []sdkRow
	MoreSDKs  int // that are not listed
	Timeline  *timeline
	Course    []stage
	Screens   []screenshot
	NotShown  int // screenshots
	Opaque    []Opaque
	Bar       *coverageBar
	Closed    []closed // what could not be read, by destination
	Names     []judge.Name
	MoreNames int    // that are not listed
	Spots     []spot // that could hide a violation
	Noted     []judge.BlindSpot
	Unread    int // connections that could not be read
	Spare     int // connections that the app opened and did not need
	Canaries  []Canary
	Planted   int      // of them
	Missing   []string // kinds that were not planted
	Promises  string
	Exhibits  []Exhibit
	Glossary  []word
	Cut       bool
}

type rung struct {
	explain.Level
	Reached, Top bool
	Violates     bool // it is a violation to have reached it
}

type fact struct{ Number, Label string }

type answer struct {
	judge.Question
	Because  string
	Findings []numbered
	Spots    []judge.BlindSpot
}

type spot struct {
	judge.BlindSpot
	Questions []string // titles of those that it could hide a violation of
}

type word struct{ Word, Means string }

func writeHTML(ctx context.Context, w io.Writer, in Input) error {
	rec, err := record.Read(ctx, in.Evidence, in.Judgement)
	if err != nil {
		return err
	}
	p, err := newPage(ctx, in, rec)
	if err != nil {
		return err
	}
	css, err := htmlFiles.ReadFile("html/style.css")
	if err != nil {
		return err
	}
	p.CSS = template.CSS(css) //nolint:gosec // our own file
	p.Policy = policy(css)
	t, err := template.New("page.tmpl").Funcs(functions()).ParseFS(htmlFiles, "html/*.tmpl")
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

// policy allows nothing but this one style sheet and pictures that are part of the page.
func policy(css []byte) string {
	sum := sha256.Sum256(css)
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; form-action 'none'",
		base64.StdEncoding.EncodeToString(sum[:]))
}

func newPage(ctx context.Context, in Input, rec *record.Record) (*page, error) {
	m, j := rec.Manifest, in.Judgement
	findings := number(j)
	p := &page{
		App: m.App, Name: appName(m.App), Verdict: j.Verdict, Lead: lead(j, m.App), Manifest: m, Start: rec.Start, Judgement: j,
		Began: rec.Began, Lasted: lasted(rec.Ended.Sub(rec.Began)), Glossary: glossary(), Cut: rec.Dropped,
		Canaries: canaries(rec), States: states(rec, findings), Unread: unread(rec, j), Spare: rec.Spare, Promises: explain.Promises,
	}
	p.Planted, p.Missing = plantedOf(p.Canaries)
	if d, ok := in.Evidence.(interface{ Digest() evidence.Digest }); ok {
		p.Bundle = d.Digest()
	}
	if m.Device.Simulated {
		p.Stamp, p.StampIs = SimulatedStamp, simulatedNote
	}
	if m.End.How != evidence.Completed {
		p.Note = fmt.Sprintf("The audit did not run to its end (%s). What is missing could hide a violation. %s", inert.Line(m.End.How, 20), inert.Line(m.End.Error, 300))
	}
	for i, l := range explain.Ladder() {
		p.Ladder = append(p.Ladder, rung{
			Level: l, Reached: reached(i, findings), Top: i == j.Ladder, Violates: reached(i, findings) && breach(i, findings),
		})
	}
	for _, q := range j.Questions {
		a := answer{Question: q, Because: explain.Because(j, q), Spots: explain.BlindSpots(j, q.ID)}
		for _, f := range findings {
			for _, v := range f.Violates {
				if v.ID == q.ID {
					a.Findings = append(a.Findings, f)
				}
			}
		}
		p.Questions = append(p.Questions, a)
	}
	with, without := transfers(j, findings)
	p.Sent, p.Other = sentTable(with, p.States), without
	p.Map, p.Slim = newFlowMap(p.Name, with, wide), newFlowMap(p.Name, with, slim)
	p.Facts = facts(j, p.Unread, findings)
	var err error
	if p.Findings, p.Brief, err = openFindings(ctx, in.Evidence, rec, findings); err != nil {
		return nil, err
	}
	p.Dossier = newDossier(j, findings)
	p.Links, p.SlimLinks = newLinkMap(p.Dossier, wideLinks), newLinkMap(p.Dossier, slimLinks)
	p.SDKs, p.MoreSDKs = sdkTable(j.SDKs)
	p.Timeline = newTimeline(rec, findings)
	p.Course = course(rec, findings)
	if p.Screens, p.NotShown, err = screenshots(ctx, in.Evidence, rec); err != nil {
		return nil, err
	}
	p.spots()
	r := newReport(rec, j)
	p.Opaque, p.Exhibits = r.Opaque, r.Exhibits
	p.Bar, p.Closed = newCoverageBar(j.Coverage), closedTo(j.Opaque)
	p.Names, p.MoreNames = j.Names, max(len(j.Names)-maxNames, 0)
	p.Names = p.Names[:len(p.Names)-p.MoreNames]
	return p, nil
}

// states are the consent states that the audit went through, or that a finding names.
func states(rec *record.Record, findings []numbered) []evidence.Consent {
	seen := make(map[evidence.Consent]bool)
	for _, p := range rec.Phases {
		seen[p.Consent] = true
	}
	for _, f := range findings {
		for _, c := range consents(f.Finding) {
			seen[c] = true
		}
	}
	var out []evidence.Consent
	for _, c := range allConsents {
		if seen[c] {
			out = append(out, c)
		}
	}
	return out
}

// reached reports whether the proof of a level is in the evidence: that of a higher one says nothing of it, for
// an account may have a profile (L5) and nobody tested whether it comes back (L4).
func reached(level int, findings []numbered) bool {
	return slices.ContainsFunc(findings, func(f numbered) bool { return level > 0 && f.Level == level && !f.Signup })
}

// breach reports whether reaching a level of the ladder broke a promise: to send an identifier (L1), or to
// create an account (L3 and up). An installation ID (L2) breaks none.
func breach(level int, findings []numbered) bool {
	return slices.ContainsFunc(findings, func(f numbered) bool {
		if len(f.Violates) == 0 {
			return false
		}
		return level == 1 && f.Claim == judge.IdentifierSent || level >= 3 && explain.Gravity(f.Finding) == 0
	})
}

// facts are the numbers of the first screen. They count what the sentence above them counts: violations.
func facts(j *judge.Judgement, unread int, findings []numbered) []fact {
	var holders, countries, kinds []string
	violating, nowhere := 0, 0
	for _, f := range findings {
		if len(f.Violates) == 0 {
			continue
		}
		violating++
		if f.Claim == judge.IdentifierSent {
			kinds = add(kinds, f.Subject)
			holders = add(holders, holderOf(f.Finding))
			countries = add(countries, f.Country)
			if f.Country == "" {
				nowhere++
			}
		}
	}
	known := ""
	if nowhere > 0 {
		known = " known, others not"
	}
	out := []fact{
		{explain.Number(int64(violating)), plural(violating, "violating finding", "violating findings")},
		{explain.Number(int64(len(kinds))), plural(len(kinds), "kind of identifier sent", "kinds of identifiers sent") + " without a sign-up"},
	}
	if len(holders) > 0 {
		out = append(out,
			fact{explain.Number(int64(len(holders))), plural(len(holders), "company got them", "companies got them")},
			fact{explain.Number(int64(len(countries))), plural(len(countries), "country", "countries") + known})
	}
	if c := j.Coverage; c.Clear+c.Unread+c.Missing > 0 {
		of := "of what came by could be read"
		if c.Counted {
			of = "of the bytes sent could be read"
		}
		out = append(out, fact{explain.Share(c.PerMille), of})
	}
	return append(out,
		fact{explain.Number(int64(j.Coverage.Flows)), plural(j.Coverage.Flows, "request read", "requests read")},
		fact{explain.Number(int64(unread)), plural(unread, "connection unread", "connections unread")})
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (p *page) spots() {
	titles := make(map[string]string)
	for _, q := range p.Judgement.Questions {
		titles[q.ID] = q.Title
	}
	var hiding []judge.BlindSpot
	hiding, p.Noted = explain.Hiding(p.Judgement)
	for _, s := range hiding {
		v := spot{BlindSpot: s}
		for _, id := range s.Hides {
			if t := titles[id]; t != "" {
				v.Questions = append(v.Questions, inert.Line(t, 120))
			}
		}
		p.Spots = append(p.Spots, v)
	}
}
