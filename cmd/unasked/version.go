package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

// release is the version that the changelog names.
const release = "0.1.0"

// revision is the commit that the program was built from; the build sets it.
var revision = "unknown"

// tool is how the program names itself in evidence.
func tool() string { return "unasked " + release + " (" + revision + ")" }

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of the program and of its knowledge",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			kb, err := knowledge.Embedded()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, map[string]string{
					"version": release, "revision": revision, "knowledge": string(kb.Version()), "go": runtime.Version(),
				})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\nknowledge %s\n", tool(), kb.Version())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printJSON(cmd *cobra.Command, v any) error {
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
