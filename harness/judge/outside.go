package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// outsideQuestion is asked where a website was asked.
func outsideQuestion() question {
	return question{
		QuestionOutside, "has a website that knows nobody without sign-up",
		func(g *gathered) bool { return g.Claim == AccountConfirmed }, always,
		func(c *inquiry) string {
			return counted(len(c.websites()), "website was", "websites were") + " asked about the person after the app had run; none knows them"
		},
	}
}

// website is what one website answered, by one probe.
type website struct {
	name, host    string
	entered       []string
	before, after *at[evidence.Probe]
	decoys        []*at[evidence.Probe]
	asked         int // about the identity
}

// websites are the answers, by the probe's file, in the order in which they were asked first.
func (s *survey) websites() []*website {
	var list []*website
	byFile := map[evidence.Digest]*website{}
	for i := range s.probes {
		p := &s.probes[i]
		w := byFile[p.data.Source]
		if w == nil {
			w = &website{name: cut(p.data.Name, longestExcerpt), host: cut(p.data.Host, longestExcerpt), entered: p.data.Entered}
			byFile[p.data.Source] = w
			list = append(list, w)
		}
		switch {
		case p.data.Who == evidence.ProbeDecoy:
			w.decoys = append(w.decoys, p)
			continue
		case p.data.Who != evidence.ProbeIdentity:
			continue // of a later version
		case p.data.When == evidence.ProbeBefore:
			w.before = p
		case w.after != nil && w.after.data.Answer == evidence.ProbeExists:
			continue // it knew them; that it forgot them since, or does not say now, changes nothing about that
		default:
			w.after = p
		}
		w.asked++
	}
	return list
}

// outside says what the service's own website knows.
func (c *inquiry) outside() {
	for _, w := range c.websites() {
		open, do := c.doubt(w)
		if open != "" {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("The answers of the website %s leave open whether the app made it know the person: %s.", w.label(), strings.TrimSuffix(open, ".")),
				Hides: []string{QuestionOutside}, Do: do, Event: w.last(c.lastEvent),
			})
		}
		if w.knows() {
			c.confirm(w)
		}
	}
}

// doubt says why a website's answers leave the question open; "" where they do not.
func (c *inquiry) doubt(w *website) (why, do string) {
	const ask = "Look at the screenshots, and mend the probe's file."
	switch {
	case w.after == nil && !c.completed():
		return "the audit ended before the website was asked again", "Run it again to its end."
	case w.after == nil:
		return "it was not asked after the last phase", "Run it again to its end."
	case w.after.data.Answer == evidence.ProbeNot:
		if !c.couldTell(w) {
			return "the device did not take " + c.shown(w), "Use a device that takes it."
		}
		return "", ""
	case w.after.data.Answer != evidence.ProbeExists:
		return w.when() + " it did not say: " + w.after.data.Because, ask
	case w.before == nil:
		return "it knows them, and was not asked before the app's first launch", "Run it again to its end."
	case w.before.data.Answer == evidence.ProbeExists:
		return "it knew them before the app was started", "Use another seed, so that nobody knows the person, and look at what the probe takes for an answer."
	case w.before.data.Answer != evidence.ProbeNot:
		return "it knows them, and before the app's first launch it did not say: " + w.before.data.Because, ask
	}
	if d := w.decoy(); d == nil || len(w.decoys) < w.asked && d.data.Answer == evidence.ProbeNot {
		return "it says that it knows them, and was not asked as often about somebody whom it can't know", "Run it again to its end."
	} else if d.data.Answer == evidence.ProbeExists {
		return "it says that it knows them, and says so of an invented person too who was planted nowhere: its answer tells nothing", ask
	} else if d.data.Answer != evidence.ProbeNot {
		return "it says that it knows them, and of an invented person who was planted nowhere it did not say: " + d.data.Because, ask
	}
	switch {
	case !c.ranEver():
		return "it knows them, and the app was never started", ""
	case c.signedUpAnywhere():
		return "it knows them, and a person signed up in this audit", "Ask with a protocol in which nobody signs up."
	}
	return "", ""
}

// knows reports whether the answers show that the website did not know the person, then
// did, and does not know just anybody.
func (w *website) knows() bool {
	d := w.decoy()
	return w.before != nil && w.before.data.Answer == evidence.ProbeNot && w.after != nil && w.after.data.Answer == evidence.ProbeExists &&
		d != nil && d.data.Answer == evidence.ProbeNot && len(w.decoys) >= w.asked
}

// decoy is the answer about the decoy that counts: the first that is not that there is nobody, else the last.
func (w *website) decoy() *at[evidence.Probe] {
	for _, d := range w.decoys {
		if d.data.Answer != evidence.ProbeNot {
			return d
		}
	}
	if len(w.decoys) == 0 {
		return nil
	}
	return w.decoys[len(w.decoys)-1]
}

// confirm makes a finding of a website that knows the person since the app ran.
func (c *inquiry) confirm(w *website) {
	if !c.ranEver() {
		return
	}
	signup := c.signedUpAnywhere()
	f := Finding{
		Claim: AccountConfirmed, Level: 7, Subject: w.name, Host: w.host,
		Title: fmt.Sprintf("The website %s knows the person, who never signed up", w.label()),
		Grounds: fmt.Sprintf("asked about %s, the website said before the app's first launch that there is nobody, and %s that there is; of an invented person who was planted nowhere, asked about as often, it says that there is nobody",
			c.shown(w), w.when()),
	}
	if signup {
		f.Title = fmt.Sprintf("The website %s knows the person, after a sign-up", w.label())
	}
	for _, kind := range w.entered {
		if f.Value = c.identity.Value(canary.Kind(kind)); f.Value != "" {
			break
		}
	}
	for _, x := range []struct {
		answer *at[evidence.Probe]
		role   string
	}{{w.after, w.when()}, {w.before, "before the first launch"}, {w.decoy(), "asked about a decoy"}} {
		p := Pointer{Event: x.answer.Seq, Surface: "website", Excerpt: x.answer.data.Answer + ": " + x.answer.data.Because, Role: x.role}
		if n := len(x.answer.data.Screenshots); n > 0 {
			p.Blob = x.answer.data.Screenshots[n-1]
		}
		c.findings.add(f, sighting{Pointer: p, signup: signup})
	}
}

// couldTell reports whether the device took any of what the website was shown: what the
// app could not read, nobody can have been told by it.
func (c *inquiry) couldTell(w *website) bool {
	planted := c.planted()
	return planted == nil || len(w.entered) == 0 || slices.ContainsFunc(w.entered, func(kind string) bool { return planted[kind] })
}

// signedUpAnywhere reports whether a person signed up in the audit, whenever that was.
func (c *inquiry) signedUpAnywhere() bool {
	return c.has(func(p *phase) bool { return p.signup }) || c.earlier != nil && c.earlier.Signup
}

// ranEver reports whether the app was started, in this audit or in one that it rechecks.
func (c *inquiry) ranEver() bool { return c.launches > 0 || c.earlier != nil && c.earlier.Launched }

// when says when the website answered what counts; it was asked after the app's launch.
func (w *website) when() string {
	if w.after.data.When == evidence.ProbeLater {
		return "in a recheck"
	}
	return "after the last phase"
}

// label names a website in a sentence.
func (w *website) label() string {
	if w.host == "" || w.host == w.name {
		return w.name
	}
	return fmt.Sprintf("%s (probe %s)", w.host, w.name)
}

// shown names what the website was shown.
func (c *inquiry) shown(w *website) string {
	var labels []string
	for _, kind := range w.entered {
		labels = append(labels, "the "+c.kb.Disguises.Kind(kind).Label)
	}
	if len(labels) == 0 {
		return "nobody in particular"
	}
	return strings.Join(labels, " and ")
}

// last is the event of the last answer.
func (w *website) last(otherwise uint64) uint64 {
	for _, p := range []*at[evidence.Probe]{w.after, w.before} {
		if p != nil {
			return p.Seq
		}
	}
	return otherwise
}
