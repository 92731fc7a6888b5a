package recording

import (
	"bytes"
	"cmp"
	"errors"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// sealed is a store that becomes a bundle.
type sealed struct{ log *evidence.Log }

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
	return &sealed{log: log}, nil
}

// add implements store. The events of a bundle are stamped with the time of the import.
func (s *sealed) add(kind string, _ time.Time, data any) error {
	_, err := s.log.Append(kind, data)
	return err
}

// put implements store.
func (s *sealed) put(data []byte) (evidence.Digest, error) {
	d, _, err := s.log.PutBlob(bytes.NewReader(data))
	return d, err
}

// seal implements store.
func (s *sealed) seal(m evidence.Manifest) (evidence.Evidence, error) {
	if err := s.log.Seal(m); err != nil {
		return nil, err
	}
	return evidence.Open(s.log.Dir())
}

// close implements store. An import that failed is sealed as it is, as audits are.
func (s *sealed) close() error {
	err := s.log.Seal(evidence.Manifest{End: evidence.AuditEnd{How: evidence.Failed, Error: "the import failed"}})
	if errors.Is(err, evidence.ErrSealed) {
		return nil
	}
	return err
}
