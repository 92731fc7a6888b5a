package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unasked-audit/unasked/harness/consent"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/protocol"
)

// glance is how often the screen is looked at while a phase lasts.
const glance = 2 * time.Second

// runArm runs an arm's phases on a fresh installation and removes the app at the end.
func (r *run) runArm(ctx context.Context, arm *protocol.Arm, repeat int) error {
	r.move(position{arm: armLabel(arm.Name, repeat), consent: evidence.Untouched})
	if arm.Role != "" {
		if done, err := r.take(ctx, arm, repeat); err != nil || !done {
			return err
		}
	}
	for _, phase := range arm.Phases {
		if err := r.runPhase(ctx, phase); err != nil {
			return fmt.Errorf("phase %s: %w", phase.Name, err)
		}
	}
	if err := r.keepLog(ctx); err != nil {
		return err
	}
	if r.installed {
		if err := r.uninstall(ctx); err != nil {
			return err
		}
	}
	if arm.Role == "" {
		return nil
	}
	return r.wipe(ctx)
}

// runPhase does the phase's act, watches for as long as the phase lasts, and
// keeps what the device looks like afterwards.
func (r *run) runPhase(ctx context.Context, ph protocol.Phase) error {
	at := r.position
	at.phase = ph.Name
	r.move(at)
	about := evidence.Phase{Name: ph.Name, Consent: r.position.consent, Lasts: ph.Duration(), Purpose: ph.Act.Purpose(), Signup: r.position.signup}
	if err := r.record(evidence.KindPhaseStart, about); err != nil {
		return err
	}
	if err := r.count(ctx); err != nil {
		return err
	}
	err := r.begin(ctx, ph.Act)
	var missed *notReached
	switch {
	case errors.As(err, &missed):
		about.Why = missed.why
	case err != nil:
		return err
	default:
		about.Reached = true
	}
	about.Signup = r.position.signup
	if err := r.watch(ctx, ph.Duration()); err != nil {
		return err
	}
	if err := r.look(ctx, ph); err != nil {
		return err
	}
	about.Consent = r.position.consent
	return r.record(evidence.KindPhaseEnd, about)
}

// notReached says that a phase could not do what it is for. The audit goes on.
type notReached struct{ why string }

func (e *notReached) Error() string { return e.why }

// watch lets the phase last. Meanwhile it answers the system's prompts and
// notices when the device goes away or the recording fails.
func (r *run) watch(ctx context.Context, lasts time.Duration) error {
	over := time.NewTimer(lasts)
	defer over.Stop()
	look := time.NewTicker(glance)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.proxy.Failed():
			return r.proxy.Err()
		case <-over.C:
			return nil
		case <-look.C:
			if err := r.answerPrompt(ctx); err != nil {
				return err
			}
		}
	}
}

// answerPrompt taps a system prompt away as the protocol says, if one is up.
func (r *run) answerPrompt(ctx context.Context) error {
	root, _, err := r.dev.Screen(ctx)
	if err != nil {
		if ctx.Err() != nil || r.gone(err) {
			return err
		}
		return nil // a screen that never is idle has no prompt that we could read
	}
	seen := consent.Recognise(root, &r.Knowledge.Consent, r.app.Package)
	if seen.Kind != consent.Permission {
		return nil
	}
	button, why := seen.Reject, "the protocol refuses permissions when the app asks"
	if r.Protocol.Permissions == protocol.Granted {
		button, why = seen.Accept, "the protocol grants permissions"
	}
	if len(button) == 0 {
		return nil
	}
	if err := r.tap(ctx, button[0], why, ""); !errors.Is(err, errMoved) {
		return err
	}
	return nil // it went away by itself
}

// look keeps what the device shows and holds at the end of a phase.
func (r *run) look(ctx context.Context, ph protocol.Phase) error {
	if _, err := r.screenshot(ctx, "end of "+ph.Name); err != nil {
		return err
	}
	if _, xml, err := r.dev.Screen(ctx); err == nil {
		if _, err := r.keep(evidence.ExhibitScreen, "end of "+ph.Name, "", "application/xml", bytes.NewReader(xml)); err != nil {
			return err
		}
	} else if ctx.Err() != nil || r.gone(err) {
		return err
	}
	if err := r.count(ctx); err != nil {
		return err
	}
	if err := r.keepAccounts(ctx); err != nil {
		return err
	}
	if r.installed && ph.Act != protocol.Install {
		if err := r.keepPrivateFiles(ctx, "end of "+ph.Name); err != nil {
			return err
		}
		return r.noticeEnd(ctx, ph)
	}
	return nil
}

// noticeEnd records when the app, which should be running, is not.
func (r *run) noticeEnd(ctx context.Context, ph protocol.Phase) error {
	if !r.running {
		return nil
	}
	alive, err := r.dev.Running(ctx, r.app.Package)
	if err != nil || alive {
		return r.unlessPassing(ctx, err)
	}
	r.running = false
	return r.blind("The app ended by itself in phase "+ph.Name+": what it would have done later was not seen.",
		"Look at the log exhibit for the reason.")
}

// unlessPassing returns an error only if the audit can't go on after it.
func (r *run) unlessPassing(ctx context.Context, err error) error {
	if err != nil && (ctx.Err() != nil || r.gone(err)) {
		return err
	}
	return nil
}

// count records the bytes that the kernel counted for the app, and what it refused.
func (r *run) count(ctx context.Context) error {
	if r.app.UID == 0 || !r.installed {
		return nil
	}
	if err := r.countQUIC(ctx); err != nil {
		return err
	}
	counters, err := r.dev.Counters(ctx, r.app.UID)
	if err != nil {
		if err := r.unlessPassing(ctx, err); err != nil || r.uncounted {
			return err
		}
		r.uncounted = true // once is enough
		return r.blind(fmt.Sprintf("The device does not tell how many bytes the app sent (%v): traffic that passed the proxy by would not be noticed.", err),
			"", judge.QuestionIdentifier, judge.QuestionBeforeConsent, judge.QuestionAfterReject, judge.QuestionDraft)
	}
	return r.record(evidence.KindCounters, counters)
}

// keepAccounts records what the device's account manager holds. Output that
// contradicts itself is kept and read as far as it goes, and said to be blind.
func (r *run) keepAccounts(ctx context.Context) error {
	accounts, raw, err := r.dev.Accounts(ctx)
	if err != nil {
		if err := r.unlessPassing(ctx, err); err != nil {
			return err
		}
		if err := r.blind(fmt.Sprintf("The device's accounts could not be read: %v.", err), "", judge.QuestionDeviceAccount); err != nil {
			return err
		}
	}
	if len(raw) == 0 {
		return nil
	}
	blob, err := r.keep(evidence.ExhibitAccounts, "accounts on the device", "dumpsys account", "text/plain", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	accounts.Raw = blob
	return r.record(evidence.KindAccounts, accounts)
}

// keepPrivateFiles keeps the app's private files as a tar archive.
func (r *run) keepPrivateFiles(ctx context.Context, title string) error {
	tar, err := r.dev.PrivateFiles(ctx, r.app.Package)
	if err != nil {
		if err := r.unlessPassing(ctx, err); err != nil {
			return err
		}
		return r.blind(fmt.Sprintf("The app's private files could not be read: %v.", err), "Use a device that can be rooted.", judge.QuestionDeviceAccount)
	}
	defer tar.Close()
	_, err = r.keep(evidence.ExhibitPrivate, title, "/data/data/"+r.app.Package, "application/x-tar", tar)
	return err
}

// keepLog keeps the device's own log of the arm.
func (r *run) keepLog(ctx context.Context) error {
	out, err := r.dev.Logcat(ctx)
	if err != nil {
		return r.unlessPassing(ctx, err)
	}
	defer out.Close()
	_, err = r.keep(evidence.ExhibitLog, "the device's log", "logcat -d", "text/plain", out)
	return err
}
