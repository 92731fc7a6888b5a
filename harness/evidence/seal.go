package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Format names the bundle's format, as it stands in the manifest.
const Format = "unasked-bundle/1"

// Seal closes the log for good. It fills in the manifest's Format, Sealed,
// Events, LogSize, Head and Blobs, and Started and End where they are empty;
// everything else is the caller's. Where no audit.end stands in the log, m.End
// is appended as one. A blob that somebody is still writing is kept as far as
// it came, as an exhibit.
//
// manifest.json appears whole or not at all. After an error the log is open as
// before, and Seal may be tried again; the error wraps ErrFull where the disk is
// full.
func (l *Log) Seal(m Manifest) error {
	defer l.feed()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sealed {
		return fmt.Errorf("seal %s: %w", l.dir, ErrSealed)
	}
	if err := l.seal(m); err != nil {
		l.blobs.resume()
		return fmt.Errorf("seal %s: %w", l.dir, full(err))
	}
	l.sealed = true
	l.close()
	return nil
}

func (l *Log) seal(m Manifest) error {
	partial := filepath.Join(l.dir, partialName)
	if err := os.RemoveAll(filepath.Join(partial, reserveName)); err != nil {
		return err
	}
	writers := l.blobs.stop()
	slices.SortFunc(writers, func(a, b *BlobWriter) int { return bytes.Compare([]byte(a.name()), []byte(b.name())) })
	for _, w := range writers {
		if err := l.cut(w); err != nil {
			return err
		}
	}
	if l.end == nil && m.End.How != "" {
		raw, err := encode(m.End)
		if err != nil {
			return err
		}
		if _, err := l.write(l.stamp, KindAuditEnd, raw); err != nil {
			return err
		}
	}
	if m.End.How == "" && l.end != nil {
		m.End = *l.end
	}
	if m.Started.IsZero() {
		m.Started = l.first
	}
	m.Format, m.Started, m.Sealed = Format, m.Started.UTC().Round(0), l.now().UTC().Round(0)
	m.Events, m.LogSize, m.Head, m.Blobs = l.seq, l.size, l.prev, l.blobs.entries()
	if err := l.blobs.sync(); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	text, err := encodeManifest(m)
	if err != nil {
		return err
	}
	sums := sumsText(digestSum(l.whole), DigestOf(text), m.Blobs)
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	// The manifest comes last: where it stands, everything else does.
	err = l.place(sumsName, sums)
	if err == nil {
		if err = l.place(manifestName, text); err != nil {
			err = errors.Join(err, os.Remove(filepath.Join(l.dir, sumsName)))
		}
	}
	if err != nil {
		return errors.Join(err, os.MkdirAll(partial, 0o700)) // blobs go on being written there
	}
	return nil
}

// cut keeps what there is of a blob that is still being written.
func (l *Log) cut(w *BlobWriter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	d, size, err := w.commit()
	if err != nil {
		return err
	}
	return l.writePartial("what had arrived of a blob when the evidence was sealed", d, size)
}

func (l *Log) writePartial(title string, d Digest, size int64) error {
	raw, err := encode(Exhibit{Kind: ExhibitPartial, Title: title, Media: "application/octet-stream", Blob: d, Size: size})
	if err != nil {
		return err
	}
	_, err = l.write(l.stamp, KindExhibit, raw)
	return err
}

func (w *BlobWriter) name() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return ""
	}
	return w.file.Name()
}

// place writes a file so that it is whole, and on the disk, or not there at all.
func (l *Log) place(name string, text []byte) error {
	path := filepath.Join(l.dir, name)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	if err := l.root.Sync(); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// encodeManifest is the one way in which a manifest is written: members in
// their order, two spaces of indentation, characters as they are, one newline
// at the end.
func encodeManifest(m Manifest) ([]byte, error) {
	if m.Blobs == nil {
		m.Blobs = []BlobEntry{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(m)
	return b.Bytes(), err
}

// sumsText is the list that sha256sum -c reads, for people without this program.
func sumsText(log, manifest Digest, blobs []BlobEntry) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s  %s\n%s  %s\n", log, logName, manifest, manifestName)
	for _, e := range blobs {
		fmt.Fprintf(&b, "%s  %s/%s\n", e.SHA256, blobsName, e.SHA256)
	}
	return b.Bytes()
}
