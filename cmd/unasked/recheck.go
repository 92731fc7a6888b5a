package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/recheck"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports/live"
)

func recheckCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "recheck BUNDLE",
		Short: "Ask again, later, what an audit asked",
		Long: `Ask the websites of an audit again whether they know its person and, with --virtual or
--serial, launch the app once more on a device that belongs to the same person. The
evidence is left as it is; what comes now goes to a folder of its own, which names the
earlier evidence and is judged together with its websites' answers.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return runRecheck(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.virtual, "virtual", false, "launch the app on the embedded device, a simulation")
	flags.StringVarP(&f.serial, "serial", "s", "", "launch the app on this device, by its serial as adb lists it")
	flags.StringVarP(&f.out, "out", "o", "", "the evidence's folder, absent or empty (default BUNDLE-recheck-TIME)")
	flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON; progress goes to the standard error")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	addKnowledge(cmd, &f.knowledge)
	return cmd
}

func runRecheck(cmd *cobra.Command, dir string, f auditFlags) error {
	if f.virtual && f.serial != "" {
		return usage(errors.New("--virtual and --serial name two devices: choose one"))
	}
	bundle, _, err := judged(cmd.Context(), dir)
	if err != nil {
		return err
	}
	kb, err := loadKnowledge(f.knowledge)
	if err != nil {
		return err
	}
	var client *adb.Adb
	var provider emulator.Provider
	if f.virtual || f.serial != "" {
		if client, err = adb.New(cmd.Context()); err != nil {
			return err
		}
		if provider, err = chooseDevice(cmd.Context(), client, f); err != nil {
			return err
		}
	}
	if f.out == "" {
		f.out = filepath.Clean(dir) + "-recheck-" + time.Now().Format("20060102-150405")
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	view := live.None()
	sealed, ran := recheck.Run(ctx, bundle, audit.Options{
		Out: f.out, Provider: provider, Adb: client,
		Knowledge: kb, Tool: tool(), Command: os.Args,
		Begun: func(log *evidence.Log) {
			view = liveView(cmd, f, cancel, live.Spot(kb, log.Blob))
			log.Subscribe(view.Event)
		},
	})
	if err := view.Close(); err != nil {
		ran = errors.Join(ran, err)
	}
	switch {
	case errors.Is(ran, recheck.ErrNothing):
		return usage(fmt.Errorf("%w: give --virtual or --serial", ran))
	case !sealed:
		return ran
	}
	concluded := conclude(context.WithoutCancel(ctx), cmd, f)
	if ran != nil {
		return &exitError{exitFailed, ran}
	}
	return concluded
}

func dueCommand() *cobra.Command {
	var at string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "due DIR",
		Short: "List what the audits in a folder want rechecked, and when",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			now := time.Now()
			if at != "" {
				var err error
				if now, err = time.Parse(time.RFC3339, at); err != nil {
					return usage(fmt.Errorf("--at %s is no time: write it like 2026-01-31T12:00:00Z", at))
				}
			}
			list, unread, err := recheck.Due(cmd.Context(), args[0], now)
			if err != nil {
				return err
			}
			for _, u := range unread {
				fmt.Fprintf(cmd.ErrOrStderr(), "left out: %s\n", inert.Line(u.Error(), 1000))
			}
			if asJSON {
				return printJSON(cmd, append([]recheck.Wanted{}, list...))
			}
			var b strings.Builder
			for _, w := range list {
				state := "not yet"
				switch {
				case w.Done != "":
					state = "done in " + inert.Line(w.Done, 400)
				case w.Due:
					state = "due: unasked recheck " + inert.Line(w.Bundle, 400)
				}
				fmt.Fprintf(&b, "%s  %-4s  %s  %s\n", w.At.UTC().Format(time.RFC3339), w.After, inert.Line(w.App, 200), state)
			}
			if len(list) == 0 {
				b.WriteString("No audit here wants to be rechecked.\n")
			}
			_, err = cmd.OutOrStdout().Write([]byte(b.String()))
			return err
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "as of this time, RFC 3339 (default now)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
