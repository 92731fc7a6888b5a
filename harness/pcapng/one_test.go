package pcapng

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// one is evidence of one connection, in memory.
type one struct {
	wire    flow.Wire
	packets []byte
}

func (o one) Manifest() evidence.Manifest { return evidence.Manifest{} }

func (o one) Events(context.Context) iter.Seq2[evidence.Event, error] {
	return func(yield func(evidence.Event, error) bool) {
		data, err := json.Marshal(o.wire)
		yield(evidence.Event{Seq: 1, Kind: evidence.KindWire, Data: data}, err)
	}
}

func (o one) Blob(evidence.Digest) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(o.packets)), nil
}
