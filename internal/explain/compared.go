package explain

import (
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/inert"
)

// Compared says what the arms that were compared show, where a finding rests on them:
// who was given the same id how often, how likely that is by chance, what changing one
// source did, and which runs these were. It is empty for other findings.
func Compared(f judge.Finding) string {
	x := f.Experiment
	if x == nil {
		return ""
	}
	var facts []string
	if x.SignUps != nil && f.Claim == judge.AccountContinued {
		facts = append(facts, fmt.Sprintf("sign-ups that went on with the id from before: %d of %d", x.SignUps.Times, x.SignUps.Of))
	} else {
		facts = append(facts, fmt.Sprintf("the same identity after a wipe was given the same id in %d of %d runs, a new identity in %d of %d (p = %s, Fisher's exact test, one-sided)",
			x.Again.Times, x.Again.Of, x.New.Times, x.New.Of, inert.Line(x.P, 40)))
		for _, c := range x.Sources {
			name := Kind(c.Source)
			switch {
			case c.Undone != "":
				facts = append(facts, fmt.Sprintf("another %s: not tested, for %s", name, Line(c.Undone, 200)))
			case c.Other.Times == 0:
				facts = append(facts, fmt.Sprintf("another %s alone: the same id in all of %d", name, c.Other.Of))
			default:
				facts = append(facts, fmt.Sprintf("another %s alone: another id in %d of %d (p = %s)", name, c.Other.Times, c.Other.Of, inert.Line(c.P, 40)))
			}
		}
	}
	if len(x.Arms) > 0 {
		facts = append(facts, "arms "+inert.Line(strings.Join(x.Arms, ", "), 300))
	}
	return strings.Join(facts, "; ")
}
