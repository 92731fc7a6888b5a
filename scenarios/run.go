// Package scenarios holds the questions that an audit asks, as Ginkgo specs over a
// judgement: one question an It. They run from the program through [Run] and from
// go test, and never touch a device.
package scenarios

import (
	"context"
	"errors"
	"io"

	"github.com/unasked-audit/unasked/harness/judge"
)

// ErrAlreadyRan says that the specs ran before in this process. Ginkgo runs a suite once a process.
var ErrAlreadyRan = errors.New("the scenarios ran already in this process")

// Options say what becomes of the specs' own reports.
type Options struct {
	Output io.Writer // Ginkgo's report for people; nil for none
	JUnit  string    // file to write Ginkgo's JUnit report to; empty for none
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

// Run asks all questions of a judgement. A violated question is a failed spec and no error;
// an error means that the specs could not run: [ErrAlreadyRan], a cancelled context, or a JUnit file that could not be written.
func Run(ctx context.Context, j *judge.Judgement, o Options) (Result, error) {
	return Result{}, ErrAlreadyRan
}
