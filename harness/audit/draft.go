package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/consent"
	"github.com/unasked-audit/unasked/harness/device"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/harness/screen"
)

const (
	// filming is how long a recording runs before it is stopped.
	filming = 2 * time.Second
	// draftTaps is the most touches that recording and discarding may take.
	draftTaps = 8
)

// recordAndDiscard makes a recording with the app's own buttons and discards it.
// What the camera sees is a clip that no other audit has, where the device lets
// us choose.
func (r *run) recordAndDiscard(ctx context.Context) error {
	if !r.running {
		return &notReached{"the app is not running"}
	}
	fed, err := r.feedCamera(ctx)
	if err != nil {
		return err
	}
	d := draft{}
	for range draftTaps {
		more, err := r.draftStep(ctx, &d)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if d.tries == 0 {
		return &notReached{"no button that records was found on the screen"}
	}
	if !d.stopped && !d.discarded {
		return &notReached{fmt.Sprintf("the button that records was touched (%d times), and nothing was offered to stop or to discard: whether anything was recorded is not known", d.tries)}
	}
	if !d.discarded {
		// Leaving is how a person discards where there is no button for it.
		if err := r.act("key", "BACK", func() error { return r.dev.Back(ctx) }); err != nil {
			return err
		}
		if _, err := r.draftStep(ctx, &d); err != nil {
			return err
		}
	}
	if fed {
		return nil
	}
	return r.blind("What the camera recorded is not known, since this device lets nobody choose it: an upload of the recording would not be recognised.",
		"Use a device whose camera takes a given clip.", judge.QuestionDraft)
}

// draft is how far recording and discarding have come.
type draft struct {
	tries              int // touches of a button that records
	stopped, discarded bool
}

// recordTries is how often a button that records may be touched: a prompt for
// the camera and one for the microphone may each use up a touch.
const recordTries = 3

// draftStep looks at the screen and touches the button that comes next. It
// reports false when there is none.
func (r *run) draftStep(ctx context.Context, d *draft) (bool, error) {
	before := *d
	more, err := r.draftTap(ctx, d)
	if errors.Is(err, errMoved) {
		*d = before
		return true, nil
	}
	return more, err
}

// draftTap is draftStep, but for a screen that changes in between.
func (r *run) draftTap(ctx context.Context, d *draft) (bool, error) {
	if err := r.unlessPassing(ctx, r.dev.Settle(ctx, settle)); err != nil {
		return false, err
	}
	root, _, err := r.dev.Screen(ctx)
	if err != nil {
		return false, r.unlessPassing(ctx, err)
	}
	words := &r.Knowledge.Words
	if consent.Recognise(root, &r.Knowledge.Consent, r.app.Package).Kind == consent.Permission {
		return true, r.answerPrompt(ctx)
	}
	find := func(role string) *screen.Node {
		if found := consent.Find(root, words, role); len(found) > 0 {
			return found[0]
		}
		return nil
	}
	if stop := find(knowledge.RoleStop); d.tries > 0 && !d.stopped && stop != nil {
		if err := r.watch(ctx, filming); err != nil {
			return false, err
		}
		d.stopped = true
		return true, r.tap(ctx, stop, "the recording ends", "")
	}
	if discard := find(knowledge.RoleDiscard); d.tries > 0 && discard != nil {
		d.discarded = true
		return true, r.tap(ctx, discard, "the recording is discarded", "")
	}
	if record := find(knowledge.RoleRecord); d.tries < recordTries && !d.stopped && !d.discarded && record != nil {
		d.tries++
		return true, r.tap(ctx, record, "a recording is made", "")
	}
	return false, nil
}

// feedCamera gives the device's camera something to see, and keeps it as the
// draft. It reports false where the device has no way to do so.
func (r *run) feedCamera(ctx context.Context) (bool, error) {
	clip := canary.Clip(r.Seed, r.position.arm)
	err := r.act("feed-camera", fmt.Sprintf("a clip of %d bytes", len(clip)), func() error {
		return r.dev.CameraFeed(ctx, "unasked-draft.mp4", bytes.NewReader(clip), int64(len(clip)))
	})
	if errors.Is(err, device.ErrNoCameraFeed) {
		return false, nil
	}
	if err != nil {
		return false, r.unlessPassing(ctx, err)
	}
	_, err = r.keep(evidence.ExhibitDraft, "what the camera saw", "unasked-draft.mp4", "video/mp4", bytes.NewReader(clip))
	return err == nil, err
}
