package recording

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// sealed is a store that becomes a bundle. Its events wait until all are there, so that
// they stand in the log in the order of their times.
type sealed struct {
	log   *evidence.Log
	spool *memory
}

// newStore opens a bundle in the folder that is asked for, or a store in memory where none is.
func newStore(o Options) (store, error) {
	dir := o.Bundle
	if dir == "" {
		return &memory{room: cmp.Or(o.room, usualRoom), blobs: map[evidence.Digest]extent{}}, nil
	}
	log, err := evidence.Create(dir, time.Now)
	if err != nil {
		return nil, err
	}
	log.Position("", phase, "")
	return &sealed{log: log, spool: &memory{room: cmp.Or(o.room, usualRoom), blobs: map[evidence.Digest]extent{}}}, nil
}

// add implements store. The events of a bundle are stamped with the time of the import.
func (s *sealed) add(kind string, at time.Time, data any) error { return s.spool.add(kind, at, data) }

// put implements store.
func (s *sealed) put(data []byte) (evidence.Digest, error) {
	d, _, err := s.log.PutBlob(bytes.NewReader(data))
	return d, err
}

// seal implements store.
func (s *sealed) seal(m evidence.Manifest) (evidence.Evidence, error) {
	if _, err := s.spool.seal(m); err != nil {
		return nil, err
	}
	for e, err := range s.spool.Events(context.Background()) {
		if err == nil {
			_, err = s.log.Append(e.Kind, e.Data)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := s.spool.close(); err != nil {
		return nil, err
	}
	if err := s.log.Seal(m); err != nil {
		return nil, err
	}
	return evidence.Open(s.log.Dir())
}

// close implements store. An import that failed is sealed as it is, as audits are.
func (s *sealed) close() error {
	gone := s.spool.close()
	err := s.log.Seal(evidence.Manifest{End: evidence.AuditEnd{How: evidence.Failed, Error: "the import failed"}})
	if errors.Is(err, evidence.ErrSealed) {
		return gone
	}
	return errors.Join(err, gone)
}
