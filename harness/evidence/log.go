package evidence

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The names within an evidence folder.
const (
	logName      = "log.jsonl"
	blobsName    = "blobs"
	manifestName = "manifest.json"
	sumsName     = "SHA256SUMS"
	partialName  = "partial" // blobs that are being written; gone once sealed
	reserveName  = "reserve" // room for sealing on a full disk; in partialName
)

// maxLine bounds a line of the log, in bytes, so that a reader can bound its memory.
const maxLine = 32 << 20

// reserveSize is room kept back so that a full disk does not prevent sealing, in bytes.
const reserveSize = 1 << 20

// Stamp says where in an audit something happened.
type Stamp struct {
	Arm, Phase string
	Consent    Consent
}

// Log is an evidence folder that is being written. Its methods may be called
// from several goroutines at once.
type Log struct {
	dir  string
	root *os.File // the folder itself, for syncing
	now  func() time.Time

	mu      sync.Mutex // guards what follows; taken before blobs.mu, never after it
	file    *os.File
	size    int64
	seq     uint64
	prev    Digest
	whole   hash.Hash // over the whole of log.jsonl
	first   time.Time // of the first event
	end     *AuditEnd // once an audit.end was appended
	stamp   Stamp
	numbers map[string]uint64
	sealed  bool
	broken  error // set when the file could not be brought back to whole lines
	queue   []Event
	feeding bool // somebody is calling the subscribers
	readers []func(Event)

	blobs blobStore
}

// Create begins evidence in dir, which is made if it is not there. The error
// wraps ErrNotEmpty where dir has something in it. now gives the time of
// events; nil stands for time.Now.
//
// The folder and its files can be read by their owner only, for evidence holds
// personal data.
func Create(dir string, now func() time.Time) (*Log, error) {
	if now == nil {
		now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create evidence: %w", full(err))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("create evidence: %w", err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("create evidence in %s: %w: it holds %s; name a new or an empty folder", dir, ErrNotEmpty, entries[0].Name())
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create evidence: %w", err)
	}
	l, err := newLog(dir, now, os.O_CREATE|os.O_EXCL)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%w: another audit began here at this moment (%w)", ErrNotEmpty, err)
		}
		return nil, fmt.Errorf("create evidence in %s: %w", dir, err)
	}
	if err := l.keepReserve(); err != nil {
		l.close()
		for _, name := range []string{logName, blobsName, partialName} {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name)))
		}
		return nil, fmt.Errorf("create evidence in %s: %w", dir, full(err))
	}
	return l, nil
}

// newLog opens the files of a log that is to be written; flags are added to os.OpenFile's.
func newLog(dir string, now func() time.Time, flags int) (*Log, error) {
	file, err := os.OpenFile(filepath.Join(dir, logName), os.O_WRONLY|os.O_APPEND|flags, 0o600)
	if err != nil {
		return nil, full(err)
	}
	l := &Log{dir: dir, now: now, file: file, whole: sha256.New(), numbers: map[string]uint64{}, prev: DigestOf(nil)}
	l.blobs.init(dir)
	if err := lock(file); err != nil {
		l.close()
		return nil, err
	}
	for _, name := range []string{blobsName, partialName} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			l.close()
			return nil, full(err)
		}
	}
	if l.root, err = os.Open(dir); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *Log) keepReserve() error {
	return os.WriteFile(filepath.Join(l.dir, partialName, reserveName), make([]byte, reserveSize), 0o600)
}

func (l *Log) close() {
	_ = l.file.Close() // every write was checked
	if l.root != nil {
		_ = l.root.Close()
	}
}

// Dir is the folder that the log is written to.
func (l *Log) Dir() string { return l.dir }

// Position says where the audit is from now on; it stamps later events.
func (l *Log) Position(arm, phase string, c Consent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stamp = Stamp{Arm: arm, Phase: phase, Consent: c}
}

// Where is the position as it was last set, for use with AppendAt.
func (l *Log) Where() Stamp {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stamp
}

// Next numbers things of one kind within the audit: 1, 2, 3 and so on.
func (l *Log) Next(kind string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.numbers[kind]++
	return l.numbers[kind]
}

// Append writes an event of a kind, with the payload that belongs to that kind,
// at the present position. It returns when the operating system has it, and at
// the end of a phase when the disk has everything so far. The error wraps
// ErrFull where the disk is full; the log then ends with the event before.
func (l *Log) Append(kind string, data any) (Event, error) {
	return l.append(nil, kind, data)
}

// AppendAt is Append for something that happened at an earlier position, such
// as a request that began before the phase changed and ended after it.
func (l *Log) AppendAt(at Stamp, kind string, data any) (Event, error) {
	return l.append(&at, kind, data)
}

func (l *Log) append(at *Stamp, kind string, data any) (Event, error) {
	e := encoders.Get().(*encoder)
	defer e.put()
	raw, err := e.encode(data)
	if err != nil {
		return Event{}, fmt.Errorf("evidence: event %s: %w", kind, err)
	}
	l.mu.Lock()
	if at == nil {
		at = &l.stamp
	}
	ev, err := l.write(*at, kind, raw)
	heard := len(l.queue) > 0
	l.mu.Unlock()
	if heard {
		l.feed()
	}
	if err != nil {
		return Event{}, fmt.Errorf("evidence: write event %s to %s: %w", kind, filepath.Join(l.dir, logName), err)
	}
	if kind == KindPhaseEnd || kind == KindAuditEnd {
		if err := l.Sync(); err != nil {
			return ev, err
		}
	}
	return ev, nil
}

// write adds a line. raw is the payload on one line, and is not kept. The caller
// holds l.mu and calls feed after releasing it.
func (l *Log) write(at Stamp, kind string, raw []byte) (Event, error) {
	switch {
	case l.sealed:
		return Event{}, ErrSealed
	case l.broken != nil:
		return Event{}, l.broken
	}
	ev := Event{Seq: l.seq + 1, At: l.now().UTC().Round(0), Arm: at.Arm, Phase: at.Phase, Consent: at.Consent, Kind: kind, Data: raw, Prev: l.prev}
	line, err := appendEvent(make([]byte, 0, len(raw)+eventRoom), &ev)
	if err != nil {
		return Event{}, err
	}
	if len(line) > maxLine {
		return Event{}, fmt.Errorf("the event has %d bytes, %d are allowed; put large things into a blob", len(line), maxLine)
	}
	digest := DigestOf(line)
	line = append(line, '\n')
	if n, err := l.file.Write(line); err != nil {
		// Half a line must not stay: the next one would be glued to it.
		if n > 0 {
			if cut := l.file.Truncate(l.size); cut != nil {
				l.broken = fmt.Errorf("half an event stands at the end of the log and can't be taken back: %w", cut)
			}
		}
		return Event{}, full(err)
	}
	l.whole.Write(line)
	l.size += int64(len(line))
	l.seq, l.prev = ev.Seq, digest
	if ev.Seq == 1 {
		l.first = ev.At
	}
	if kind == KindAuditEnd {
		var end AuditEnd
		if json.Unmarshal(raw, &end) == nil {
			l.end = &end
		}
	}
	if len(l.readers) > 0 {
		l.queue = append(l.queue, ev)
	}
	return ev, nil
}

// Subscribe calls f with every later event, in order and one at a time, for
// live display. f may be called on any goroutine that appends, a little after
// another's Append has returned; it may append events itself, and must not wait
// for other appenders.
func (l *Log) Subscribe(f func(Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers = append(l.readers, f)
}

// feed calls the subscribers with what is queued, unless somebody is at it
// already: that one will find the rest too.
func (l *Log) feed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.feeding {
		return
	}
	l.feeding = true
	defer func() { l.feeding = false }()
	for len(l.queue) > 0 {
		ev, readers := l.queue[0], l.readers
		l.queue = l.queue[1:]
		l.mu.Unlock()
		for _, f := range readers {
			f(ev)
		}
		l.mu.Lock()
	}
}

// Sync returns when everything so far is on the disk and not only with the
// operating system.
func (l *Log) Sync() error {
	err := l.blobs.sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sealed {
		return nil // sealing has synced
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		err = l.root.Sync()
	}
	if err != nil {
		return fmt.Errorf("evidence: bring %s to the disk: %w", l.dir, full(err))
	}
	return nil
}
