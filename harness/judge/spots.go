package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
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
			hides = questionIDs()
		}
		c.spots.add(BlindSpot{What: x.data.What, Hides: inOrder(hides), Do: x.data.Do, Event: x.Seq})
	}
	c.endSpots()
	c.phaseSpots()
	c.opaqueSpots()
	c.unreadSpots()
	c.plantingSpots()
	c.trafficSpots()
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
		c.spots.add(BlindSpot{What: "The audit was interrupted; what would have come later was not seen.", Hides: questionIDs(), Do: "Run it again to its end.", Event: c.lastEvent})
	default:
		c.spots.add(BlindSpot{What: fmt.Sprintf("The audit failed: %s", cmp.Or(end.Error, "it does not say why")), Hides: questionIDs(), Do: "Mend the cause and run it again.", Event: c.lastEvent})
	}
	launched := false
	for _, f := range c.failed {
		if done, ok := map[string]string{"install": "installed", "launch": "started"}[f.action.Verb]; ok {
			launched = true
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("The app could not be %s: %s.", done, strings.TrimSuffix(cmp.Or(f.action.Error, "the device does not say why"), ".")),
				Hides: questionIDs(), Do: "Use a device that can run this app.", Event: f.event,
			})
		}
	}
	if c.installs && c.launches == 0 && !launched {
		c.spots.add(BlindSpot{What: "The app was never started, so nothing that it does was seen.", Hides: questionIDs(), Event: c.lastEvent})
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
		hides := questionIDs()
		switch p.purpose {
		case purposeBaseline:
			hides = []string{}
		case purposeDraft:
			if c.noRecorder() {
				hides = []string{} // there is nothing to upload
			} else {
				hides = []string{QuestionDraft}
			}
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

// reasons says in words why a connection could not be read.
var reasons = map[string]string{
	flow.Distrusted: "the app refused our certificate, as one that pins its own does",
	flow.HungUp:     "the app went away during the handshake",
	flow.NoHTTP:     "what it sent is no HTTP; its bytes were searched as they are",
	flow.Upgraded:   "it went over to another protocol; its bytes were searched as they are",
	flow.NoOrigin:   "the host could not be reached",
	flow.Broken:     "it broke off",
}

// stack is a client's TLS stack, known by the fingerprint of its hello, that talked to a
// host in an arm.
type stack struct{ arm, host, fingerprint string }

// spare reports whether a connection is one that the client gave up because it did not
// need it. A client opens several at once, and those that carried nothing look like
// those of an app that pins its certificates. What tells them apart is that requests of
// the same TLS stack to the same host were read in the same arm: it did not mind our
// certificate. A library that pins beside a browser has another stack.
func (c *inquiry) spare(o *opaque) bool {
	r := &o.connection
	return (r.Reason == flow.HungUp || r.Reason == flow.Broken) && r.Sent == 0 && r.Fingerprint != "" &&
		c.readable[stack{o.Arm, hostOf(r), r.Fingerprint}]
}

// opaqueSpots counts connections that could not be read, by host and reason.
func (c *inquiry) opaqueSpots() {
	type key struct {
		host, reason string
		spare        bool
	}
	groups := map[key]*unread{}
	var order []key
	for _, o := range c.opaque {
		if o.noise || c.signup(o.Arm, o.Phase) {
			continue
		}
		host := hostOf(&o.connection)
		reason := o.connection.Reason
		if reason == flow.Unused || reason == flow.NoOrigin && !c.unreached[o.connection.Flow] {
			continue // nothing was sent, or it was read
		}
		if c.sockets[o.connection.Flow] {
			c.coverage.Sent += o.connection.Sent
			c.coverage.Received += o.connection.Received
			continue
		}
		c.coverage.Opaque++
		c.coverage.OpaqueSent += o.connection.Sent
		c.recipient(host)
		k := key{host, reason, c.spare(&o)}
		if groups[k] == nil {
			groups[k] = newUnread(o.Event)
			order = append(order, k)
		}
		u := groups[k]
		u.times++
		u.bytes += o.connection.Sent
		u.consents[o.Consent] = true
		u.drafted = u.drafted || c.drafted(o.Event)
	}
	for _, k := range order {
		u := groups[k]
		if k.spare {
			c.spots.add(BlindSpot{
				What: fmt.Sprintf("%s to %s: given up by the app before anything was sent, while others of the same TLS client to the same host were read.",
					counted(u.times, "connection", "connections"), k.host),
				Hides: []string{}, Event: u.event,
			})
			continue
		}
		c.spots.add(BlindSpot{
			What:  fmt.Sprintf("%s to %s could not be read: %s.", counted(u.times, "connection", "connections"), k.host, cmp.Or(reasons[k.reason], k.reason)),
			Hides: c.traffic(u), Event: u.event, Do: advice(k.reason),
		})
	}
}

func advice(reason string) string {
	switch reason {
	case flow.Distrusted, flow.HungUp:
		return "Use a device on which the app's own check of certificates can be taken out, or a build of the app that trusts user certificates."
	case flow.NoOrigin:
		return "Give the device a network on which this host answers."
	}
	return ""
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
	for _, p := range c.plantings {
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

// What the kernel counts, and the proxy does not, in bytes that the device sends: a
// connection's TLS hello and handshake (2.3 kB with a post-quantum key share), the
// proxy's CONNECT and the headers of those packets; what a request adds in records and
// packets; acknowledgements, by bytes received; packet headers and what was sent again,
// by bytes sent. Names are asked for now and then.
const (
	overConnection = 3 << 10
	overRequest    = 128
	overReceived   = 32 // one byte for so many
	overSent       = 20 // the same
	overAll        = 4 << 10
)

// gap compares what the kernel counted with what came by the proxy. The header
// compression of HTTP/2 makes the kernel's number smaller, so that the gap is no less
// than it seems only where requests are HTTP/1.1.
func (c *inquiry) gap() {
	if len(c.counters) == 0 {
		return
	}
	seen := uint64(c.coverage.Sent) + uint64(c.coverage.OpaqueSent)
	requests := uint64(c.coverage.Flows) + uint64(c.coverage.Opaque)
	connections := len(c.clients) + c.coverage.Opaque
	if len(c.clients) == 0 {
		connections = c.coverage.Flows + c.coverage.Opaque // nobody says which were on one connection
	}
	allowed := uint64(connections)*overConnection + requests*overRequest + uint64(c.coverage.Received)/overReceived + seen/overSent + overAll
	counts := fmt.Sprintf("The kernel counted %d bytes sent by the app, and %d came by the proxy", c.coverage.KernelSent, seen)
	switch {
	case c.coverage.KernelSent > seen+allowed:
		c.spots.add(BlindSpot{
			What: fmt.Sprintf("%s: %d more, where %s and their packets explain %d at most. It talks past the proxy.",
				counts, c.coverage.KernelSent-seen, counted(connections, "connection", "connections"), allowed),
			Hides: inOrder([]string{QuestionAccount, QuestionIdentifier, QuestionBeforeConsent, QuestionAfterReject, QuestionDraft}),
			Do:    "Redirect all of the app's traffic, and refuse QUIC.", Event: c.lastEvent,
		})
	case c.coverage.KernelSent > seen:
		c.spots.note(fmt.Sprintf("%s: %d more, which the handshakes and packets of %s explain (up to %d). Less than that could have passed the proxy by unnoticed.",
			counts, c.coverage.KernelSent-seen, counted(connections, "connection", "connections"), allowed), "")
	default:
		c.spots.note(fmt.Sprintf("%s, headers uncompressed. With the handshakes and packets of %s, up to %d bytes could have passed the proxy by unnoticed.",
			counts, counted(connections, "connection", "connections"), seen+allowed-c.coverage.KernelSent), "")
	}
}

// trafficSpots compares what was read with what there should have been.
func (c *inquiry) trafficSpots() {
	c.kernel()
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
	c.gap()
}

// online reports whether the app may use the network at all.
func (c *inquiry) online() bool {
	return c.app.Package == "" || slices.Contains(c.app.Permissions, "android.permission.INTERNET")
}

// kernel sums what the kernel counted, uid by uid; a counter that falls was reset. A uid
// that the app got during the audit, installed anew, began at nothing.
func (c *inquiry) kernel() {
	last := map[int]evidence.Counters{}
	for _, x := range c.counters {
		l, ok := last[x.data.UID]
		if ok || len(last) > 0 {
			c.coverage.KernelSent += grown(l.Sent, x.data.Sent)
			c.coverage.KernelRecv += grown(l.Received, x.data.Received)
		}
		last[x.data.UID] = x.data
	}
}

func grown(before, now uint64) uint64 {
	if now < before {
		return now
	}
	return now - before
}

// counted is n with a noun in the right number.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
