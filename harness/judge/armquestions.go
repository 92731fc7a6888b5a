package judge

import (
	"slices"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge/experiment"
)

// armQuestions are asked besides where the evidence is that of an experiment.
func armQuestions() []question {
	return []question{
		{QuestionRecoverable, "keeps no account that comes back",
			func(g *gathered) bool { return g.Claim == AccountRecoverable }, compares,
			func(c *inquiry) string {
				return c.armRuns() + "; no service gave the same identity the same account again after a wipe"
			}},
		{QuestionWaits, "keeps nothing for the next installation",
			func(g *gathered) bool { return g.Claim == AccountRecoverable || g.Claim == DeviceRemembered }, compares,
			func(c *inquiry) string {
				return c.armRuns() + "; no service gave the same identity an id again that it had given before the wipe"
			}},
		{QuestionContinuity, "begins a sign-up with nothing from before",
			func(g *gathered) bool { return g.Claim == AccountContinued }, signsUp,
			func(c *inquiry) string {
				return c.armRuns() + "; no service went on, after a sign-up, with an account that was there before it"
			}},
	}
}

// compares says that a question about arms does not apply where none can be compared.
func compares(c *inquiry) string {
	if c.completed() && !c.experimented() {
		return "the protocol has no arms that could be compared (roles A, B and D)"
	}
	return ""
}

func signsUp(c *inquiry) string {
	if c.completed() && !slices.ContainsFunc(c.arms, func(a at[evidence.Arm]) bool { return a.data.Role == string(experiment.Signup) }) {
		return "the protocol signs nobody up (role G)"
	}
	return ""
}

// armRuns counts the arm runs in which the app ran.
func (c *inquiry) armRuns() string {
	n := 0
	for _, a := range c.arms {
		if a.data.Undone == "" && a.data.Role != string(experiment.Nobody) {
			n++
		}
	}
	return counted(n, "arm run was compared", "arm runs were compared")
}

// rests reports whether a question is about accounts that arms were to show: where an
// account may have been missed, so may one that comes back.
func rests(id string) bool {
	return id == QuestionRecoverable || id == QuestionWaits || id == QuestionContinuity
}

// experimented reports whether the evidence is that of arms that can be compared.
func (s *survey) experimented() bool {
	has := func(role experiment.Role) bool {
		return slices.ContainsFunc(s.arms, func(a at[evidence.Arm]) bool { return a.data.Role == string(role) })
	}
	return has(experiment.Again) && has(experiment.New)
}
