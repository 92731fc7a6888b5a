package judge

import (
	"context"
	"errors"
	"iter"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/knowledge"
)

// The directions of a sighting.
const (
	Sent     = "request"  // from the device
	Received = "response" // to it
)

// Sighting is one place in one message where an identifier stands.
type Sighting struct {
	Event      uint64   `json:"event"` // of the message, in the log
	Flow       flow.ID  `json:"flow"`
	Kind       string   `json:"kind"`
	Value      string   `json:"value"` // the identifier as it was given, not as it stands there
	Decoy      bool     `json:"decoy,omitempty"`
	Direction  string   `json:"direction"` // Sent or Received
	Where      string   `json:"where"`     // url, host, header:NAME, cookie:NAME, body, body:$.path, ws:N
	Chain      []string `json:"chain"`     // decodings and hashes, outermost first
	Host       string   `json:"host"`
	Owner      string   `json:"owner,omitempty"` // the company behind the host, if known
	Confidence float64  `json:"confidence"`      // from 0 to 1
	Reason     string   `json:"reason"`          // why it is that sure
	Excerpt    string   `json:"excerpt"`
}

// Sightings yields every place in every message where an identifier of the evidence's
// manifest, or a decoy, stands: requests, responses, messages of WebSockets, and
// connections that carry no HTTP, whatever else was found there, in the order of the
// log. It stops after the first error it yields.
func Sightings(ctx context.Context, ev evidence.Evidence, kb *knowledge.Base) iter.Seq2[Sighting, error] {
	return func(yield func(Sighting, error) bool) { yield(Sighting{}, errors.ErrUnsupported) }
}
