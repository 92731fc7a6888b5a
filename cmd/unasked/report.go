package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/reports"
)

func reportCommand() *cobra.Command {
	var dirs []string
	var format, out string
	cmd := &cobra.Command{
		Use:   "report BUNDLE",
		Short: "Write a report from evidence, in any format",
		Long: `Judge the evidence in a bundle and write a report: ` + strings.Join(reports.Formats(), ", ") + `.
Text goes to the standard output; the others to a file in the bundle's folder,
unless --out names another, or - for the standard output.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reports.Extension(format) == "" {
				return usage(fmt.Errorf("there is no format %q; choose one of %s", format, strings.Join(reports.Formats(), ", ")))
			}
			_, in, err := judged(cmd.Context(), args[0], dirs...)
			if err != nil {
				return err
			}
			if out == "" {
				out = "-"
				if format != reports.FormatText {
					out = filepath.Join(args[0], "report"+reports.Extension(format))
				}
			}
			if out == "-" {
				return reports.Write(cmd.Context(), format, cmd.OutOrStdout(), in)
			}
			if err := writeReport(cmd.Context(), format, out, in); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), out)
			return err
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", reports.FormatText, "one of "+strings.Join(reports.Formats(), ", "))
	addKnowledge(cmd, &dirs)
	cmd.Flags().StringVarP(&out, "out", "o", "", "the file to write; - for the standard output")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(reports.Formats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// writeReport writes a report to a file, whole or not at all.
func writeReport(ctx context.Context, format, path string, in reports.Input) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // fails once it was renamed, as it should
	if err := reports.Write(ctx, format, f, in); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
