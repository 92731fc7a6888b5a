package scenarios

import (
	"fmt"

	"github.com/onsi/ginkgo/v2"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
)

// Entries that a spec adds to Ginkgo's report, so that a result can be traced back to the
// question; they become properties in JUnit.
const (
	entryQuestion = "question"
	entryVerdict  = "verdict"
)

// question makes the body of a spec that asks one question of the judgement that is
// being asked. A violated question fails; one that is inconclusive, not applicable, or was
// not asked by the audit at all is skipped and says why.
func question(id string) func() {
	return func() {
		ginkgo.AddReportEntry(entryQuestion, id, ginkgo.ReportEntryVisibilityNever)
		j := asked()
		if j == nil {
			ginkgo.Fail("no judgement was given: the scenarios are run by scenarios.Run, or by go test ./scenarios")
		}
		for _, q := range j.Questions {
			if q.ID != id {
				continue
			}
			ginkgo.AddReportEntry(entryVerdict, string(q.Verdict), ginkgo.ReportEntryVisibilityNever)
			switch q.Verdict {
			case judge.NotObserved:
			case judge.Violated:
				ginkgo.Fail(explain.Answer(j, q))
			case judge.Inconclusive, judge.NotApplicable:
				ginkgo.Skip(explain.Answer(j, q))
			default:
				ginkgo.Fail(fmt.Sprintf("question %s has the verdict %q, which is none; judge the evidence again with this version", id, q.Verdict))
			}
			return
		}
		ginkgo.Skip(fmt.Sprintf("NOT ASKED: the judgement does not answer the question %s", id))
	}
}
