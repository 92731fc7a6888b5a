package specimen

import (
	"bytes"
	"image/color"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
)

// questions are all questions with one answer.
func questions(v judge.Verdict, because string) []judge.Question {
	out := []judge.Question{
		{ID: judge.QuestionAccount, Title: "creates no account without sign-up"},
		{ID: judge.QuestionIdentifier, Title: "sends no identifier without sign-up"},
		{ID: judge.QuestionBeforeConsent, Title: "sends no identifier before a choice"},
		{ID: judge.QuestionAfterReject, Title: "sends no identifier after rejection"},
		{ID: judge.QuestionDraft, Title: "uploads no draft"},
		{ID: judge.QuestionDeviceAccount, Title: "leaves no account on the device"},
	}
	for i := range out {
		out[i].Verdict, out[i].Because = v, because
	}
	return out
}

func (b *builder) app(app evidence.App) evidence.App {
	apk := bytes.Repeat([]byte("PK\x03\x04 "+app.Package), 500)
	app.Files = []evidence.File{{Name: app.Package + ".apk", Blob: b.blob(apk), Size: int64(len(apk))}}
	app.Signers = []evidence.Digest{digest(app.Package)}
	b.append(evidence.KindAuditStart, evidence.AuditStart{Tool: "unasked 0.1.0", Command: []string{"unasked", "audit", app.Package + ".apk"}, Protocol: "quick", Seed: "00ff"})
	b.append(evidence.KindDevice, Device)
	b.append(evidence.KindApp, app)
	b.plant()
	return app
}

// Innocent is the audit of an app that asks first, and creates an account only after a sign-up.
func Innocent(t testing.TB) Audit {
	t.Helper()
	b := newBuilder(t)
	app := b.app(evidence.App{Package: "org.example.pantry", Label: "Pantry", VersionName: "1.8.0", VersionCode: 180, MinSDK: 26, TargetSDK: 34, UID: 10143})
	accent := color.RGBA{0x2f, 0x6b, 0x3c, 0xff}
	b.begin("untouched", "launch", evidence.Untouched, 8*time.Second)
	before := b.screenshot("two equal buttons", Screen(accent, 4, 2))
	b.flow(message{method: "GET", url: "https://api.pantry.example/v1/recipes?page=1", headers: headers("")}, message{body: []byte(`{"recipes":[]}`), headers: headers("application/json")})
	b.wait(8 * time.Second)
	b.end("launch", 8*time.Second)
	b.begin("accepted", "consent", evidence.Accepted, 6*time.Second)
	b.append(evidence.KindTap, evidence.Tap{X: 103, Y: 292, Text: "Accept", Why: "accepts the consent dialog", Before: before})
	s := b.flow(message{url: "https://api.pantry.example/v1/installations", headers: headers("application/json"), body: []byte(`{"app":"pantry"}`)},
		message{headers: headers("application/json"), body: []byte(`{"installation_id":"inst-5bd0a7c1f2e94c3f"}`)})
	b.find(judge.Finding{Claim: judge.InstallationIssued, Level: 2, Title: "Pantry issued an installation ID", Subject: "installation", Value: "inst-5bd0a7c1f2e94c3f",
		Host: "api.pantry.example", Owner: "Pantry Cooperative", Country: "AT", Grounds: "It was first seen in this answer.", Proof: []judge.Pointer{b.answered(s, "body:$.installation_id", "inst-5bd0a7c1f2e94c3f")}})
	b.wait(4 * time.Second)
	b.end("consent", 6*time.Second)
	b.begin("signed-up", "signup", evidence.Accepted, 5*time.Second)
	u := b.flow(message{url: "https://api.pantry.example/v1/users", headers: headers("application/json"), body: []byte(`{"mail":"` + Person.Value("email") + `"}`)},
		message{headers: headers("application/json"), body: []byte(`{"user":"pu_77aa01","token":"pt_f02b9de1c64a47a3"}`)})
	b.find(judge.Finding{Claim: judge.AccountCreated, Level: 3, Title: "api.pantry.example created a user after the sign-up form", Subject: "pantry", Value: "pt_f02b9de1c64a47a3", Signup: true,
		Host: "api.pantry.example", Owner: "Pantry Cooperative", Country: "AT", Grounds: "A person filled in the sign-up form just before.", Proof: []judge.Pointer{b.answered(u, "body:$.token", "pt_f02b9de1c64a47a3")}})
	var spare uint64
	for range 2 {
		spare = b.append(evidence.KindConnection, flow.Connection{Flow: "f800", Host: "cdn.pantry.example", Port: 443, Reason: flow.HungUp, Detail: "as an app does that pins its certificates"})
	}
	b.end("signup", 5*time.Second)
	b.j.Verdict, b.j.Ladder = judge.NotObserved, 2
	b.j.Questions = questions(judge.NotObserved, "All traffic was read, and nothing of the kind was in it.")
	b.j.Questions[4].Verdict, b.j.Questions[4].Because = judge.NotApplicable, "The app has nothing to record with."
	b.j.Coverage = judge.Coverage{Flows: 3, Opaque: 2, Sent: 900, Received: 400, KernelSent: 850, KernelRecv: 1_200, Clear: 900, PerMille: 1000, Counted: true, Basis: judge.InRequests, Wanted: 800}
	b.j.BlindSpots = []judge.BlindSpot{
		{What: "2 connections to cdn.pantry.example: given up by the app before anything was sent, while others to the same host were read.", Event: spare},
		{What: "The device would not take our IMEI, so if the app sent its real one, it was not recognised: there is no interface that sets it."},
	}
	b.j.Decoys = judge.DecoyResult{Decoys: len(Decoys.Canaries)}
	b.j.Recipients = []judge.Recipient{{Host: "api.pantry.example", Owner: "Pantry Cooperative", Country: "AT", Flows: 3, Sent: 900}}
	return b.seal(evidence.Manifest{Device: Device, App: app})
}

// Unread is the audit of an app that could not be looked into; on a real device.
func Unread(t testing.TB) Audit {
	t.Helper()
	b := newBuilder(t)
	app := b.app(evidence.App{Package: "io.appium.settings", VersionName: "5.12.2", VersionCode: 63})
	b.begin("untouched", "launch", evidence.Untouched, 8*time.Second)
	b.append(evidence.KindAction, evidence.Action{Verb: "launch", Detail: "io.appium.settings", Error: "this app has native or DEX code, which this device can't run"})
	for range 4 {
		b.append(evidence.KindConnection, flow.Connection{Flow: "f1", Host: "pinned.example", Port: 443, Reason: flow.Distrusted, Sent: 517})
	}
	b.append(evidence.KindPhaseEnd, evidence.Phase{Name: "untouched", Consent: evidence.Untouched, Why: "the app could not be started"})
	b.j.Verdict = judge.Inconclusive
	b.j.Questions = questions(judge.Inconclusive, "The app could not be started.")
	b.j.BlindSpots = []judge.BlindSpot{
		{What: "The app was not started: its code can't run on this device.", Hides: []string{judge.QuestionAccount, judge.QuestionIdentifier, judge.QuestionBeforeConsent,
			judge.QuestionAfterReject, judge.QuestionDraft, judge.QuestionDeviceAccount}, Do: "Audit it on a phone or an emulator."},
		{What: "4 connections to pinned.example could not be read.", Hides: []string{judge.QuestionIdentifier}},
	}
	b.j.Coverage = judge.Coverage{Opaque: 4, OpaqueSent: 2068, Unread: 2068, Basis: judge.OnTheWire, Wanted: 800}
	b.j.Opaque = []judge.OpaqueDestination{{Host: "pinned.example", Consent: evidence.Untouched, Bytes: 2068, Connections: 4, Why: []string{"the app refused our certificate, as one that pins its own does"}, Event: 1}}
	b.j.Decoys = judge.DecoyResult{Decoys: len(Decoys.Canaries)}
	device := Device
	device.Simulated, device.Model = false, "Pixel 6"
	return b.seal(evidence.Manifest{Device: device, App: app})
}
