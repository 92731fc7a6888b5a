package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/adb"
)

func devicesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "List the devices that adb knows",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := adb.New(cmd.Context())
			if err != nil {
				return err
			}
			devices, err := client.ListDevices(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				type row struct {
					Serial  string `json:"serial"`
					State   string `json:"state"`
					Model   string `json:"model"`
					Product string `json:"product"`
				}
				rows := []row{}
				for _, d := range devices {
					rows = append(rows, row{d.Serial, string(d.State), d.Model, d.Product})
				}
				return printJSON(cmd, rows)
			}
			if len(devices) == 0 {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "No device is attached. `unasked audit APP.apk --virtual` needs none.")
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, d := range devices {
				fmt.Fprintf(w, "%s\t%s\t%s\n", d.Serial, d.State, d.Model)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
