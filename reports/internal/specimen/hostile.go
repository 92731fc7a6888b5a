package specimen

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
)

// Evil is text that tries to run a script, to end an element, to turn text around and to move a cursor.
const Evil = "<script>document.title='owned'</script>\"'><img src=https://evil.example/x onerror=document.title='owned'></style></title>" +
	"{{.}}\u202etxt.exe\u2066\x1b[2J\x1b]0;owned\x07\r\x00"

// Hostile is the audit of an app that attacks the report, in every place that it can write to.
func Hostile(t testing.TB) Audit {
	t.Helper()
	b := newBuilder(t)
	long, lengthy := strings.Repeat("A", 1<<20), strings.Repeat("A", 1<<12)
	app := b.app(evidence.App{
		Package: "org.example." + Evil, Label: Evil, VersionName: Evil, Permissions: []string{Evil, lengthy},
	})
	app.Files[0].Name = Evil
	b.append(evidence.KindPlanting, evidence.Planting{Kind: Evil, Value: Evil, How: Evil, Error: Evil})
	b.arm, b.phase, b.consent = Evil, Evil, evidence.Untouched
	b.log.Position(Evil, Evil, evidence.Consent(Evil))
	b.append(evidence.KindPhaseStart, evidence.Phase{Name: Evil, Consent: evidence.Consent(Evil), Why: Evil})
	b.act(Evil, Evil+lengthy)
	notPNG := b.screenshot(Evil, []byte("<svg xmlns='http://www.w3.org/2000/svg'><script>document.title='owned'</script></svg>"))
	b.append(evidence.KindTap, evidence.Tap{X: 1 << 30, Y: -5, Text: Evil + lengthy, Why: Evil, Before: notPNG})
	huge := b.flow(message{method: Evil, url: "javascript:document.title='owned'//" + Evil + long, headers: []flow.Header{{Name: Evil, Value: Evil + lengthy}, {Name: "Content-Encoding", Value: Evil}},
		body: append([]byte(Evil+"\xff\xfe"+long+"NEEDLE-4711"+long), 0xc3)}, message{status: 999, headers: []flow.Header{{Name: "Location", Value: Evil}}, body: []byte(`{"a":"` + long + `"}`)})
	deep := b.flow(message{url: "https://evil.example/", body: bytes.Repeat([]byte(`{"a":`), 200_000)}, message{})
	b.wait(time.Second)
	for i, p := range []judge.Pointer{
		b.at(huge, "body", "NEEDLE-4711"), b.at(huge, "header:"+Evil, Evil), b.at(huge, "url", Evil), b.at(huge, Evil+":"+Evil, Evil, Evil, long),
		b.answered(huge, "body:$.a", long[:200]), b.at(deep, "body:$.a.a.a", "x\xff\xfe"), {Event: 1 << 60, Flow: "f404", Side: "request", Surface: "body", Excerpt: Evil},
	} {
		p.Role = Evil
		much := ""
		if i == 0 {
			much = long
		}
		b.find(judge.Finding{
			Claim: judge.Claim(Evil), Level: 99, Title: Evil + "\xff" + much, Subject: Evil, Value: Evil + "\xff" + long[:i], Host: Evil + fmt.Sprint(i), Owner: Evil, Country: Evil,
			Grounds: Evil + much, Signature: Evil, Proof: []judge.Pointer{p},
		})
	}
	b.find(judge.Finding{Claim: judge.IdentifierSent, Title: Evil, Subject: Evil, Value: long, Host: "a." + Evil, Country: "XX", Proof: []judge.Pointer{b.at(huge, "body", Evil)}})
	b.j.Verdict, b.j.Ladder = judge.Violated, 99
	b.j.Questions = []judge.Question{{ID: Evil, Title: Evil + lengthy, Verdict: judge.Violated, Because: Evil + lengthy, Findings: []string{b.j.Findings[0].ID}}, {ID: "x", Title: Evil, Verdict: judge.Verdict(Evil)}}
	b.j.BlindSpots = []judge.BlindSpot{{What: Evil + lengthy, Do: Evil, Hides: []string{Evil}}}
	b.j.Decoys = judge.DecoyResult{Decoys: 1, Matches: []judge.Pointer{b.at(huge, Evil, Evil)}}
	b.j.Recipients = []judge.Recipient{{Host: Evil + "z", Owner: Evil, Country: Evil, Purpose: Evil, Source: "javascript:alert(1)"}}
	b.append(evidence.KindConnection, flow.Connection{Flow: "f9", Host: Evil, SNI: Evil + "2", Server: Evil, JA3: Evil, JA4: Evil, Reason: flow.Passed, Detail: Evil, Sent: 1 << 60})
	w := judge.Pointer{Flow: huge.id, Side: "response", Surface: "ws:" + Evil, Excerpt: Evil, Confidence: 7, Reason: Evil + lengthy}
	w.Event = b.append(evidence.KindMessage, flow.Message{Flow: huge.id, Index: -1 << 40, Body: flow.Body{Inline: []byte(Evil + "\xff"), Size: 1 << 50, Cut: Evil}})
	b.find(judge.Finding{Claim: judge.IdentifierReturned, Title: Evil, Subject: Evil, Host: "b." + Evil, Possible: true, Unseen: true, Confidence: 7, Reason: Evil + lengthy, Proof: []judge.Pointer{w}})
	b.j.Coverage = judge.Coverage{Clear: -5, Unread: 1 << 61, Missing: 3, PerMille: -70, Wanted: 1 << 40, Basis: judge.Basis(Evil)}
	b.j.Opaque = []judge.OpaqueDestination{{Host: Evil, Owner: Evil, Country: Evil, Consent: evidence.Consent(Evil), Bytes: 1 << 61, Why: []string{Evil, lengthy}}}
	b.j.Names = []judge.Name{{Name: Evil, Owner: Evil, Types: []string{Evil}, Via: []string{Evil}, Error: Evil + lengthy}}
	way := []judge.Pointer{b.at(huge, "url", Evil+" https://"+Evil), b.answered(huge, "body:"+Evil, Evil+"="+Evil), {Event: w.Event, Surface: "file:" + Evil + "/" + Evil, Excerpt: Evil}, b.at(deep, Evil, Evil)}
	for i, role := range []string{"asked", "minted", "stored", "used: " + Evil} {
		way[i].Role = role
	}
	way[1].Flow = huge.id
	run := judge.ArmRun{Arm: Evil, Role: Evil, Repeat: -1 << 40, Change: Evil, ID: Evil, Then: lengthy}
	b.find(judge.Finding{Claim: judge.AccountCreated, Title: Evil, Subject: Evil, Host: "c." + Evil, Proof: way, Experiment: &judge.Experiment{
		Arms: []string{Evil}, P: Evil, HangsOn: []string{Evil, lengthy}, Open: Evil + lengthy, Runs: slices.Repeat([]judge.ArmRun{run}, 90), Sources: []judge.Change{{Source: Evil, P: Evil, Undone: Evil}},
	}})
	held := judge.Holding{What: judge.HeldAs(Evil), Kind: Evil, Value: Evil + lengthy, Service: Evil, Phases: []string{Evil}, Consents: []evidence.Consent{Evil}, Findings: []string{Evil}}
	b.j.Dossier = &judge.Holdings{Links: []judge.Link{{What: judge.HeldAs(Evil), Kind: Evil, Value: lengthy, Companies: []string{Evil + "0", Evil + "1"}}}}
	for i := range 120 { // more than a page lists
		b.j.Dossier.Companies = append(b.j.Dossier.Companies, judge.Company{Name: Evil + fmt.Sprint(i), Country: Evil, Hosts: []string{Evil, lengthy}, Holds: slices.Repeat([]judge.Holding{held}, 1+70/(1+i*i))})
	}
	b.j.SDKs = []judge.EmbeddedSDK{{ID: Evil, Name: Evil + lengthy, Owner: Evil, Country: Evil, Purpose: []string{Evil}, Marks: []string{Evil, lengthy}, Talked: []judge.Talked{{Host: Evil + lengthy}}}}
	device := Device
	device.Model, device.Release, device.Fingerprint = Evil, Evil, Evil
	id := canary.Identity{Label: Evil, Canaries: []canary.Canary{{Kind: canary.Kind(Evil), Value: Evil + lengthy}}}
	return b.seal(evidence.Manifest{Device: device, App: app, Identity: id, Decoys: id})
}
