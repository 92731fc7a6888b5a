package audit_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/probe"
	"github.com/unasked-audit/unasked/harness/protocol"
)

// TestGuilty audits ClipShare and compares what the judge says with what the
// services really received.
func TestGuilty(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.ClipShare())
	r.options.Probes = []*probe.Probe{findAccount(t, "www.clipshare.example")}
	if _, err := audit.Run(t.Context(), r.options); err != nil {
		t.Fatal(err)
	}
	bundle, j := r.judged(t)

	if j.Verdict != judge.Violated || j.Ladder != 7 {
		t.Errorf("verdict %s, ladder %d; want violated at 7", j.Verdict, j.Ladder)
	}
	for _, q := range j.Questions {
		if q.Verdict != judge.Violated || len(q.Findings) == 0 {
			t.Errorf("question %s: %s (%s)", q.ID, q.Verdict, q.Because)
		}
	}

	const (
		bugly, umeng, ads = "android.bugly.qq.com", "ulogs.umeng.com", "bid.adreach.example"
		api, log          = "api.clipshare.example", "log.clipshare.example"
	)
	before, after := evidence.Untouched, evidence.Rejected
	for _, want := range []struct {
		claim   judge.Claim
		subject string
		host    string
		consent evidence.Consent
		chain   []string // must stand in the chain of a proof, in this order
	}{
		{judge.InstallationIssued, "", log, before, nil},
		{judge.AccountCreated, "", api, before, nil},
		{judge.IdentifierSent, "ssaid", api, before, nil},
		{judge.IdentifierSent, "ssaid", bugly, before, []string{"gzip"}},
		{judge.IdentifierSent, "advertising_id", bugly, before, []string{"gzip"}},
		{judge.IdentifierSent, "ssaid", umeng, before, []string{"base64"}},
		{judge.IdentifierSent, "advertising_id", umeng, before, []string{"base64"}},
		{judge.IdentifierSent, "email", ads, before, []string{"sha256"}},
		{judge.IdentifierSent, "location", ads, before, nil},
		{judge.IdentifierSent, "ssaid", log, after, nil},
		{judge.IdentifierSent, "ssaid", bugly, after, []string{"gzip"}},
		{judge.IdentifierSent, "ssaid", umeng, after, []string{"base64"}},
		{judge.IdentifierSent, "email", ads, after, []string{"sha256"}},
		{judge.DraftUploaded, "", "", "", nil},
		{judge.FeatureVectorSent, "", api, "", nil},
		{judge.DeviceAccountAdded, "", "", "", nil},
		{judge.CredentialsKept, "", "", "", nil},
		{judge.AccountConfirmed, "find-account", "www.clipshare.example", "", nil},
	} {
		if !slices.ContainsFunc(j.Findings, func(f judge.Finding) bool {
			return f.Claim == want.claim &&
				(want.subject == "" || f.Subject == want.subject) && (want.host == "" || f.Host == want.host) &&
				slices.ContainsFunc(f.Proof, func(p judge.Pointer) bool {
					return (want.consent == "" || p.Consent == want.consent) && inOrder(p.Chain, want.chain)
				})
		}) {
			t.Errorf("no finding %s %s to %s, %s, through %v", want.claim, want.subject, want.host, want.consent, want.chain)
		}
	}
	pointsAtEvidence(t, bundle, j)
	decoysMatchNowhere(t, j)

	// Nothing that the judge says was sent may be news to the services.
	for _, f := range j.Findings {
		if f.Claim == judge.IdentifierSent && !r.received(f.Host, f.Subject) {
			t.Errorf("%s is said to have gone to %s, which never got it", f.Subject, f.Host)
		}
	}
	probed(t, bundle, "before identity does-not-exist", "after identity exists", "after decoy does-not-exist", "after decoy does-not-exist")
	if len(r.ledger.Uploads()) == 0 {
		t.Error("no draft reached the service: the app was not driven to the end")
	}
	if attempts := refusedQUIC(t, bundle); len(attempts) != 1 || attempts[0].UID == 0 || attempts[0].Port != 443 || !strings.HasPrefix(attempts[0].Detail, "1 packets of 1228 bytes") {
		t.Errorf("the app's attempt at HTTP/3 was recorded as %+v", attempts)
	}

	again, err := judge.Judge(t.Context(), bundle, r.kb)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := encode(t, j), encode(t, again); !bytes.Equal(a, b) {
		t.Error("judging the same evidence again gives other bytes")
	}
}

// TestInnocent audits Pantry, which must not be accused of anything.
func TestInnocent(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.Pantry())
	r.options.Probes = []*probe.Probe{findAccount(t, "www.pantry.example")}
	if _, err := audit.Run(t.Context(), r.options); err != nil {
		t.Fatal(err)
	}
	bundle, j := r.judged(t)
	if j.Verdict != judge.NotObserved || j.Ladder != 0 {
		t.Errorf("verdict %s, ladder %d; want not observed at 0", j.Verdict, j.Ladder)
	}
	for _, q := range j.Questions {
		if q.Verdict != judge.NotObserved {
			t.Errorf("question %s: %s (%s)", q.ID, q.Verdict, q.Because)
		}
	}
	for _, f := range j.Findings {
		t.Errorf("accused of %s: %s", f.Claim, f.Title)
	}
	decoysMatchNowhere(t, j)
	if q := j.Questions[len(j.Questions)-1]; q.ID != judge.QuestionOutside {
		t.Errorf("nobody asked whether the website knows the person: the last question is %s", q.ID)
	}
	probed(t, bundle, "before identity does-not-exist", "after identity does-not-exist")

	// It was really driven: content was fetched, and the dialog refused.
	if j.Coverage.Flows == 0 {
		t.Error("no traffic was seen")
	}
	for e, err := range bundle.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == evidence.KindPhaseEnd {
			if ph := decode[evidence.Phase](t, e); !ph.Reached {
				t.Errorf("phase %s was not reached: %s", ph.Name, ph.Why)
			}
		}
	}
}

// findAccount is a probe of a calibration app's website.
func findAccount(t *testing.T, host string) *probe.Probe {
	t.Helper()
	p, err := probe.Parse("find-account.yaml", []byte(`
name: find-account
url: https://`+host+`/find-account
steps:
- {fill: "#email", with: "${canary.email}"}
- {press: Enter}
- wait:
    exists: [{text: We found your}]
    does-not-exist: [{selector: "[role=alert]"}]
`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// probed checks what the website was asked and answered, that the evidence holds how it
// looked, and that nothing of it went through the audit's proxy.
func probed(t *testing.T, bundle *evidence.Bundle, want ...string) {
	t.Helper()
	var got []string
	for e, err := range bundle.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case evidence.KindRequest:
			if r := decode[flow.Request](t, e); strings.Contains(r.URL, "/find-account") {
				t.Errorf("the probe's request is in the evidence as the app's: %s", r.URL)
			}
		case evidence.KindProbe:
			p := decode[evidence.Probe](t, e)
			got = append(got, p.When+" "+p.Who+" "+p.Answer)
			if e.Arm != "" || e.Phase != "" || len(p.Screenshots) == 0 || p.Page == "" || p.Requests == "" {
				t.Errorf("event %d: arm %q, phase %q, %s", e.Seq, e.Arm, e.Phase, e.Data)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the website was asked: %q; want %q", got, want)
	}
}

// refusedQUIC are the attempts at HTTP/3 that the device refused.
func refusedQUIC(t *testing.T, bundle *evidence.Bundle) []flow.Connection {
	t.Helper()
	var list []flow.Connection
	for e, err := range bundle.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != evidence.KindConnection {
			continue
		}
		if c := decode[flow.Connection](t, e); c.Reason == flow.QUIC {
			list = append(list, c)
		}
	}
	return list
}

// received reports whether a host really got an identifier of a kind, by its own account.
func (r *rig) received(host, kind string) bool {
	for _, e := range r.ledger.Entries() {
		if e.Host != host {
			continue
		}
		for got := range e.Got {
			if got == kind || got == kind+"_sha256" {
				return true
			}
		}
	}
	return false
}

// pointsAtEvidence checks that every finding has a proof, and that each leads to what it says.
func pointsAtEvidence(t *testing.T, bundle *evidence.Bundle, j *judge.Judgement) {
	t.Helper()
	kinds := map[uint64]string{}
	for e, err := range bundle.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		kinds[e.Seq] = e.Kind
	}
	for _, f := range j.Findings {
		if len(f.Proof) == 0 || f.Grounds == "" || f.Title == "" {
			t.Errorf("finding %s (%s) lacks a proof, grounds or a title", f.ID, f.Claim)
		}
		for _, p := range f.Proof {
			if kinds[p.Event] == "" {
				t.Errorf("finding %s points at event %d, which is not there", f.ID, p.Event)
			}
			if p.Surface == "" || p.Excerpt == "" {
				t.Errorf("finding %s (%s) points at event %d without a surface or an excerpt", f.ID, f.Claim, p.Event)
			}
			if p.Blob != "" {
				blob, err := bundle.Blob(p.Blob)
				if err != nil {
					t.Errorf("finding %s: %v", f.ID, err)
					continue
				}
				blob.Close()
			}
		}
	}
}

func decoysMatchNowhere(t *testing.T, j *judge.Judgement) {
	t.Helper()
	if j.Decoys.Decoys == 0 {
		t.Error("no decoys were looked for")
	}
	for _, m := range j.Decoys.Matches {
		t.Errorf("a decoy matched: %+v", m)
	}
}

// inOrder reports whether part stands in all, in this order.
func inOrder(all, part []string) bool {
	for _, step := range all {
		if len(part) > 0 && step == part[0] {
			part = part[1:]
		}
	}
	return len(part) == 0
}

func encode(t *testing.T, j *judge.Judgement) []byte {
	t.Helper()
	b, err := j.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRefusedCamera refuses the camera when the app asks for it. Then nothing was
// recorded, and nothing may be said about drafts.
func TestRefusedCamera(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.Pantry())
	var err error
	if r.options.Protocol, err = protocol.Parse("refused.yaml", []byte(`
name: refused
permissions: ask
arms:
- name: A
  phases:
  - {name: install, act: install, lasts: 0s}
  - {name: untouched, act: launch, lasts: 1s}
  - {name: rejected, act: reject, lasts: 1s}
  - {name: drafted, act: record-and-discard, lasts: 1s}
`)); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Run(t.Context(), r.options); err != nil {
		t.Fatal(err)
	}
	bundle, j := r.judged(t)
	refused, why := false, ""
	for e, err := range bundle.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case evidence.KindTap:
			refused = refused || decode[evidence.Tap](t, e).Why == "the protocol refuses permissions when the app asks"
		case evidence.KindPhaseEnd:
			if ph := decode[evidence.Phase](t, e); ph.Name == "drafted" && !ph.Reached {
				why = ph.Why
			}
		}
	}
	if !refused {
		t.Error("no prompt was refused")
	}
	if !strings.Contains(why, "whether anything was recorded is not known") {
		t.Errorf("the phase says %q of why it was not reached", why)
	}
	for _, q := range j.Questions {
		if q.ID == judge.QuestionDraft && q.Verdict != judge.Inconclusive {
			t.Errorf("question %s: %s (%s); want inconclusive", q.ID, q.Verdict, q.Because)
		}
	}
}

// TestArmsAndRepeats runs every act, in two arms, twice.
func TestArmsAndRepeats(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.ClipShare())
	var err error
	if r.options.Protocol, err = protocol.Parse("arms.yaml", []byte(`
name: arms
repeats: 2
arms:
- name: rejected
  phases:
  - {name: baseline, act: watch-without-app, lasts: 1s}
  - {name: install, act: install, lasts: 0s}
  - {name: untouched, act: launch, lasts: 3s}
  - {name: rejected, act: reject, lasts: 4s}
  - {name: restarted, act: restart, lasts: 2s}
  - {name: reinstalled, act: reinstall, lasts: 2s}
- name: accepted
  phases:
  - {name: install, act: install, lasts: 0s}
  - {name: untouched, act: launch, lasts: 2s}
  - {name: accepted, act: accept, lasts: 2s}
`)); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Run(t.Context(), r.options); err != nil {
		t.Fatal(err)
	}
	bundle, j := r.judged(t)
	reached := map[string]bool{}
	for e, err := range bundle.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == evidence.KindPhaseEnd {
			ph := decode[evidence.Phase](t, e)
			if !ph.Reached {
				t.Errorf("arm %s: phase %s was not reached: %s", e.Arm, ph.Name, ph.Why)
			}
			reached[e.Arm+" "+ph.Name+" "+string(ph.Consent)] = true
		}
	}
	for _, want := range []string{
		"rejected rejected rejected", "rejected restarted rejected", "rejected reinstalled untouched", "accepted accepted accepted",
		"rejected#2 rejected rejected", "rejected#2 reinstalled untouched", "accepted#2 accepted accepted",
	} {
		if !reached[want] {
			t.Errorf("no phase %q ended (arm, phase, consent); there are %v", want, slices.Sorted(maps.Keys(reached)))
		}
	}
	// One person is one account, however often the app was installed, in both repeats.
	if n := len(r.ledger.Accounts()); n != 1 {
		t.Fatalf("the service keeps %d accounts", n)
	}
	accounts := 0
	for _, f := range j.Findings {
		switch f.Claim {
		case judge.AccountCreated:
			accounts++
			if f.Seen != (judge.Repeats{Times: 2, Of: 2}) {
				t.Errorf("the account is said to have been seen in %d of %d repeats", f.Seen.Times, f.Seen.Of)
			}
		case judge.SessionIssued:
			t.Errorf("the account is called a session, too: %s", f.Title)
		}
		if f.Seen.Of > 2 {
			t.Errorf("%s: %d of %d repeats; the protocol has two", f.Title, f.Seen.Times, f.Seen.Of)
		}
	}
	if accounts != 1 {
		t.Errorf("%d findings of an account", accounts)
	}
	decoysMatchNowhere(t, j)
}
