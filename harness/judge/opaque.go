package judge

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// reasons says in words why a connection could not be read.
var reasons = map[string]string{
	flow.Distrusted: "the app refused our certificate, as one that pins its own does",
	flow.HungUp:     "the app went away during the handshake",
	flow.NoHTTP:     "what it sent is no HTTP; its bytes were searched as they are",
	flow.Upgraded:   "it went over to another protocol; its bytes were searched as they are",
	flow.NoOrigin:   "the host could not be reached",
	flow.Broken:     "it broke off",
	flow.Passed:     "the app had refused our certificate for this host, so it was let through untouched",
	flow.ClientCert: "the service asks for a certificate of the app's own, which only the app has",
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
		if reason == flow.QUIC {
			c.refused(&o, host)
			continue
		}
		if c.sockets[o.connection.Flow] {
			c.coverage.Sent += o.connection.Sent
			c.coverage.Received += o.connection.Received
			continue
		}
		c.coverage.Opaque++
		c.coverage.OpaqueSent += o.connection.Sent
		if !c.spare(&o) && reason != flow.NoHTTP && reason != flow.Upgraded {
			c.hide(o.Event, host).add(o.connection.Sent, 0, 1, cmp.Or(reasons[reason], reason))
		}
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
			What: fmt.Sprintf("%s to %s could not be read: %s%s.", counted(u.times, "connection", "connections"), c.called(k.host), cmp.Or(reasons[k.reason], k.reason),
				c.passed(k.reason, u.bytes)),
			Hides: c.traffic(u), Event: u.event, Do: advice(k.reason),
		})
	}
}

func advice(reason string) string {
	switch reason {
	case flow.Distrusted, flow.HungUp, flow.Passed:
		return "Use a device on which the app's own check of certificates can be taken out, or a build of the app that trusts user certificates."
	case flow.ClientCert:
		return "Give the proxy the app's certificate and key, where they can be had."
	case flow.NoOrigin:
		return "Give the device a network on which this host answers."
	}
	return ""
}

// passed says how much went by unread, where a connection was let through.
func (c *inquiry) passed(reason string, bytes int64) string {
	if reason != flow.Passed {
		return ""
	}
	return fmt.Sprintf("; %d bytes were sent", bytes)
}

// called is a host with what is known of what it is for.
func (c *inquiry) called(host string) string {
	if r, ok := c.kb.Resolvers.Of(host); ok {
		return fmt.Sprintf("%s (%s, which resolves names)", host, r.Name)
	}
	return host
}

// refused takes in an attempt at HTTP/3. It was refused, so that nothing passed; what the
// app would have sent there was seen if it came back over TCP.
func (c *inquiry) refused(o *opaque, host string) {
	if host == "" && c.coverage.Flows > 0 { // the device counts what it refuses, and does not say where it was going
		c.spots.note("The app tried HTTP/3, was refused, and was read over TCP; with which hosts it tried is not known.", "")
		return
	}
	host = cmp.Or(host, "a host that is not known")
	r, read := c.recipients[host]
	if read = read && r.Flows > 0; read || c.origins[host] || c.origins[portless(o.connection.Server)] {
		c.spots.note(fmt.Sprintf("The app tried HTTP/3 with %s, was refused, and came back over TCP, where it was read.", host), "")
		return
	}
	u := newUnread(o.Event)
	u.consents[o.Consent] = true
	u.drafted = c.drafted(o.Event)
	c.spots.add(BlindSpot{
		What:  fmt.Sprintf("The app tried HTTP/3 with %s, was refused, and no request to it was read: what it would have sent there was not seen.", host),
		Hides: c.traffic(u), Event: o.Seq, Do: "Let the phases last longer, for the app to fall back.",
	})
}

// hiding is a destination in a consent state.
type hiding struct {
	host    string
	consent evidence.Consent
}

// hide is where bytes to a host that could not be read are counted. What comes after a
// sign-up hides nothing that was asked about, and is counted nowhere.
func (c *inquiry) hide(e evidence.Event, host string) *OpaqueDestination {
	if c.signup(e.Arm, e.Phase) {
		return &OpaqueDestination{}
	}
	key := hiding{host, e.Consent}
	o := c.hidden[key]
	if o == nil {
		o = &OpaqueDestination{Host: host, Consent: e.Consent, Event: e.Seq}
		if owner, ok := c.kb.Owners.Of(host); ok {
			o.Owner, o.Country = owner.Name(), owner.Country
		}
		c.hidden[key] = o
	}
	return o
}

func (o *OpaqueDestination) add(bytes int64, requests, connections int, why string) {
	o.Bytes += bytes
	o.Requests += requests
	o.Connections += connections
	if !slices.Contains(o.Why, why) {
		o.Why = append(o.Why, why)
	}
}

// destinations lists what could not be read, before any choice first, the most bytes first.
func (c *inquiry) destinations() []OpaqueDestination {
	out := []OpaqueDestination{}
	for _, o := range c.hidden {
		slices.Sort(o.Why)
		out = append(out, *o)
	}
	states := []evidence.Consent{evidence.Untouched, evidence.Ignored, evidence.Choosing, evidence.Rejected, evidence.Withdrawn, evidence.Accepted}
	slices.SortFunc(out, func(a, b OpaqueDestination) int {
		return cmp.Or(cmp.Compare(slices.Index(states, a.Consent), slices.Index(states, b.Consent)),
			cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Host, b.Host))
	})
	return out
}
