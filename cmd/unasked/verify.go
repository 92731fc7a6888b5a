package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/evidence"
)

func verifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify BUNDLE",
		Short: "Check that evidence is whole and untouched",
		Long: `Check every byte of a bundle: the chain of the log, each blob against its digest,
and the manifest against both. Everything that is wrong is named, with the first
wrong byte. Exits with 0 if nothing is wrong and with 3 otherwise.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			problems, err := evidence.Verify(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				type row struct {
					File   string `json:"file"`
					Offset int64  `json:"offset"`
					What   string `json:"what"`
				}
				rows := []row{}
				for _, p := range problems {
					rows = append(rows, row(p))
				}
				if err := printJSON(cmd, rows); err != nil {
					return err
				}
			}
			if len(problems) == 0 {
				if !asJSON {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is whole: every byte is as it was sealed.\n", args[0])
				}
				return err
			}
			if !asJSON {
				for _, p := range problems {
					fmt.Fprintf(cmd.OutOrStdout(), "%s, byte %d: %s\n", p.File, p.Offset, p.What)
				}
			}
			return fmt.Errorf("%s is not as it was sealed", args[0])
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
