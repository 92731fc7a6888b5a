package audit

import (
	"context"

	"github.com/unasked-audit/unasked/harness/probe"
)

// asker asks the websites about X. It goes to the device's network on a way of its own,
// past the proxy: what it sends is not the app's.
func (r *run) asker() *probe.Asker {
	return &probe.Asker{
		Log: r.log, Identity: r.identity, Decoys: r.decoys,
		Options: probe.Options{Network: r.lease.Network(), Barriers: r.Knowledge.Barriers, Tool: r.Tool, Now: r.Now},
	}
}

// probe asks each website once, outside of any arm and phase.
func (r *run) probe(ctx context.Context, ask *probe.Asker, when string) error {
	r.move(position{})
	for _, p := range r.Probes {
		if err := ask.Ask(ctx, p, when); err != nil {
			return err
		}
	}
	return nil
}
