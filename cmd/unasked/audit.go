package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual"
	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/audit"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/protocol"
	"github.com/unasked-audit/unasked/reports"
	"github.com/unasked-audit/unasked/reports/live"
	"github.com/unasked-audit/unasked/scenarios"
)

// auditFlags are the flags of `unasked audit`.
type auditFlags struct {
	virtual   bool
	serial    string
	api       int
	protocol  string
	out       string
	seed      string
	asJSON    bool
	quiet     bool
	knowledge []string
	probes    []string
}

func auditCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit APP.apk [SPLIT.apk ...]",
		Short: "Audit an app without signing up",
		Long: `Install an app on a device, run it as the protocol says without signing up, record
everything, and say what its service did unasked.

The device is the one that adb lists, or with --virtual the embedded one, which is
a simulation for web-asset apps: it needs no Android SDK, and every report made on
it says so. The evidence goes to a folder that holds the report too.

Ctrl-C ends the audit cleanly: the app and the settings are taken back and the
evidence is sealed as interrupted. A second Ctrl-C ends the program at once.`,
		Example: `  unasked audit app.apk
  unasked audit app.apk --virtual --protocol quick --out audits/today`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return runAudit(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.virtual, "virtual", false, "use the embedded device, a simulation")
	flags.StringVarP(&f.serial, "serial", "s", os.Getenv("ANDROID_SERIAL"), "the device's serial, as adb lists it")
	flags.IntVar(&f.api, "api", 0, "API level of the embedded device: 30 or 34 (default 34)")
	flags.StringVarP(&f.protocol, "protocol", "p", "quick", "a protocol's name, or a YAML file")
	flags.StringVarP(&f.out, "out", "o", "", "the evidence's folder, absent or empty (default audits/FILE-TIME, after the app's file)")
	flags.StringVar(&f.seed, "seed", "", "what the canaries follow from, hexadecimal, to repeat an audit (default random)")
	flags.StringArrayVar(&f.probes, "probe", nil, "ask a website about the person before the first launch and after the last phase: a YAML file (repeatable)")
	flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON; progress goes to the standard error")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	addKnowledge(cmd, &f.knowledge)
	_ = cmd.RegisterFlagCompletionFunc("protocol", cobra.FixedCompletions(protocol.Names(), cobra.ShellCompDirectiveDefault))
	return cmd
}

func runAudit(cmd *cobra.Command, files []string, f auditFlags) error {
	if f.virtual && cmd.Flags().Changed("serial") {
		return usage(errors.New("--virtual and --serial name two devices: choose one"))
	}
	plan, err := loadProtocol(f.protocol)
	if err != nil {
		return err
	}
	seed, err := hex.DecodeString(f.seed)
	if err != nil {
		return usage(fmt.Errorf("--seed %s is not hexadecimal: give an even number of the digits 0-9 and a-f", f.seed))
	}
	if len(seed) == 0 {
		seed = nil
	}
	probes, err := loadProbes(f.probes)
	if err != nil {
		return err
	}
	kb, err := loadKnowledge(f.knowledge)
	if err != nil {
		return err
	}
	client, err := adb.New(cmd.Context())
	if err != nil {
		return err
	}
	provider, err := chooseDevice(cmd.Context(), client, f)
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = defaultOut(files[0], time.Now())
	}
	if !f.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "Protocol %s: %s of watching, plus what installing, tapping and looking take.\n", plan.Name, plan.Lasts())
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	view := live.None()
	sealed, ran := audit.Run(ctx, audit.Options{
		Files: files, Protocol: plan, Out: f.out, Provider: provider, Spec: emulator.Spec{API: f.api}, Adb: client,
		Knowledge: kb, Probes: probes, Seed: seed, Tool: tool(), Command: os.Args,
		Begun: func(log *evidence.Log) {
			view = liveView(cmd, f, cancel, live.Spot(kb, log.Blob))
			log.Subscribe(view.Event)
		},
	})
	if err := view.Close(); err != nil {
		ran = errors.Join(ran, err)
	}
	if !sealed {
		return ran
	}
	concluded := conclude(context.WithoutCancel(ctx), cmd, f)
	if ran != nil {
		return &exitError{exitFailed, ran}
	}
	return concluded
}

// chooseDevice finds the device that the flags mean.
func chooseDevice(ctx context.Context, client *adb.Adb, f auditFlags) (emulator.Provider, error) {
	if f.virtual {
		provider := virtual.New(virtual.Options{API: f.api})
		return provider, provider.Ready()
	}
	if f.serial != "" {
		return audit.Attached(f.serial), nil
	}
	devices, err := client.ListDevices(ctx)
	if err != nil {
		return nil, err
	}
	switch len(devices) {
	case 0:
		return nil, fmt.Errorf("%w: plug one in with USB debugging on, start an emulator, or use --virtual for the embedded device", adb.ErrNoDevice)
	case 1:
		return audit.Attached(devices[0].Serial), nil
	}
	serials := make([]string, len(devices))
	for i, d := range devices {
		serials[i] = d.Serial
	}
	return nil, fmt.Errorf("%w (%s): choose one with --serial", adb.ErrManyDevices, strings.Join(serials, ", "))
}

// defaultOut names a folder after the app's file and the time.
func defaultOut(file string, now time.Time) string {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	return filepath.Join("audits", name+"-"+now.Format("20060102-150405"))
}

// conclude judges the sealed bundle, asks the scenarios, writes the reports
// beside the evidence, and prints the summary.
func conclude(ctx context.Context, cmd *cobra.Command, f auditFlags) error {
	bundle, in, err := judged(ctx, f.out, f.knowledge...)
	if err != nil {
		return err
	}
	findings, err := in.Judgement.Encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(f.out, findingsName), findings, 0o600); err != nil {
		return err
	}
	if _, err := scenarios.Run(ctx, in.Judgement, scenarios.Options{JUnit: filepath.Join(f.out, "junit.xml")}); err != nil {
		return err
	}
	for _, format := range []string{reports.FormatHTML, reports.FormatJSON} {
		if err := writeReport(ctx, format, filepath.Join(f.out, "report"+reports.Extension(format)), in); err != nil {
			return err
		}
	}
	format := reports.FormatText
	if f.asJSON {
		format = reports.FormatJSON
	}
	if err := reports.Write(ctx, format, cmd.OutOrStdout(), in); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Report:   %s\nEvidence: %s\nSHA-256 of its manifest, to be noted: %s\n",
		filepath.Join(f.out, "report.html"), f.out, bundle.Digest())
	return verdict(in.Judgement)
}

// liveView shows the audit on the terminal, or as lines where there is none.
func liveView(cmd *cobra.Command, f auditFlags, interrupt func(), spot live.Spotter) live.View {
	if f.quiet {
		return live.None()
	}
	in, isIn := cmd.InOrStdin().(*os.File)
	out, isOut := cmd.ErrOrStderr().(*os.File)
	if isIn && isOut && live.Terminal(in) && live.Terminal(out) {
		return live.Screen(in, out, interrupt, spot)
	}
	return live.Lines(cmd.ErrOrStderr(), spot)
}
