package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/protocol"
)

// listed is a protocol as `protocols --json` prints it.
type listed struct {
	Name    string  `json:"name"`
	Title   string  `json:"title"`
	Purpose string  `json:"purpose"`
	Repeats int     `json:"repeats"`
	Seconds float64 `json:"seconds"` // that it watches for
}

func protocolsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "protocols",
		Short: "List the protocols that come with the program",
		Long: `List the protocols that come with the program. A protocol is a YAML file that says
which phases an audit has and how long each lasts; docs/protocols.md tells how to
write your own.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []listed
			for _, name := range protocol.Names() {
				p, err := protocol.Load(name)
				if err != nil {
					return err
				}
				all = append(all, listed{p.Name, p.Title, p.Purpose, p.Repeats, p.Lasts().Seconds()})
			}
			if asJSON {
				return printJSON(cmd, all)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, p := range all {
				fmt.Fprintf(w, "%s\t%s\n", p.Name, p.Title)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(protocolShowCommand())
	return cmd
}

func protocolShowCommand() *cobra.Command {
	var words bool
	cmd := &cobra.Command{
		Use:   "show PROTOCOL",
		Short: "Print a protocol as YAML, to copy and change, or in words",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := loadProtocol(args[0])
			if err != nil {
				return err
			}
			if words {
				_, err = fmt.Fprint(cmd.OutOrStdout(), p.Words())
				return err
			}
			_, err = cmd.OutOrStdout().Write(p.Source)
			return err
		},
	}
	cmd.Flags().BoolVar(&words, "words", false, "say in sentences what is done")
	return cmd
}

// loadProtocol loads a protocol; what is wrong with its name or its text is wrong usage.
func loadProtocol(name string) (*protocol.Protocol, error) {
	p, err := protocol.Load(name)
	if errors.Is(err, protocol.ErrUnknown) {
		return nil, usage(fmt.Errorf("%w; `unasked protocols` lists them", err))
	}
	return p, usage(err)
}
