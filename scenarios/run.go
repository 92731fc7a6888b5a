// Package scenarios holds the questions that an audit asks, as Ginkgo specs over a
// judgement: one question an It. They run from the program through [Run] and from
// go test, and never touch a device.
//
// # Why there is state in this package
//
// Ginkgo collects specs into one tree of the whole process, while packages are
// initialised, and runs that tree once. So the specs are declared before any
// judgement exists, and can be handed nothing: each reads the judgement that Run put
// into place for it. That one variable is all the state there is, and [Run]
// refuses a second call instead of letting Ginkgo end the process.
package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
	"golang.org/x/term"

	"github.com/unasked-audit/unasked/harness/judge"
)

// ErrAlreadyRan says that the specs ran before in this process. Ginkgo runs a suite once a process.
var ErrAlreadyRan = errors.New("the scenarios ran already in this process")

// Suite is what the suite is called in Ginkgo's reports.
const Suite = "unasked"

// Options say what becomes of the specs' own reports.
type Options struct {
	Output io.Writer // Ginkgo's report for people; nil for none
	JUnit  string    // file to write Ginkgo's JUnit report to; empty for none
	// T is told when a question is violated; nil for nobody. A *testing.T is one.
	T interface{ Fail() }
}

// Result says how the specs went.
type Result struct {
	Passed, Failed, Skipped int
	Specs                   []Spec // in the order in which they are written
}

// How a spec can end.
const (
	Passed  = "passed"
	Failed  = "failed"
	Skipped = "skipped"
)

// Spec is one question as Ginkgo ran it.
type Spec struct {
	Question string // the question's id
	Text     string // "without signing up creates no account"
	State    string // Passed, Failed or Skipped
	Message  string // why it failed or was skipped
}

// suite is what one run of the specs reads and leaves behind.
type suite struct {
	judgement *judge.Judgement
	report    types.Report
}

var (
	mu      sync.Mutex
	running *suite // what Run put into place; nil before
)

func asked() *judge.Judgement {
	mu.Lock()
	defer mu.Unlock()
	if running == nil {
		return nil
	}
	return running.judgement
}

var _ = ginkgo.ReportAfterSuite("hand over the results", func(r ginkgo.Report) {
	mu.Lock()
	defer mu.Unlock()
	if running != nil {
		running.report = r
	}
})

// Run asks all questions of a judgement. A violated question is a failed spec and no error;
// an error means that the specs could not run, or the JUnit file could not be written:
// it wraps [ErrAlreadyRan], the context's error, or that of the file.
//
// Ginkgo listens to SIGINT and SIGTERM from its start to the end of the process. A program
// that wants to end on them after Run has to listen to them itself.
func Run(ctx context.Context, j *judge.Judgement, o Options) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("run scenarios: %w", err)
	}
	if j == nil {
		return Result{}, errors.New("run scenarios: there is no judgement to ask")
	}
	s := &suite{judgement: j}
	mu.Lock()
	if running != nil {
		mu.Unlock()
		return Result{}, ErrAlreadyRan
	}
	running = s
	mu.Unlock()

	runSpecs(o)

	mu.Lock()
	report := s.report
	mu.Unlock()
	if o.JUnit != "" {
		if err := writeJUnit(report, o.JUnit); err != nil {
			return result(report), fmt.Errorf("write JUnit report %s: %w", o.JUnit, err)
		}
	}
	return result(report), nil
}

// runSpecs runs Ginkgo's tree. Ginkgo writes to a variable of its formatter package and takes
// no writer, so that variable is changed for as long as it runs.
func runSpecs(o Options) {
	out := o.Output
	if out == nil {
		out = io.Discard
	}
	stdout := formatter.ColorableStdOut
	formatter.ColorableStdOut = out
	defer func() { formatter.ColorableStdOut = stdout }()

	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	suiteConfig.RandomSeed = 1 // the specs don't depend on each other; the same order each time
	reporterConfig.NoColor = reporterConfig.NoColor || !colour(out)
	t := o.T
	if t == nil {
		t = nobody{}
	}
	ginkgo.RunSpecs(t, Suite, suiteConfig, reporterConfig)
}

// colour reports whether w shows colours: a terminal, with NO_COLOR not set.
func colour(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// nobody is told of failures and keeps them to itself: the result says them.
type nobody struct{}

func (nobody) Fail() {}

func writeJUnit(report types.Report, file string) error {
	return reporters.GenerateJUnitReportWithConfig(report, file, reporters.JunitReportConfig{
		OmitTimelinesForSpecState: types.SpecStatePassed | types.SpecStateSkipped | types.SpecStateFailed,
		OmitSpecLabels:            true,
		OmitLeafNodeType:          true,
		OmitSuiteSetupNodes:       true,
	})
}

func result(report types.Report) Result {
	var r Result
	for _, s := range report.SpecReports {
		if s.LeafNodeType != types.NodeTypeIt {
			continue
		}
		spec := Spec{Text: s.FullText(), Message: s.Failure.Message}
		for _, entry := range s.ReportEntries {
			if id, ok := entry.GetRawValue().(string); ok && entry.Name == entryQuestion {
				spec.Question = id
			}
		}
		switch {
		case s.State.Is(types.SpecStatePassed):
			spec.State = Passed
			r.Passed++
		case s.State.Is(types.SpecStateSkipped | types.SpecStatePending):
			spec.State = Skipped
			r.Skipped++
		default:
			spec.State = Failed
			r.Failed++
		}
		r.Specs = append(r.Specs, spec)
	}
	return r
}
