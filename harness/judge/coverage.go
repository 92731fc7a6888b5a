package judge

import (
	"fmt"
	"io"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/protocol"
)

// wire is a connection between the device and the proxy.
type wire struct {
	sent     int64 // bytes from the device, TLS and all
	known    bool  // it is in the evidence, and the app's
	requests int   // of the app's, read on it
	closed   bool  // a connection on it could not be read
	unread   int64 // bytes of its requests that stayed closed
}

// rode is the connection that something came on.
func (c *inquiry) rode(id string) *wire {
	if id == "" {
		return &wire{}
	}
	w := c.wires[id]
	if w == nil {
		w = &wire{}
		c.wires[id] = w
	}
	return w
}

func (c *inquiry) wire(e evidence.Event, r *flow.Wire) {
	w := c.rode(r.ID)
	w.sent = r.Sent
	w.known = !c.noise(e, r.UID)
	if w.known {
		c.onWire += r.Received
	}
}

// What the kernel counts of an app, and a proxy does not see on its side of the
// connections, in bytes that the device sends (Linux counts a packet with its IP and TCP
// headers: RFC 9293 and RFC 791, 52 bytes with the usual timestamps).
const (
	// Opening and closing a connection, and packets that are not full.
	overWire = 1 << 10
	// A request seldom fills its last packet.
	overMessage = 128
	// Acknowledgements, by bytes received: at most 52 for every other packet of 1,400
	// bytes, and more where packets are lost; one byte for so many.
	overReceived = 32
	// Headers of full packets, and what was sent again, by bytes sent; the same.
	overSent = 20
	// What belongs to no connection: names that the app itself asks for.
	overAll = 4 << 10
	// Where only requests were counted, a connection's TLS hello and handshake (2.3 kB
	// with a post-quantum key share) and the proxy's CONNECT come on top.
	overHandshake = 2 << 10
)

// measure compares what the kernel counted with what came by, and what came by with
// what could be read.
func (c *inquiry) measure() {
	c.kernel()
	v := &c.coverage
	seen, connections, received := c.onWires()
	if v.Basis = OnTheWire; connections == 0 {
		v.Basis = InRequests
		seen, connections, received = c.inRequests()
	}
	v.Clear = max(seen-v.Unread, 0)
	requests := int64(v.Flows + v.Messages + v.Opaque)
	allowed := int64(connections)*overWire + requests*overMessage + received/overReceived + seen/overSent + overAll
	if v.Basis == InRequests {
		allowed += int64(connections) * overHandshake
	}
	if v.Counted {
		v.Missing = max(int64(v.KernelSent)-seen-allowed, 0)
		v.Overhead = min(max(int64(v.KernelSent)-seen, 0), allowed)
	}
	v.PerMille = 1000
	if all := v.Clear + v.Unread + v.Missing; all > 0 {
		v.PerMille = int(v.Clear * 1000 / all)
	}
	v.Wanted = c.wanted()
	c.gap(seen, allowed, connections)
	if v.Counted && v.PerMille < v.Wanted {
		c.spots.add(BlindSpot{
			What: fmt.Sprintf("Of what the app sent, %s could be read: %d bytes came by that could not be read, and %d that the kernel counted never came by. The protocol asks for %s.",
				percent(v.PerMille), v.Unread, v.Missing, percent(v.Wanted)),
			Hides: c.hiddenBelow(), Do: "Mend the causes that the other blind spots name, or ask for less in the protocol.", Event: c.lastEvent,
		})
	}
}

// hiddenBelow are the questions that too little coverage leaves open: all about traffic
// where nobody knows when it passed, else those of the consent states in which it did.
func (c *inquiry) hiddenBelow() []string {
	if c.coverage.Missing > 0 {
		return traffic()
	}
	u := unread{consents: map[evidence.Consent]bool{}, drafted: len(c.drafts.Drafts()) > 0}
	for key := range c.hidden {
		u.consents[key.consent] = true
	}
	return c.traffic(&u)
}

// onWires adds up the connections that are the app's, as they were on the wire.
func (c *inquiry) onWires() (seen int64, connections int, received int64) {
	for i := range c.opaque {
		o := &c.opaque[i]
		if w := c.wires[o.connection.Wire]; w != nil && !o.noise {
			w.closed = w.closed || !c.harmless(o)
		}
	}
	for _, id := range sorted(c.wires) {
		w := c.wires[id]
		if !w.known {
			continue
		}
		connections++
		seen += w.sent
		switch {
		case w.requests == 0 && w.closed:
			c.coverage.Unread += w.sent
		default:
			c.coverage.Unread += min(w.unread, w.sent)
		}
	}
	return seen, connections, c.onWire
}

// harmless reports whether a connection without readable HTTP hides nothing: nothing was
// sent on it, it was read otherwise, or its bytes stand in the evidence as they are.
func (c *inquiry) harmless(o *opaque) bool {
	switch o.connection.Reason {
	case flow.Unused, flow.NoHTTP, flow.Upgraded, flow.QUIC:
		return true
	case flow.NoOrigin:
		return !c.unreached[o.connection.Flow]
	}
	return c.spare(o)
}

// inRequests adds up requests as they were read.
func (c *inquiry) inRequests() (seen int64, connections int, received int64) {
	v := &c.coverage
	connections = len(c.clients) + v.Opaque
	if len(c.clients) == 0 {
		connections = v.Flows + v.Opaque // nobody says which were on one connection
	}
	for _, o := range c.hidden {
		v.Unread += o.Bytes
	}
	return v.Sent + v.OpaqueSent, connections, v.Received
}

// gap says how far the kernel's count and ours agree.
func (c *inquiry) gap(seen, allowed int64, connections int) {
	if !c.coverage.Counted {
		return
	}
	kernel := int64(c.coverage.KernelSent)
	counts := fmt.Sprintf("The kernel counted %d bytes sent by the app, and %d came by the proxy", kernel, seen)
	many := counted(connections, "connection", "connections")
	what := "packets"
	if c.coverage.Basis == InRequests {
		what = "handshakes and packets"
	}
	switch {
	case kernel > seen+allowed:
		c.spots.add(BlindSpot{
			What:  fmt.Sprintf("%s: %d more, where %s and their %s explain %d at most. It talks past the proxy.", counts, kernel-seen, many, what, allowed),
			Hides: traffic(),
			Do:    "Redirect all of the app's traffic, and refuse QUIC.", Event: c.lastEvent,
		})
	case kernel > seen:
		c.spots.note(fmt.Sprintf("%s: %d more, which the %s of %s explain (up to %d). Less than that could have passed the proxy by unnoticed.",
			counts, kernel-seen, what, many, allowed), "")
	case kernel == seen && c.coverage.Basis == OnTheWire:
		c.spots.note(fmt.Sprintf("%s: the same. With packets that it may have counted beside them, up to %d bytes could have passed the proxy by unnoticed.", counts, allowed), "")
	case c.coverage.Basis == OnTheWire:
		c.spots.note(fmt.Sprintf("%s, where other apps' connections can't be told apart. Up to %d bytes could have passed the proxy by unnoticed.", counts, seen+allowed-kernel), "")
	default:
		c.spots.note(fmt.Sprintf("%s, headers uncompressed. With the handshakes and packets of %s, up to %d bytes could have passed the proxy by unnoticed.",
			counts, many, seen+allowed-kernel), "")
	}
}

// traffic are the questions that traffic answers.
func traffic() []string {
	return inOrder([]string{QuestionAccount, QuestionIdentifier, QuestionBeforeConsent, QuestionAfterReject, QuestionDraft})
}

// longestProtocol is how many bytes of a protocol are read.
const longestProtocol = 1 << 20

// wanted is the share that the audit's protocol asks for, in thousandths. A protocol that
// is not in the evidence, or is one of another version, asks for what is usual.
func (c *inquiry) wanted() int {
	if c.source == "" {
		return protocol.UsualCoverage.PerMille()
	}
	blob, err := c.ev.Blob(c.source)
	if err != nil {
		return protocol.UsualCoverage.PerMille()
	}
	defer blob.Close()
	data, err := io.ReadAll(io.LimitReader(blob, longestProtocol))
	if err != nil {
		return protocol.UsualCoverage.PerMille()
	}
	p, err := protocol.Parse("protocol", data)
	if err != nil {
		return protocol.UsualCoverage.PerMille()
	}
	return p.Coverage.PerMille()
}

// percent writes thousandths as a person reads them.
func percent(perMille int) string {
	if perMille%10 == 0 {
		return fmt.Sprintf("%d %%", perMille/10)
	}
	return fmt.Sprintf("%d.%d %%", perMille/10, perMille%10)
}

// kernel sums what the kernel counted, uid by uid; a counter that falls was reset. A uid
// that the app got during the audit, installed anew, began at nothing.
func (c *inquiry) kernel() {
	last := map[int]evidence.Counters{}
	for _, x := range c.counters {
		c.coverage.Counted = c.coverage.Counted || !c.withoutApp(x.Event)
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
