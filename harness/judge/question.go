package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge/recognise"
)

// question is how one question is answered.
type question struct {
	id, title string
	// violates reports whether a finding is what the question asks about.
	violates func(*gathered) bool
	// applies says why the question does not apply, if it does not.
	applies func(*inquiry) (why string)
	// clean says what was looked at and found without.
	clean func(*inquiry) string
}

// questions are asked in this order.
func questions() []question {
	return []question{
		{QuestionAccount, "creates no account without sign-up",
			func(g *gathered) bool { return g.Claim == AccountCreated || g.Claim == AccountObject }, always,
			func(c *inquiry) string {
				return c.read() + "; in none did a service issue an account that the app used"
			}},
		{QuestionIdentifier, "sends no identifier without sign-up",
			func(g *gathered) bool {
				return (g.Claim == IdentifierSent || g.Claim == IdentifierReturned && g.Unseen) && !g.Possible
			}, sought,
			func(c *inquiry) string { return c.read() + "; none holds one of " + c.lookedFor() }},
		{QuestionBeforeConsent, "sends no identifier before a choice",
			sentIn(evidence.Untouched), during(evidence.Untouched, "the protocol leaves no time before the choice"),
			func(c *inquiry) string {
				return c.read() + "; before the choice none holds one of " + c.lookedFor()
			}},
		{QuestionAfterReject, "sends no identifier after rejection",
			sentIn(evidence.Rejected), during(evidence.Rejected, "the protocol rejects nothing"),
			func(c *inquiry) string {
				return c.read() + "; after the rejection none holds one of " + c.lookedFor()
			}},
		{QuestionDraft, "uploads no draft",
			func(g *gathered) bool { return g.Claim == DraftUploaded || g.Claim == FeatureVectorSent }, draftsMade,
			func(c *inquiry) string {
				return c.read() + "; none holds a piece of what was recorded (a copy that was encoded anew would not be recognised)"
			}},
		{QuestionDeviceAccount, "leaves no account on the device",
			func(g *gathered) bool {
				return g.Claim == DeviceAccountAdded || g.Claim == CredentialsKept && strings.HasPrefix(g.Subject, "account ")
			}, onDevice,
			func(c *inquiry) string {
				return c.heldBy() + " no account that was not there before"
			}},
	}
}

// asking are the questions that are asked of this evidence, in order.
func (c *inquiry) asking() []question {
	list := questions()
	if len(c.arms) > 0 {
		list = append(list, armQuestions()...)
	}
	if len(c.probes) > 0 {
		list = append(list, outsideQuestion())
	}
	return list
}

// questionIDs are the ids of the questions that are asked of this evidence.
func (c *inquiry) questionIDs() []string { return ids(c.asking()) }

// questionIDs are all questions that there are, in the order in which they are asked.
func questionIDs() []string {
	return ids(append(append(questions(), armQuestions()...), outsideQuestion()))
}

func ids(list []question) []string {
	var out []string
	for _, q := range list {
		out = append(out, q.id)
	}
	return out
}

func always(*inquiry) string { return "" }

// sought says that a recording was not searched for anybody's identifiers.
func sought(c *inquiry) string {
	if len(c.phases) == 0 && len(c.identity.Canaries) == 0 {
		return "nobody said which identifiers to look for"
	}
	return ""
}

// onDevice says that traffic alone, as others record it, tells nothing of a device.
func onDevice(c *inquiry) string {
	if !c.installs && len(c.accounts) == 0 && c.completed() {
		return "the evidence holds traffic and no device"
	}
	return ""
}

// sentIn asks for identifiers that were sent in a consent state.
func sentIn(consent evidence.Consent) func(*gathered) bool {
	return func(g *gathered) bool {
		return g.Claim == IdentifierSent && !g.Possible && g.consents[consent]
	}
}

// during says that a question does not apply where no phase with the app has the consent state.
func during(consent evidence.Consent, why string) func(*inquiry) string {
	return func(c *inquiry) string {
		if !c.completed() {
			return ""
		}
		if len(c.phases) == 0 {
			return "the evidence does not say when a choice was made"
		}
		if c.has(func(p *phase) bool {
			return p.purpose != purposeBaseline && p.consent == consent || p.purpose == purposeConsent && !p.reached
		}) {
			return ""
		}
		return why
	}
}

func draftsMade(c *inquiry) string {
	switch {
	case !c.completed():
		return ""
	case !c.has(func(p *phase) bool { return p.purpose == purposeDraft }):
		return "the protocol records no draft"
	case !c.has(func(p *phase) bool { return p.purpose == purposeDraft && p.reached }) && c.noRecorder():
		return "nothing that records was found, and the app asks for neither camera nor microphone"
	}
	return ""
}

// completed reports whether the protocol ran to its end, so that what is not in the
// log was never meant to be.
func (c *inquiry) completed() bool {
	return cmp.Or(c.manifest.End.How, evidence.Completed) == evidence.Completed && (c.end == nil || c.end.How == evidence.Completed)
}

func (c *inquiry) read() string {
	return fmt.Sprintf("%s to %s were read", counted(c.coverage.Flows, "request", "requests"), counted(len(c.recipients), "host", "hosts"))
}

// lookedFor counts the identifiers that the device took: one that it did not take is
// looked for too, and can't be there.
func (c *inquiry) lookedFor() string {
	n, _ := c.needles.Targets()
	if planted := c.planted(); planted != nil {
		n = 0
		for _, x := range c.identity.Canaries {
			if planted[string(x.Kind)] && x.Value != "" && c.kb.Traps.Refuse(x.Value) == "" {
				n++
			}
		}
	}
	return fmt.Sprintf("the %s in any disguise that is known", counted(n, "planted identifier", "planted identifiers"))
}

// planted are the kinds of canaries that the device took; nil where the evidence does
// not say what was planted, as where it was recorded by others.
func (c *inquiry) planted() map[string]bool {
	if len(c.plantings) == 0 {
		return nil
	}
	kinds := map[string]bool{}
	for _, p := range c.plantings {
		kinds[p.data.Kind] = kinds[p.data.Kind] || p.data.OK
	}
	return kinds
}

// heldBy names what of the device was read.
func (c *inquiry) heldBy() string {
	if c.privateRead() {
		return "the account manager and the app's private files hold"
	}
	return "the account manager (the app's private files were not read) holds"
}

// privateRead reports whether the app's private files were kept after it had run.
func (c *inquiry) privateRead() bool {
	return slices.ContainsFunc(c.exhibits, func(x at[evidence.Exhibit]) bool {
		return x.data.Kind == evidence.ExhibitPrivate && !c.withoutApp(x.Event)
	})
}

// judgement answers the questions from all that was gathered.
func (c *inquiry) judgement() *Judgement {
	c.answered()
	c.uploaded()
	c.deviceAccounts()
	c.compared()
	c.outside()
	c.dropNoise()
	c.blindSpots()
	c.draftSpots()
	c.accountSpots()
	c.instrumentSpots()

	j := &Judgement{Verdict: NotApplicable, Coverage: c.coverage, Decoys: c.decoys, Knowledge: c.kb.Version()}
	j.Decoys.Matches = notNil(j.Decoys.Matches)
	c.own()
	j.Findings = c.findings.done(c.survey)
	ids := c.ids()
	for _, q := range c.asking() {
		j.Questions = append(j.Questions, c.answerTo(q, ids))
	}
	for _, f := range j.Findings {
		if !f.Signup {
			j.Ladder = max(j.Ladder, f.Level)
		}
	}
	for _, v := range []Verdict{NotObserved, Inconclusive, Violated} {
		if slices.ContainsFunc(j.Questions, func(q Question) bool { return q.Verdict == v }) {
			j.Verdict = v
		}
	}
	j.BlindSpots = notNil(c.spots.list)
	j.Recipients = []Recipient{}
	for _, host := range sorted(c.recipients) {
		j.Recipients = append(j.Recipients, *c.recipients[host])
	}
	if len(c.carries) > 0 {
		var closed []string
		for _, o := range c.hidden {
			closed = append(closed, o.Host)
		}
		j.SDKs = joinSDKs(c.carries, c.sdks, sorted(c.recipients), closed)
	}
	j.Dossier = c.dossier(j.Findings)
	j.Opaque, j.Names, j.Refused, j.Issued = c.destinations(), c.named(), c.refusals(), c.gave
	return j
}

// refusals are the planted values that are not looked for.
func (c *inquiry) refusals() []recognise.Refusal {
	return slices.DeleteFunc(slices.Clone(c.sight.unfit), func(r recognise.Refusal) bool { return r.Decoy })
}

// own adds who is behind each host.
func (c *inquiry) own() {
	for _, g := range c.findings.order {
		if o, ok := c.kb.Owners.Of(g.Host); ok && g.Host != "" {
			g.Owner, g.Country = o.Name(), o.Country
		}
	}
}

// ids are the findings' ids, by finding.
func (c *inquiry) ids() map[*gathered]string {
	out := make(map[*gathered]string, len(c.findings.order))
	for _, g := range c.findings.order {
		out[g] = g.id()
	}
	return out
}

// answerTo answers one question.
func (c *inquiry) answerTo(q question, ids map[*gathered]string) Question {
	out := Question{ID: q.id, Title: q.title}
	var titles []string
	for _, g := range c.findings.order {
		if !g.Signup && q.violates(g) {
			out.Findings = append(out.Findings, ids[g])
			titles = append(titles, g.Title)
		}
	}
	slices.Sort(out.Findings)
	out.Findings = slices.Compact(out.Findings)
	slices.Sort(titles)
	var hidden []string
	for _, s := range c.spots.list {
		if slices.Contains(s.Hides, q.id) || rests(q.id) && slices.Contains(s.Hides, QuestionAccount) {
			hidden = append(hidden, s.What)
		}
	}
	switch {
	case len(titles) > 0 && len(c.decoys.Matches) > 0 && c.byCanaries(q.id):
		out.Verdict = Inconclusive
		out.Because = fmt.Sprintf("%s; but %s never planted was recognised too, so recognition can't be trusted in this audit", and(titles), counted(len(c.decoys.Matches), "value that was", "values that were"))
	case len(titles) > 0:
		out.Verdict = Violated
		out.Because = and(titles)
	case q.applies(c) != "":
		out.Verdict = NotApplicable
		out.Because = q.applies(c)
	case len(hidden) > 0:
		out.Verdict = Inconclusive
		out.Because = and(hidden)
	default:
		out.Verdict = NotObserved
		out.Because = q.clean(c)
	}
	return out
}

// byCanaries reports whether a question's findings rest on recognised canaries.
func (c *inquiry) byCanaries(id string) bool {
	return id == QuestionIdentifier || id == QuestionBeforeConsent || id == QuestionAfterReject
}

// and names the first of a list and counts the rest.
func and(list []string) string {
	first := strings.TrimSuffix(list[0], ".")
	if len(list) == 1 {
		return first
	}
	return fmt.Sprintf("%s, and %d more", first, len(list)-1)
}

// accountSpots says where nobody looked for accounts.
func (c *inquiry) accountSpots() {
	if c.launches > 0 && !slices.ContainsFunc(c.accounts, func(x at[evidence.Accounts]) bool { return !c.withoutApp(x.Event) }) {
		c.spots.add(BlindSpot{What: "The device's accounts were not read while the app was there.", Hides: []string{QuestionDeviceAccount}, Event: c.lastEvent})
	}
}

// instrumentSpots says which instruments are missing from the evidence.
func (c *inquiry) instrumentSpots() {
	if c.launches == 0 || !c.installs {
		return
	}
	if !c.privateRead() {
		c.spots.add(BlindSpot{
			What:  "The app's private files were not read after it had run, so an account that it keeps there was not seen.",
			Hides: []string{QuestionDeviceAccount}, Do: "Use a device that can be rooted.", Event: c.lastEvent,
		})
	}
	if !slices.ContainsFunc(c.counters, func(x at[evidence.Counters]) bool { return !c.withoutApp(x.Event) }) {
		c.spots.note("The kernel's count of the app's bytes is not in the evidence, so traffic that passed the proxy by would not have been noticed.",
			"Use a device that counts traffic by uid.")
	}
}

// draftSpots says where a draft was made and could not be looked for.
func (c *inquiry) draftSpots() {
	for _, p := range c.phases {
		if p.purpose != purposeDraft || !p.reached {
			continue
		}
		if !slices.ContainsFunc(c.exhibits, func(x at[evidence.Exhibit]) bool {
			return x.data.Kind == evidence.ExhibitDraft && x.Arm == p.arm
		}) {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("Phase %s made a recording that is not in the evidence, so an upload of it could not be recognised.", p.name),
				Hides: []string{QuestionDraft}, Event: p.start,
			})
		}
	}
}

// sorted lists the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
