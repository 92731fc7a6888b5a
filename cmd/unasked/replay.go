package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/reports"
)

// findingsName is the file in a bundle's folder that holds what was judged when the audit ended.
const findingsName = "findings.json"

func replayCommand() *cobra.Command {
	var asJSON bool
	var dirs []string
	cmd := &cobra.Command{
		Use:   "replay BUNDLE",
		Short: "Judge evidence again, offline",
		Long: `Judge the evidence in a bundle again, without a device and without a network. The
same evidence and knowledge give the same findings, byte for byte; whether they
are the ones of the audit is said. The exit code is the audit's.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, in, err := judged(cmd.Context(), args[0], dirs...)
			if err != nil {
				return err
			}
			findings, err := in.Judgement.Encode()
			if err != nil {
				return err
			}
			if asJSON {
				_, err = cmd.OutOrStdout().Write(findings)
			} else {
				err = reports.Write(cmd.Context(), reports.FormatText, cmd.OutOrStdout(), in)
			}
			if err != nil {
				return err
			}
			said, err := compare(args[0], findings, in)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), said)
			return verdict(in.Judgement)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	addKnowledge(cmd, &dirs)
	return cmd
}

// judged opens a bundle, checks every byte of it, and judges it with the program's
// knowledge and the folders with more of it. What was changed after it was sealed is not judged.
func judged(ctx context.Context, dir string, more ...string) (*evidence.Bundle, reports.Input, error) {
	bundle, err := evidence.Open(dir)
	if errors.Is(err, evidence.ErrUnsealed) {
		return nil, reports.Input{}, fmt.Errorf("%w; `unasked seal %s` seals it as interrupted", err, dir)
	}
	if err != nil {
		return nil, reports.Input{}, err
	}
	problems, err := evidence.Verify(ctx, dir)
	if err != nil {
		return nil, reports.Input{}, err
	}
	if len(problems) > 0 {
		return nil, reports.Input{}, fmt.Errorf("%s is not as it was sealed (%s); `unasked verify %s` lists everything that is wrong", dir, problems[0], dir)
	}
	kb, err := loadKnowledge(more)
	if err != nil {
		return nil, reports.Input{}, err
	}
	j, err := judge.Judge(ctx, bundle, kb)
	if err != nil {
		return nil, reports.Input{}, fmt.Errorf("judge %s: %w", dir, err)
	}
	return bundle, reports.Input{Evidence: bundle, Judgement: j}, nil
}

// compare says how findings relate to those that were written when the audit ended.
func compare(dir string, findings []byte, in reports.Input) (string, error) {
	then, err := os.ReadFile(filepath.Join(dir, findingsName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "There are no findings of the audit's own to compare with.", nil
	case err != nil:
		return "", err
	case bytes.Equal(then, findings):
		return "These are the findings of the audit, byte for byte.", nil
	case in.Evidence.Manifest().Knowledge != in.Judgement.Knowledge:
		return "These findings differ from the audit's: the knowledge is another (" + string(in.Judgement.Knowledge) + ").", nil
	}
	return "These findings differ from those in " + findingsName + ", though the knowledge is the same: that file was changed, or the program is another. The evidence itself is whole.", nil
}
