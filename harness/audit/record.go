package audit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// position is where in the protocol the audit is.
type position struct {
	arm, phase string
	consent    evidence.Consent
	signup     bool // a person signed up in this arm run
}

// move stamps the events that follow.
func (r *run) move(to position) {
	r.position = to
	r.log.Position(to.arm, to.phase, to.consent)
}

// consents stamps the events that follow with another consent state.
func (r *run) consents(c evidence.Consent) {
	to := r.position
	to.consent = c
	r.move(to)
}

func (r *run) record(kind string, data any) error {
	if _, err := r.log.Append(kind, data); err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	return nil
}

// act does something to the device and records that, whether it works or not.
// The error is that of the act, or of the recording.
func (r *run) act(verb, detail string, do func() error) error {
	err := do()
	action := evidence.Action{Verb: verb, Detail: detail, OK: err == nil}
	if err != nil {
		action.Error = err.Error()
	}
	if recorded := r.record(evidence.KindAction, action); recorded != nil {
		return recorded
	}
	return err
}

// recordRestored is told of each step that was taken back.
func (r *run) recordRestored(what string, err error) {
	action := evidence.Action{Verb: "restore", Detail: what, OK: err == nil}
	if err != nil {
		action.Error = err.Error()
	}
	// The log may be what failed; the step itself is reported by the undo stack.
	_ = r.record(evidence.KindAction, action)
}

// blind records something that can't be seen. hides names questions; none stands for all.
func (r *run) blind(what, do string, hides ...string) error {
	return r.record(evidence.KindBlindSpot, evidence.BlindSpot{What: what, Do: do, Hides: hides, Phase: r.position.phase})
}

// keep stores an exhibit and records it.
func (r *run) keep(kind, title, name, media string, content io.Reader) (evidence.Digest, error) {
	blob, size, err := r.log.PutBlob(content)
	if err != nil {
		return "", fmt.Errorf("keep %s: %w", title, err)
	}
	return blob, r.record(evidence.KindExhibit, evidence.Exhibit{
		Kind: kind, Title: title, Name: name, Media: media, Blob: blob, Size: size,
	})
}

// screenshot keeps a picture of the screen. A device that refuses one (a secure
// window, say) is recorded, and no error.
func (r *run) screenshot(ctx context.Context, title string) (evidence.Digest, error) {
	png, err := r.dev.Screenshot(ctx)
	if err != nil {
		if ctx.Err() != nil || r.gone(err) {
			return "", err
		}
		return "", r.record(evidence.KindAction, evidence.Action{Verb: "screenshot", Detail: title, Error: err.Error()})
	}
	return r.keep(evidence.ExhibitScreenshot, title, "", "image/png", bytes.NewReader(png))
}

// keepApp stores the APK files and records what the app says of itself.
func (r *run) keepApp() error {
	for i, path := range r.Files {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		blob, size, err := r.log.PutBlob(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("keep %s: %w", path, err)
		}
		if want := r.app.Files[i].Blob; blob != want {
			return fmt.Errorf("%s changed while it was being read: it was %s and is %s", path, want, blob)
		}
		r.app.Files[i].Size = size
		if err := r.record(evidence.KindExhibit, evidence.Exhibit{
			Kind: evidence.ExhibitAPK, Title: "the app as it was installed", Name: r.app.Files[i].Name,
			Media: "application/vnd.android.package-archive", Blob: blob, Size: size,
		}); err != nil {
			return err
		}
	}
	return r.record(evidence.KindApp, r.app)
}
