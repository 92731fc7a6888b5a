package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// spots gathers blind spots, each once.
type spots struct{ list []BlindSpot }

func (s *spots) add(b BlindSpot) {
	b.What, b.Do = cut(b.What, 1000), cut(b.Do, 1000)
	b.Hides = notNil(b.Hides)
	if !slices.ContainsFunc(s.list, func(o BlindSpot) bool { return o.What == b.What && slices.Equal(o.Hides, b.Hides) }) {
		s.list = append(s.list, b)
	}
}

// note adds what is worth knowing and hides no violation.
func (s *spots) note(what, do string) { s.add(BlindSpot{What: what, Do: do}) }

// unread is what one host was sent and nobody could read.
type unread struct {
	event    uint64
	times    int
	bytes    int64
	consents map[evidence.Consent]bool
	drafted  bool
}

// unread counts what could not be read; a nil map stands for sealed bytes.
func (c *inquiry) unread(e evidence.Event, to map[[2]string]*unread, key [2]string, bytes int64) {
	if c.signup(e.Arm, e.Phase) {
		return // what comes after a sign-up hides nothing that was asked about
	}
	var u *unread
	if to == nil {
		if u = c.sealed[key[0]]; u == nil {
			u = newUnread(e)
			c.sealed[key[0]] = u
		}
	} else if u = to[key]; u == nil {
		u = newUnread(e)
		to[key] = u
	}
	u.times++
	u.bytes += bytes
	u.consents[e.Consent] = true
	u.drafted = u.drafted || c.drafted(e)
}

func newUnread(e evidence.Event) *unread {
	return &unread{event: e.Seq, consents: map[evidence.Consent]bool{}}
}

// hiding lists the questions that unread traffic in these consent states makes open,
// besides those that are given.
func (c *inquiry) hiding(consents map[evidence.Consent]bool, questions ...string) []string {
	if consents[evidence.Untouched] {
		questions = append(questions, QuestionBeforeConsent)
	}
	if consents[evidence.Rejected] {
		questions = append(questions, QuestionAfterReject)
	}
	return inOrder(questions)
}

// traffic lists what unread traffic hides: identifiers, an account, and a draft once there is one.
func (c *inquiry) traffic(u *unread) []string {
	questions := []string{QuestionAccount, QuestionIdentifier}
	if u.drafted {
		questions = append(questions, QuestionDraft)
	}
	return c.hiding(u.consents, questions...)
}

// inOrder sorts questions as they are asked.
func inOrder(ids []string) []string {
	out := slices.DeleteFunc(questionIDs(), func(id string) bool { return !slices.Contains(ids, id) })
	return notNil(out)
}

// blindSpots adds all that the evidence says could not be seen.
func (c *inquiry) blindSpots() {
	for _, x := range c.survey.spots {
		hides := x.data.Hides
		if len(hides) == 0 {
			hides = c.questionIDs()
		}
		c.spots.add(BlindSpot{What: x.data.What, Hides: inOrder(hides), Do: x.data.Do, Event: x.Seq})
	}
	c.emptySpot()
	c.endSpots()
	c.phaseSpots()
	c.opaqueSpots()
	c.unreadSpots()
	c.plantingSpots()
	c.trafficSpots()
	c.nameSpots()
	c.saltSpots()
}

// emptySpot says that a recording without a device holds nothing that could be judged.
func (c *inquiry) emptySpot() {
	if !c.installs && len(c.phases) == 0 && len(c.accounts) == 0 && len(c.recipients) == 0 && c.coverage.Flows == 0 {
		// What a website was asked needs no recording.
		hides := slices.DeleteFunc(c.questionIDs(), func(id string) bool { return id == QuestionOutside })
		what, do := "There was nothing to judge: the recording holds no request, no message and no connection.",
			"Record again while the app runs, and check that its traffic goes through what records."
		if c.earlier != nil {
			what, do = "The app was not launched in this recheck: only websites were asked.", "Recheck with --virtual or --serial."
		}
		c.spots.add(BlindSpot{What: what, Hides: hides, Do: do, Event: c.lastEvent})
	}
}

// endSpots says that the audit did not run to its end, or the app not at all.
func (c *inquiry) endSpots() {
	end := c.manifest.End
	if c.end != nil {
		end = *c.end
	}
	switch end.How {
	case evidence.Completed, "":
	case evidence.Interrupted:
		c.spots.add(BlindSpot{What: "The audit was interrupted; what would have come later was not seen.", Hides: c.questionIDs(), Do: "Run it again to its end.", Event: c.lastEvent})
	default:
		c.spots.add(BlindSpot{What: fmt.Sprintf("The audit failed: %s", cmp.Or(end.Error, "it does not say why")), Hides: c.questionIDs(), Do: "Mend the cause and run it again.", Event: c.lastEvent})
	}
	launched := false
	for _, f := range c.failed {
		if done, ok := map[string]string{"install": "installed", "launch": "started"}[f.action.Verb]; ok {
			launched = true
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("The app could not be %s: %s.", done, strings.TrimSuffix(cmp.Or(f.action.Error, "the device does not say why"), ".")),
				Hides: c.questionIDs(), Do: "Use a device that can run this app.", Event: f.event,
			})
		}
	}
	if c.installs && c.launches == 0 && !launched {
		c.spots.add(BlindSpot{What: "The app was never started, so nothing that it does was seen.", Hides: c.questionIDs(), Event: c.lastEvent})
	}
}

// phaseSpots says which phases could not do what they are for.
func (c *inquiry) phaseSpots() {
	for _, p := range c.phases {
		if p.ended && p.reached {
			continue
		}
		why := cmp.Or(p.why, "it does not say why")
		if !p.ended {
			why = "the audit ended in it"
		}
		hides := c.questionIDs()
		switch p.purpose {
		case purposeBaseline:
			hides = []string{}
		case purposeDraft:
			if c.noRecorder() {
				hides = []string{} // there is nothing to upload
			} else {
				hides = []string{QuestionDraft}
			}
		case evidence.PurposeSignup:
			hides = inOrder([]string{QuestionContinuity})
		case purposeConsent:
			hides = []string{QuestionIdentifier, QuestionAccount}
			if p.consent == evidence.Rejected || p.consent == evidence.Untouched {
				hides = append(hides, QuestionAfterReject)
			}
			hides = inOrder(hides)
		}
		c.spots.add(BlindSpot{
			What:  fmt.Sprintf("Phase %s could not do what it is for: %s.", p.name, why),
			Hides: hides, Event: p.start,
		})
	}
}

// noRecorder reports whether the app can record nothing: it asks for neither camera
// nor microphone, and no button that records was found.
func (c *inquiry) noRecorder() bool {
	if c.app.Package == "" {
		return false
	}
	return !slices.Contains(c.app.Permissions, "android.permission.CAMERA") &&
		!slices.Contains(c.app.Permissions, "android.permission.RECORD_AUDIO")
}

// unreadSpots says which bodies stayed closed.
func (c *inquiry) unreadSpots() {
	for _, host := range sorted(c.sealed) {
		u := c.sealed[host]
		c.spots.add(BlindSpot{
			What:  fmt.Sprintf("%d bytes in %s to %s look encrypted, and no decoding explains them.", u.bytes, counted(u.times, "request", "requests"), host),
			Hides: c.traffic(u), Event: u.event,
		})
	}
	for _, host := range slices.SortedFunc(maps.Keys(c.binary), func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) }) {
		u := c.binary[host]
		c.spots.add(BlindSpot{
			What: fmt.Sprintf("%s to %s: %d bytes that are no text were not understood. What stands in them in the clear would have been recognised; an identifier that is encrypted, or in a format that is not known, would not.",
				counted(u.times, "request", "requests"), host[0], u.bytes),
			Hides: c.hiding(u.consents, QuestionIdentifier), Event: u.event,
		})
	}
	keys := make([][2]string, 0, len(c.cuts))
	for k := range c.cuts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for _, k := range keys {
		u := c.cuts[k]
		c.spots.add(BlindSpot{
			What:  fmt.Sprintf("%s to %s could not be read to the end: %s.", counted(u.times, "request", "requests"), k[0], k[1]),
			Hides: c.traffic(u), Event: u.event,
		})
	}
}

// plantingSpots says which canaries the device would not take.
func (c *inquiry) plantingSpots() {
	latest := map[string]evidence.Planting{}
	var order []string
	for _, x := range c.plantings {
		p := x.data
		if _, ok := latest[p.Kind]; !ok {
			order = append(order, p.Kind)
		}
		if l := latest[p.Kind]; !l.OK || p.OK {
			latest[p.Kind] = p
		}
	}
	for _, kind := range order {
		p := latest[kind]
		if p.OK {
			continue
		}
		k := c.kb.Disguises.Kind(kind)
		hides := []string{}
		if k.Essential {
			hides = inOrder([]string{QuestionIdentifier, QuestionBeforeConsent, QuestionAfterReject})
		}
		c.spots.add(BlindSpot{
			What:  fmt.Sprintf("The device would not take our %s, so if the app sent its real one, it was not recognised: %s", k.Label, cmp.Or(p.Error, "it reads back something else")),
			Hides: hides,
		})
	}
}

// trafficSpots compares what was read with what there should have been.
func (c *inquiry) trafficSpots() {
	if c.anonymous > 0 && c.installs && !c.manifest.Device.Simulated {
		c.spots.note(fmt.Sprintf("This device does not say which app sent %d of the requests; the system's own, where the baseline did not show them, may be among them.", c.anonymous),
			"Compare with a longer baseline, or redirect by uid.")
	}
	if c.launches > 0 && c.coverage.Flows == 0 && c.coverage.Opaque == 0 && c.online() {
		c.spots.add(BlindSpot{
			What:  "No traffic of the app was seen at all.",
			Hides: inOrder([]string{QuestionAccount, QuestionIdentifier, QuestionBeforeConsent, QuestionAfterReject, QuestionDraft}),
			Do:    "See whether the app runs, uses the network, and goes through the proxy.", Event: c.lastEvent,
		})
	}
	c.measure()
}

// online reports whether the app may use the network at all.
func (c *inquiry) online() bool {
	return c.app.Package == "" || slices.Contains(c.app.Permissions, "android.permission.INTERNET")
}

// counted is n with a noun in the right number.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
