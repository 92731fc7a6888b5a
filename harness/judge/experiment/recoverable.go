package experiment

import (
	"fmt"
	"slices"
	"strings"
)

// recoverable decides ladder level 4: the same identity gets the same id after
// uninstalling and wiping, and a new one does not.
func (c *comparison) recoverable() {
	if c.first == nil {
		if !slices.ContainsFunc(c.runs, func(r Run) bool { return r.Role != Signup && c.id(&r) != "" }) {
			c.Grounds = "no id was given in the arms that are compared"
			return
		}
		c.Open = "no run with the identity that is used again was answered with an id"
		if why := c.undone(First, ""); why != "" {
			c.Open += " (" + why + ")"
		}
		return
	}
	again, news, unlike := c.groups()
	c.rests(append(append([]*Run{c.first}, again...), news...))
	for _, r := range again {
		c.Again.Of++
		if c.id(r) == c.ID {
			c.Again.Times++
		}
	}
	for _, r := range news {
		c.New.Of++
		if c.id(r) == c.ID {
			c.New.Times++
		}
	}
	if c.Again.Of > 0 && c.New.Of > 0 {
		c.P = Exact(c.Again, c.New)
	}
	switch {
	case c.Again.Of == 0:
		c.Open = "no run with the same identity after a wipe was answered with an id" + because(c.undone(Again, ""))
	case c.Again.Times == 0:
		c.Grounds = fmt.Sprintf("after uninstalling and wiping, the same identity was given another id in %s", runsOf(c.Again.Of, c.Again.Of))
	case c.New.Of == 0 && unlike > 0:
		c.Open = "the device could not be given a new identity, so that nothing can be compared" + because(c.undone(New, ""))
	case c.New.Of == 0:
		c.Open = "no run with a new identity was answered with an id" + because(c.undone(New, ""))
	case c.New.Times == c.New.Of && c.Again.Times == c.Again.Of:
		c.Open = "every run was given the same id: either it is the same for everybody, or it hangs on something that no arm changes, such as the address on the internet or the hardware"
	case c.New.Times > 0:
		c.Open = fmt.Sprintf("the id does not follow the identity: %s with the same identity were given it, and %s with a new one", runsOf(c.Again.Times, c.Again.Of), runsOf(c.New.Times, c.New.Of))
	case c.repeated(news) != "":
		c.Open = fmt.Sprintf("the id does not follow the identity: different new identities were given the same id, %s", c.repeated(news))
	case !small(c.P):
		c.Open = fmt.Sprintf("%s with the same identity after a wipe were given the same id, and none of %d with a new identity; that may be chance (p = %s)", runsOf(c.Again.Times, c.Again.Of), c.New.Of, Write(c.P))
	default:
		c.Recoverable = true
		c.Grounds = fmt.Sprintf("after uninstalling and wiping, the same identity was given the same id in %s, and a new identity in none of %d (exact test, one-sided: p = %s)", runsOf(c.Again.Times, c.Again.Of), c.New.Of, Write(c.P))
		if kept := same(c.first, news[0]); len(kept) > 0 {
			c.Grounds += "; what could not be made new: " + list(kept)
		}
	}
}

// groups are the runs to compare: those that have the reference's identity again, and
// those with a new one. What is no such run for what was really on the device is left
// out; unlike counts the runs of role D whose identity was not new in anything.
func (c *comparison) groups() (again, news []*Run, unlike int) {
	for _, role := range []Role{First, Again} {
		for _, r := range c.with(role) {
			if r != c.first && len(differs(c.first, r)) == 0 {
				again = append(again, r)
			}
		}
	}
	for _, r := range c.with(New) {
		if len(differs(c.first, r)) > 0 {
			news = append(news, r)
		} else {
			unlike++
		}
	}
	return again, news, unlike
}

// repeated is an id that several runs with identities of their own were given, or "".
func (c *comparison) repeated(news []*Run) string {
	for i, r := range news {
		for _, o := range news[:i] {
			if c.id(r) == c.id(o) && len(differs(r, o)) > 0 {
				return c.id(r)
			}
		}
	}
	return ""
}

// hangs decides what a recoverable account hangs on: the sources without each of which
// it is gone.
func (c *comparison) hangs() {
	var names []string
	for _, r := range c.runs {
		if r.Role == Changed && !slices.Contains(names, r.Changed) {
			names = append(names, r.Changed)
		}
	}
	slices.Sort(names)
	if c.first == nil {
		return
	}
	var untested, doubtful, kept []string
	for _, name := range names {
		s := c.source(name)
		c.Sources = append(c.Sources, s)
		switch {
		case s.Broke.Of == 0:
			why := "no run was answered with an id"
			if s.Undone != "" {
				why = s.Undone
			}
			untested = append(untested, fmt.Sprintf("%s (%s)", name, why))
		case s.breaks():
			c.HangsOn = append(c.HangsOn, name)
		case s.Broke.Times > 0:
			doubtful = append(doubtful, fmt.Sprintf("changing %s gave another id in %s, which may be chance (p = %s)", name, runsOf(s.Broke.Times, s.Broke.Of), Write(s.P)))
		default:
			kept = append(kept, name)
		}
	}
	if !c.Recoverable {
		c.HangsOn = nil
		return
	}
	var open []string
	switch {
	case len(c.HangsOn) == 0 && len(doubtful) == 0 && len(kept) > 0:
		open = append(open, fmt.Sprintf("none of %s alone changes the id: it hangs on one of several or a combination, or on something that no arm changes alone", list(kept)))
	case len(names) == 0:
		open = append(open, "the protocol changes no source alone")
	}
	open = append(open, doubtful...)
	if len(untested) > 0 {
		open = append(open, "not tested: "+list(untested))
	}
	c.OpenHangs = strings.Join(open, "; ")
}

// source sums up the runs in which one source was changed.
func (c *comparison) source(name string) Source {
	s := Source{Name: name, Undone: c.undone(Changed, name)}
	var counted []*Run
	for _, r := range c.with(Changed) {
		if r.Changed != name {
			continue
		}
		if len(differs(c.first, r)) == 0 {
			s.Undone = "the device did not take the change"
			continue
		}
		counted = append(counted, r)
		s.Broke.Of++
		if c.id(r) != c.ID {
			s.Broke.Times++
		}
	}
	if s.Broke.Of > 0 {
		s.P = Exact(c.Again, Count{s.Broke.Of - s.Broke.Times, s.Broke.Of})
		s.Undone = ""
	}
	if c.Recoverable {
		c.rests(counted)
	}
	return s
}

// restarts decides whether an id stands for the installation only.
func (c *comparison) restarts() {
	var answered []*Run
	for _, r := range c.with(Restart) {
		if then := r.Then[c.service]; then != "" {
			c.Kept.Of++
			if then == c.id(r) {
				c.Kept.Times++
			}
			answered = append(answered, r)
		}
	}
	if c.Kept.Of == 0 || c.first == nil || c.Recoverable {
		return
	}
	c.rests(answered)
	switch lost := c.Again.Of > 0 && c.Again.Times == 0; {
	case c.Kept.Times < c.Kept.Of:
		c.Grounds = join(c.Grounds, fmt.Sprintf("a restart of the app alone gave another id in %s: it stands for a launch", runsOf(c.Kept.Of-c.Kept.Times, c.Kept.Of)))
	case lost:
		c.InstallationScoped = true
		c.Grounds = join(c.Grounds, fmt.Sprintf("a restart kept it in %s: it stands for the installation", runsOf(c.Kept.Times, c.Kept.Of)))
	}
}

// signups decides ladder level 6: the id after a real sign-up equals the one before it.
func (c *comparison) signups() {
	var answered []*Run
	common := ""
	for _, r := range c.with(Signup) {
		then := r.Then[c.service]
		if then == "" {
			continue
		}
		c.Continued.Of++
		answered = append(answered, r)
		if then == c.id(r) {
			c.Continued.Times++
			c.SignedUp = then
			if c.shared(then, r) {
				common = then
			}
		}
	}
	switch {
	case !c.has(Signup):
	case c.Continued.Of == 0:
		c.OpenContinuity = "no id was answered both before and after a sign-up" + because(c.undone(Signup, ""))
	case common != "":
		c.OpenContinuity = "the id that was there before the sign-up and after it was given to other identities, too"
	case c.Continued.Times == c.Continued.Of:
		c.Continuity = true
		c.rests(answered)
	case c.Continued.Times > 0:
		c.OpenContinuity = fmt.Sprintf("the sign-up went on with the id that was there in %s", runsOf(c.Continued.Times, c.Continued.Of))
	}
}

// runsOf is "5 of 5 runs", with "all" left to the reader.
func runsOf(k, n int) string {
	if n == 1 {
		return fmt.Sprintf("%d of 1 run", k)
	}
	return fmt.Sprintf("%d of %d runs", k, n)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

func list(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " and " + items[len(items)-1]
}
