package evidence

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"time"
)

// Digest is a SHA-256 in 64 lower-case hexadecimal digits.
type Digest string

// Consent is what the person had said, or not said, at a given moment.
type Consent string

// The consent states.
const (
	Untouched Consent = "untouched" // nothing was chosen; the dialog, if any, stands on the screen
	Rejected  Consent = "rejected"
	Accepted  Consent = "accepted"
	Ignored   Consent = "ignored" // the dialog was left and the app used behind it
	Withdrawn Consent = "withdrawn"
	// Choosing is while our touch on a refusal is under way: what happens then is
	// neither before the choice nor after it.
	Choosing Consent = "choosing"
)

// Event is one line of the log.
type Event struct {
	Seq     uint64          `json:"seq"` // from 1, without gaps
	At      time.Time       `json:"at"`  // the host's clock, UTC
	Arm     string          `json:"arm,omitempty"`
	Phase   string          `json:"phase,omitempty"`
	Consent Consent         `json:"consent,omitempty"`
	Kind    string          `json:"kind"` // one of the Kind constants
	Data    json.RawMessage `json:"data"` // the payload type that the Kind constant names
	Prev    Digest          `json:"prev"` // SHA-256 of the line before, without its newline; of nothing for the first
}

// Evidence is what was recorded. It is written by one process and read by anyone.
type Evidence interface {
	// Manifest is the sealed manifest.
	Manifest() Manifest
	// Events yields the log in order, as a stream. It stops after the first error it yields.
	Events(ctx context.Context) iter.Seq2[Event, error]
	// Blob opens a blob. The error wraps fs.ErrNotExist where there is none.
	Blob(Digest) (io.ReadCloser, error)
}
