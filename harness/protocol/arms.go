package protocol

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/unasked-audit/unasked/harness/canary"
)

// Role is what an arm is for in the experiment on accounts.
type Role string

// The roles.
const (
	NoApp   Role = "N"
	First   Role = "A"
	Restart Role = "F"
	Again   Role = "B"
	Changed Role = "C"
	New     Role = "D"
	Signup  Role = "G"
	Later   Role = "H"
)

// roles says what each role is, in a clause for a person.
var roles = map[Role]string{
	NoApp:   "without the app: what the device does by itself",
	First:   "the identity X, for the first time",
	Restart: "X on a wiped device; the app is stopped by force and started again",
	Again:   "X again, after the app was removed and its data and what it left in shared storage were wiped, with Auto Backup off",
	Changed: "as B, with one source changed",
	New:     "as B, with everything new",
	Signup:  "a person of its own, who chooses and signs up",
	Later:   "as B, days later (a recheck; an audit leaves it out)",
}

// Roles lists the roles in the order in which they are explained.
func Roles() []string {
	return []string{"N", "A", "F", "B", "C", "D", "G", "H"}
}

// Words says what the role is, in a clause for a person.
func (r Role) Words() string { return roles[r] }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (r *Role) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	if _, ok := roles[Role(text)]; !ok {
		return unknown(node, "role", text, Roles())
	}
	*r = Role(text)
	return nil
}

// Source is something that a service may recognise a device or a person by.
type Source string

// The sources that are no kind of canary.
const (
	Hardware    Source = "hardware"     // serial number, Wi-Fi address and IMEI
	ExitAddress Source = "exit_address" // the address on the internet that services see
)

// Kinds are the canaries that the source stands for; none for the exit address.
func (s Source) Kinds() []canary.Kind {
	switch s {
	case Hardware:
		return []canary.Kind{canary.Serial, canary.MAC, canary.IMEI}
	case ExitAddress, "":
		return nil
	}
	return []canary.Kind{canary.Kind(s)}
}

// Sources lists what can be changed.
func Sources() []string {
	names := []string{string(Hardware), string(ExitAddress)}
	for _, k := range canary.Kinds() {
		names = append(names, string(k))
	}
	slices.Sort(names)
	return names
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (s *Source) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	if !slices.Contains(Sources(), text) {
		return unknown(node, "source", text, Sources())
	}
	*s = Source(text)
	return nil
}

// Experiment reports whether the protocol's arms have roles.
func (p *Protocol) Experiment() bool { return len(p.Arms) > 0 && p.Arms[0].Role != "" }

// times is how often an arm is run.
func (p *Protocol) times(a *Arm) int {
	switch {
	case a.Repeats > 0:
		return a.Repeats
	case a.Role == First:
		return 1
	}
	return p.Repeats
}

// checkRoles finds roles that do not make an experiment.
func (p *Protocol) checkRoles() error {
	count := map[Role]int{}
	changed := map[Source]string{}
	for i := range p.Arms {
		a := &p.Arms[i]
		count[a.Role]++
		fault := func(format string, args ...any) error {
			return fmt.Errorf("arm %s: %w", a.Name, fmt.Errorf(format, args...))
		}
		switch {
		case a.Repeats < 0:
			return fault("repeats is %d; it must be at least 1", a.Repeats)
		case a.Role == Changed && a.Change == "":
			return fault("it has the role C and does not say what is changed; add a line like \"change: ssaid\"")
		case a.Role != Changed && a.Change != "":
			return fault("only an arm with the role C changes a source; its role is %q", a.Role)
		case a.Role == Changed && changed[a.Change] != "":
			return fault("arm %s changes %s already", changed[a.Change], a.Change)
		case a.Role != "" && a.Role != Changed && count[a.Role] > 1:
			return fault("another arm has the role %s already; to run it more often, say \"repeats:\"", a.Role)
		case a.Role == First && a.Repeats > 1:
			return fault("the identity X is there for the first time only once; leave \"repeats:\" out, or use role B")
		case a.Role == Restart && !a.does(Relaunch):
			return fault("it has the role F and restarts nothing; add a phase with \"act: %s\"", Relaunch)
		case a.Role == Signup && !a.does(SignUp):
			return fault("it has the role G and nobody signs up; add a phase with \"act: %s\"", SignUp)
		case a.Role == NoApp && a.does(Install):
			return fault("it has the role N and installs the app")
		case a.Role != NoApp && a.Role != "" && !a.does(Launch):
			return fault("it never starts the app; add a phase with \"act: %s\"", Launch)
		}
		changed[a.Change] = a.Name
	}
	switch {
	case count[""] > 0 && count[""] < len(p.Arms):
		return errors.New("some arms have a role and some have none; give each one, or none")
	case count[""] == 0 && count[First] == 0:
		return errors.New("there is no arm with the role A, with which the others are compared")
	case count[New] > 0 && count[Again] == 0:
		return errors.New("there is an arm with the role D and none with B, so that nothing can be compared")
	}
	return nil
}

func (arm *Arm) does(act Act) bool {
	return slices.ContainsFunc(arm.Phases, func(ph Phase) bool { return ph.Act == act })
}

// Run is one run of an arm.
type Run struct {
	Arm    *Arm
	Repeat int // from 1
}

// Plan is the order in which the arms are run. Arms without roles are run one after the
// other, as often as the protocol says. In an experiment, N comes first and then A, once,
// with which the others are compared; then come all runs of the roles F, B, C and D, in an
// order drawn by lot from the seed, so that a service that changes its mind over time can
// fake no difference between them; and last those of G, who leave accounts behind.
func (p *Protocol) Plan(seed []byte) []Run {
	var out []Run
	if !p.Experiment() {
		for repeat := 1; repeat <= p.Repeats; repeat++ {
			for i := range p.Arms {
				if p.Arms[i].Repeats == 0 || repeat <= p.Arms[i].Repeats {
					out = append(out, Run{&p.Arms[i], repeat})
				}
			}
		}
		return out
	}
	runs := func(which ...Role) (list []Run) {
		for repeat := 1; ; repeat++ {
			found := false
			for i := range p.Arms {
				if a := &p.Arms[i]; slices.Contains(which, a.Role) && repeat <= p.times(a) {
					list = append(list, Run{a, repeat})
					found = true
				}
			}
			if !found {
				return list
			}
		}
	}
	lots := runs(Restart, Again, Changed, New)
	source := rand.NewChaCha8(sha256.Sum256(append([]byte("unasked order of arms 1\x00"), seed...)))
	for i := len(lots) - 1; i > 0; i-- { // Fisher and Yates; the bias of the remainder is below one in 2^50
		j := int(source.Uint64() % uint64(i+1))
		lots[i], lots[j] = lots[j], lots[i]
	}
	return slices.Concat(runs(NoApp), runs(First), lots, runs(Signup))
}
