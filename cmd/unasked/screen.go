package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unasked-audit/unasked/harness/consent"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
	"github.com/unasked-audit/unasked/internal/inert"
)

func screenCommand() *cobra.Command {
	var asJSON bool
	var app string
	cmd := &cobra.Command{
		Use:   "screen FILE",
		Short: "Say what a screen asks, and which of its buttons refuse",
		Long: `Read a screen as "adb shell uiautomator dump" writes it and say what it is for: consent,
notice, permission, signup, agegate, onboarding, ordinary or unknown; and which nodes accept,
reject, open settings, save, close or go on, as an audit would tap them. - is the standard input.

Where it isn't sure it says unknown and names nothing to tap. docs/screen.md says how it decides.`,
		Example: `  adb exec-out uiautomator dump /dev/tty > window.xml
  unasked screen window.xml
  unasked screen window.xml --json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return runScreen(cmd, args[0], app, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&app, "app", "", "the package of the app, which then can't pass for Android")
	return cmd
}

func runScreen(cmd *cobra.Command, file, app string, asJSON bool) error {
	root, err := readScreen(cmd, file)
	if err != nil {
		return err
	}
	kb, err := knowledge.Embedded()
	if err != nil {
		return err
	}
	s := consent.Recognise(root, &kb.Consent, app)
	if !asJSON {
		describeScreen(cmd.OutOrStdout(), s)
		return nil
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	return enc.Encode(newScreenJSON(s))
}

// readScreen parses a dump. What is none is one error that says what to do.
func readScreen(cmd *cobra.Command, file string) (*screen.Node, error) {
	in, name := cmd.InOrStdin(), "standard input"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("screen: %w", err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return nil, fmt.Errorf("screen: %s is a folder; name a file that uiautomator dump wrote", file)
		}
		in, name = f, file
	}
	root, err := screen.Parse(in)
	switch {
	case errors.Is(err, screen.ErrTooLarge):
		return nil, fmt.Errorf("screen: %s: %w; name one that uiautomator dump wrote", name, err)
	case err != nil:
		return nil, fmt.Errorf("screen: %s: %w; `adb exec-out uiautomator dump /dev/tty` prints one", name, err)
	}
	return root, nil
}

// screenJSON is what --json prints.
type screenJSON struct {
	Screen     string       `json:"screen"`
	Confidence float64      `json:"confidence"`
	Reason     string       `json:"reason"`
	Accept     []nodeJSON   `json:"accept"`
	Reject     []nodeJSON   `json:"reject"`
	Settings   []nodeJSON   `json:"settings"`
	Toggles    []toggleJSON `json:"toggles"`
	Close      []nodeJSON   `json:"close"`
	Save       []nodeJSON   `json:"save"`
	Continue   []nodeJSON   `json:"continue"`
	Pay        []nodeJSON   `json:"pay"`
}

// nodeJSON is the node that a finger touches. Where it has no text itself, text is what
// stands in it.
type nodeJSON struct {
	Text   string `json:"text"`
	Desc   string `json:"desc"`
	ID     string `json:"id"`
	Bounds string `json:"bounds"`
}

type toggleJSON struct {
	nodeJSON
	Checked bool `json:"checked"`
}

func newScreenJSON(s consent.Screen) screenJSON {
	out := screenJSON{
		Screen: string(s.Kind), Confidence: math.Round(s.Confidence*100) / 100, Reason: s.Reason, Toggles: []toggleJSON{},
		Accept: nodesJSON(s.Accept), Reject: nodesJSON(s.Reject), Settings: nodesJSON(s.Settings), Close: nodesJSON(s.Close),
		Save: nodesJSON(s.Save), Continue: nodesJSON(s.Continue), Pay: nodesJSON(s.Pay),
	}
	if s.Kind == consent.Stuck {
		out.Screen = string(consent.Ordinary) // Android's, and nothing that an app asks
	}
	for _, t := range s.Toggles {
		node := newNodeJSON(t.Node)
		node.Text = t.Label
		out.Toggles = append(out.Toggles, toggleJSON{node, t.Checked})
	}
	return out
}

func nodesJSON(nodes []*screen.Node) []nodeJSON {
	out := []nodeJSON{}
	for _, n := range nodes {
		out = append(out, newNodeJSON(n))
	}
	return out
}

func newNodeJSON(n *screen.Node) nodeJSON {
	j := nodeJSON{Text: n.Text, Desc: n.Desc, ID: n.ID,
		Bounds: fmt.Sprintf("[%d,%d][%d,%d]", n.Bounds.Left, n.Bounds.Top, n.Bounds.Right, n.Bounds.Bottom)}
	if j.Text == "" && j.Desc == "" {
		j.Text = n.Label()
	}
	return j
}

// describeScreen tells people.
func describeScreen(w io.Writer, s consent.Screen) {
	fmt.Fprintf(w, "%s (%.2f): %s.\n", newScreenJSON(s).Screen, s.Confidence, inert.Line(s.Reason, 400))
	for _, list := range []struct {
		name  string
		nodes []*screen.Node
	}{{"accept", s.Accept}, {"reject", s.Reject}, {"settings", s.Settings}, {"save", s.Save}, {"close", s.Close}, {"continue", s.Continue}, {"pay", s.Pay}} {
		for _, n := range list.nodes {
			j := newNodeJSON(n)
			fmt.Fprintf(w, "  %-9s %s %s\n", list.name, inert.Line(strings.TrimSpace(n.Label()+" "+n.ID), 120), j.Bounds)
		}
	}
	for _, t := range s.Toggles {
		state := "off"
		if t.Checked {
			state = "on"
		}
		fmt.Fprintf(w, "  %-9s %s: %s\n", "toggle", inert.Line(t.Label, 120), state)
	}
}
