package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/inert"
)

// Answer says why a question has its verdict, as the message of a failed or skipped spec:
// the reason, each finding with who got what, when, and where the proof is, and the blind
// spots of an inconclusive one. Each proof is one of the state that the question asks about. It ends without a line break.
func Answer(j *judge.Judgement, q judge.Question) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", strings.ToUpper(inert.Line(string(q.Verdict), 40)), Promise(q))
	if said := Because(j, q); said != "" {
		fmt.Fprintf(&b, "\n%s", said)
	}
	for _, f := range Findings(j, q) {
		fmt.Fprintf(&b, "\n  • %s", strings.ReplaceAll(FindingFor(f, q.ID), "\n", "\n    "))
	}
	if q.Verdict == judge.Inconclusive {
		for _, s := range BlindSpots(j, q.ID) {
			fmt.Fprintf(&b, "\n  • could not be seen: %s", Line(s.What, 1000))
			if s.Do != "" {
				fmt.Fprintf(&b, "\n    what would help: %s", inert.Line(s.Do, 1000))
			}
		}
	}
	return b.String()
}

// Because is why a question has its verdict. Where the judgement names one of several findings, the gravest is named.
func Because(j *judge.Judgement, q judge.Question) string {
	findings := Findings(j, q)
	named := func(f judge.Finding) bool { return f.Title != "" && strings.HasPrefix(q.Because, f.Title+", and ") }
	if q.Verdict != judge.Violated || !slices.ContainsFunc(findings, named) {
		return Line(q.Because, 4000)
	}
	return fmt.Sprintf("%s, and %d more", Line(findings[0].Title, 400), len(findings)-1)
}

// Finding says in a few lines who got what, when it was first seen, and where the proof is.
func Finding(f judge.Finding) string { return FindingFor(f, "") }

// FindingFor says a finding as [Finding] does, with the place that proves a breach of one question: a question about
// what happens after a rejection is not answered by what was sent before it.
func FindingFor(f judge.Finding, question string) string {
	var b strings.Builder
	b.WriteString(Line(f.Title, 400))
	about, others := placesFor(f, question)
	phase, consent := f.Phase, f.Consent
	if others && len(about) > 0 {
		phase, consent = about[0].Phase, about[0].Consent
	}
	var facts []string
	if f.Host != "" || f.Owner != "" {
		direction := "to "
		switch f.Claim {
		case judge.IdentifierReturned:
			direction = "from "
		case judge.AccountConfirmed:
			direction = "at "
		}
		facts = append(facts, direction+Recipient(f.Host, f.Owner, f.Country))
	}
	if when := When(phase, consent); when != "" {
		facts = append(facts, when)
	}
	if times := Times(f.Seen); times != "" {
		facts = append(facts, times)
	}
	if len(facts) > 0 {
		fmt.Fprintf(&b, "\n%s", strings.Join(facts, "; "))
	}
	if sure := Sure(f); sure != "" && f.Confidence < plain {
		fmt.Fprintf(&b, "\n%s", sure)
	}
	if compared := Compared(f); compared != "" {
		fmt.Fprintf(&b, "\n%s", compared)
	}
	if len(about) > 0 {
		fmt.Fprintf(&b, "\nproof: %s", Place(about[Telling(about)]))
		if more := len(f.Proof) - 1; more > 0 {
			fmt.Fprintf(&b, ", and %s", Count(int64(more), "more place", "more places"))
		}
	}
	return b.String()
}

// placesFor are the places of a finding's proof that a question is about, and whether the finding has others. They
// are all places where a question asks of no consent state, or no place is of the one that it asks of.
func placesFor(f judge.Finding, question string) (about []judge.Pointer, others bool) {
	want := map[string]evidence.Consent{
		judge.QuestionBeforeConsent: evidence.Untouched,
		judge.QuestionAfterReject:   evidence.Rejected,
	}[question]
	for _, p := range f.Proof {
		if want != "" && p.Consent == want {
			about = append(about, p)
		}
	}
	if len(about) == 0 {
		return f.Proof, false
	}
	return about, len(about) < len(f.Proof)
}

// Telling is the index of the place that a reader should see first: where the service issued a
// value, else the first. It is 0 for no places.
func Telling(proof []judge.Pointer) int {
	for i, p := range proof {
		if p.Role == "minted" {
			return i
		}
	}
	return 0
}

// Findings are the findings that violate a question, the gravest first.
func Findings(j *judge.Judgement, q judge.Question) []judge.Finding {
	violates := make(map[string]bool, len(q.Findings))
	for _, id := range q.Findings {
		violates[id] = true
	}
	var out []judge.Finding
	for _, f := range j.Findings {
		if violates[f.ID] {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b judge.Finding) int { return Gravity(a) - Gravity(b) })
	return out
}

// Gravity is where a finding stands in a list, the gravest with the least: an account, the geometry of a face, a draft, an
// account on the device, what names a person or others, what names the device, and what was merely issued or kept.
func Gravity(f judge.Finding) int {
	switch f.Claim {
	case judge.AccountCreated, judge.AccountRecoverable, judge.AccountObject, judge.AccountContinued, judge.AccountConfirmed:
		return 0
	case judge.FeatureVectorSent:
		return 1
	case judge.DraftUploaded:
		return 2
	case judge.DeviceAccountAdded:
		return 3
	case judge.CredentialsKept:
		return 4
	case judge.IdentifierSent:
		if i := slices.Index(personal, canary.Kind(f.Subject)); i >= 0 {
			return 5 + i
		}
		return 30
	case judge.IdentifierReturned:
		if f.Unseen {
			return 31
		}
	}
	return 40
}

// personal are the identifiers that name a person, or that a person wrote, the gravest first.
var personal = []canary.Kind{
	canary.Email, canary.Phone, canary.Name, canary.Location, canary.ContactEmail, canary.ContactPhone, canary.ContactName,
	canary.CalendarEvent, canary.Clipboard,
}

// BlindSpots are the blind spots that could hide a violation of a question.
func BlindSpots(j *judge.Judgement, question string) []judge.BlindSpot {
	var out []judge.BlindSpot
	for _, s := range j.BlindSpots {
		if slices.Contains(s.Hides, question) {
			out = append(out, s)
		}
	}
	return out
}

// Hiding are the blind spots that could hide a violation of any question. The others are noted, and change no answer.
func Hiding(j *judge.Judgement) (hiding, noted []judge.BlindSpot) {
	for _, s := range j.BlindSpots {
		if len(s.Hides) > 0 {
			hiding = append(hiding, s)
		} else {
			noted = append(noted, s)
		}
	}
	return hiding, noted
}

// Verdict says what a verdict means, in a sentence that can't be read as more than it is.
func Verdict(v judge.Verdict) string {
	switch v {
	case judge.Violated:
		return "It happened, and the proof is in this report."
	case judge.NotObserved:
		return "It was looked for and not seen in this audit. That is no statement about other versions, devices, places or times."
	case judge.Inconclusive:
		return "It was not seen, but something could not be looked at that could hide it."
	case judge.NotApplicable:
		return "The audit gave no occasion for it."
	}
	return ""
}

// Level is a step of the account ladder.
type Level struct {
	Name string // "L3"
	What string // what was seen
	Says string // what that means
}

// Ladder is the account ladder, from L0 to L7.
func Ladder() []Level {
	return []Level{
		{"L0", "Nothing", "No identifier and no account was seen."},
		{"L1", "An identifier was sent", "The service received something that singles out this device or person."},
		{"L2", "An installation ID was issued", "The service numbered this installation or device. That is no account."},
		{"L3", "A user ID was issued and used", "The service created a user for a person who never signed up, and the app acted as that user."},
		{"L4", "The user is recoverable", "The same device gets the same user back after everything was erased; another device does not."},
		{"L5", "An account object exists", "The service keeps a profile, a user name or a creation time from before this installation."},
		{"L6", "The user continues", "Signing up for real leads to the same user."},
		{"L7", "Confirmed from outside", "The service's own website or mail confirms the account."},
	}
}
