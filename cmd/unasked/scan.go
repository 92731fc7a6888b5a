package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/identities"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/recording"
	"github.com/unasked-audit/unasked/internal/inert"
	"github.com/unasked-audit/unasked/reports"
)

// scanFlags are the flags of `unasked scan`.
type scanFlags struct {
	identities string
	asJSON     bool
	bundle     string
	keys       string
	knowledge  []string
}

func scanCommand() *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "scan FILE",
		Short: "Judge traffic that others recorded",
		Long: `Judge traffic that another tool recorded as an audit's: which accounts, sessions and
installations services created in it, and, with --identities, where identifiers went,
in any disguise. FILE is a HAR of a browser or a proxy, or a pcapng or pcap capture,
whose TLS secrets are in it or in --keys. What FILE is, its content says; - is the
standard input. Captures are read with tshark, which must be installed for them.

The identities are a list in YAML or JSON:

  - kind: email
    value: somebody@example.org
  - kind: advertising_id
    value: 38400000-8cf0-41bd-b23e-10b96e40000d

A value is taken as it is written. "decoy: true" marks one that can't be in the
traffic: where it is found all the same, recognition can't be trusted. Values that
are too short or too common are refused, with the reason.

The recording says nothing of a choice and nothing of a device, so the questions about
these are not applicable. That a person signed up or logged in is told by what requests
hold: an address or a name with a password or a code.

With --json each finding is one JSON object on a line of its own, and nothing else is
on the standard output; docs/scan.md describes the members. The exit code is as
audit's: 0 nothing violated, 1 violated, 2 inconclusive, 3 the scan failed, 64 wrong
usage.`,
		Example: `  unasked scan traffic.har
  unasked scan traffic.har --identities ids.yaml
  unasked scan traffic.har --identities ids.yaml --json
  unasked scan capture.pcapng --keys keys.log --identities ids.yaml --bundle evidence`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return runScan(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.identities, "identities", "i", "", "the values to look for: a YAML or JSON file")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object for each finding")
	flags.StringVarP(&f.bundle, "bundle", "b", "", "keep the traffic as evidence in this folder, absent or empty")
	flags.StringVar(&f.keys, "keys", "", "the TLS secrets of a capture, as SSLKEYLOGFILE has them")
	addKnowledge(cmd, &f.knowledge)
	return cmd
}

func runScan(cmd *cobra.Command, file string, f scanFlags) (err error) {
	kb, err := loadKnowledge(f.knowledge)
	if err != nil {
		return err
	}
	ids, err := loadIdentities(f.identities)
	if err != nil {
		return err
	}
	defer frugal(len(ids.Identity.Canaries) + len(ids.Decoys.Canaries))()
	in, name, err := openRecording(cmd, file)
	if err != nil {
		return err
	}
	defer in.Close()
	ctx := cmd.Context()
	rec, err := recording.File(ctx, in, recording.Options{
		Name: name, Identity: ids.Identity, Decoys: ids.Decoys, Tool: tool(), Command: os.Args,
		Knowledge: kb.Version(), Bundle: f.bundle, Keys: f.keys,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rec.Close()) }()
	for _, n := range rec.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "unasked: warning: %s: %s\n", name, inert.Line(n.What, 1000))
	}
	j, err := judgeScan(ctx, cmd.OutOrStdout(), rec, kb, f.asJSON)
	if err != nil {
		return err
	}
	if f.identities == "" {
		fmt.Fprintln(cmd.ErrOrStderr(), "unasked: note: no --identities were given, so accounts were looked for, and nobody's identifiers")
	} else if err := refused(cmd.ErrOrStderr(), j, ids); err != nil {
		return err
	}
	return concludeScan(cmd, rec, j, f)
}

// frugal has garbage collected as soon as there is some, for a scan is a stream and needs
// little at once, whatever the size of the file. GOMEMLIMIT, where it is set, decides
// instead. It returns what takes it back.
func frugal(values int) func() {
	before := debug.SetMemoryLimit(-1)
	if before != math.MaxInt64 {
		return func() {}
	}
	debug.SetMemoryLimit(128<<20 + int64(values)<<20/2) // half a megabyte for the disguises of each value
	return func() { debug.SetMemoryLimit(before) }
}

// concludeScan says what was found, and what the scan is worth.
func concludeScan(cmd *cobra.Command, rec *recording.Recording, j *judge.Judgement, f scanFlags) error {
	if !f.asJSON {
		in := reports.Input{Evidence: rec.Evidence, Judgement: j}
		if err := reports.Write(cmd.Context(), reports.FormatText, cmd.OutOrStdout(), in); err != nil {
			return err
		}
	}
	errs := cmd.ErrOrStderr()
	fmt.Fprintf(errs, "Scanned: %d flows. Decoys: %d values that can't be in the traffic were searched for, %d places matched.\n",
		rec.Entries, j.Decoys.Decoys, len(j.Decoys.Matches))
	if bundle, ok := rec.Evidence.(*evidence.Bundle); ok {
		findings, err := j.Encode()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(bundle.Dir(), findingsName), findings, 0o600); err != nil {
			return err
		}
		fmt.Fprintf(errs, "Evidence: %s\nSHA-256 of its manifest, to be noted: %s\n", bundle.Dir(), bundle.Digest())
	}
	return verdict(j)
}

// judgeScan judges a recording, and with asJSON prints its sightings meanwhile.
func judgeScan(ctx context.Context, out io.Writer, rec *recording.Recording, kb *knowledge.Base, asJSON bool) (*judge.Judgement, error) {
	if !asJSON {
		return judge.Judge(ctx, rec, kb)
	}
	p := newSightingPrinter(out)
	j, err := judge.JudgeTelling(ctx, rec, kb, p.print)
	if err == nil {
		err = p.issued(j.Issued)
	}
	return j, errors.Join(err, p.out.Flush())
}

// found is a finding as --json prints it.
type found struct {
	Claim      string   `json:"claim"` // "identifier"
	Entry      int      `json:"entry"` // index in log.entries, from 0
	Kind       string   `json:"kind"`
	Value      string   `json:"value"`     // as the identities have it
	Direction  string   `json:"direction"` // request or response
	Where      string   `json:"where"`
	Chain      []string `json:"chain"` // outermost first
	Host       string   `json:"host"`
	Owner      string   `json:"owner"` // empty where it is not known
	Confidence float64  `json:"confidence"`
	Reason     string   `json:"reason"`
}

// key is what makes a finding another than the one before.
func (f found) key() string {
	return strings.Join(append([]string{f.Kind, f.Value, f.Direction, f.Where}, f.Chain...), "\x00")
}

// sightingPrinter writes a line for each place where an identity stands, each once.
type sightingPrinter struct {
	out   *bufio.Writer
	enc   *json.Encoder
	entry int
	seen  map[string]bool // of the entry: the sightings of one stand together
}

func newSightingPrinter(w io.Writer) *sightingPrinter {
	p := &sightingPrinter{out: bufio.NewWriterSize(w, 64<<10), entry: -1, seen: map[string]bool{}}
	p.enc = json.NewEncoder(p.out)
	p.enc.SetEscapeHTML(false)
	return p
}

// print writes a sighting; a decoy's is none that anybody asked for.
func (p *sightingPrinter) print(s judge.Sighting) error {
	if s.Decoy {
		return nil
	}
	f := found{
		Claim: "identifier", Entry: recording.Entry(s.Flow), Kind: s.Kind, Value: s.Value, Direction: s.Direction, Where: s.Where,
		Chain: slices.Clone(s.Chain), Host: s.Host, Owner: s.Owner, Confidence: s.Confidence, Reason: s.Reason,
	}
	if f.Chain == nil {
		f.Chain = []string{}
	}
	if f.Entry != p.entry {
		p.entry = f.Entry
		clear(p.seen)
	}
	if p.seen[f.key()] {
		return nil
	}
	p.seen[f.key()] = true
	return p.enc.Encode(f)
}

// loadIdentities reads the file that --identities names; an empty list stands for none.
func loadIdentities(path string) (*identities.List, error) {
	if path == "" {
		return &identities.List{}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, usage(fmt.Errorf("--identities: %w", err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, identities.MaxFile+1))
	if err != nil {
		return nil, usage(fmt.Errorf("--identities: %w", err))
	}
	ids, err := identities.Parse(path, data)
	return ids, usage(err)
}

// refused says which values were not looked for. That none is left is an error.
func refused(errs io.Writer, j *judge.Judgement, ids *identities.List) error {
	left := len(ids.Identity.Canaries)
	for _, r := range j.Refused {
		what := "decoy"
		if !r.Decoy {
			what = inert.Line(string(r.Canary.Kind), 64)
			left--
		}
		fmt.Fprintf(errs, "unasked: warning: the %s %s is not looked for: %s\n", what, inert.Line(fmt.Sprintf("%q", r.Canary.Value), 100), r.Why)
	}
	if left == 0 {
		return usage(errors.New("none of the identities can be looked for; name values that are longer or rarer"))
	}
	return nil
}

// openRecording opens the file to scan, or the standard input.
func openRecording(cmd *cobra.Command, path string) (in io.ReadCloser, name string, err error) {
	if path == "-" {
		return io.NopCloser(cmd.InOrStdin()), "standard input", nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, "", fmt.Errorf("scan: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("scan: %s is a folder; name a HAR, pcapng or pcap file (for a bundle: `unasked replay %s`)", path, path)
	}
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	return file, path, nil
}
