package explain

import (
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/inert"
)

// shown is how many findings one message lists; the rest is counted.
const shown = 8

// Answer says why a question has its verdict, as the message of a failed or skipped spec:
// the reason, each finding with who got what, when, and where the proof is, and the blind
// spots of an inconclusive one. It ends without a line break.
func Answer(j *judge.Judgement, q judge.Question) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", strings.ToUpper(inert.Line(string(q.Verdict), 40)), inert.Line(q.Title, 200))
	if q.Because != "" {
		fmt.Fprintf(&b, "\n%s", inert.Line(q.Because, 600))
	}
	findings := Findings(j, q)
	for i, f := range findings {
		if i == shown {
			fmt.Fprintf(&b, "\n  … and %s", Count(int64(len(findings)-shown), "more finding", "more findings"))
			break
		}
		fmt.Fprintf(&b, "\n  • %s", strings.ReplaceAll(Finding(f), "\n", "\n    "))
	}
	if q.Verdict == judge.Inconclusive {
		for _, s := range BlindSpots(j, q.ID) {
			fmt.Fprintf(&b, "\n  • could not be seen: %s", inert.Line(s.What, 400))
			if s.Do != "" {
				fmt.Fprintf(&b, "\n    what would help: %s", inert.Line(s.Do, 400))
			}
		}
	}
	return b.String()
}

// Finding says in a few lines who got what, when, and where the proof is.
func Finding(f judge.Finding) string {
	var b strings.Builder
	b.WriteString(inert.Line(f.Title, 300))
	var facts []string
	if f.Host != "" || f.Owner != "" {
		facts = append(facts, "to "+Recipient(f.Host, f.Owner, f.Country))
	}
	if when := When(f.Phase, f.Consent); when != "" {
		facts = append(facts, when)
	}
	if times := Times(f.Seen); times != "" {
		facts = append(facts, times)
	}
	if len(facts) > 0 {
		fmt.Fprintf(&b, "\n%s", strings.Join(facts, "; "))
	}
	if len(f.Proof) > 0 {
		fmt.Fprintf(&b, "\nproof: %s", Place(f.Proof[Telling(f.Proof)]))
		if more := len(f.Proof) - 1; more > 0 {
			fmt.Fprintf(&b, ", and %s", Count(int64(more), "more place", "more places"))
		}
	}
	return b.String()
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

// Findings are the findings that violate a question, in the judgement's order.
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
	return out
}

// BlindSpots are the blind spots that could hide a violation of a question.
func BlindSpots(j *judge.Judgement, question string) []judge.BlindSpot {
	var out []judge.BlindSpot
	for _, s := range j.BlindSpots {
		hides := len(s.Hides) == 0
		for _, id := range s.Hides {
			hides = hides || id == question
		}
		if hides {
			out = append(out, s)
		}
	}
	return out
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
