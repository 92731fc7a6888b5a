package reports

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"

	ginkgo "github.com/onsi/ginkgo/v2/reporters"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// junitSuite is the suite's name, as package scenarios has it.
const junitSuite = "unasked"

// writeJUnit writes one test case a question, in the types that Ginkgo writes its own reports
// with: a CI server shows both alike. It reads nothing but the manifest and the judgement.
func writeJUnit(_ context.Context, w io.Writer, in Input) error {
	m := in.Evidence.Manifest()
	suite := ginkgo.JUnitTestSuite{
		Name:       junitSuite,
		Package:    inert.Line(m.App.Package, 200),
		Time:       m.Sealed.Sub(m.Started).Seconds(),
		Timestamp:  m.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: junitProperties(m, in.Judgement),
	}
	for _, q := range in.Judgement.Questions {
		c := ginkgo.JUnitTestCase{
			Name:      "without signing up " + explain.Promise(q),
			Classname: junitSuite + "." + inert.Line(m.App.Package, 200),
			Properties: &ginkgo.JUnitProperties{Properties: []ginkgo.JUnitProperty{
				{Name: "question", Value: inert.Line(q.ID, 100)},
				{Name: "verdict", Value: inert.Line(string(q.Verdict), 40)},
			}},
		}
		suite.Tests++
		switch answer := explain.Answer(in.Judgement, q); q.Verdict {
		case judge.NotObserved:
			c.Status = "passed"
		case judge.Inconclusive, judge.NotApplicable:
			c.Status = "skipped"
			c.Skipped = &ginkgo.JUnitSkipped{Message: answer}
			suite.Skipped++
		default:
			c.Status = "failed"
			c.Failure = &ginkgo.JUnitFailure{Message: explain.Promise(q) + ": " + inert.Line(string(q.Verdict), 40), Type: "failed", Description: answer}
			suite.Failures++
		}
		suite.TestCases = append(suite.TestCases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(ginkgo.JUnitTestSuites{
		Tests: suite.Tests, Disabled: suite.Skipped, Failures: suite.Failures, Time: suite.Time,
		TestSuites: []ginkgo.JUnitTestSuite{suite},
	}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// beforeChoice is how many bytes were sent before any choice and could not be read.
func beforeChoice(j *judge.Judgement) (n int64) {
	for _, o := range j.Opaque {
		if o.Consent == evidence.Untouched {
			n += o.Bytes
		}
	}
	return n
}

func junitProperties(m evidence.Manifest, j *judge.Judgement) ginkgo.JUnitProperties {
	device := "real or emulated"
	if m.Device.Simulated {
		device = SimulatedStamp
	}
	return ginkgo.JUnitProperties{Properties: []ginkgo.JUnitProperty{
		{Name: "verdict", Value: inert.Line(string(j.Verdict), 40)},
		{Name: "ladder", Value: fmt.Sprintf("L%d", j.Ladder)},
		{Name: "coverage", Value: explain.Coverage(j.Coverage)},
		{Name: "bytes before a choice that could not be read", Value: explain.Bytes(beforeChoice(j))},
		{Name: "app", Value: inert.Line(m.App.Package+" "+m.App.VersionName, 200)},
		{Name: "device", Value: device},
		{Name: "protocol", Value: inert.Line(m.Protocol, 100)},
		{Name: "knowledge", Value: inert.Line(string(j.Knowledge), 64)},
		{Name: "how to read it", Value: explain.Promises},
		{Name: "chain head (SHA-256 of the last line of the log)", Value: inert.Line(string(m.Head), 64)},
	}}
}
