package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/consent/tcf"
	"github.com/unasked-audit/unasked/internal/inert"
)

func tcfCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tcf STRING|FILE",
		Short: "Say what a consent string grants",
		Long: `Decode what an app was told about consent: a TC string of the IAB's Transparency and Consent
Framework, a GPP string or a US Privacy string, or an app's shared preferences (an XML file), in
which the IAB's keys are looked for. - is preferences on the standard input.`,
		Example: `  unasked tcf COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA
  unasked tcf shared_prefs/com.example.app_preferences.xml --json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return runTCF(cmd, args[0], asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func runTCF(cmd *cobra.Command, what string, asJSON bool) error {
	s, err := readConsent(cmd, what)
	if err != nil {
		return err
	}
	if !asJSON {
		describeConsent(cmd.OutOrStdout(), s)
		return nil
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	return enc.Encode(s)
}

// readConsent reads a file of preferences where there is one, else a string.
func readConsent(cmd *cobra.Command, what string) (*tcf.Stored, error) {
	in := cmd.InOrStdin()
	if what != "-" {
		info, err := os.Stat(what)
		if err != nil {
			s, err := tcf.Parse(what)
			if err != nil {
				return nil, fmt.Errorf("tcf: there is no file %s, and as a string: %w", inert.Line(what, 60), err)
			}
			return s, nil
		}
		if info.IsDir() {
			return nil, fmt.Errorf("tcf: %s is a folder; name one of its XML files", what)
		}
		file, err := os.Open(what)
		if err != nil {
			return nil, fmt.Errorf("tcf: %w", err)
		}
		defer file.Close()
		in = file
	}
	s, err := tcf.Preferences(in)
	if err != nil {
		return nil, fmt.Errorf("tcf: %s: %w", what, err)
	}
	return s, nil
}

// describeConsent tells people.
func describeConsent(w io.Writer, s *tcf.Stored) {
	if s.TC == nil && s.GPP == nil && s.USPrivacy == nil && len(s.Faults) == 0 {
		fmt.Fprintln(w, "No consent string of the IAB is stored.")
	}
	if s.Applies != "" {
		fmt.Fprintf(w, "GDPR applies: %s\n", inert.Line(s.Applies, 20))
	}
	if s.TC != nil {
		describeTC(w, s.TC)
	}
	if s.GPP != nil {
		for _, section := range s.GPP.Sections {
			fmt.Fprintf(w, "GPP section %d %s: %s\n", section.ID, section.Name, inert.Line(section.Text, 100))
			switch {
			case section.TC != nil:
				describeTC(w, section.TC)
			case section.US != nil:
				fmt.Fprintf(w, "  sale opted out: %v, sharing opted out: %v\n", section.US["SaleOptOut"], section.US["SharingOptOut"])
			case section.Error != "":
				fmt.Fprintf(w, "  can't be read: %s\n", inert.Line(section.Error, 200))
			}
		}
	}
	if u := s.USPrivacy; u != nil {
		fmt.Fprintf(w, "US Privacy: notice %s, opted out of sale %s, covered by the agreement %s\n", u.Notice, u.OptOut, u.Covered)
	}
	for _, f := range s.Faults {
		fmt.Fprintf(w, "fault: %s\n", inert.Line(f, 300))
	}
}

func describeTC(w io.Writer, tc *tcf.TC) {
	fmt.Fprintf(w, "TC string of %s by CMP %d, policy %d, vendor list %d, in %s\n", tc.Created.Format("2006-01-02 15:04:05 UTC"), tc.CMP, tc.Policy, tc.VendorList, tc.Language)
	for _, l := range []struct {
		what string
		ids  []int
	}{
		{"purposes consented to", tc.Purposes}, {"purposes by legitimate interest", tc.LegitimateInterest}, {"special features", tc.SpecialFeatures},
		{"vendors consented to", tc.Vendors}, {"vendors by legitimate interest", tc.VendorsInterest}, {"vendors disclosed", tc.Disclosed},
	} {
		fmt.Fprintf(w, "  %s: %d%s\n", l.what, len(l.ids), idList(l.ids))
	}
}

// idList writes the first of many ids.
func idList(ids []int) string {
	if len(ids) == 0 {
		return ""
	}
	more := ""
	if len(ids) > 20 {
		ids, more = ids[:20], " …"
	}
	return " (" + strings.Trim(fmt.Sprint(ids), "[]") + more + ")"
}
