package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/evidence"
)

func sealCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "seal BUNDLE",
		Short: "Seal the evidence of an audit that was killed, as interrupted",
		Long: `Seal the evidence of an audit that was killed before it could do so itself. Nothing
that was recorded is lost. An audit that was killed could not take back what it had
set on the device; what that is, and how to undo it, is printed.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := evidence.SealInterrupted(args[0], "the audit did not end by itself; sealed afterwards"); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "%s is sealed as interrupted. `unasked replay %[1]s` judges it.\n", args[0])
			bundle, err := evidence.Open(args[0])
			if err != nil {
				return err
			}
			serial, left, err := audit.LeftOnDevice(cmd.Context(), bundle)
			if err != nil {
				return err
			}
			if len(left) == 0 {
				return nil
			}
			fmt.Fprintf(out, "If the device still runs, these may still be set on %s:\n", serial)
			for _, l := range left {
				fmt.Fprintf(out, "  %s: %s\n", l.What, l.Undo)
			}
			return nil
		},
	}
}
