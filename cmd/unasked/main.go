// Command unasked runs an Android app the way a person would who never signs up,
// and states what the service did unasked.
//
// Each command is a file of its own here and has no logic of its own: package
// audit runs a protocol, evidence keeps what was seen, judge concludes, scenarios
// asks, reports writes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/judge"
)

// What the program exits with; docs/exit-codes.md tells people.
const (
	exitNothingViolated = 0
	exitViolated        = 1
	exitInconclusive    = 2
	exitFailed          = 3
	exitUsage           = 64 // EX_USAGE of sysexits.h
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// The first signal ends an audit cleanly; a second one ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// execute runs one command line and returns what to exit with.
func execute(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetIn(in)
	cmd.SetOut(out)
	cmd.SetErr(errs)
	err := cmd.ExecuteContext(ctx)
	var code *exitError
	switch {
	case err == nil:
		return exitNothingViolated
	case errors.As(err, &code) && code.err == nil:
		return code.code
	case errors.As(err, &code):
		fmt.Fprintf(errs, "unasked: %v\n", err)
		return code.code
	}
	fmt.Fprintf(errs, "unasked: %v\n", err)
	return exitFailed
}

// exitError ends the program with a code. Without an error there is nothing to say.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err}
}

// verdict turns a judgement into an exit code.
func verdict(j *judge.Judgement) error {
	switch j.Verdict {
	case judge.Violated:
		return &exitError{code: exitViolated}
	case judge.Inconclusive:
		return &exitError{code: exitInconclusive}
	}
	return nil
}

// arguments wraps a check of positional arguments so that a wrong number is wrong usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage(fmt.Errorf("%w; usage: %s", err, cmd.UseLine()))
		}
		return nil
	}
}
