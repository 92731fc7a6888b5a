package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge/account"
	"github.com/unasked-audit/unasked/harness/judge/experiment"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/protocol"
)

// mostPeople is how many people who sign up are looked for besides X.
const mostPeople = 4

// people are the identities that are looked for besides the manifest's: those of the
// people who sign up, whose mail address tells when they did.
func (s *survey) people() []recognise.Planted {
	var out []recognise.Planted
	for _, a := range s.arms {
		if a.data.Role == string(experiment.Signup) && len(a.data.Identity.Canaries) > 0 && len(out) < mostPeople {
			out = append(out, recognise.Planted{Identity: a.data.Identity})
		}
	}
	return out
}

// compared turns what services answered in the arms into findings.
func (c *inquiry) compared() {
	principals := c.tracker.Principals()
	c.objects(principals)
	if len(c.arms) == 0 {
		return
	}
	for _, a := range c.arms {
		if a.data.Undone != "" {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("Arm %s, which changes %s, was left out: %s. Whether an account hangs on it was not tested.", a.Arm, c.labelled(a.data.Change), a.data.Undone),
				Event: a.Seq,
			})
		}
	}
	for _, kind := range []string{knowledge.KindAccount, knowledge.KindInstallation} {
		b := bench{inquiry: c, kind: kind}
		for i := range principals {
			if p := &principals[i]; p.Kind == kind {
				b.answers = append(b.answers, p)
			}
		}
		b.compare = b.runs()
		for _, r := range experiment.Decide(b.compare) {
			b.conclude(&r)
		}
	}
}

// labelled is what a person calls a source that an arm changes.
func (c *inquiry) labelled(name string) string {
	if label := c.kb.Disguises.Kind(name).Label; label != "" && label != name {
		return label
	}
	return strings.ReplaceAll(name, "_", " ")
}

// bench is the comparison of one kind of ids.
type bench struct {
	*inquiry
	kind    string
	answers []*account.Principal
	compare []experiment.Run
}

// runs are the arm runs with what services answered in each.
func (b *bench) runs() []experiment.Run {
	var out []experiment.Run
	for _, a := range b.arms {
		if a.data.Role == string(experiment.Nobody) {
			continue
		}
		run := experiment.Run{
			Arm: a.Arm, Repeat: a.data.Repeat, Role: experiment.Role(a.data.Role), Undone: a.data.Undone,
			Vector: b.vector(a), IDs: map[string]string{}, Then: map[string]string{},
		}
		if run.Role == experiment.Changed {
			run.Changed = b.labelled(a.data.Change)
			run.Undone = cmp.Or(run.Undone, b.alsoChanged(a))
		}
		if len(run.Vector) == 0 {
			run.Undone = cmp.Or(run.Undone, "the device took none of our identifiers")
		}
		b.answered(&run)
		out = append(out, run)
	}
	return out
}

// vector is the identity that was really on the device in an arm run, by what a person
// calls each part of it.
func (b *bench) vector(a at[evidence.Arm]) map[string]string {
	out := map[string]string{}
	for _, c := range a.data.Identity.Canaries {
		kind := string(c.Kind)
		if !slices.Contains(a.data.Absent, kind) && b.took(a.Arm, kind, c.Value) {
			out[b.labelled(kind)] = c.Value
		}
	}
	return out
}

// took reports whether the device had a canary in an arm run: the last attempt to plant
// one of that kind in it, or before it, was one of that value, and worked.
func (b *bench) took(arm, kind, value string) bool {
	ok, last := false, uint64(0)
	for _, x := range b.survey.arms {
		if x.Arm == arm {
			last = x.Seq
		}
	}
	for _, p := range b.plantings {
		if p.data.Kind == kind && (p.Arm == arm || p.Seq < last) {
			ok = p.data.OK && p.data.Value == value
		}
	}
	return ok
}

// alsoChanged says why a run in which one source was to be changed is none, or "".
func (b *bench) alsoChanged(a at[evidence.Arm]) string {
	kinds := protocol.Source(a.data.Change).Kinds()
	for _, c := range a.data.Identity.Canaries {
		if c.Value != b.identity.Value(c.Kind) && !slices.Contains(kinds, c.Kind) {
			return fmt.Sprintf("the %s was changed, too", b.labelled(string(c.Kind)))
		}
	}
	return ""
}

// keyOf tells the ids that can be compared with each other: those at the same place of the
// same answer. A service that issues several at once may remember one of them and not the other.
func keyOf(p *account.Principal) string {
	if p.Signature != "" {
		return p.Signature + " " + p.Field
	}
	return p.Key()
}

// answered fills in what services answered in a run.
func (b *bench) answered(run *experiment.Run) {
	signedUp := b.signedUp[run.Arm]
	for _, p := range b.answers {
		if p.Arm != run.Arm || p.Signup || b.purpose(p.Arm, p.At.Phase) == evidence.PurposeRelaunch {
			continue
		}
		// What the app sent first came with something that the wipe missed.
		if _, known := run.IDs[keyOf(p)]; !known && !p.Sent {
			run.IDs[keyOf(p)] = p.Value
		}
	}
	for key, id := range run.IDs {
		first := b.answer(run.Arm, key, id)
		for _, p := range b.answers {
			if p.Arm != run.Arm || p.Service != first.Service {
				continue
			}
			switch {
			case run.Role == experiment.Restart && keyOf(p) == key && b.purpose(p.Arm, p.At.Phase) == evidence.PurposeRelaunch,
				run.Role == experiment.Signup && p.Signup && signedUp != 0 && p.Request >= signedUp:
				if run.Then[key] != id {
					run.Then[key] = p.Value
				}
			}
		}
		if run.Role == experiment.Restart && run.Then[key] == "" && b.keptOn(run.Arm, first) {
			run.Then[key] = id
		}
	}
}

// answer is the principal of an id in a run.
func (b *bench) answer(arm, key, id string) *account.Principal {
	for _, p := range b.answers {
		if p.Arm == arm && keyOf(p) == key && p.Value == id {
			return p
		}
	}
	return nil
}

func (s *survey) purpose(arm, phase string) string {
	if ph := s.byName[[2]string{arm, phase}]; ph != nil {
		return ph.purpose
	}
	return ""
}

// keptOn reports whether the app went on, after a restart, with what the service had
// issued together with an id.
func (b *bench) keptOn(arm string, p *account.Principal) bool {
	for _, o := range b.tracker.Outcomes() {
		if o.Kind != b.kind || o.Service != p.Service {
			continue
		}
		for _, m := range o.Minted {
			for _, u := range m.Uses {
				if u.Arm == arm && b.purpose(arm, u.Phase) == evidence.PurposeRelaunch {
					return true
				}
			}
		}
	}
	return false
}

// conclude turns the comparison of one service's ids into findings and blind spots.
func (b *bench) conclude(r *experiment.Result) {
	var first *account.Principal
	for _, p := range b.answers {
		if keyOf(p) == r.Service && (first == nil || p.Value == r.ID && first.Value != r.ID) {
			first = p
		}
	}
	if first == nil {
		return
	}
	what, hides := "an account", []string{QuestionRecoverable, QuestionWaits}
	if b.kind == knowledge.KindInstallation {
		what, hides = "an id of this device", []string{QuestionWaits}
	}
	if r.Recoverable {
		f := Finding{
			Claim: AccountRecoverable, Level: 4, Subject: first.Service, Host: first.Host, Signature: first.Signature, Value: cut(r.ID, longestExcerpt),
			Title: fmt.Sprintf("%s gives %s back after the app was removed and the device wiped", first.Service, what), Grounds: r.Grounds, Experiment: b.written(r),
		}
		f.Experiment.Arms = slices.DeleteFunc(f.Experiment.Arms, func(arm string) bool { return b.role(arm) == experiment.Signup })
		f.Experiment.Runs = slices.DeleteFunc(f.Experiment.Runs, func(run ArmRun) bool { return run.Role == string(experiment.Signup) })
		if b.kind == knowledge.KindInstallation {
			f.Claim, f.Level = DeviceRemembered, 2
		}
		switch {
		case len(r.HangsOn) == 1:
			f.Title += ": it hangs on the " + r.HangsOn[0]
			f.Grounds += fmt.Sprintf("; with another %s and all else the same, another id was given", r.HangsOn[0])
		case len(r.HangsOn) > 1:
			f.Title += ": it hangs on the " + strings.Join(r.HangsOn, " and the ")
			f.Grounds += fmt.Sprintf("; with another value of any of %s and all else the same, another id was given", strings.Join(r.HangsOn, ", "))
		}
		if r.OpenHangs != "" {
			f.Grounds += "; " + r.OpenHangs
		}
		b.point(f, r, func(p *account.Principal) bool { return !p.Signup && slices.Contains(r.Arms, p.Arm) })
	} else if r.Open != "" && b.experimented() {
		b.spots.add(BlindSpot{
			What:  fmt.Sprintf("Whether %s gives %s back after a wipe is not known: %s%s.", first.Service, what, r.Open, b.notTaken()),
			Hides: hides, Do: "Repeat the arms more often, on a device that takes every identifier.", Event: first.Response,
		})
	}
	if b.kind != knowledge.KindAccount {
		return
	}
	if r.Continuity {
		f := Finding{
			Claim: AccountContinued, Level: 6, Subject: first.Service, Host: first.Host, Signature: first.Signature, Value: cut(r.SignedUp, longestExcerpt),
			Title: fmt.Sprintf("%s made the account that was there before the sign-up the person's account", first.Service),
			Grounds: fmt.Sprintf("a person signed up, and the service answered with the id that it had given before anybody signed up, in %d of %d sign-ups",
				r.Continued.Times, r.Continued.Of),
			Experiment: b.written(r),
		}
		f.Experiment.SignUps = &Repeats{r.Continued.Times, r.Continued.Of}
		f.Experiment.Arms = slices.DeleteFunc(f.Experiment.Arms, func(arm string) bool { return b.role(arm) != experiment.Signup })
		f.Experiment.Runs = slices.DeleteFunc(f.Experiment.Runs, func(run ArmRun) bool { return run.Role != string(experiment.Signup) })
		b.point(f, r, func(p *account.Principal) bool {
			return p.Value == r.SignedUp && b.role(p.Arm) == experiment.Signup
		})
	} else if r.OpenContinuity != "" {
		b.spots.add(BlindSpot{
			What:  fmt.Sprintf("Whether a sign-up at %s goes on with the account that was there before is not known: %s.", first.Service, r.OpenContinuity),
			Hides: []string{QuestionContinuity}, Event: first.Response,
		})
	}
}

func (s *survey) role(arm string) experiment.Role {
	for _, a := range s.arms {
		if a.Arm == arm {
			return experiment.Role(a.data.Role)
		}
	}
	return ""
}

// notTaken names what the device does not take, which is the same in every run.
func (b *bench) notTaken() string {
	var kinds []string
	for _, a := range b.arms {
		for _, k := range a.data.Absent {
			if label := b.labelled(k); !slices.Contains(kinds, label) {
				kinds = append(kinds, label)
			}
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	return " (the device took no " + strings.Join(kinds, ", no ") + " of ours, so that they were the same in every run)"
}

// point adds a finding with the answers that it rests on.
func (b *bench) point(f Finding, r *experiment.Result, rests func(*account.Principal) bool) {
	for _, p := range b.answers {
		if !rests(p) || keyOf(p) != r.Service && f.Claim != AccountContinued {
			continue
		}
		role := "the same id"
		switch {
		case p.Signup:
			role = "the same id, after the sign-up"
		case f.Claim == AccountContinued:
			role = "the id before the sign-up"
		case p.Value != r.ID:
			role = "another id"
		}
		b.findings.add(f, sighting{arm: p.Arm, signup: p.Signup, Pointer: Pointer{
			Event: p.At.Event, Flow: p.At.Flow, Side: Received, Surface: p.At.Surface, Chain: p.At.Chain, Excerpt: p.At.Excerpt,
			Phase: p.At.Phase, Consent: evidence.Consent(p.At.Consent), Role: fmt.Sprintf("%s (arm %s)", role, b.role(p.Arm)),
		}})
	}
}

// written is a comparison as it stands in a finding.
func (b *bench) written(r *experiment.Result) *Experiment {
	x := &Experiment{
		Arms: notNil(slices.Clone(r.Arms)), Again: Repeats(r.Again), New: Repeats(r.New), P: experiment.Write(r.P),
		HangsOn: []string{}, Open: r.OpenHangs, Sources: []Change{}, Runs: b.ran(r.Service),
	}
	if r.P != nil {
		x.PValue, _ = r.P.Float64()
	}
	names := map[string]string{}
	for _, a := range b.arms {
		if a.data.Change != "" {
			names[b.labelled(a.data.Change)] = a.data.Change
		}
	}
	for _, h := range r.HangsOn {
		x.HangsOn = append(x.HangsOn, names[h])
	}
	for _, s := range r.Sources {
		x.Sources = append(x.Sources, Change{Source: names[s.Name], Other: Repeats(s.Broke), P: experiment.Write(s.P), Undone: s.Undone})
	}
	return x
}

// objects finds accounts that are more than an id: with a profile, or older than the app.
func (c *inquiry) objects(principals []account.Principal) {
	for i := range principals {
		p := &principals[i]
		if p.Kind != knowledge.KindAccount || p.Level < 5 || p.Signup {
			continue
		}
		var grounds []string
		if len(p.Profile) > 0 {
			grounds = append(grounds, fmt.Sprintf("the service answers with a profile of the account that nobody gave it (%s)", strings.Join(p.Profile[:min(len(p.Profile), 6)], ", ")))
		}
		if !p.CreatedAt.IsZero() {
			grounds = append(grounds, fmt.Sprintf("the account was created at %s, as the service says", p.CreatedAt.UTC().Format(time.RFC3339)))
		}
		c.findings.add(Finding{
			Claim: AccountObject, Level: 5, Subject: p.Service, Host: p.Host, Signature: p.Signature, Value: cut(p.Value, longestExcerpt),
			Title:   fmt.Sprintf("%s keeps more of the account than an id", p.Service),
			Grounds: strings.Join(grounds, "; "),
		}, sighting{arm: p.Arm, Pointer: Pointer{
			Event: p.At.Event, Flow: p.At.Flow, Side: Received, Surface: p.At.Surface, Chain: p.At.Chain, Excerpt: p.At.Excerpt,
			Phase: p.At.Phase, Consent: evidence.Consent(p.At.Consent), Role: "names the account",
		}})
	}
}

// signsUp notes the first request after which a person has signed up: the one that
// carries the mail address, once the form is being filled in.
func (c *inquiry) signsUp(e evidence.Event, h *recognise.Hit) {
	if h.Kind != "email" || h.Confidence < sure || !c.signup(e.Arm, e.Phase) || c.role(e.Arm) != experiment.Signup {
		return
	}
	if first, known := c.signedUp[e.Arm]; !known || e.Seq < first {
		c.signedUp[e.Arm] = e.Seq
	}
}
