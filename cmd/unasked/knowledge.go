package main

import (
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/internal/inert"
)

func knowledgeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "knowledge",
		Short: "Look at what the program knows, and check entries of your own",
		Long: `The knowledge is YAML: which requests create accounts, who answers at a host, which
words a consent dialog uses. audit, scan, replay and report take folders with entries
of your own with --knowledge; docs/knowledge.md tells how to write one.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(knowledgeListCommand(), knowledgeShowCommand(), knowledgeLintCommand())
	return cmd
}

// addKnowledge adds the flag with which a command takes entries of the person's own.
func addKnowledge(cmd *cobra.Command, dirs *[]string) {
	cmd.Flags().StringArrayVar(dirs, "knowledge", nil, "add the entries in this folder to the program's knowledge; may be given again")
}

// loadKnowledge loads the program's knowledge and the folders that a person adds; what
// is wrong with these is wrong usage.
func loadKnowledge(dirs []string) (*knowledge.Base, error) {
	kb, err := knowledge.With(dirs...)
	if err != nil && len(dirs) > 0 {
		return nil, usage(fmt.Errorf("--knowledge: %w; `unasked knowledge lint FOLDER` says everything that is wrong with one", err))
	}
	return kb, err
}

func knowledgeListCommand() *cobra.Command {
	var (
		asJSON bool
		kind   string
		dirs   []string
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the entries of the knowledge",
		Example: `  unasked knowledge list --kind account
  unasked knowledge list --kind owner --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := knowledgeEntries(dirs)
			if err != nil {
				return err
			}
			var kinds []string
			shown := slices.DeleteFunc(slices.Clone(entries), func(e knowledge.Entry) bool {
				kinds = append(kinds, e.Type)
				if e.Type == "signature" {
					kinds = append(kinds, e.Kind)
				}
				return kind != "" && e.Type != kind && (e.Type != "signature" || e.Kind != kind)
			})
			if len(shown) == 0 {
				slices.Sort(kinds)
				return usage(fmt.Errorf("--kind %s: there is no entry of this kind; the kinds are %v", kind, slices.Compact(kinds)))
			}
			if asJSON {
				return printJSON(cmd, shown)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, e := range shown {
				what := e.Type
				if e.Type == "signature" {
					what = e.Kind
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", what, inert.Line(e.ID, 60), e.Checked, inert.Line(e.Title, 60))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&kind, "kind", "", "only these: account, session or installation for signatures, else owner, trap, resolver ...")
	addKnowledge(cmd, &dirs)
	return cmd
}

func knowledgeShowCommand() *cobra.Command {
	var (
		asJSON bool
		dirs   []string
	)
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Print an entry as it is written, to copy and change",
		Example: "  unasked knowledge show firebase-auth-anonymous",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			entries, err := knowledgeEntries(dirs)
			if err != nil {
				return err
			}
			found, near := knowledge.Find(entries, args[0])
			if len(found) == 0 {
				hint := ""
				if near != "" {
					hint = fmt.Sprintf(" Did you mean %q?", near)
				}
				return usage(fmt.Errorf("there is no entry %q.%s `unasked knowledge list` lists them", args[0], hint))
			}
			if asJSON {
				type shown struct {
					knowledge.Entry
					Values map[string]any `json:"entry"`
				}
				var all []shown
				for _, e := range found {
					all = append(all, shown{e, e.Values})
				}
				return printJSON(cmd, all)
			}
			for _, e := range found {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "# %s, %s line %d\n%s\n", e.Type, e.File, e.Line, inert.Text(e.Text, 64<<10)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	addKnowledge(cmd, &dirs)
	return cmd
}

func knowledgeEntries(dirs []string) ([]knowledge.Entry, error) {
	kb, err := loadKnowledge(dirs)
	if err != nil {
		return nil, err
	}
	return kb.Entries()
}

func knowledgeLintCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "lint [FOLDER|FILE]",
		Short: "Say everything that is wrong with entries of your own",
		Long: `Check a file, or all files of a folder, as --knowledge takes it: against the schemas,
and against the program's own entries. Each problem is a line with file, line and
column. Without an argument the program's own knowledge is checked. The exit code is
64 where something is wrong.`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			target := ""
			if len(args) > 0 {
				if target = args[0]; target == "" {
					return usage(errors.New("name a folder or a file, or nothing for the program's own knowledge"))
				}
			}
			problems, err := knowledge.Lint(target)
			if err != nil {
				return usage(err)
			}
			if asJSON {
				err = printJSON(cmd, append([]knowledge.Problem{}, problems...))
			} else {
				for _, p := range problems {
					if _, err = fmt.Fprintln(cmd.OutOrStdout(), inert.Line(p.String(), 2000)); err != nil {
						break
					}
				}
			}
			if err != nil {
				return err
			}
			switch n := len(problems); {
			case n == 1:
				return usage(errors.New("one thing is wrong with the knowledge"))
			case n > 1:
				return usage(fmt.Errorf("%d things are wrong with the knowledge", n))
			case !asJSON:
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "Nothing is wrong with it.")
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: a list of problems, empty where nothing is wrong")
	return cmd
}
