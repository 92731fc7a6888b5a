package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/protocol"
)

func parse(t *testing.T, text string) *protocol.Protocol {
	t.Helper()
	p, err := protocol.Parse("arms.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestExperimentOnTheGuilty runs the arms against ClipShare, which keys its accounts on
// the SSAID and keeps them when somebody signs up. It is the protocol "account" with three
// repeats instead of five and shorter phases; `make account` runs the whole.
func TestExperimentOnTheGuilty(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.ClipShare())
	lease, dev := r.keepDevice(t)
	before := snapshot(t, dev)
	r.options.Provider = kept{lease}
	r.options.Protocol = parse(t, `
name: arms
repeats: 3
arms:
- {name: none, role: N, repeats: 1, phases: [{name: baseline, act: watch-without-app, lasts: 0s}]}
- name: A
  role: A
  phases: &untouched
  - {name: install, act: install, lasts: 0s}
  - {name: untouched, act: launch, lasts: 1500ms}
- {name: B, role: B, phases: *untouched}
- {name: C-ssaid, role: C, change: ssaid, phases: *untouched}
- {name: C-mail, role: C, change: email, repeats: 1, phases: *untouched}
- {name: C-hardware, role: C, change: hardware, repeats: 1, phases: *untouched}
- {name: C-address, role: C, change: exit_address, repeats: 1, phases: *untouched}
- {name: D, role: D, phases: *untouched}
- name: G
  role: G
  repeats: 1
  phases:
  - {name: install, act: install, lasts: 0s}
  - {name: untouched, act: launch, lasts: 1500ms}
  - {name: rejected, act: reject, lasts: 0s}
  - {name: signed-up, act: sign-up, lasts: 1s}
`)
	if _, err := audit.Run(t.Context(), r.options); err != nil {
		t.Fatal(err)
	}
	if after := snapshot(t, dev); after != before {
		t.Errorf("the device is not as it was.\nbefore:\n%s\nafter:\n%s", before, after)
	}
	bundle, j := r.judged(t)
	if j.Verdict != judge.Violated || j.Ladder != 6 {
		t.Errorf("verdict %s, ladder %d; want violated at 6", j.Verdict, j.Ladder)
	}
	for _, id := range []string{judge.QuestionAccount, judge.QuestionRecoverable, judge.QuestionWaits, judge.QuestionContinuity} {
		if !slices.ContainsFunc(j.Questions, func(q judge.Question) bool { return q.ID == id && q.Verdict == judge.Violated }) {
			t.Errorf("question %s is not violated", id)
		}
	}
	for _, want := range []struct {
		claim judge.Claim
		host  string
	}{{judge.AccountRecoverable, "api.clipshare.example"}, {judge.DeviceRemembered, "log.clipshare.example"}} {
		f := finding(t, j, want.claim, want.host)
		x := f.Experiment
		if x == nil || x.P != "1/20" || x.Again != (judge.Repeats{Times: 3, Of: 3}) || x.New != (judge.Repeats{Times: 0, Of: 3}) || !slices.Equal(x.HangsOn, []string{"ssaid"}) {
			t.Errorf("%s: %+v", want.claim, x)
			continue
		}
		if strings.Contains(f.Grounds, "launch") || slices.Contains(x.Arms, "G") || !slices.Contains(x.Arms, "D#3") {
			t.Errorf("%s rests on %v: %s", want.claim, x.Arms, f.Grounds)
		}
		said := map[string]string{}
		for _, c := range x.Sources {
			said[c.Source] = c.P + c.Undone
		}
		if said["ssaid"] != "1/20" || said["email"] != "1" || !strings.Contains(said["hardware"], "no interface in Android") || !strings.Contains(said["exit_address"], "no second address") {
			t.Errorf("%s: sources %v", want.claim, said)
		}
		if !strings.HasSuffix(f.Title, "it hangs on the Android ID") {
			t.Errorf("the cause is not named: %s", f.Title)
		}
	}
	if f := finding(t, j, judge.AccountContinued, "api.clipshare.example"); f.Level != 6 || f.Signup || len(f.Proof) < 2 {
		t.Errorf("%+v", f)
	}
	pointsAtEvidence(t, bundle, j)
	decoysMatchNowhere(t, j)

	// The services' own books: X, three new identities, three other SSAIDs, and who signed up.
	accounts := r.ledger.Accounts()
	if len(accounts) != 8 {
		t.Errorf("the service keeps %d accounts, want 8: %+v", len(accounts), accounts)
	}
	vectors := map[string]canary.Identity{}
	undone := 0
	for e, err := range bundle.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != evidence.KindArm {
			continue
		}
		arm := decode[evidence.Arm](t, e)
		if arm.Undone != "" {
			undone++
			continue
		}
		vectors[e.Arm] = arm.Identity
	}
	if undone != 2 || len(vectors) != 13 {
		t.Errorf("%d arm runs have an identity in the evidence, %d were left out", len(vectors), undone)
	}
	for _, a := range accounts {
		held := slices.Sorted(func(yield func(string) bool) {
			for label, id := range vectors {
				if id.Value(canary.SSAID) == a.Key && !yield(label) {
					return
				}
			}
		})
		if a.Mail != "" && (len(held) != 1 || held[0] != "G" || a.Mail != vectors["G"].Value(canary.Email)) {
			t.Errorf("%s signed up, and %v have its SSAID", a.Mail, held)
		}
		if len(held) == 0 {
			t.Errorf("the account of %s belongs to no arm", a.Key)
		}
	}
}

func finding(t *testing.T, j *judge.Judgement, claim judge.Claim, host string) judge.Finding {
	t.Helper()
	for _, f := range j.Findings {
		if f.Claim == claim && f.Host == host {
			return f
		}
	}
	t.Errorf("no finding %s about %s", claim, host)
	return judge.Finding{}
}

// TestExperimentOnTheInnocent runs arms against Pantry, which knows nobody before a
// sign-up, and only its installation after an agreement.
func TestExperimentOnTheInnocent(t *testing.T) {
	t.Parallel()
	r := newRig(t, apps.Pantry())
	r.options.Protocol = parse(t, `
name: arms
arms:
- name: A
  role: A
  phases: &untouched
  - {name: install, act: install, lasts: 0s}
  - {name: untouched, act: launch, lasts: 1s}
- {name: B, role: B, phases: *untouched}
- {name: D, role: D, phases: *untouched}
- name: G
  role: G
  phases:
  - {name: install, act: install, lasts: 0s}
  - {name: untouched, act: launch, lasts: 1s}
  - {name: accepted, act: accept, lasts: 1s}
  - {name: signed-up, act: sign-up, lasts: 1s}
`)
	if _, err := audit.Run(t.Context(), r.options); err != nil {
		t.Fatal(err)
	}
	_, j := r.judged(t)
	if j.Verdict != judge.NotObserved || j.Ladder != 2 {
		t.Errorf("verdict %s, ladder %d; want not observed at 2", j.Verdict, j.Ladder)
	}
	for _, q := range j.Questions {
		if q.Verdict == judge.Violated || q.Verdict == judge.Inconclusive {
			t.Errorf("question %s: %s (%s)", q.ID, q.Verdict, q.Because)
		}
	}
	for _, f := range j.Findings {
		if f.Level >= 3 && !f.Signup || f.Level == 2 && f.Consent != evidence.Accepted {
			t.Errorf("accused of %s at L%d, %s: %s", f.Claim, f.Level, f.Consent, f.Title)
		}
	}
	if accounts := r.ledger.Accounts(); len(accounts) != 1 || accounts[0].Anonymous {
		t.Errorf("the person did not sign up: %+v", accounts)
	}
}
