package judge

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/draft"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
)

// hostOf is the host that a connection was meant for.
func hostOf(r *flow.Connection) string {
	return strings.ToLower(cmp.Or(r.SNI, r.Host))
}

// connection searches the bytes that the device sent on a connection without readable
// HTTP: the messages of a WebSocket, or the bytes of another protocol as they are.
func (c *inquiry) connection(e evidence.Event, r *flow.Connection) {
	if r.Up.Size == 0 {
		return
	}
	host := hostOf(r)
	a := asked{host: host, noise: c.noise(e, r.UID), alone: c.withoutApp(e)}
	sent, why := c.body(r.Up)
	hits := c.needles.Collector()
	features := draft.NewFeatures(c.kb.Features)
	pieces := c.newPieces(e, a.noise)
	visit := func(p *unwrap.Part) {
		hits.Part(p)
		pieces.part(p)
		features.Part(p)
	}
	var report unwrap.Report
	if r.Reason == flow.Upgraded && isSocket(c.opener, sent) {
		report, _ = c.opener.Socket(sent, visit)
		if why == "" {
			c.sockets[r.Flow] = true
		}
		if !a.noise && !c.signup(e.Arm, e.Phase) {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("A WebSocket to %s was searched for identifiers and drafts; accounts that it may create are not followed.", host),
				Hides: []string{QuestionAccount}, Event: e.Seq,
			})
		}
	} else {
		report = c.opener.Walk(unwrap.Message{Body: sent, Response: true}, visit)
	}
	c.identified(e, r.Flow, r.Up.Blob, host, a, hits.Hits())
	if a.noise {
		return
	}
	if c.drafted(e) {
		c.vectors(e, r.Flow, r.Up.Blob, host, features.Vectors())
	}
	found := pieces.done(r.Flow, r.Up.Blob, host)
	for _, cut := range report.Cuts {
		c.unread(e, c.cuts, [2]string{host, cut.Surface + " could not be opened: " + cut.Why}, r.Up.Size)
	}
	if report.Binary > 0 && !found && c.sockets[r.Flow] {
		c.unread(e, c.binary, [2]string{host}, report.Binary)
	}
	if report.Sealed > 0 && !found {
		c.unread(e, nil, [2]string{host}, report.Sealed)
	}
}

// isSocket reports whether bytes are WebSocket frames to their end.
func isSocket(o *unwrap.Opener, data []byte) bool {
	_, err := o.Socket(data, func(*unwrap.Part) {})
	return err == nil
}
