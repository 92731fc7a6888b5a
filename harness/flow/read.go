package flow

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// Read yields the flows of an audit in the order in which their requests began.
func Read(ctx context.Context, ev evidence.Evidence) iter.Seq2[Flow, error] {
	return func(yield func(Flow, error) bool) {}
}

// Content opens a body with its content codings taken off.
func Content(ev evidence.Evidence, b Body, headers []Header, budget int64) (rc io.ReadCloser, codings []string, err error) {
	return nil, nil, errors.New("not written yet")
}
