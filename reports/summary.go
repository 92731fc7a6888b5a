package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// SimulatedStamp is what every report says that was made on the embedded device.
const SimulatedStamp = "SIMULATED DEVICE"

// simulatedNote says what the stamp means.
const simulatedNote = "This audit ran on a simulation of Android. It shows what the app's code did there; it does not show that a real phone would have been treated alike."

// numbered is a finding with its number in a report: F1, F2 ... Those that violate a question come first, the gravest before the others.
type numbered struct {
	judge.Finding
	Number   int
	Violates []judge.Question
}

// Name is how a report refers to the finding: "F3".
func (n numbered) Name() string { return fmt.Sprintf("F%d", n.Number) }

// number sorts findings: violations first, then the others, each with the gravest first; among those of equal weight
// the judge's order stays.
func number(j *judge.Judgement) []numbered {
	var violating, noted []numbered
	violates := make(map[string][]judge.Question)
	for _, q := range j.Questions {
		if q.Verdict != judge.Violated {
			continue
		}
		for _, id := range q.Findings {
			violates[id] = append(violates[id], q)
		}
	}
	for _, f := range j.Findings {
		n := numbered{Finding: f, Violates: violates[f.ID]}
		if len(n.Violates) > 0 {
			violating = append(violating, n)
		} else {
			noted = append(noted, n)
		}
	}
	for _, s := range [][]numbered{violating, noted} {
		slices.SortStableFunc(s, func(a, b numbered) int { return explain.Gravity(a.Finding) - explain.Gravity(b.Finding) })
	}
	all := append(violating, noted...)
	for i := range all {
		all[i].Number = i + 1
	}
	return all
}

// appName is the app's label, else its package.
func appName(app evidence.App) string {
	switch {
	case app.Label != "":
		return inert.Line(app.Label, 60)
	case app.Package != "":
		return inert.Line(app.Package, 100)
	}
	return "the app"
}

// lead says in one or two sentences what the audit came to.
func lead(j *judge.Judgement, app evidence.App) string {
	name := appName(app)
	switch j.Verdict {
	case judge.Violated:
		return fmt.Sprintf("Without anyone signing up, %s %s.", name, join(deeds(j), "and"))
	case judge.NotObserved:
		return fmt.Sprintf("In this audit %s was not seen to %s without a sign-up. %s",
			name, join(notSeen(j, judge.NotObserved), "or"), "That is no statement about other versions, devices, places or times.")
	case judge.Inconclusive:
		seen := notSeen(j, judge.NotObserved, judge.Inconclusive)
		hiding, _ := explain.Hiding(j)
		spots := explain.Count(int64(len(hiding)), "thing", "things")
		return fmt.Sprintf("%s was not seen to %s without a sign-up, but %s could not be looked at that could hide it.",
			title(name), join(seen, "or"), spots)
	}
	return fmt.Sprintf("The audit gave no occasion to answer what it asks of %s.", name)
}

// deeds are what the violating findings say happened, in words.
func deeds(j *judge.Judgement) []string {
	var kinds, unseen, holders, countries []string
	back, continued, known := false, false, false
	accounts, drafts, faces, device, others, unowned, nowhere := 0, 0, 0, 0, 0, 0, 0
	for _, f := range number(j) {
		if len(f.Violates) == 0 {
			continue
		}
		switch f.Claim {
		case judge.AccountCreated:
			accounts++
		case judge.AccountRecoverable:
			back = true
		case judge.AccountContinued:
			continued = true
		case judge.AccountConfirmed:
			known = true
		case judge.AccountObject, judge.DeviceRemembered:
		case judge.IdentifierSent:
			kinds = add(kinds, f.Subject)
			holders = add(holders, holderOf(f.Finding))
			countries = add(countries, f.Country)
			if f.Owner == "" {
				unowned++
			}
			if f.Country == "" {
				nowhere++
			}
		case judge.IdentifierReturned:
			unseen = add(unseen, f.Subject)
		case judge.DraftUploaded:
			drafts++
		case judge.FeatureVectorSent:
			faces++
		case judge.DeviceAccountAdded:
			device++
		default:
			others++
		}
	}
	var out []string
	if accounts > 0 {
		s := "created an account for this person"
		if back {
			s += " that comes back after a wipe"
		}
		if continued {
			s += " and became theirs when they signed up"
		}
		out = append(out, s)
	}
	if known {
		out = append(out, "made this person known to the service's own website")
	}
	if faces > 0 {
		out = append(out, "sent what looks like the geometry of a face")
	}
	if drafts > 0 {
		out = append(out, "uploaded a draft that was never posted")
	}
	if len(kinds) > 0 {
		one, many := "company", "companies"
		if unowned > 0 {
			one, many = "recipient", "recipients"
		}
		s := fmt.Sprintf("sent %s to %s", explain.Count(int64(len(kinds)), "kind of identifier", "kinds of identifiers"),
			explain.Count(int64(len(holders)), one, many))
		s += where(countries, nowhere > 0)
		out = append(out, s)
	}
	if len(unseen) > 0 {
		out = append(out, fmt.Sprintf("sent %s in a way that could not be read", explain.Count(int64(len(unseen)), "kind of identifier", "kinds of identifiers")))
	}
	if device > 0 {
		out = append(out, "added an account to the device")
	}
	if len(out) == 0 {
		return []string{"did what this report shows in " + explain.Count(int64(others), "finding", "findings")}
	}
	return out
}

// where says which countries the recipients belong to, as far as that is known.
func where(countries []string, others bool) string {
	if len(countries) == 0 {
		return ""
	}
	var names []string
	for _, c := range countries {
		names = append(names, explain.Country(c))
	}
	said := fmt.Sprintf("%d countries", len(names))
	if len(names) <= 3 {
		said = join(names, "and")
	}
	if others {
		return " (some of them in " + said + ")"
	}
	return " in " + said
}

var unseen = map[string]string{
	judge.QuestionAccount:       "create an account",
	judge.QuestionIdentifier:    "send an identifier",
	judge.QuestionBeforeConsent: "send an identifier before a choice",
	judge.QuestionAfterReject:   "send an identifier after rejection",
	judge.QuestionDraft:         "upload a draft",
	judge.QuestionDeviceAccount: "leave an account on the device",
	judge.QuestionRecoverable:   "keep an account that comes back",
	judge.QuestionWaits:         "keep anything for the next installation",
	judge.QuestionContinuity:    "begin a sign-up with something from before",
	judge.QuestionOutside:       "make the service's website know this person",
}

// notSeen are the things that were asked for and have one of the verdicts.
func notSeen(j *judge.Judgement, verdicts ...judge.Verdict) []string {
	var out []string
	any := false
	for _, q := range j.Questions {
		if !slices.Contains(verdicts, q.Verdict) {
			continue
		}
		if any && (q.ID == judge.QuestionBeforeConsent || q.ID == judge.QuestionAfterReject) {
			continue // "send an identifier" says it already
		}
		any = any || q.ID == judge.QuestionIdentifier
		if s, ok := unseen[q.ID]; ok {
			out = append(out, s)
		} else if p := explain.Promise(q); p != "" { // of a question that this version has no words for
			out = append(out, "break the promise that it “"+p+"”")
		}
	}
	if len(out) == 0 {
		out = append(out, "do what was asked for")
	}
	return out
}

func holderOf(f judge.Finding) string {
	if f.Owner != "" {
		return f.Owner
	}
	return f.Host
}

// add appends s unless it is empty or there.
func add(to []string, s string) []string {
	if s == "" || slices.Contains(to, s) {
		return to
	}
	return append(to, s)
}

// ranges names findings in few words: "F1, F3–F7". Those given are in the order of their numbers.
func ranges(findings []numbered) string {
	var out []string
	for i := 0; i < len(findings); {
		end := i
		for end+1 < len(findings) && findings[end+1].Number == findings[end].Number+1 {
			end++
		}
		switch end - i {
		case 0:
			out = append(out, findings[i].Name())
		case 1:
			out = append(out, findings[i].Name(), findings[end].Name())
		default:
			out = append(out, findings[i].Name()+"–"+findings[end].Name())
		}
		i = end + 1
	}
	return strings.Join(out, ", ")
}

// join writes a list as a sentence has it: "a, b and c".
func join(parts []string, word string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " " + word + " " + parts[len(parts)-1]
}
