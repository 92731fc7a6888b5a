package evidence

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
)

// SealInterrupted makes a bundle of evidence that a killed audit left. Every
// whole line of the log stays. Bytes after the last of them, blobs that were
// being written, and blobs that the disk did not keep whole become exhibits of
// kind ExhibitPartial, and the audit.end that is appended says so, with why.
// The manifest is rebuilt from the log's own events; where audit.start names no
// canaries, they are those of the plantings, and there are no decoys.
//
// The error wraps ErrSealed where the evidence is sealed, ErrInUse where the
// audit still runs, ErrNotBundle where there is none.
func SealInterrupted(dir string, why string) error {
	if err := sealInterrupted(dir, why, time.Now); err != nil {
		return fmt.Errorf("seal interrupted evidence %s: %w", dir, err)
	}
	return nil
}

func sealInterrupted(dir, why string, now func() time.Time) error {
	if _, err := readManifest(dir); err == nil {
		return ErrSealed
	} else if !errors.Is(err, ErrUnsealed) {
		return err
	}
	l, err := newLog(dir, now, 0)
	if err != nil {
		return err
	}
	m, lost, err := l.recover()
	if err != nil {
		l.close()
		return full(err)
	}
	if l.end == nil {
		m.End = AuditEnd{How: Interrupted, Error: strings.Join(append([]string{why}, lost...), "; ")}
	}
	if err := l.Seal(m); err != nil {
		l.close()
		return err
	}
	return nil
}

// recover brings a new Log to where the killed one stopped. lost says in words
// what is not whole.
func (l *Log) recover() (m Manifest, lost []string, err error) {
	if err := os.RemoveAll(filepath.Join(l.dir, partialName, reserveName)); err != nil {
		return m, nil, err
	}
	m, err = l.replay()
	if err != nil {
		return m, nil, err
	}
	info, err := l.file.Stat()
	if err != nil {
		return m, nil, err
	}
	partial, err := l.recoverBlobs()
	if err != nil {
		return m, nil, err
	}
	if tail := info.Size() - l.size; tail > 0 {
		lost = append(lost, fmt.Sprintf("the last %d bytes of the log are no whole event", tail))
		d, size, err := l.recoverTail()
		if err != nil {
			return m, nil, err
		}
		if err := l.writePartial("bytes after the last whole event", d, size); err != nil {
			return m, nil, err
		}
	}
	for _, e := range partial {
		lost = append(lost, fmt.Sprintf("a blob is there with its first %d bytes only", e.Size))
		if err := l.writePartial("what had arrived of a blob when the audit was cut off", e.SHA256, e.Size); err != nil {
			return m, nil, err
		}
	}
	return m, lost, nil
}

// replay reads the whole lines of the log and leaves l after the last of them.
func (l *Log) replay() (m Manifest, err error) {
	f, err := openRegular(filepath.Join(l.dir, logName))
	if err != nil {
		return m, err
	}
	defer f.Close()
	in := newLines(f)
	for {
		ln, err := in.next()
		if errors.Is(err, io.EOF) || errors.Is(err, errLongLine) {
			return m, nil
		}
		if err != nil {
			return m, err
		}
		ev, _, err := parseEvent(ln.text)
		if ln.torn || err != nil || ev.Seq != l.seq+1 || ev.Prev != l.prev {
			return m, nil
		}
		l.seq, l.prev, l.size = ev.Seq, DigestOf(ln.text), in.offset
		l.whole.Write(ln.text)
		l.whole.Write([]byte{'\n'})
		l.stamp = Stamp{Arm: ev.Arm, Phase: ev.Phase, Consent: ev.Consent}
		if ev.Seq == 1 {
			l.first = ev.At
		}
		l.remember(&m, ev)
	}
}

// remember takes from an event what the manifest repeats.
func (l *Log) remember(m *Manifest, ev Event) {
	switch ev.Kind {
	case KindAuditStart:
		var s AuditStart
		if json.Unmarshal(ev.Data, &s) != nil {
			return
		}
		m.Tool, m.Protocol, m.Knowledge, m.Identity, m.Decoys = s.Tool, s.Protocol, s.Knowledge, s.Identity, s.Decoys
		if seed, err := hex.DecodeString(s.Seed); err == nil && m.Identity.Label != "" && len(m.Decoys.Canaries) == 0 {
			m.Decoys = canary.Decoys(seed, m.Identity.Label)
		}
	case KindDevice:
		var d Device
		if json.Unmarshal(ev.Data, &d) == nil {
			m.Device = d
		}
	case KindApp:
		var a App
		if json.Unmarshal(ev.Data, &a) == nil {
			m.App = a
		}
	case KindPlanting: // where audit.start does not say who the person was
		var p Planting
		c := canary.Canary{}
		if json.Unmarshal(ev.Data, &p) == nil {
			c = canary.Canary{Kind: canary.Kind(p.Kind), Value: p.Value}
		}
		if m.Identity.Label == "" && c.Value != "" && !slices.Contains(m.Identity.Canaries, c) {
			m.Identity.Canaries = append(m.Identity.Canaries, c)
		}
	case KindAuditEnd:
		var e AuditEnd
		if json.Unmarshal(ev.Data, &e) == nil {
			l.end = &e
		}
	}
}

// recoverTail moves what stands after the last whole line into a blob.
func (l *Log) recoverTail() (Digest, int64, error) {
	f, err := openRegular(filepath.Join(l.dir, logName))
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if _, err := f.Seek(l.size, io.SeekStart); err != nil {
		return "", 0, err
	}
	d, size, err := l.PutBlob(f)
	if err != nil {
		return "", 0, err
	}
	return d, size, l.file.Truncate(l.size)
}

// recoverBlobs registers the blobs that are whole and returns those that are not.
func (l *Log) recoverBlobs() (partial []BlobEntry, err error) {
	for _, folder := range []string{blobsName, partialName} {
		entries, err := os.ReadDir(filepath.Join(l.dir, folder))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			path := filepath.Join(l.dir, folder, e.Name())
			if !e.Type().IsRegular() {
				return nil, fmt.Errorf("%s/%s is no ordinary file; take it away", folder, e.Name())
			}
			d, size, err := digestFile(path)
			if err != nil {
				return nil, err
			}
			whole := folder == blobsName && string(d) == e.Name()
			if !whole && size == 0 {
				if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return nil, err
				}
				continue
			}
			if err := l.blobs.restore(path, d, size); err != nil {
				return nil, err
			}
			if !whole {
				partial = append(partial, BlobEntry{SHA256: d, Size: size})
			}
		}
	}
	return partial, nil
}

// restore is adopt for a file that may stand in its place already.
func (s *blobStore) restore(path string, d Digest, size int64) error {
	if path != s.path(d) {
		return s.adopt(path, d, size)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes[d] = size
	s.unsynced[d] = struct{}{}
	return nil
}

func digestFile(path string) (Digest, int64, error) {
	f, err := openRegular(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	return digestReader(f)
}
