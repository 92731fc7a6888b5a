package main

import (
	"fmt"
	"io"

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
wrong byte. Exits with 0 if nothing is wrong and with 3 otherwise.

A bundle that somebody made anew from changed evidence is whole, too. What shows
that is the manifest's SHA-256, which is printed: compare it with the one that was
noted when the audit ended.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			problems, err := evidence.Verify(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			v := verification{Whole: len(problems) == 0, Problems: append([]evidence.Problem{}, problems...)}
			if v.Whole {
				bundle, err := evidence.Open(args[0])
				if err != nil {
					return err
				}
				v.Manifest = bundle.Digest()
			}
			if asJSON {
				err = printJSON(cmd, v)
			} else {
				err = v.print(cmd.OutOrStdout(), args[0])
			}
			if err != nil {
				return err
			}
			if !v.Whole {
				return fmt.Errorf("%s is not as it was sealed", args[0])
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// verification is what `verify --json` prints.
type verification struct {
	Whole    bool               `json:"whole"`
	Manifest evidence.Digest    `json:"manifest,omitempty"` // SHA-256 of manifest.json, where all is whole
	Problems []evidence.Problem `json:"problems"`
}

func (v verification) print(w io.Writer, bundle string) error {
	if v.Whole {
		_, err := fmt.Fprintf(w, "The evidence in %s is whole: every byte is as it was sealed. (Reports and findings beside it are not part of it; they can be written again.)\nSHA-256 of its manifest: %s\nCompare it with the one that was noted when the audit ended.\n", bundle, v.Manifest)
		return err
	}
	for _, p := range v.Problems {
		if _, err := fmt.Fprintf(w, "%s, byte %d: %s\n", p.File, p.Offset, p.What); err != nil {
			return err
		}
	}
	return nil
}
