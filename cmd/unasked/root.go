package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "unasked",
		Short: "Find out what an Android app's service does unasked",
		Long: `unasked runs an Android app the way a person would who never signs up, records
everything that happens, and states what the service did unasked: created an
account, sent identifiers, uploaded a draft that was never posted. Every statement
points at its proof, which a third party can check.

Exit codes: 0 nothing violated, 1 violated, 2 inconclusive, 3 the audit itself
failed, 64 wrong usage. "Nothing violated" means not observed, in this run.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = fmt.Sprintf(" Did you mean %q?", near[0])
			}
			return usage(fmt.Errorf("there is no command %q.%s `unasked --help` lists the commands", args[0], hint))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.Version = tool()
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w; `%s --help` lists the flags", err, cmd.CommandPath()))
	})
	cmd.AddCommand(auditCommand(), inspectCommand(), scanCommand(), exportCommand(), replayCommand(), verifyCommand(), sealCommand(), reportCommand(),
		screenCommand(), tcfCommand(), devicesCommand(), protocolsCommand(), probeCommand(), recheckCommand(), dueCommand(), knowledgeCommand(), versionCommand())
	return cmd
}
