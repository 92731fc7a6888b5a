package audit

import (
	"context"
	"fmt"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge"
)

// refusedQUIC is what the device counted of an app's attempts at HTTP/3.
type refusedQUIC struct{ packets, bytes uint64 }

// refuseQUIC makes the device refuse the app's HTTP/3, which passes the proxy by, so
// that the app falls back to what can be read. Without it, the audit goes on and says
// what it can't see.
func (r *run) refuseQUIC(ctx context.Context) error {
	if _, refused := r.quic[r.app.UID]; refused || r.app.UID == 0 {
		return nil
	}
	err := r.act("refuse-quic", fmt.Sprintf("UDP port 443, uid %d", r.app.UID), func() error {
		undo, err := r.dev.RefuseQUIC(ctx, r.app.UID)
		if undo != nil {
			r.undo.push(fmt.Sprintf("let QUIC of uid %d pass again", r.app.UID), undo)
		}
		return err
	})
	if err == nil {
		r.quic[r.app.UID] = refusedQUIC{}
		return nil
	}
	if err := r.unlessPassing(ctx, err); err != nil || r.unrefused {
		return err
	}
	r.unrefused = true // once is enough
	return r.blind(fmt.Sprintf("The device does not refuse HTTP/3 (%v): what the app sends by it passes the proxy by.", err),
		"Use a device that can be rooted.",
		judge.QuestionAccount, judge.QuestionIdentifier, judge.QuestionBeforeConsent, judge.QuestionAfterReject, judge.QuestionDraft)
}

// countQUIC records what was refused since the last time.
func (r *run) countQUIC(ctx context.Context) error {
	before, refused := r.quic[r.app.UID]
	if !refused {
		return nil
	}
	packets, bytes, err := r.dev.QUICRefused(ctx, r.app.UID)
	if err != nil {
		return r.unlessPassing(ctx, err)
	}
	if packets <= before.packets {
		return nil
	}
	r.quic[r.app.UID] = refusedQUIC{packets, bytes}
	now := r.Now()
	return r.record(evidence.KindConnection, flow.Connection{
		Flow: flow.ID(fmt.Sprintf("f%d", r.log.Next("flow"))), Started: now, Ended: now, Port: 443, Reason: flow.QUIC, UID: r.app.UID,
		Detail: fmt.Sprintf("%d packets of %d bytes to UDP port 443 were refused on the device", packets-before.packets, bytes-before.bytes),
	})
}
