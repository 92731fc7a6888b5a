// Package audit runs a protocol against one app: arms, phases and repeats. It
// drives the device, records everything, and concludes nothing.
//
// Call [Run]. It leaves a sealed bundle behind whenever it began one, and takes
// back what it set on the device, however it ends.
package audit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/apk"
	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/capture"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/probe"
	"github.com/unasked-audit/unasked/harness/protocol"
)

// Options says what is audited, how and on what.
type Options struct {
	Files     []string // paths of the APK, or of the base and its splits
	Protocol  *protocol.Protocol
	Out       string // the bundle's folder; absent or empty
	Provider  emulator.Provider
	Spec      emulator.Spec
	Adb       *adb.Adb
	Knowledge *knowledge.Base
	Probes    []*probe.Probe // the websites to ask before the first launch and after the last phase
	Seed      []byte         // the canaries follow from it; nil for 32 random bytes
	// Recheck is the bundle whose identities meet its services again; nil for none. The
	// websites are then asked once, before the app is there.
	Recheck *evidence.Bundle
	Tool    string   // the program's name and version
	Command []string // the command line
	// Begun is called when recording begins, before the first event; nil for nobody.
	Begun func(*evidence.Log)
	Now   func() time.Time // nil for time.Now
}

// seedSize is the length in bytes of a seed that Run makes up.
const seedSize = 32

// ErrInterrupted is returned by [Run] when its context ended first. The bundle is
// sealed as interrupted.
var ErrInterrupted = errors.New("the audit was interrupted")

// ErrLeftBehind is wrapped by what [Run] returns when something that it set on
// the device could not be taken back. The error names each such thing.
var ErrLeftBehind = errors.New("not everything that was set on the device could be taken back")

// Run audits. The error is nil when the protocol ran to its end, whatever was
// seen, and everything was taken back. sealed reports whether there is a sealed
// bundle in o.Out: before the app and the device are checked nothing is written;
// after that, an error leaves a bundle that is sealed as failed or interrupted.
func Run(ctx context.Context, o Options) (sealed bool, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Seed == nil {
		o.Seed = make([]byte, seedSize)
		if _, err := rand.Read(o.Seed); err != nil {
			return false, fmt.Errorf("make a seed: %w", err)
		}
	}
	app, err := apk.Inspect(o.Files[0], o.Files[1:]...)
	if err != nil {
		return false, err
	}
	r := &run{
		quic:     map[int]refusedQUIC{},
		Options:  o,
		app:      app,
		identity: canary.Derive(o.Seed, "X"),
		decoys:   canary.Decoys(o.Seed, "X"),
	}
	r.person = r.identity
	// What was set up before there was a log; after that, finish leaves nothing here.
	defer func() { err = errors.Join(err, r.undo.run(ctx, nil)) }()
	if err := r.acquire(ctx); err != nil {
		return false, err
	}
	if r.log, err = evidence.Create(o.Out, o.Now); err != nil {
		return false, err
	}
	return r.finish(ctx, r.perform(ctx))
}

// run is one audit under way.
type run struct {
	Options
	app              evidence.App
	identity, decoys canary.Identity // X, and what is never planted
	person           canary.Identity // who the device belongs to in this arm run: X but in experiments
	device           evidence.Device
	log              *evidence.Log
	started          time.Time
	target
	undo      undoStack
	proxy     *capture.Proxy
	position  position
	arms      arms
	installed bool                // the app is on the device
	running   bool                // the app was started and nothing has ended it since
	uncounted bool                // the device was said to give no byte counts
	unrefused bool                // the device was said not to refuse QUIC
	quic      map[int]refusedQUIC // by uid: what was refused and recorded
}

// perform does everything that is recorded, up to the end of the last phase.
func (r *run) perform(ctx context.Context) error {
	if r.Begun != nil {
		r.Begun(r.log)
	}
	r.started = r.Now().UTC()
	var earlier *evidence.Earlier
	if r.Recheck != nil {
		var err error
		if earlier, err = probe.Link(ctx, r.Recheck); err != nil {
			return err
		}
	}
	source, _, err := r.log.PutBlob(bytes.NewReader(r.Protocol.Source))
	if err != nil {
		return err
	}
	if err := r.record(evidence.KindAuditStart, evidence.AuditStart{
		Tool: r.Tool, Command: r.Command, Protocol: r.Protocol.Name, Source: source, Seed: hex.EncodeToString(r.Seed),
		Knowledge: r.Knowledge.Version(), Identity: r.identity, Decoys: r.decoys, Earlier: earlier,
	}); err != nil {
		return err
	}
	if err := r.record(evidence.KindDevice, r.device); err != nil {
		return err
	}
	if err := r.keepApp(); err != nil {
		return err
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	ask := r.asker()
	when := evidence.ProbeBefore
	if r.Recheck != nil {
		when = evidence.ProbeLater
		if err := ask.Carry(ctx, r.Recheck); err != nil {
			return err
		}
	}
	if err := r.probe(ctx, ask, when); err != nil {
		return err
	}
	for _, run := range r.Protocol.Plan(r.Seed) {
		if err := r.runArm(ctx, run.Arm, run.Repeat); err != nil {
			return fmt.Errorf("arm %s: %w", armLabel(run.Arm.Name, run.Repeat), err)
		}
	}
	if r.Recheck != nil {
		return nil
	}
	return r.probe(ctx, ask, evidence.ProbeAfter)
}

// finish takes everything back, seals, and puts the errors together.
func (r *run) finish(ctx context.Context, err error) (sealed bool, _ error) {
	r.position = position{}
	r.log.Position("", "", "")
	end := evidence.AuditEnd{How: evidence.Completed}
	switch {
	case err != nil && ctx.Err() != nil:
		end = evidence.AuditEnd{How: evidence.Interrupted, Error: "whoever ran it ended it"}
		err = ErrInterrupted
	case err != nil:
		end = evidence.AuditEnd{How: evidence.Failed, Error: err.Error()}
	}
	left := r.undo.run(ctx, r.recordRestored)
	if left != nil && end.Error == "" {
		end.Error = left.Error()
	}
	recorded := r.record(evidence.KindAuditEnd, end)
	sealing := r.log.Seal(evidence.Manifest{
		Tool: r.Tool, Started: r.started, End: end, Protocol: r.Protocol.Name, Knowledge: r.Knowledge.Version(),
		Device: r.device, App: r.app, Identity: r.identity, Decoys: r.decoys,
	})
	return sealing == nil, errors.Join(err, left, recorded, sealing)
}

// armLabel names an arm of a repeat as the log does: "rejected", "rejected#2", "rejected#3".
func armLabel(arm string, repeat int) string {
	if repeat == 1 {
		return arm
	}
	return fmt.Sprintf("%s#%d", arm, repeat)
}
