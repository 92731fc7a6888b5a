package specimen

import (
	"fmt"
	"image/color"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
)

// Crowded is the audit of an app that talks without end: so many requests, and so many findings in them.
func Crowded(t testing.TB, flows, findings int) Audit {
	t.Helper()
	b := newBuilder(t)
	app := b.app(evidence.App{Package: "org.example.chatter", Label: "Chatter", VersionName: "9"})
	ids := []string{}
	for phase := range 10 {
		b.begin(fmt.Sprintf("phase-%d", phase), "launch", evidence.Untouched, time.Minute)
		for range 5 {
			b.screenshot("a screen", Screen(color.RGBA{uint8(b.flows), uint8(phase * 20), 0x80, 0xff}, 1, 0))
			for range flows / 50 {
				host := fmt.Sprintf("h%d.example", b.flows%60)
				s := b.flow(message{url: "https://" + host + "/?id=" + Person.Value("ssaid"), headers: headers("")}, message{status: 204})
				if len(ids) < findings {
					ids = append(ids, b.find(judge.Finding{Claim: judge.IdentifierSent, Level: 1, Title: "The Android ID went to " + host, Subject: "ssaid", Value: Person.Value("ssaid"),
						Host: host + fmt.Sprint(len(ids)), Proof: []judge.Pointer{b.at(s, "url", Person.Value("ssaid"))}}))
				}
			}
		}
		b.end("launch", time.Minute)
	}
	b.j.Verdict, b.j.Ladder = judge.Violated, 1
	b.j.Questions = questions(judge.NotObserved, "")
	b.j.Questions[1].Verdict, b.j.Questions[1].Findings = judge.Violated, ids
	b.j.Coverage.Flows = b.flows
	return b.seal(evidence.Manifest{Device: Device, App: app})
}
