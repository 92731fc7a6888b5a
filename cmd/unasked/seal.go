package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/evidence"
)

func sealCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "seal BUNDLE",
		Short: "Seal the evidence of an audit that was killed, as interrupted",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := evidence.SealInterrupted(args[0], "the audit did not end by itself; sealed afterwards"); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is sealed as interrupted. `unasked replay %[1]s` judges it.\n", args[0])
			return err
		},
	}
}
