package judge

import (
	"fmt"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/draft"
	"github.com/unasked-audit/unasked/harness/judge/unwrap"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// connection searches what a connection without readable HTTP carried, both ways: the
// messages of a WebSocket, or the bytes of another protocol as they are.
func (c *inquiry) connection(e evidence.Event, r *flow.Connection) {
	a := asked{host: hostOf(r), noise: c.noise(e, r.UID), alone: c.withoutApp(e)}
	features := draft.NewFeatures(c.kb.Features)
	pieces := c.newPieces(e, a.noise)
	up := c.sight.connection(r, Sent, func(p *unwrap.Part) {
		pieces.part(p)
		features.Part(p)
	})
	c.identified(e, &up, a)
	if r.Reason == flow.Upgraded && c.messaged[r.Flow] {
		c.sockets[r.Flow] = true // what of its messages could not be read was told with each
		return
	}
	if up.socket {
		c.sockets[r.Flow] = c.sockets[r.Flow] || up.why == ""
		if !a.noise && !c.signup(e.Arm, e.Phase) {
			c.spots.add(BlindSpot{
				What:  fmt.Sprintf("A WebSocket to %s was searched for identifiers and drafts; accounts that it may create are not followed.", up.host),
				Hides: []string{QuestionAccount}, Event: e.Seq,
			})
		}
	}
	if !a.noise && r.Up.Size > 0 {
		if r.Port == knowledge.PortDoT && c.overTLS(e, up.data) > 0 {
			c.dotRead[up.host] = true
		}
		if c.drafted(e) {
			c.vectors(e, r.Flow, r.Up.Blob, up.host, features.Vectors())
		}
		if !c.sockets[r.Flow] {
			up.report.Binary = 0 // that the connection could not be read is told as it is
			up.why = ""
		}
		known := pieces.done(r.Flow, r.Up.Blob, up.host)
		c.unreadable(e, &up, up.report.Sealed, known)
		if up.report.Sealed > 0 && !known {
			c.rode(r.Wire).unread += up.report.Sealed
		}
	}
	down := c.sight.connection(r, Received, nobody)
	c.identified(e, &down, a)
}
