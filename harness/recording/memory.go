package recording

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// room is how much of the events and of the blobs is kept in memory, in bytes; the rest
// goes to temporary files.
type room struct{ events, blobs int }

// usualRoom is that of a program that judges one file.
var usualRoom = room{events: 16 << 20, blobs: 24 << 20}

// memory is a store, and evidence once it is sealed: an audit's log without its folder.
// Its events are not chained, for nobody has to believe it later.
type memory struct {
	manifest evidence.Manifest
	room     room

	events []evidence.Event // those that are in memory
	seq    uint64
	spent  int   // bytes of events
	late   spill // the events after them
	asked  int64 // when the last request was sent, in nanoseconds since 1970
	keys   []key // of all events, until they are put in order
	order  []int // of the events, where it is not the one in which they were added

	blobs map[evidence.Digest]extent
	taken int // bytes of blobs in memory
	large spill
}

// extent is where a blob is: in memory, or in the file.
type extent struct {
	data    []byte
	at, len int64
}

// add implements store.
func (m *memory) add(kind string, at time.Time, data any) error {
	raw, err := marshal(data)
	if err != nil {
		return fmt.Errorf("event %s: %w", kind, err)
	}
	m.seq++
	m.key(kind, at)
	if m.spent += len(raw); m.spent <= m.room.events {
		m.events = append(m.events, evidence.Event{Seq: m.seq, At: at, Phase: phase, Kind: kind, Data: raw})
		return nil
	}
	var head [13]byte
	binary.BigEndian.PutUint64(head[:], uint64(nanos(at)))
	head[8] = byte(len(kind))
	binary.BigEndian.PutUint32(head[9:], uint32(len(raw)))
	return m.late.write(head[:], []byte(kind), raw)
}

// nanos is a time as nanoseconds since 1970; 0 for one that is not known.
func nanos(at time.Time) int64 {
	if at.Year() < 1700 || at.Year() > 2200 {
		return 0
	}
	return at.UnixNano()
}

// marshal is JSON with characters as they are.
func marshal(data any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// put implements store.
func (m *memory) put(data []byte) (evidence.Digest, error) {
	d := evidence.DigestOf(data)
	if _, known := m.blobs[d]; known {
		return d, nil
	}
	if m.taken+len(data) <= m.room.blobs {
		m.taken += len(data)
		m.blobs[d] = extent{data: slices.Clone(data)}
		return d, nil
	}
	at := m.large.size
	if err := m.large.write(data); err != nil {
		return "", err
	}
	m.blobs[d] = extent{at: at, len: int64(len(data))}
	return d, nil
}

// seal implements store.
func (m *memory) seal(manifest evidence.Manifest) (evidence.Evidence, error) {
	manifest.Format, manifest.Events = evidence.Format, m.seq
	if err := errors.Join(m.late.flush(), m.large.flush()); err != nil {
		return nil, err
	}
	m.arrange()
	for e, err := range m.Events(context.Background()) {
		if err == nil && e.At.IsZero() {
			continue
		}
		if err == nil {
			manifest.Started = e.At
		}
		break
	}
	m.manifest = manifest
	return m, nil
}

// close implements store.
func (m *memory) close() error { return errors.Join(m.late.close(), m.large.close()) }

// Manifest implements evidence.Evidence.
func (m *memory) Manifest() evidence.Manifest { return m.manifest }

// Blob implements evidence.Evidence.
func (m *memory) Blob(d evidence.Digest) (io.ReadCloser, error) {
	x, ok := m.blobs[d]
	switch {
	case !ok:
		return nil, fmt.Errorf("imported traffic: blob %q: %w", d, fs.ErrNotExist)
	case x.data != nil:
		return io.NopCloser(bytes.NewReader(x.data)), nil
	}
	return io.NopCloser(io.NewSectionReader(m.large.file, x.at, x.len)), nil
}

// Events implements evidence.Evidence.
func (m *memory) Events(ctx context.Context) iter.Seq2[evidence.Event, error] {
	return func(yield func(evidence.Event, error) bool) {
		var in *bufio.Reader
		if m.late.file != nil {
			in = bufio.NewReaderSize(io.NewSectionReader(m.late.file, 0, m.late.size), 256<<10)
		}
		for i := range int(m.seq) {
			if err := ctx.Err(); err != nil {
				yield(evidence.Event{}, err)
				return
			}
			e, err := m.event(i, in)
			if err != nil {
				yield(evidence.Event{}, fmt.Errorf("read imported traffic: %w", err))
				return
			}
			e.Seq = uint64(i) + 1
			if !yield(e, nil) {
				return
			}
		}
	}
}

// event is the one at a place in the order; in reads the file from one to the next.
func (m *memory) event(i int, in *bufio.Reader) (evidence.Event, error) {
	if m.order != nil {
		i = m.order[i]
	}
	if i < len(m.events) {
		return m.events[i], nil
	}
	if m.order != nil {
		return readEvent(io.NewSectionReader(m.late.file, m.keys[i].at, m.late.size-m.keys[i].at), 0)
	}
	return readEvent(in, 0)
}

// readEvent reads what add wrote.
func readEvent(in io.Reader, seq uint64) (evidence.Event, error) {
	var head [13]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return evidence.Event{}, err
	}
	text := make([]byte, int(head[8])+int(binary.BigEndian.Uint32(head[9:])))
	if _, err := io.ReadFull(in, text); err != nil {
		return evidence.Event{}, io.ErrUnexpectedEOF
	}
	e := evidence.Event{Seq: seq, Phase: phase, Kind: string(text[:head[8]]), Data: text[head[8]:]}
	if n := int64(binary.BigEndian.Uint64(head[:])); n != 0 {
		e.At = time.Unix(0, n).UTC()
	}
	return e, nil
}

// spill is a temporary file that is written once and then read.
type spill struct {
	file *os.File // nil until something is written
	out  *bufio.Writer
	size int64
}

func (s *spill) write(pieces ...[]byte) error {
	if s.file == nil {
		file, err := os.CreateTemp("", "unasked-scan-*") // created 0600
		if err != nil {
			return fmt.Errorf("a temporary file for what does not fit into memory: %w", err)
		}
		_ = os.Remove(file.Name()) // so that nothing stays of a killed program; fails where open files can't be removed
		s.file, s.out = file, bufio.NewWriterSize(file, 256<<10)
	}
	for _, p := range pieces {
		n, err := s.out.Write(p)
		s.size += int64(n)
		if err != nil {
			return fmt.Errorf("write %s (TMPDIR names another place): %w", s.file.Name(), err)
		}
	}
	return nil
}

func (s *spill) flush() error {
	if s.file == nil {
		return nil
	}
	return s.out.Flush()
}

func (s *spill) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if gone := os.Remove(s.file.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	s.file = nil
	return err
}
