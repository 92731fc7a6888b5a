// Package judge turns evidence into findings.
package judge

import (
	"context"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// Judge answers every question from the evidence.
func Judge(ctx context.Context, ev evidence.Evidence, kb *knowledge.Base) (*Judgement, error) {
	return &Judgement{Knowledge: kb.Version()}, ctx.Err()
}
