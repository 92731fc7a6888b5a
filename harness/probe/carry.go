package probe

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// Link says of a bundle what a recheck of it has to know.
func Link(ctx context.Context, b *evidence.Bundle) (*evidence.Earlier, error) {
	out := &evidence.Earlier{Manifest: b.Digest(), Sealed: b.Manifest().Sealed}
	for e, err := range b.Events(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the earlier evidence in %s: %w", b.Dir(), err)
		}
		switch e.Kind {
		case evidence.KindAuditStart:
			var start evidence.AuditStart
			if err := payload(e, &start); err != nil {
				return nil, err
			}
			if start.Earlier != nil {
				out.Launched, out.Signup = out.Launched || start.Earlier.Launched, out.Signup || start.Earlier.Signup
			}
		case evidence.KindAction:
			var act evidence.Action
			if err := payload(e, &act); err != nil {
				return nil, err
			}
			out.Launched = out.Launched || act.Verb == "launch" && act.OK
		case evidence.KindPhaseStart, evidence.KindPhaseEnd:
			var phase evidence.Phase
			if err := payload(e, &phase); err != nil {
				return nil, err
			}
			out.Signup = out.Signup || phase.Signup
		}
	}
	return out, ctx.Err()
}

// Carry copies what websites answered in an earlier bundle into the log, with its blobs,
// and counts it: what is asked now is judged together with it.
func (a *Asker) Carry(ctx context.Context, b *evidence.Bundle) error {
	for e, err := range b.Events(ctx) {
		if err != nil {
			return fmt.Errorf("read the earlier evidence in %s: %w", b.Dir(), err)
		}
		if e.Kind != evidence.KindProbe {
			continue
		}
		var p evidence.Probe
		if err := payload(e, &p); err != nil {
			return err
		}
		for _, d := range append([]evidence.Digest{p.Source, p.Page, p.Requests}, p.Screenshots...) {
			if err := a.copy(b, d); err != nil {
				return err
			}
		}
		times := a.times(p.Source)
		if p.Who == evidence.ProbeDecoy {
			times.decoy++
		} else {
			times.identity++
		}
		if _, err := a.Log.Append(evidence.KindProbe, p); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// copy copies a blob; none for "".
func (a *Asker) copy(b *evidence.Bundle, d evidence.Digest) error {
	if d == "" {
		return nil
	}
	r, err := b.Blob(d)
	if err != nil {
		return fmt.Errorf("read the earlier evidence in %s: %w", b.Dir(), err)
	}
	defer r.Close()
	_, _, err = a.Log.PutBlob(r)
	return err
}

func payload(e evidence.Event, into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return fmt.Errorf("event %d (%s) of the earlier evidence: %w", e.Seq, e.Kind, err)
	}
	return nil
}

// times counts the questions of the probe that a file holds.
func (a *Asker) times(source evidence.Digest) *asked {
	if a.asked == nil {
		a.asked = map[evidence.Digest]*asked{}
	}
	if a.asked[source] == nil {
		a.asked[source] = &asked{}
	}
	return a.asked[source]
}
