package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unasked-audit/unasked/harness/consent"
	"github.com/unasked-audit/unasked/harness/device"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/protocol"
	"github.com/unasked-audit/unasked/harness/screen"
)

// settle is how long a screen may take to come to rest.
const settle = 5 * time.Second

// begin does a phase's act.
func (r *run) begin(ctx context.Context, act protocol.Act) error {
	switch act {
	case protocol.Watch, protocol.Baseline:
		return nil
	case protocol.Install:
		return r.install(ctx)
	case protocol.Launch:
		return r.launch(ctx)
	case protocol.Reject, protocol.Accept:
		return r.choose(ctx, act)
	case protocol.Draft:
		return r.recordAndDiscard(ctx)
	case protocol.Relaunch:
		if err := r.act("stop", r.app.Package, func() error { return r.dev.ForceStop(ctx, r.app.Package) }); err != nil {
			return err
		}
		return r.launch(ctx)
	case protocol.SignUp:
		return r.signUp(ctx)
	case protocol.Reinstall:
		if err := r.uninstall(ctx); err != nil {
			return err
		}
		if err := r.install(ctx); err != nil {
			return err
		}
		return r.launch(ctx)
	}
	return fmt.Errorf("the audit knows no act %q", act)
}

// install puts the app on the device, plants what belongs to the app, and grants
// permissions where the protocol does.
func (r *run) install(ctx context.Context) error {
	if err := r.act("install", r.app.Package, func() error { return r.dev.Install(ctx, r.Files) }); err != nil {
		return err
	}
	r.installed = true
	r.consents(evidence.Untouched)
	r.undo.push("remove "+r.app.Package, func(ctx context.Context) error {
		if !r.installed {
			return nil
		}
		return r.dev.Uninstall(ctx, r.app.Package)
	})
	uid, err := r.dev.UID(ctx, r.app.Package)
	if err != nil {
		return err
	}
	if uid != r.app.UID {
		r.app.UID = uid
		if err := r.record(evidence.KindApp, r.app); err != nil {
			return err
		}
	}
	if err := r.refuseQUIC(ctx); err != nil {
		return err
	}
	if err := r.plantSSAID(ctx); err != nil {
		return err
	}
	if r.Protocol.Permissions != protocol.Granted {
		return nil
	}
	return r.grantAll(ctx)
}

// grantAll gives the app every permission that it asks for and a person could
// give. Most are no person's to give; the device says so, and that is no event.
func (r *run) grantAll(ctx context.Context) error {
	for _, permission := range r.app.Permissions {
		err := r.dev.Grant(ctx, r.app.Package, permission)
		if errors.Is(err, device.ErrNotGrantable) {
			continue
		}
		if err := r.unlessPassing(ctx, r.act("grant", permission, func() error { return err })); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) uninstall(ctx context.Context) error {
	err := r.act("uninstall", r.app.Package, func() error { return r.dev.Uninstall(ctx, r.app.Package) })
	if err == nil {
		r.installed, r.running = false, false
	}
	return err
}

// launch starts the app. An app that this device can't run is no failure of the
// audit: the action that failed is in the evidence, and hides everything.
func (r *run) launch(ctx context.Context) error {
	err := r.act("launch", r.app.Package, func() error { return r.dev.Launch(ctx, r.app.Package) })
	if err == nil {
		r.running = true
		return r.unlessPassing(ctx, r.dev.Settle(ctx, settle))
	}
	if r.unlessPassing(ctx, err) != nil {
		return err
	}
	return &notReached{"the app could not be started"}
}

// chooseTries is how often a choice is looked for anew when something came in between.
const chooseTries = 4

// choose refuses or accepts in the consent dialog that is on the screen. System
// prompts that lie over it are answered first.
func (r *run) choose(ctx context.Context, act protocol.Act) error {
	for range chooseTries {
		seen, err := r.recognise(ctx)
		if err != nil {
			return err
		}
		if seen.Kind == consent.Permission {
			if err := r.answerPrompt(ctx); err != nil {
				return err
			}
			continue
		}
		if seen.Kind != consent.Consent {
			return &notReached{fmt.Sprintf("no consent dialog was recognised on the screen (%s)", seen.Reason)}
		}
		buttons, why, leadsTo := seen.Reject, "the protocol rejects", evidence.Rejected
		if act == protocol.Accept {
			buttons, why, leadsTo = seen.Accept, "the protocol accepts", evidence.Accepted
		}
		if len(buttons) == 0 {
			return &notReached{fmt.Sprintf("the consent dialog offers no button for it on its first screen (%s)", why)}
		}
		if err := r.tap(ctx, buttons[0], why, leadsTo); !errors.Is(err, errMoved) {
			return err
		}
	}
	return &notReached{"the screen changed each time before its button could be touched"}
}

// recognise looks at the screen once it has come to rest.
func (r *run) recognise(ctx context.Context) (consent.Screen, error) {
	if !r.running {
		return consent.Screen{}, &notReached{"the app is not running"}
	}
	if err := r.unlessPassing(ctx, r.dev.Settle(ctx, settle)); err != nil {
		return consent.Screen{}, err
	}
	root, _, err := r.dev.Screen(ctx)
	if err != nil {
		if r.unlessPassing(ctx, err) != nil {
			return consent.Screen{}, err
		}
		return consent.Screen{}, &notReached{fmt.Sprintf("the screen could not be read: %v", err)}
	}
	return consent.Recognise(root, &r.Knowledge.Consent, r.app.Package), nil
}

// errMoved says that what was to be touched is not where it was.
var errMoved = errors.New("the screen changed before it could be touched")

// tap touches a node and records that, with the screen before and after. A tap
// that means consent stamps what follows it: acceptance from before the touch, so
// that nothing the app may then do is held against it; a refusal from after it,
// and what happens while the touch is under way is neither before nor after.
func (r *run) tap(ctx context.Context, node *screen.Node, why string, leadsTo evidence.Consent) error {
	x, y := node.Bounds.Center()
	before, err := r.screenshot(ctx, "before the tap on "+node.Label())
	if err != nil {
		return err
	}
	// Something may have come over it since: a touch on the wrong thing is worse than none.
	if still, err := r.stillThere(ctx, node); err != nil || !still {
		if err == nil {
			err = errMoved
		}
		return err
	}
	switch leadsTo {
	case evidence.Accepted:
		r.consents(leadsTo)
	case evidence.Rejected:
		r.consents(evidence.Choosing)
	}
	if err := r.act("tap", fmt.Sprintf("%s at %d,%d", node.Label(), x, y), func() error { return r.dev.Tap(ctx, x, y) }); err != nil {
		return err
	}
	if leadsTo != "" {
		r.consents(leadsTo)
	}
	// The touch is recorded at once: what follows it must stand after it.
	if err := r.record(evidence.KindTap, evidence.Tap{X: x, Y: y, Text: node.Label(), Why: why, Before: before}); err != nil {
		return err
	}
	if err := r.unlessPassing(ctx, r.dev.Settle(ctx, settle)); err != nil {
		return err
	}
	_, err = r.screenshot(ctx, "after the tap on "+node.Label())
	return err
}

// stillThere reports whether a node is on the screen as it was seen.
func (r *run) stillThere(ctx context.Context, node *screen.Node) (bool, error) {
	root, _, err := r.dev.Screen(ctx)
	if err != nil {
		return false, r.unlessPassing(ctx, err)
	}
	for n := range root.All() {
		if n.Bounds == node.Bounds && n.Package == node.Package && n.ID == node.ID && n.Label() == node.Label() {
			return true, nil
		}
	}
	return false, nil
}
