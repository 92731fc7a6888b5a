package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/probe"
	"github.com/unasked-audit/unasked/internal/inert"
)

func probeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Ask a service's own website whether it knows an invented person",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(probeCheckCommand(), probeRunCommand(), probeSchemaCommand())
	return cmd
}

func probeCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a probe's file, without asking any website",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := probe.Load(args[0])
			if err != nil {
				return usage(err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is a probe of %s.\n", args[0], inert.Line(p.URL.Value, 200))
			return err
		},
	}
}

func probeSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a probe's file, for editors",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(probe.Schema)
			return err
		},
	}
}

// loadProbes reads the files of probes, each of which has a name of its own.
func loadProbes(files []string) ([]*probe.Probe, error) {
	var list []*probe.Probe
	named := map[string]string{}
	for _, file := range files {
		p, err := probe.Load(file)
		if err != nil {
			return nil, usage(err)
		}
		if other, ok := named[p.Name]; ok {
			return nil, usage(fmt.Errorf("%s and %s are both probes with the name %q: give each its own", other, file, p.Name))
		}
		named[p.Name] = file
		list = append(list, p)
	}
	return list, nil
}

// probed is what `probe run --json` prints.
type probed struct {
	Probe     string          `json:"probe"`
	Answer    probe.Answer    `json:"answer"`
	Because   string          `json:"because"`
	Sign      string          `json:"sign,omitempty"`
	Step      int             `json:"step"`
	URL       string          `json:"url,omitempty"`
	Title     string          `json:"title,omitempty"`
	Status    int             `json:"status,omitempty"`
	UserAgent string          `json:"user_agent"`
	Requests  []probe.Request `json:"requests"`
	Files     []string        `json:"files,omitempty"`
}

func probeRunCommand() *cobra.Command {
	var ids, seed, out string
	var asJSON, decoy bool
	cmd := &cobra.Command{
		Use:   "run FILE (--identities ids.yaml | --seed HEX)",
		Short: "Ask a website once",
		Long: `Open a website in Chromium as anyone sees it, enter an invented identity as the probe's
file says, once, and say what the website answers. The browser calls itself an automated
test. The exit code is 0 where the website does not know the person, 1 where it does, and
2 where it does not say: a captcha, a page that is slow or down, a selector that is nowhere.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := probe.Load(args[0])
			if err != nil {
				return usage(err)
			}
			person, err := probedPerson(ids, seed, decoy)
			if err != nil {
				return err
			}
			return runProbe(cmd.Context(), cmd, p, person, out, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&ids, "identities", "i", "", "the invented values: a YAML or JSON file")
	flags.StringVar(&seed, "seed", "", "the seed of an audit, hexadecimal: its canaries are entered")
	flags.BoolVar(&decoy, "decoy", false, "enter the decoys of --seed instead, which nobody may know")
	flags.StringVarP(&out, "out", "o", "", "keep screenshots and the page in this folder")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// probedPerson is who is asked about.
func probedPerson(ids, seed string, decoy bool) (canary.Identity, error) {
	if (ids == "") == (seed == "") {
		return canary.Identity{}, usage(errors.New("say whom to ask about: give --identities or --seed"))
	}
	if ids != "" {
		if decoy {
			return canary.Identity{}, usage(errors.New("--decoy belongs to --seed"))
		}
		list, err := loadIdentities(ids)
		if err != nil {
			return canary.Identity{}, err
		}
		return list.Identity, nil
	}
	raw, err := hex.DecodeString(seed)
	if err != nil || len(raw) == 0 {
		return canary.Identity{}, usage(fmt.Errorf("--seed %s is not hexadecimal: give an even number of the digits 0-9 and a-f", seed))
	}
	if decoy {
		return canary.Decoys(raw, "X"), nil
	}
	return canary.Derive(raw, "X"), nil
}

func runProbe(ctx context.Context, cmd *cobra.Command, p *probe.Probe, person canary.Identity, out string, asJSON bool) error {
	kb, err := knowledge.Embedded()
	if err != nil {
		return err
	}
	r, err := probe.Run(ctx, p, person, probe.Options{Barriers: kb.Barriers, Tool: tool()})
	if err != nil {
		return err
	}
	files, err := keepProbe(out, r)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(cmd, probed{p.Name, r.Answer, r.Because, r.Sign, r.Step, r.URL, r.Title, r.Status, r.UserAgent, r.Requests, files})
	} else {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", r.Answer, inert.Line(r.Because, 1000))
	}
	switch {
	case err != nil:
		return err
	case r.Answer == probe.Exists:
		return &exitError{code: exitViolated}
	case r.Answer != probe.Not:
		return &exitError{code: exitInconclusive}
	}
	return nil
}

// keepProbe writes what was seen into a folder.
func keepProbe(dir string, r *probe.Result) (files []string, err error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	write := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		err = errors.Join(err, os.WriteFile(path, data, 0o600))
		files = append(files, path)
	}
	for i, picture := range r.Pictures {
		write(fmt.Sprintf("%d.png", i+1), picture.PNG)
	}
	write("page.html", []byte(r.HTML))
	requests, marshalling := json.MarshalIndent(r.Requests, "", "  ")
	write("requests.json", requests)
	return files, errors.Join(err, marshalling)
}
