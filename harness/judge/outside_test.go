package judge

import (
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// TestOutside answers whether a service's website knows the person, from what it said of
// them before and after the app ran, and of a decoy.
func TestOutside(t *testing.T) {
	const none, exists, blocked = evidence.ProbeNot, evidence.ProbeExists, evidence.ProbeBlocked
	type row struct {
		before, after string
		later         string // in a recheck
		decoys        []string
		signup, still bool // a person signed up; the app was never started
		refused       bool // the device took no mail address
		want          Verdict
		says          string
		ladder        int
	}
	twice := []string{none, none}
	for name, c := range map[string]row{
		"knows the person":    {before: none, after: exists, decoys: twice, want: Violated, says: "www.example.com (probe find) knows the person, who never signed up", ladder: 7},
		"knows nobody":        {before: none, after: none, want: NotObserved, says: "1 website was asked about the person after the app had run; none knows them"},
		"after a sign-up":     {before: none, after: exists, decoys: twice, signup: true, want: Inconclusive, says: "a person signed up in this audit"},
		"knew them before":    {before: exists, after: exists, decoys: twice, want: Inconclusive, says: "it knew them before the app was started"},
		"forgot them":         {before: exists, after: none, decoys: []string{none}, want: NotObserved, says: "none knows them"},
		"knows just anybody":  {before: none, after: exists, decoys: []string{exists}, want: Inconclusive, says: "tells nothing"},
		"knows who was asked": {before: none, after: exists, decoys: []string{none, exists}, want: Inconclusive, says: "tells nothing"},
		"asked once only":     {before: none, after: exists, decoys: []string{none}, want: Inconclusive, says: "not asked as often"},
		"no control":          {before: none, after: exists, want: Inconclusive, says: "not asked as often"},
		"control blocked":     {before: none, after: exists, decoys: []string{none, blocked}, want: Inconclusive, says: "it did not say: because"},
		"blocked after":       {before: none, after: blocked, want: Inconclusive, says: "after the last phase it did not say: because"},
		"blocked before":      {before: blocked, after: exists, decoys: twice, want: Inconclusive, says: "before the app's first launch it did not say"},
		"blocked, then none":  {before: blocked, after: none, want: NotObserved, says: "none knows them"},
		"not asked before":    {after: exists, decoys: []string{none}, want: Inconclusive, says: "was not asked before"},
		"not asked after":     {before: none, want: Inconclusive, says: "was not asked after the last phase"},
		"never started":       {before: none, after: exists, decoys: twice, still: true, want: Inconclusive},
		"learnt later":        {before: none, after: none, later: exists, decoys: []string{none, none, none}, want: Violated, says: "knows the person", ladder: 7},
		"forgot later":        {before: none, after: exists, later: none, decoys: twice, want: Violated, says: "knows the person", ladder: 7},
		"blocked later":       {before: none, after: none, later: blocked, want: Inconclusive, says: "in a recheck it did not say: because"},
		"nothing to tell":     {before: none, after: none, refused: true, want: Inconclusive, says: "the device did not take the"},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t)
			ask := func(when, who, answer string) {
				if answer == "" {
					return
				}
				r.event(evidence.KindProbe, evidence.Probe{
					Name: "find", Source: r.blob([]byte("name: find")), When: when, Who: who, Entered: []string{"email"}, Host: "www.example.com",
					Answer: answer, Because: "because", Screenshots: []evidence.Digest{r.blob([]byte("first")), r.blob([]byte(when + who))},
				})
			}
			ask(evidence.ProbeBefore, evidence.ProbeIdentity, c.before)
			if c.refused {
				for i := range r.person.Canaries {
					if r.person.Canaries[i].Kind == canary.Email {
						r.person.Canaries = append(r.person.Canaries[:i:i], r.person.Canaries[i+1:]...)
						break
					}
				}
				r.event(evidence.KindPlanting, evidence.Planting{Kind: "email", Value: "x@example.com", Error: "no"})
			}
			if c.still {
				r.in("A", "install", "install", evidence.Untouched)
				r.act("install", true, "")
			} else {
				r.untouched()
			}
			if c.signup {
				r.in("A", "signed-up", evidence.PurposeSignup, evidence.Accepted)
				r.phase.Signup = true
			}
			r.leave(true, "")
			r.log.Position("", "", "")
			ask(evidence.ProbeAfter, evidence.ProbeIdentity, c.after)
			ask(evidence.ProbeLater, evidence.ProbeIdentity, c.later)
			for _, d := range c.decoys {
				ask(evidence.ProbeAfter, evidence.ProbeDecoy, d)
			}
			j := r.judge()
			q := j.Questions[len(j.Questions)-1]
			if q.ID != QuestionOutside || q.Verdict != c.want || !strings.Contains(q.Because, c.says) || j.Ladder != c.ladder {
				t.Errorf("%s: %s (%s), ladder %d; want %s (%s), %d", q.ID, q.Verdict, q.Because, j.Ladder, c.want, c.says, c.ladder)
			}
			for _, other := range j.Questions[:len(j.Questions)-1] {
				if strings.Contains(other.Because, "website") {
					t.Errorf("%s: %s: what a website says has nothing to do with it", other.ID, other.Because)
				}
			}
			found := j.claims(AccountConfirmed)
			if len(found) > 0 != (c.want == Violated || c.signup) {
				t.Fatalf("findings: %+v", found)
			}
			for _, f := range found {
				if f.Level != 7 || f.Signup != c.signup || len(f.Proof) != 3 || f.Value != r.person.Value(canary.Email) {
					t.Errorf("%+v", f)
				}
				for _, p := range f.Proof {
					if p.Event == 0 || p.Blob == "" || p.Role == "" || p.Phase != "" {
						t.Errorf("the proof has no place or no screenshot: %+v", p)
					}
				}
			}
		})
	}
	if j := innocent(t).judge(); j.verdict(QuestionOutside) != "" {
		t.Error("where no website was asked, the question is answered all the same")
	}
}
