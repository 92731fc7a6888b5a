package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/apk"
)

func inspectCommand() *cobra.Command {
	var asJSON bool
	var lists apk.Lists
	var more []string
	cmd := &cobra.Command{
		Use:   "inspect APP...",
		Short: "Say what an app's files say of it",
		Long: `Read an app without running it: its manifest and names, who signed it (every
signature is verified), permissions, components that others can reach, whom it trusts
on the network, native libraries, bytecode, what it is made with, and the SDKs of
others that it carries. That an SDK is there does not say that it ran: an audit does.

APP is an APK, an app bundle (.aab), several APKs of one app in one file (.apks,
.xapk, .apkm) or in a folder, or a base APK followed by its splits. A scheme 4
signature is read from APP.idsig.

With --json one JSON object is printed, which docs/inspect.schema.json describes.
--classes, --strings and --methods add these lists to it; without --json they are
printed alone, one entry a line. Exits with 0 also where a signature does not verify;
with 3 where the app can't be read.`,
		Example: `  unasked inspect app.apk
  unasked inspect app.apk --json
  unasked inspect base.apk split_config.de.apk
  unasked inspect app.apk --classes`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			kb, err := loadKnowledge(more)
			if err != nil {
				return err
			}
			carried, err := kb.Carried()
			if err != nil {
				return err
			}
			app, err := apk.Open(args...)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, app.Close()) }()
			defer frugal(0)()
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			if !asJSON && lists != (apk.Lists{}) {
				return app.WriteLists(ctx, out, lists)
			}
			d, err := app.Describe(ctx, carried)
			if err != nil {
				return err
			}
			if asJSON {
				return app.WriteJSON(ctx, out, d, lists)
			}
			return d.WriteText(out)
		},
	}
	addKnowledge(cmd, &more)
	flags := cmd.Flags()
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	flags.BoolVar(&lists.Classes, "classes", false, "list every class that the bytecode defines")
	flags.BoolVar(&lists.Strings, "strings", false, "list every string of the bytecode")
	flags.BoolVar(&lists.Methods, "methods", false, "list every method that the bytecode refers to")
	return cmd
}
