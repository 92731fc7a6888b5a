package judge

import (
	"crypto/sha256"
	"encoding/base64"
	bits "encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// armed records arm runs against a service that has an account for each value of one kind
// of identifier, on a device that takes all kinds but some.
func armed(t *testing.T, keyed canary.Kind, sent bool, refused ...canary.Kind) *recording {
	t.Helper()
	r := record(t)
	r.event(evidence.KindApp, r.app)
	x := r.person
	run := func(role string, repeat int, change canary.Kind) {
		label := fmt.Sprintf("%s%s#%d", role, change, repeat)
		who := x
		switch other := canary.DeriveApart([]byte("a seed"), label, x, r.decoys); role {
		case "D":
			who = other
		case "C":
			who = x.With(other, change)
		}
		r.leave(true, "")
		r.log.Position(label, "", evidence.Untouched)
		about := evidence.Arm{Name: role + string(change), Repeat: repeat, Role: role, Change: string(change), Identity: who}
		for _, c := range who.Canaries {
			p := evidence.Planting{Kind: string(c.Kind), Value: c.Value, ReadBack: c.Value, OK: true}
			if slices.Contains(refused, c.Kind) {
				about.Absent = append(about.Absent, string(c.Kind))
				p.OK, p.Error = false, "the device gives no root"
			}
			r.event(evidence.KindPlanting, p)
		}
		if role == "C" && slices.Contains(refused, change) {
			about.Identity, about.Undone = canary.Identity{}, "the device gives no root"
		}
		r.event(evidence.KindArm, about)
		if about.Undone != "" {
			return
		}
		r.in(label, "install", "install", evidence.Untouched)
		r.act("install", true, "")
		r.in(label, "untouched", "launch", evidence.Untouched)
		r.act("launch", true, "")
		key := who.Value(keyed)
		if slices.Contains(refused, keyed) {
			key = "what the device has"
		}
		sum := sha256.Sum256([]byte(key))
		id := fmt.Sprint(7_000_000_000_000_000_000 + bits.BigEndian.Uint64(sum[:])%1_000_000_000_000_000_000)
		address := "https://api.thing.example/v1/start"
		if sent && role == "B" { // what a backup brought back
			address += "?user=" + id
		}
		secret := sha256.Sum256([]byte(label))
		token := base64.RawURLEncoding.EncodeToString(secret[:])
		r.response(r.request(message{url: address, body: []byte(`{"d":"` + key + `"}`)}), message{headers: jsonType, body: []byte(`{"user":{"id":"` + id + `"},"access_token":"` + token + `"}`)})
		r.response(r.request(message{method: "GET", url: "https://api.thing.example/v1/feed", headers: []flow.Header{{Name: "Authorization", Value: "Bearer " + token}}}), message{headers: jsonType, body: []byte(`{"items":[]}`)})
		r.leave(true, "")
		r.act("uninstall", true, "")
	}
	run("A", 1, "")
	for i := range 3 {
		run("D", i+1, "")
		run("B", i+1, "")
		run("C", i+1, keyed)
	}
	return r
}

func (j *Judgement) because(t *testing.T, id string, want Verdict, part string) {
	t.Helper()
	for _, q := range j.Questions {
		if q.ID == id {
			if q.Verdict != want || !strings.Contains(q.Because, part) {
				t.Errorf("%s: %s (%s); want %s, %q", id, q.Verdict, q.Because, want, part)
			}
			return
		}
	}
	t.Errorf("%s is not asked", id)
}

func TestArms(t *testing.T) {
	j := armed(t, canary.SSAID, false).judge()
	j.because(t, QuestionRecoverable, Violated, "it hangs on the Android ID")
	j.because(t, QuestionContinuity, NotApplicable, "signs nobody up")
	if f := j.claims(AccountRecoverable); len(f) != 1 || f[0].Level != 4 || f[0].Experiment.P != "1/20" || !slices.Equal(f[0].Experiment.HangsOn, []string{"ssaid"}) || len(f[0].Proof) < 4 {
		t.Errorf("%+v", f)
	} else if got, want := pattern(f[0].Experiment.Runs), "A#1:1 B#1:1 B#2:1 B#3:1 Cssaid#1:2 Cssaid#2:3 Cssaid#3:4 D#1:5 D#2:6 D#3:7"; got != want {
		t.Errorf("the runs were given %s, want %s", got, want)
	}

	// Without root the SSAID can't be planted: that question alone is open.
	j = armed(t, canary.SSAID, false, canary.SSAID).judge()
	j.because(t, QuestionRecoverable, Inconclusive, "every run was given the same id")
	j.because(t, QuestionAccount, Violated, "created an account")
	if len(j.claims(AccountRecoverable)) != 0 || !slices.ContainsFunc(j.BlindSpots, func(b BlindSpot) bool {
		return strings.Contains(b.What, "the device took no Android ID of ours")
	}) || !slices.ContainsFunc(j.BlindSpots, func(b BlindSpot) bool {
		return strings.Contains(b.What, "was left out: the device gives no root") && len(b.Hides) == 0
	}) {
		t.Errorf("what the device can't do is not said: %+v", j.BlindSpots)
	}

	j = armed(t, canary.SSAID, false, canary.Kinds()...).judge()
	j.because(t, QuestionRecoverable, Inconclusive, "the device took none of our identifiers")

	// What the app sent before it was told is no memory of the service's.
	j = armed(t, canary.SSAID, true).judge()
	if f := j.claims(AccountRecoverable); len(f) != 0 {
		t.Errorf("what a backup brought back is called recoverable: %+v", f)
	}
	j.because(t, QuestionRecoverable, Inconclusive, "no run with the same identity after a wipe was answered")
}

// pattern writes runs with the ids that they were given, numbered in the order in which they come.
func pattern(runs []ArmRun) string {
	var out []string
	var ids []string
	for _, r := range runs {
		if !slices.Contains(ids, r.ID) {
			ids = append(ids, r.ID)
		}
		out = append(out, fmt.Sprintf("%s:%d", r.Arm, slices.Index(ids, r.ID)+1))
	}
	return strings.Join(out, " ")
}
