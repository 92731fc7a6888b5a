package flow

import (
	"context"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// Query is a name that the device asked for.
type Query struct {
	At      time.Time `json:"at"`
	Name    string    `json:"name"` // as it was written, without the last dot: its letters may be small or large
	Type    string    `json:"type"` // A, AAAA, HTTPS ...
	Answers []string  `json:"answers,omitempty"`
	Error   string    `json:"error,omitempty"` // such as NXDOMAIN, or why there was no answer
	Via     string    `json:"via"`             // udp, tcp, doh or dot
	Client  string    `json:"client,omitempty"`
	UID     int       `json:"uid,omitempty"` // of the app; 0 where it can't be known: on Android it is netd that asks
	// Refused: no answer was given, so that the device asks for something that can be seen.
	Refused bool `json:"refused,omitempty"`
}

// Queries reads the names that were asked for, in the order of the log.
func Queries(ctx context.Context, ev evidence.Evidence) ([]Query, error) {
	var list []Query
	for e, err := range ev.Events(ctx) {
		if err != nil {
			return nil, err
		}
		if e.Kind != evidence.KindQuery {
			continue
		}
		var q Query
		if err := decode(e, &q); err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}
