package specimen

import (
	"fmt"
	"image/color"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
)

// Holders is how many companies hold something in the audit of [Armed].
const Holders = 20

// Armed is the audit of an app whose account was put to the test in arms: it comes back, and hangs on the Android ID.
// Many companies hold values that join their records, and the app carries code of others.
func Armed(t testing.TB) Audit {
	t.Helper()
	b := newBuilder(t)
	app := b.app(evidence.App{Package: "org.example.lantern", Label: "Lantern", VersionName: "3.1", VersionCode: 31})
	b.begin("untouched", "launch", evidence.Untouched, 4*time.Second)
	b.screenshot("the first screen", Screen(color.RGBA{0x20, 0x40, 0x60, 0xff}, 3, 0))
	ssaid := Person.Value(canary.SSAID)
	const id, token = "7927677688035160581", "Q6T7DGDe1cwSGmNOWCHtHWq6VCAh5cN-wC4YIlS02_8"
	s := b.flow(message{url: "https://api.lantern.example/v1/users/anonymous", headers: headers("application/json"), body: []byte(`{"aid":"` + ssaid + `"}`)},
		message{headers: headers("application/json"), body: []byte(`{"user":{"id":"` + id + `"},"access_token":"` + token + `"}`)})
	feed := b.flow(message{method: "GET", url: "https://api.lantern.example/v1/feed?uid=" + id, headers: append(headers(""), flow.Header{Name: "Authorization", Value: "Bearer " + token})}, message{})
	partner := b.flow(message{url: "https://c0.partner.example/e", headers: headers("application/json"), body: []byte(`{"u":"` + id + `"}`)}, message{})
	as := func(p judge.Pointer, role string) judge.Pointer { p.Role = role; return p }
	file := b.append(evidence.KindExhibit, evidence.Exhibit{Kind: evidence.ExhibitPrivate, Title: "private files", Blob: b.blob([]byte("files")), Size: 5})
	kept := judge.Pointer{Event: file, Surface: "file:data/data/org.example.lantern/shared_prefs/session.xml", Role: "stored", Phase: b.phase, Consent: b.consent,
		Excerpt: `<string name="token">` + token + `</string> <string name="uid">` + id + `9</string>`} // the second is another value
	proof := []judge.Pointer{
		as(b.at(s, "url", "POST https://api.lantern.example/v1/users/anonymous"), "asked"),
		as(b.answered(s, "body:$.access_token", "access_token="+token), "minted"), as(b.answered(s, "body:$.user.id", "id="+id), "minted"), kept,
		as(b.at(feed, "header:authorization", "Bearer "+token), "used: bearer"), as(b.at(feed, "url", "uid="+id), "used: parameter"), as(b.at(partner, "body:$.u", "u="+id), "used: body"),
	}
	b.end("launch", 4*time.Second)
	account := judge.Finding{Claim: judge.AccountCreated, Level: 3, Title: "api.lantern.example created an account without a sign-up, and the app uses it", Subject: "api.lantern.example", Value: id,
		Host: "api.lantern.example", Owner: "Lantern Ltd", Country: "IE", Grounds: "it was first seen in this answer", Proof: proof}
	created := b.find(account)
	account.Claim, account.Level, account.Proof = judge.AccountRecoverable, 4, []judge.Pointer{as(b.answered(s, "body:$.user.id", "id="+id), "the same id (arm A)")}
	account.Title, account.Experiment = "api.lantern.example gives an account back after the app was removed and the device wiped", arms(id)
	back := b.find(account)
	b.j.Verdict, b.j.Ladder = judge.Violated, 4
	b.j.Questions = questions(judge.NotObserved, "")
	b.j.Questions[0].Verdict, b.j.Questions[0].Findings = judge.Violated, []string{created}
	b.j.Questions = append(b.j.Questions, judge.Question{ID: judge.QuestionRecoverable, Title: "keeps no account that comes back", Verdict: judge.Violated, Findings: []string{back}})
	b.j.Dossier = shared(id, created)
	b.j.SDKs = []judge.EmbeddedSDK{
		{ID: "quiet", Name: "Quiet Maps", Owner: "Quiet AB", Country: "SE", Purpose: []string{"maps"}, Marks: []string{"class se.quiet.Map"}, Talked: []judge.Talked{}},
		{ID: "partner", Name: "Partner Metrics", Owner: "Partner 0 Ltd", Country: "US", Purpose: []string{"analytics", "advertising"},
			Marks: []string{"class com.partner.a.A", "file assets/partner.json", "class com.partner.b.B", "class com.partner.c.C"}, Talked: []judge.Talked{{Host: "c0.partner.example", Read: true, Shared: true}, {Host: "pinned.partner.example"}}},
	}
	b.j.Decoys = judge.DecoyResult{Decoys: len(Decoys.Canaries)}
	b.j.Coverage = judge.Coverage{Flows: b.flows, Clear: 900, PerMille: 1000, Basis: judge.InRequests}
	return b.seal(evidence.Manifest{Device: Device, App: app})
}

// arms are five runs with the same person and five with others, as the protocol for accounts has them.
func arms(id string) *judge.Experiment {
	x := &judge.Experiment{
		Again: judge.Repeats{Times: 5, Of: 5}, New: judge.Repeats{Of: 5}, P: "1/252", PValue: 1. / 252, HangsOn: []string{"ssaid"},
		Sources: []judge.Change{{Source: "ssaid", Other: judge.Repeats{Times: 2, Of: 2}, P: "1/21"}, {Source: "email", Other: judge.Repeats{Of: 2}, P: "1"}, {Source: "mac", Undone: "the device gives no root"}},
		Open:    "whether it hangs on the Wi-Fi address was not tested, for the device gives no root",
	}
	next := 0
	run := func(role, change string, n int, given func() string) {
		for i := range n {
			r := judge.ArmRun{Arm: fmt.Sprintf("%s%s#%d", role, change, i+1), Role: role, Repeat: i + 1, Change: change, ID: given()}
			if change == "mac" {
				r.ID, r.Undone = "", "the device gives no root"
			}
			x.Runs, x.Arms = append(x.Runs, r), append(x.Arms, r.Arm)
		}
	}
	same := func() string { return id }
	other := func() string { next++; return fmt.Sprintf("66044129832054%05d", next*7919) }
	run("A", "", 1, same)
	run("B", "", 5, same)
	run("C", "email", 2, same)
	run("C", "mac", 2, same)
	run("C", "ssaid", 2, other)
	run("D", "", 5, other)
	return x
}

// shared is a dossier of many companies, joined by more values than a picture holds.
func shared(id, finding string) *judge.Holdings {
	d := &judge.Holdings{Companies: []judge.Company{{Name: "Lantern Ltd", Known: true, Country: "IE", Hosts: []string{"api.lantern.example"}, Holds: []judge.Holding{
		{What: judge.HeldIssued, Kind: judge.IssuedPrincipal, Value: id, Service: "api.lantern.example", Event: 1, Phases: []string{"untouched"}, Consents: []evidence.Consent{evidence.Untouched}},
	}}}}
	for i := range Holders - 1 {
		c := judge.Company{Name: fmt.Sprintf("Partner %d Advertising Technologies Ltd", i), Known: true, Country: "US", Hosts: []string{fmt.Sprintf("c%d.partner.example", i)}}
		if i == 0 {
			c.Holds = append(c.Holds, judge.Holding{What: judge.HeldReceived, Kind: judge.IssuedPrincipal, Value: id, Service: "api.lantern.example", Event: 1, Phases: []string{"untouched"}, Consents: []evidence.Consent{evidence.Untouched}})
		}
		for n, p := range Person.Canaries {
			if i == n || i == n+1 || i == 2*n || n == 0 {
				c.Holds = append(c.Holds, judge.Holding{What: judge.HeldIdentifier, Kind: string(p.Kind), Value: p.Value, Event: 1, Phases: []string{"untouched", "rejected"}, Consents: []evidence.Consent{evidence.Untouched, evidence.Rejected}, Findings: []string{finding}})
			}
		}
		d.Companies = append(d.Companies, c)
	}
	for _, v := range append([]canary.Canary{{Kind: judge.IssuedPrincipal, Value: id}}, Person.Canaries...) {
		l := judge.Link{What: judge.HeldIdentifier, Kind: string(v.Kind), Value: v.Value}
		if v.Value == id {
			l.What = judge.HeldIssued
		}
		for _, c := range d.Companies {
			for _, h := range c.Holds {
				if h.Value == v.Value {
					l.Companies = append(l.Companies, c.Name)
				}
			}
		}
		if len(l.Companies) > 1 {
			d.Links = append(d.Links, l)
		}
	}
	return d
}
