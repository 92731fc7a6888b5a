// Package experiment compares what services answered in the arms of an audit, and says
// what follows: whether an account comes back, what it hangs on, whether an id stands for
// the installation only, and whether a sign-up went on with the account that was there.
//
// Call [Decide]. It is a pure function: the same runs in any order give the same results.
// It knows ids and identity vectors only, and no device, host or message.
package experiment

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// Role is what an arm is for.
type Role string

// The roles.
const (
	Nobody  Role = "N" // without the app: the device's own noise
	First   Role = "A" // identity X on a fresh device
	Restart Role = "F" // X, and the app is stopped by force and started again
	Again   Role = "B" // X again, after uninstalling and wiping
	Changed Role = "C" // as B, with one source changed
	New     Role = "D" // everything new
	Signup  Role = "G" // a person chooses, and signs up
	Later   Role = "H" // as B, days later
)

// Run is one arm run and what services answered in it.
type Run struct {
	Arm     string // the run's label, such as "B#2"
	Repeat  int    // from 1
	Role    Role
	Changed string // of role C: the source that was changed
	// Vector is the identity that was really on the device: kind → value. What the device
	// did not take is not in it.
	Vector map[string]string
	// IDs are the ids that services answered with, by service, before any restart or
	// sign-up; a service that did not answer has none.
	IDs map[string]string
	// Then are those after the restart (role F) or after the sign-up (role G).
	Then map[string]string
	// Undone says why the device could not do this run, or why it does not count. Such a
	// run has no ids that matter.
	Undone string
}

// Level is the greatest p-value with which a pattern is taken for more than chance: one in
// twenty. Three and three runs reach it, and five and two.
const Level = 0.05

// Count is k of n.
type Count struct{ Times, Of int }

func (c Count) String() string { return fmt.Sprintf("%d of %d", c.Times, c.Of) }

// Source is what changing one source did.
type Source struct {
	Name   string
	Broke  Count    // runs that got another id, of those that were answered
	P      *big.Rat // against the runs in which nothing was changed; nil where Broke.Of is 0
	Undone string   // why it could not be changed, where none of its runs counts
}

// breaks reports whether changing the source surely took the account away.
func (s *Source) breaks() bool { return s.Broke.Times > 0 && s.Broke.Times == s.Broke.Of && small(s.P) }

// Result is what the arms say of one service.
type Result struct {
	Service string
	ID      string // the id that X was given

	Again Count    // runs with X after a wipe that were given ID
	New   Count    // runs with a new identity that were given it
	P     *big.Rat // exact, one-sided; nil where nothing can be compared

	Recoverable bool     // ladder level 4
	HangsOn     []string // the sources without each of which the account is gone; nil where that is not known
	Sources     []Source // by name

	InstallationScoped bool  // a restart keeps it, uninstalling loses it
	Kept               Count // restarts that kept it

	Continuity bool  // ladder level 6: a sign-up went on with the id
	Continued  Count // sign-ups that did, of those that were answered
	SignedUp   string

	Grounds string // of Recoverable and InstallationScoped, in a sentence
	// Open says why it is not known whether the account comes back; "" where it is known.
	Open string
	// OpenHangs says why it is not, or not wholly, known what a recoverable account hangs on.
	OpenHangs string
	// OpenContinuity says why it is not known whether a sign-up goes on with the account;
	// "" where it is known, or nobody signed up.
	OpenContinuity string

	Arms []string // the labels of the runs that this rests on
}

// Decide compares the runs, service by service, in the order of their names.
func Decide(runs []Run) []Result {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b Run) int {
		if a.Repeat != b.Repeat {
			return a.Repeat - b.Repeat
		}
		return strings.Compare(a.Arm, b.Arm)
	})
	services := map[string]bool{}
	for i := range runs {
		if len(runs[i].Vector) == 0 && runs[i].Undone == "" {
			runs[i].Undone = "the evidence does not say which identity was on the device"
		}
	}
	for _, r := range runs {
		for _, ids := range []map[string]string{r.IDs, r.Then} {
			for s, id := range ids {
				if id != "" {
					services[s] = true
				}
			}
		}
	}
	var out []Result
	for _, s := range slices.Sorted(maps.Keys(services)) {
		c := comparison{service: s, runs: runs}
		out = append(out, c.decide())
	}
	return out
}

// comparison is the runs as one service answered them.
type comparison struct {
	service string
	runs    []Run
	first   *Run // whose id is the reference
	Result
}

func (c *comparison) decide() Result {
	c.Service = c.service
	c.reference()
	c.recoverable()
	c.hangs()
	c.restarts()
	c.signups()
	return c.Result
}

func (c *comparison) id(r *Run) string { return r.IDs[c.service] }

// with lists the runs of a role that count and were answered.
func (c *comparison) with(role Role) []*Run {
	var out []*Run
	for i := range c.runs {
		if r := &c.runs[i]; r.Role == role && r.Undone == "" && c.id(r) != "" {
			out = append(out, r)
		}
	}
	return out
}

// reference finds the run that the others are compared with: the first with X that was
// answered, on a fresh device where there is one.
func (c *comparison) reference() {
	for _, role := range []Role{First, Restart, Again} {
		if list := c.with(role); len(list) > 0 {
			c.first = list[0]
			c.ID = c.id(c.first)
			return
		}
	}
}

// undone is why no run of a role counts, where the runs themselves say.
func (c *comparison) undone(role Role, changed string) string {
	for _, r := range c.runs {
		if r.Role == role && r.Changed == changed && r.Undone != "" {
			return r.Undone
		}
	}
	return ""
}

// has reports whether the protocol has a role, done or not.
func (c *comparison) has(role Role) bool {
	return slices.ContainsFunc(c.runs, func(r Run) bool { return r.Role == role })
}

// differs lists the kinds in which two runs' identities differ, in order.
func differs(a, b *Run) []string {
	var out []string
	for kind, v := range a.Vector {
		if b.Vector[kind] != v {
			out = append(out, kind)
		}
	}
	for kind := range b.Vector {
		if _, there := a.Vector[kind]; !there {
			out = append(out, kind)
		}
	}
	slices.Sort(out)
	return out
}

// same lists the kinds that two runs share.
func same(a, b *Run) []string {
	var out []string
	for kind, v := range a.Vector {
		if b.Vector[kind] == v {
			out = append(out, kind)
		}
	}
	slices.Sort(out)
	return out
}

// shared reports whether an id was given to runs that share nothing: such an id stands
// for nobody, or for something that no arm changes.
func (c *comparison) shared(id string, of *Run) bool {
	return slices.ContainsFunc(c.runs, func(r Run) bool {
		return r.Undone == "" && c.id(&r) == id && r.Role != Changed && len(same(of, &r)) == 0
	})
}

func (c *comparison) rests(list []*Run) {
	for _, r := range list {
		if !slices.Contains(c.Arms, r.Arm) {
			c.Arms = append(c.Arms, r.Arm)
		}
	}
	slices.Sort(c.Arms)
}
