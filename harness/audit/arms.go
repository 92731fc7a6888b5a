package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/protocol"
)

// arms is what the arm runs of an experiment share.
type arms struct {
	refused map[canary.Kind]string // what the device does not take, and why
	shared  map[string]string      // files in shared storage that were there before the app
	listed  bool                   // shared is known
	changed map[string]bool        // shared files that were said to have been changed
}

// backupsWereOff is the detail of turning backups off where nothing was to be done.
const backupsWereOff = "nothing was turned off"

func (a *arms) refuse(kind canary.Kind, why string) {
	if a.refused == nil {
		a.refused = map[canary.Kind]string{}
	}
	a.refused[kind] = why
}

// prepareArms makes the device forget: backups are off, and what is in shared storage is
// known, so that what the app adds to it can be taken away.
func (r *run) prepareArms(ctx context.Context) error {
	undo, err := r.dev.StopBackup(ctx)
	detail := backupsWereOff
	if undo != nil {
		r.undo.push("turn the device's backups on again", undo)
		detail = "bmgr enable false"
	}
	err = r.act("stop-backup", detail, func() error { return err })
	if err := r.unlessPassing(ctx, err); err != nil {
		return err
	}
	if err != nil {
		if err := r.blind(fmt.Sprintf("The device's backups could not be turned off (%v): what comes back after a wipe may come from one.", err), "", judge.QuestionRecoverable, judge.QuestionWaits); err != nil {
			return err
		}
	}
	r.arms.changed = map[string]bool{}
	r.arms.shared, err = r.dev.SharedFiles(ctx)
	if err := r.unlessPassing(ctx, err); err != nil {
		return err
	}
	if r.arms.listed = err == nil; !r.arms.listed {
		return r.blind(fmt.Sprintf("The device's shared storage can't be wiped (%v): what comes back after a wipe may come from there.", err), "", judge.QuestionRecoverable, judge.QuestionWaits)
	}
	return nil
}

// take puts the identity of an arm run onto the device and records it. It reports false
// where the device can't do the run: that is said, and the audit goes on.
func (r *run) take(ctx context.Context, arm *protocol.Arm, repeat int) (done bool, err error) {
	about := evidence.Arm{Name: arm.Name, Repeat: repeat, Role: string(arm.Role), Change: string(arm.Change)}
	if arm.Role == protocol.NoApp {
		return true, r.record(evidence.KindArm, about)
	}
	if about.Undone = r.unable(arm); about.Undone != "" {
		return false, r.record(evidence.KindArm, about)
	}
	if err := r.become(ctx, r.identityOf(arm)); err != nil {
		return false, err
	}
	about.Identity = r.person
	for _, c := range r.person.Canaries {
		if _, no := r.arms.refused[c.Kind]; no {
			about.Absent = append(about.Absent, string(c.Kind))
		}
	}
	return true, r.record(evidence.KindArm, about)
}

// unable says why the device can't change what an arm changes, or "".
func (r *run) unable(arm *protocol.Arm) string {
	if arm.Role != protocol.Changed {
		return ""
	}
	kinds := arm.Change.Kinds()
	if len(kinds) == 0 {
		return "the audit has no second address on the internet to go out by"
	}
	var whys []string
	for _, k := range kinds {
		why, no := r.arms.refused[k]
		if !no {
			return ""
		}
		if !slices.Contains(whys, why) {
			whys = append(whys, why)
		}
	}
	return strings.Join(whys, "; ")
}

// identityOf is who the device belongs to in an arm run: X, X with one source changed, or
// somebody new. Each follows from the seed and the run's label.
func (r *run) identityOf(arm *protocol.Arm) canary.Identity {
	label := r.position.arm
	switch arm.Role {
	case protocol.New, protocol.Signup:
		return canary.DeriveApart(r.Seed, label, r.identity, r.decoys)
	case protocol.Changed:
		id := r.identity.With(canary.DeriveApart(r.Seed, label, r.identity, r.decoys), arm.Change.Kinds()...)
		id.Label = label
		return id
	}
	return r.identity
}

// become changes the identity on the device, as far as it differs. The SSAID comes when
// the app is installed, for it belongs to the app.
func (r *run) become(ctx context.Context, who canary.Identity) error {
	var kinds []canary.Kind
	for _, c := range who.Canaries {
		if _, no := r.arms.refused[c.Kind]; !no && c.Kind != canary.SSAID && r.person.Value(c.Kind) != c.Value {
			kinds = append(kinds, c.Kind)
		}
	}
	r.person = who
	if len(kinds) == 0 {
		return nil
	}
	err := r.act("withdraw", words(kinds), func() error { return r.dev.Withdraw(ctx, kinds...) })
	if err := r.unlessPassing(ctx, err); err != nil {
		return err
	}
	if err != nil {
		if err := r.blind(fmt.Sprintf("The identity of an earlier arm run could not be taken off the device (%v): what comes back may come from it.", err), "", judge.QuestionRecoverable, judge.QuestionWaits); err != nil {
			return err
		}
	}
	for _, k := range kinds {
		if err := r.plant(ctx, canary.Canary{Kind: k, Value: who.Value(k)}); err != nil {
			return err
		}
	}
	return nil
}

func words(kinds []canary.Kind) string {
	var list []string
	for _, k := range kinds {
		list = append(list, string(k))
	}
	return strings.Join(list, ", ")
}

// plantSSAID gives the app, which was just installed, the identifier that Android has
// for it.
func (r *run) plantSSAID(ctx context.Context) error {
	if r.Protocol.Experiment() {
		if _, no := r.arms.refused[canary.SSAID]; no {
			return nil
		}
		// Of an installation before, whose uid may be another's by now.
		if err := r.unlessPassing(ctx, r.dev.Withdraw(ctx, canary.SSAID)); err != nil {
			return err
		}
	}
	return r.plant(ctx, canary.Canary{Kind: canary.SSAID, Value: r.person.Value(canary.SSAID)})
}

// wipe removes what an arm run left in shared storage. The app and its data are gone.
func (r *run) wipe(ctx context.Context) error {
	if !r.arms.listed {
		return nil
	}
	removed, changed, err := r.dev.WipeShared(ctx, r.arms.shared)
	action := evidence.Action{Verb: "wipe-shared", Detail: fmt.Sprintf("%d files that were not there before the audit", len(removed)), OK: err == nil}
	if err != nil {
		action.Error = err.Error()
	}
	if recorded := r.record(evidence.KindAction, action); recorded != nil {
		return recorded
	}
	if err := r.unlessPassing(ctx, err); err != nil {
		return err
	}
	if err != nil {
		return r.blind(fmt.Sprintf("What the app left in shared storage could not be wiped (%v): what comes back may come from there.", err), "", judge.QuestionRecoverable, judge.QuestionWaits)
	}
	for _, name := range changed {
		if r.arms.changed[name] {
			continue
		}
		r.arms.changed[name] = true
		if err := r.blind(fmt.Sprintf("The shared file %q, which was there before the audit, was changed in it and is left as it is: what comes back may come from there.", name), "", judge.QuestionRecoverable, judge.QuestionWaits); err != nil {
			return err
		}
	}
	return nil
}
