package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// Asker asks websites about a person and records what they answer. For control it asks
// about decoys, whom no website can know: one that knows them too tells nothing.
type Asker struct {
	Log              *evidence.Log
	Identity, Decoys canary.Identity
	Options          Options

	asked map[evidence.Digest]*asked // by the probe's file
}

// asked counts how often one website was asked about whom.
type asked struct{ identity, decoy int }

// Ask asks one website about the identity, once, and, where that is known to it, about
// the decoy as often as it was asked about the identity so far: a website that knows
// whoever it was asked about before is told from one that was told by the app. when is
// evidence.ProbeBefore, evidence.ProbeAfter or evidence.ProbeLater.
//
// What keeps a website from being asked, such as a browser that is not there, is
// recorded as an answer that is not known. The error is that of the recording, or the
// context's.
func (a *Asker) Ask(ctx context.Context, p *Probe, when string) error {
	source, _, err := a.Log.PutBlob(bytes.NewReader(p.Source))
	if err != nil {
		return fmt.Errorf("keep the probe %s: %w", p.Name, err)
	}
	times := a.times(source)
	about := evidence.Probe{Name: p.Name, Source: source, When: when, Who: evidence.ProbeIdentity, Host: p.Host()}
	for _, kind := range p.Entered() {
		about.Entered = append(about.Entered, string(kind))
	}
	times.identity++
	answer, err := a.once(ctx, p, about, a.Identity)
	if err != nil || answer != Exists {
		return err
	}
	for about.Who = evidence.ProbeDecoy; times.decoy < times.identity; {
		times.decoy++
		if answer, err := a.once(ctx, p, about, a.Decoys); err != nil || answer != Not {
			return err
		}
	}
	return nil
}

// once asks about one person and records the answer.
func (a *Asker) once(ctx context.Context, p *Probe, about evidence.Probe, who canary.Identity) (Answer, error) {
	r, err := Run(ctx, p, who, a.Options)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case r == nil:
		about.Answer, about.Because = string(Unknown), fmt.Sprintf("the website could not be asked: %v", err)
		_, err := a.Log.Append(evidence.KindProbe, about)
		return Unknown, err
	case err != nil: // it answered, and the browser left something behind
		if _, err := a.Log.Append(evidence.KindAction, evidence.Action{Verb: "close-browser", Detail: "of the probe " + p.Name, Error: err.Error()}); err != nil {
			return "", err
		}
	}
	about.Answer, about.Because, about.Sign, about.Step = string(r.Answer), r.Because, r.Sign, r.Step
	about.URL, about.Title, about.Status, about.UserAgent = r.URL, r.Title, r.Status, r.UserAgent
	about.Began, about.Ended = r.Began, r.Ended
	for _, picture := range r.Pictures {
		blob, size, err := a.Log.PutBlob(bytes.NewReader(picture.PNG))
		if err != nil {
			return "", err
		}
		about.Screenshots = append(about.Screenshots, blob)
		if _, err := a.Log.Append(evidence.KindExhibit, evidence.Exhibit{
			Kind: evidence.ExhibitScreenshot, Title: fmt.Sprintf("website of the probe %s, asked about the %s: %s", p.Name, about.Who, picture.Title),
			Media: "image/png", Blob: blob, Size: size,
		}); err != nil {
			return "", err
		}
	}
	if about.Page, _, err = a.Log.PutBlob(bytes.NewReader([]byte(r.HTML))); err != nil {
		return "", err
	}
	requests, err := json.Marshal(r.Requests)
	if err != nil {
		return "", err
	}
	if about.Requests, _, err = a.Log.PutBlob(bytes.NewReader(requests)); err != nil {
		return "", err
	}
	_, err = a.Log.Append(evidence.KindProbe, about)
	return r.Answer, err
}

// Host is the host of the address that a probe begins with.
func (p *Probe) Host() string {
	u, err := url.Parse(reference.ReplaceAllString(p.URL.Value, "x"))
	if err != nil {
		return ""
	}
	return u.Hostname()
}
