// Package protocol reads the plan of an audit: its arms, phases and repeats, as
// a YAML file that a lawyer can read.
package protocol

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// Protocol is a plan. Two audits with the same protocol, app and seed do the same.
type Protocol struct {
	Name        string      `yaml:"name"`
	Title       string      `yaml:"title"`       // one line for a list
	Purpose     string      `yaml:"purpose"`     // a paragraph: what it can show, and what it can't
	Repeats     int         `yaml:"repeats"`     // how often all arms are run; 1 if absent
	Permissions Permissions `yaml:"permissions"` // granted if absent
	// Coverage is the least share of the bytes that the app sends that has to be read:
	// below it, what was not seen leaves every question about traffic open.
	// UsualCoverage if absent.
	Coverage Share `yaml:"coverage"`
	// LetThroughAfter is after how many refused handshakes an app's connections to a host
	// are let through unread, so that it works on. UsualRefusals if absent.
	LetThroughAfter Refusals `yaml:"let_through_after"`
	// Recheck says how long after the audit it wants to be rechecked.
	Recheck []Delay `yaml:"recheck"`
	Arms    []Arm   `yaml:"arms"`

	// Source is the file as it was read.
	Source []byte `yaml:"-"`
}

// Arm is one run of phases on a fresh installation of the app.
type Arm struct {
	Name string `yaml:"name"`
	// Role is what the arm is for in the experiment on accounts. Either all arms of a
	// protocol have one or none has.
	Role Role `yaml:"role"`
	// Change is the one source that role C changes.
	Change Source `yaml:"change"`
	// Repeats is how often this arm is run; as often as the protocol says if absent.
	Repeats int     `yaml:"repeats"`
	Phases  []Phase `yaml:"phases"`
}

// Phase is a named stretch of time that begins with an act.
type Phase struct {
	Name  string              `yaml:"name"`
	Act   Act                 `yaml:"act"`   // what is done at its start
	Lasts strictyaml.Duration `yaml:"lasts"` // how long is watched after the act
}

// Duration is how long the phase watches.
func (p Phase) Duration() time.Duration { return time.Duration(p.Lasts) }

// Act is what is done at the start of a phase.
type Act string

// The acts.
const (
	Watch     Act = "watch"              // nothing
	Baseline  Act = "watch-without-app"  // nothing; the app is not installed yet
	Install   Act = "install"            // installs the app, and does not start it
	Launch    Act = "launch"             // starts the app, and touches nothing
	Reject    Act = "reject"             // refuses in the app's consent dialog
	Accept    Act = "accept"             // agrees in the app's consent dialog
	Draft     Act = "record-and-discard" // records with the app's own button, then discards the recording
	Relaunch  Act = "restart"            // stops the app by force and starts it again
	Reinstall Act = "reinstall"          // removes the app with its data, installs and starts it again
	SignUp    Act = "sign-up"            // signs up in the app's own form
)

// acts tells what each act is for, in the words of the evidence and of a person.
var acts = map[Act]struct{ purpose, words string }{
	Watch:     {evidence.PurposeWatch, "nothing is touched"},
	Baseline:  {evidence.PurposeBaseline, "the app is not installed; what is seen is the device's own noise"},
	Install:   {evidence.PurposeInstall, "the app is installed and not started"},
	Launch:    {evidence.PurposeLaunch, "the app is started and nothing is touched"},
	Reject:    {evidence.PurposeConsent, "the consent dialog is refused"},
	Accept:    {evidence.PurposeConsent, "the consent dialog is accepted"},
	Draft:     {evidence.PurposeDraft, "a recording is made with the app and discarded"},
	Relaunch:  {evidence.PurposeRelaunch, "the app is stopped by force and started again"},
	Reinstall: {evidence.PurposeReinstall, "the app is removed with its data, installed and started again"},
	SignUp:    {evidence.PurposeSignup, "a person signs up in the app's own form"},
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (a *Act) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	if _, ok := acts[Act(text)]; !ok {
		return unknown(node, "act", text, Acts())
	}
	*a = Act(text)
	return nil
}

// Acts lists the acts by name.
func Acts() []string {
	names := make([]string, 0, len(acts))
	for a := range acts {
		names = append(names, string(a))
	}
	slices.Sort(names)
	return names
}

// Purpose is the act's name in evidence.Phase.
func (a Act) Purpose() string { return acts[a].purpose }

// Words says what is done, in a clause for a person.
func (a Act) Words() string { return acts[a].words }

// Consent is the consent state that the act leads to; empty where it changes none.
func (a Act) Consent() evidence.Consent {
	switch a {
	case Install, Launch, Reinstall:
		return evidence.Untouched
	case Reject:
		return evidence.Rejected
	case Accept:
		return evidence.Accepted
	}
	return ""
}

// Permissions says what becomes of the permissions that the app may ask for.
type Permissions string

// The choices.
const (
	Granted Permissions = "granted" // all that a person could grant, before the first launch
	Ask     Permissions = "ask"     // left to the app's prompts, which are refused when they come
)

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *Permissions) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	choices := []string{string(Granted), string(Ask)}
	if !slices.Contains(choices, text) {
		return unknown(node, "choice of permissions", text, choices)
	}
	*p = Permissions(text)
	return nil
}

func unknown(node ast.Node, what, got string, choices []string) error {
	hint := "choose one of " + strings.Join(choices, ", ")
	if near := strictyaml.Nearest(got, choices); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return strictyaml.Errorf(node, "unknown %s %q; %s", what, got, hint)
}

//go:embed protocols/*.yaml
var embedded embed.FS

// ErrUnknown is returned for a name that is neither a protocol of the program nor a file.
var ErrUnknown = errors.New("unknown protocol")

// Share is a part of a whole, in thousandths; "80%" or "99.5%" in YAML.
type Share int

// UsualCoverage is the coverage that a protocol asks for that names none.
const UsualCoverage Share = 800

// PerMille is the share in thousandths.
func (s Share) PerMille() int { return int(s) }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (s *Share) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	number, ok := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || err != nil || !(v >= 0 && v <= 100) {
		return strictyaml.Errorf(node, "%q is no share; write a number from 0 to 100 with a percent sign, such as 80%%", text)
	}
	*s = Share(math.Round(v * 10))
	return nil
}

// Names lists the protocols that come with the program, the default first.
func Names() []string { return []string{"quick", "standard", "account"} }

// Load reads a protocol by name, or a file where the name ends in .yaml or .yml
// or holds a slash.
func Load(name string) (*Protocol, error) {
	ext := path.Ext(name)
	if ext == ".yaml" || ext == ".yml" || strings.ContainsRune(name, os.PathSeparator) {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read protocol: %w", err)
		}
		return Parse(name, data)
	}
	data, err := embedded.ReadFile("protocols/" + name + ".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		hint := "there are " + strings.Join(Names(), ", ")
		if near := strictyaml.Nearest(name, Names()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return nil, fmt.Errorf("%w %q; %s, or name a file that ends in .yaml", ErrUnknown, name, hint)
	}
	if err != nil {
		return nil, err
	}
	return Parse(name+".yaml", data)
}

// Parse reads a protocol from the text of a file. Errors name file, line and column.
func Parse(file string, data []byte) (*Protocol, error) {
	p := &Protocol{Repeats: 1, Permissions: Granted, Coverage: UsualCoverage, LetThroughAfter: UsualRefusals}
	if err := strictyaml.Decode(file, data, p); err != nil {
		return nil, err
	}
	p.Source = data
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// check finds what no single line shows to be wrong.
func (p *Protocol) check() error {
	switch {
	case p.Name == "":
		return errors.New("the protocol has no name: add a line like \"name: mine\"")
	case p.Repeats < 1:
		return fmt.Errorf("repeats is %d; it must be at least 1", p.Repeats)
	case len(p.Arms) == 0:
		return errors.New("the protocol has no arms: add at least one under \"arms:\"")
	}
	for i, arm := range p.Arms {
		if arm.Name == "" {
			return fmt.Errorf("arm %d has no name", i+1)
		}
		if slices.ContainsFunc(p.Arms[:i], func(a Arm) bool { return a.Name == arm.Name }) {
			return fmt.Errorf("two arms are named %q", arm.Name)
		}
		if err := arm.check(); err != nil {
			return fmt.Errorf("arm %s: %w", arm.Name, err)
		}
	}
	return p.checkRoles()
}

// longestPhase is how long a phase may last. More is a slip of the pen.
const longestPhase = 24 * time.Hour

func (arm Arm) check() error {
	if len(arm.Phases) == 0 {
		return errors.New("no phases")
	}
	installed, launched := false, false
	for i, ph := range arm.Phases {
		if ph.Name == "" {
			return fmt.Errorf("phase %d has no name", i+1)
		}
		if slices.ContainsFunc(arm.Phases[:i], func(other Phase) bool { return other.Name == ph.Name }) {
			return fmt.Errorf("two phases are named %q", ph.Name)
		}
		if ph.Duration() > longestPhase {
			return fmt.Errorf("phase %s: it lasts %s; a phase may last a day at most", ph.Name, ph.Duration())
		}
		switch ph.Act {
		case "":
			return fmt.Errorf("phase %s: no act; add a line like \"act: launch\"", ph.Name)
		case Baseline:
			if installed {
				return fmt.Errorf("phase %s: %s must come before the app is installed", ph.Name, ph.Act)
			}
		case Install:
			if installed {
				return fmt.Errorf("phase %s: the app is installed already; use %s", ph.Name, Reinstall)
			}
			installed = true
		case Launch:
			if !installed {
				return fmt.Errorf("phase %s: the app must be installed first; add a phase with \"act: install\" before it", ph.Name)
			}
			launched = true
		case Watch:
		default:
			if !launched {
				return fmt.Errorf("phase %s: the app must be launched first; add a phase with \"act: launch\" before it", ph.Name)
			}
		}
	}
	return nil
}

// Lasts is the time that all phases of all repeats watch, without what the acts themselves take.
func (p *Protocol) Lasts() time.Duration {
	var sum time.Duration
	for _, arm := range p.Arms {
		if arm.Role == Later {
			continue
		}
		for _, ph := range arm.Phases {
			sum += ph.Duration() * time.Duration(p.times(&arm))
		}
	}
	return sum
}
