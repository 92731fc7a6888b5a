package explain_test

import (
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
)

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		p    judge.Pointer
		want string
	}{
		{judge.Pointer{Event: 4, Flow: "f1", Side: "request", Surface: "body:$.id", Chain: []string{"gzip", "base64"}}, "event 4, flow f1, request body, at $.id (gzip → base64 → plain)"},
		{judge.Pointer{Event: 4, Flow: "f1", Side: "request", Surface: "url", Chain: []string{"sha256", "hex"}}, "event 4, flow f1, request URL (SHA-256 → hexadecimal)"},
		{judge.Pointer{Event: 4, Flow: "f1", Side: "response", Surface: "cookie:sid"}, "event 4, flow f1, response cookie sid"},
		{judge.Pointer{Event: 9, Surface: "file:shared_prefs/s.xml"}, "event 9, file shared_prefs/s.xml"},
		{judge.Pointer{Event: 9, Surface: "device"}, "event 9, device"},
		{judge.Pointer{Event: 9, Surface: "ws:3"}, "event 9, WebSocket message 3"},
		{judge.Pointer{Event: 9, Surface: "new\x1b:thing"}, "event 9, new⟨U+001B⟩:thing"},
	} {
		if got := explain.Place(c.p); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{explain.When("untouched", evidence.Untouched), "in phase untouched, before any choice"},
		{explain.When("baseline", ""), "in phase baseline"},
		{explain.Recipient("h.example", "Firm", "CN"), "h.example (Firm, China)"},
		{explain.Recipient("h.example", "", ""), "h.example"},
		{explain.Recipient("", "Firm", ""), "Firm"},
		{explain.Country("ZZ-nowhere"), "ZZ-nowhe…"},
		{explain.Kind("advertising_id"), "advertising ID"},
		{explain.Kind("shoe_size"), "shoe size"},
		{explain.Claim("mind-read"), "mind read"},
		{explain.Role("used: bearer"), "sent back by the app as a bearer token"},
		{explain.Role("used: smoke signal"), "sent back by the app as smoke signal"},
		{explain.Role(""), ""},
		{explain.Times(judge.Repeats{Times: 2, Of: 3}), "in 2 of 3 repeats"},
		{explain.Times(judge.Repeats{Times: 1, Of: 1}), ""},
		{explain.Count(1, "flow", "flows"), "1 flow"},
		{explain.Count(1234567, "flow", "flows"), "1,234,567 flows"},
		{explain.Number(-1000), "-1,000"},
		{explain.Bytes(1), "1 byte"},
		{explain.Bytes(999), "999 bytes"},
		{explain.Bytes(1000), "1.0 kB"},
		{explain.Bytes(9_960), "10 kB"},
		{explain.Bytes(999_600), "1.0 MB"},
		{explain.Bytes(1 << 62), "4.6 EB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// Whatever a canary, a claim or a verdict is called in the code has a name for people.
func TestEverythingHasAName(t *testing.T) {
	for _, k := range []canary.Kind{canary.SSAID, canary.AdvertisingID, canary.Email, canary.Name, canary.Phone, canary.IMEI, canary.Serial, canary.MAC, canary.Location,
		canary.ContactEmail, canary.ContactPhone, canary.ContactName, canary.CalendarEvent, canary.Clipboard, canary.DeviceName} {
		if name := explain.Kind(string(k)); name == "" || strings.Contains(name, "_") {
			t.Errorf("kind %s is called %q", k, name)
		}
	}
	for _, c := range []judge.Claim{judge.IdentifierSent, judge.InstallationIssued, judge.SessionIssued, judge.AccountCreated, judge.DraftUploaded,
		judge.FeatureVectorSent, judge.DeviceAccountAdded, judge.CredentialsKept, judge.IdentifierIsOnlyApp} {
		if name := explain.Claim(c); strings.Contains(name, "-") || strings.ToUpper(name[:1]) != name[:1] {
			t.Errorf("claim %s is called %q", c, name)
		}
	}
	for _, v := range []judge.Verdict{judge.Violated, judge.NotObserved, judge.Inconclusive, judge.NotApplicable} {
		if explain.Verdict(v) == "" {
			t.Errorf("verdict %s is not explained", v)
		}
	}
	for _, c := range []evidence.Consent{evidence.Untouched, evidence.Choosing, evidence.Rejected, evidence.Accepted, evidence.Ignored, evidence.Withdrawn} {
		if explain.Consent(c) == "" {
			t.Errorf("consent %s has no words", c)
		}
	}
	if l := explain.Ladder(); len(l) != 8 || l[7].Name != "L7" {
		t.Errorf("the ladder is %v", l)
	}
}

func TestAnswer(t *testing.T) {
	j := &judge.Judgement{BlindSpots: []judge.BlindSpot{{What: "hides nothing"}, {What: "hides q", Hides: []string{"q"}}, {What: "hides other", Hides: []string{"other"}}}}
	var ids []string
	for i := range 12 {
		id := string(rune('a' + i))
		ids = append(ids, id)
		j.Findings = append(j.Findings, judge.Finding{ID: id, Title: "finding " + id, Proof: []judge.Pointer{{Event: 1, Surface: "url"}, {Event: 7, Surface: "body", Role: "minted"}}})
	}
	violated := explain.Answer(j, judge.Question{ID: "q", Title: "does it", Verdict: judge.Violated, Findings: ids})
	for _, want := range []string{"VIOLATED: does it", "finding a", "finding h", "finding l", "proof: event 7, body, and 1 more place"} {
		if !strings.Contains(violated, want) {
			t.Errorf("no %q in\n%s", want, violated)
		}
	}
	if strings.Contains(violated, "hides") {
		t.Errorf("too much in\n%s", violated)
	}
	unclear := explain.Answer(j, judge.Question{ID: "q", Title: "does it", Verdict: judge.Inconclusive, Because: "It can't be seen."})
	for _, want := range []string{"INCONCLUSIVE", "It can't be seen.", "hides q"} {
		if !strings.Contains(unclear, want) {
			t.Errorf("no %q in\n%s", want, unclear)
		}
	}
	if strings.Contains(unclear, "hides other") || strings.Contains(unclear, "hides nothing") {
		t.Errorf("too much in\n%s", unclear)
	}
}

// A question about one consent state is proved by what was seen in that state.
func TestAQuestionHasItsOwnProof(t *testing.T) {
	f := judge.Finding{ID: "a", Title: "the ID went out", Phase: "first", Consent: evidence.Untouched, Proof: []judge.Pointer{
		{Event: 1, Surface: "url", Phase: "first", Consent: evidence.Untouched},
		{Event: 2, Surface: "url", Phase: "no", Consent: evidence.Choosing},
		{Event: 3, Surface: "url", Phase: "no", Consent: evidence.Rejected},
	}}
	for question, want := range map[string]string{
		judge.QuestionIdentifier:    "in phase first, before any choice\nproof: event 1,",
		judge.QuestionBeforeConsent: "in phase first, before any choice\nproof: event 1,",
		judge.QuestionAfterReject:   "in phase no, after rejection\nproof: event 3,",
	} {
		if got := explain.FindingFor(f, question); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", question, want, got)
		}
	}
}

func TestOneWordForOneThing(t *testing.T) {
	for said, want := range map[string]string{
		"The Android ID went":                       "The Android ID (SSAID) went",
		"The Android ID (SSAID) went":               "The Android ID (SSAID) went",
		"The mail address, the e-mail address":      "The e-mail address, the e-mail address",
		"The advertising id of an advertising idea": "The advertising ID of an advertising idea",
	} {
		if got := explain.Line(said, 200); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := explain.Promise(judge.Question{Title: "creates no account without sign-up"}); got != "creates no account" {
		t.Errorf("got %q", got)
	}
	f := judge.Finding{Claim: judge.DeviceAccountAdded, Grounds: "added at 2026-11-23 19:57:47; gone"}
	if got := explain.Grounds(f); got != "added at 2026-11-23 19:57:47 by the device's clock; gone" {
		t.Errorf("got %q", got)
	}
}

func TestTheGravestIsNamed(t *testing.T) {
	j := &judge.Judgement{Findings: []judge.Finding{
		{ID: "1", Claim: judge.IdentifierSent, Subject: "ssaid", Title: "The number went"}, {ID: "2", Claim: judge.IdentifierSent, Subject: "email", Title: "The address went"},
	}}
	q := judge.Question{Verdict: judge.Violated, Because: "The number went, and 1 more", Findings: []string{"1", "2"}}
	if got := explain.Because(j, q); got != "The address went, and 1 more" {
		t.Errorf("got %q", got)
	}
	q.Because = "Something else"
	if got := explain.Because(j, q); got != q.Because {
		t.Errorf("got %q", got)
	}
}

func TestTheGravestComeFirst(t *testing.T) {
	j := &judge.Judgement{Findings: []judge.Finding{
		{ID: "1", Claim: judge.IdentifierSent, Subject: "ssaid"}, {ID: "2", Claim: judge.IdentifierSent, Subject: "email"},
		{ID: "3", Claim: judge.DraftUploaded}, {ID: "4", Claim: judge.FeatureVectorSent}, {ID: "5", Claim: judge.AccountCreated},
	}}
	got := ""
	for _, f := range explain.Findings(j, judge.Question{Findings: []string{"1", "2", "3", "4", "5"}}) {
		got += f.ID
	}
	if got != "54321" {
		t.Errorf("the order is %s", got)
	}
}
