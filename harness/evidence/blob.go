package evidence

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// blobStore is the part of a Log that holds bytes by their SHA-256.
type blobStore struct {
	dir string // the evidence folder

	mu       sync.Mutex // taken after a BlobWriter's
	sizes    map[Digest]int64
	unsynced map[Digest]struct{}
	open     map[*BlobWriter]struct{}
	spare    []*os.File // empty ones, for the next blobs
	closed   bool
}

// maxSpare bounds the files that are kept for the next blobs. Where the same bytes
// come again and again, files would be made to be deleted, which some file systems
// are slow at.
const maxSpare = 8

func (s *blobStore) init(dir string) {
	s.dir = dir
	s.sizes = map[Digest]int64{}
	s.unsynced = map[Digest]struct{}{}
	s.open = map[*BlobWriter]struct{}{}
}

func (s *blobStore) path(d Digest) string { return filepath.Join(s.dir, blobsName, string(d)) }

// entries lists the blobs by digest.
func (s *blobStore) entries() []BlobEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]BlobEntry, 0, len(s.sizes))
	for d, size := range s.sizes {
		list = append(list, BlobEntry{SHA256: d, Size: size})
	}
	slices.SortFunc(list, func(a, b BlobEntry) int { return strings.Compare(string(a.SHA256), string(b.SHA256)) })
	return list
}

// sync brings the blobs that were committed since the last call to the disk.
func (s *blobStore) sync() error {
	s.mu.Lock()
	todo := s.unsynced
	s.unsynced = map[Digest]struct{}{}
	s.mu.Unlock()
	if len(todo) == 0 {
		return nil
	}
	var failed error
	for d := range todo {
		if err := syncFile(s.path(d)); err != nil {
			failed = err
			break
		}
	}
	if failed == nil {
		failed = syncFile(filepath.Join(s.dir, blobsName))
	}
	if failed != nil {
		s.mu.Lock()
		for d := range todo {
			s.unsynced[d] = struct{}{}
		}
		s.mu.Unlock()
		return fmt.Errorf("evidence: bring blobs to the disk: %w", full(failed))
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// adopt moves a complete file into the store and says what it is.
func (s *blobStore) adopt(path string, d Digest, size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.sizes[d]; known {
		return os.Remove(path)
	}
	if err := os.Rename(path, s.path(d)); err != nil {
		return err
	}
	s.sizes[d] = size
	s.unsynced[d] = struct{}{}
	return nil
}

// again takes the file of a blob that is there already for the next one. It
// reports false where it can't.
func (s *blobStore) again(f *os.File, d Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.sizes[d]; !known || s.closed || len(s.spare) >= maxSpare {
		return false
	}
	if f.Truncate(0) != nil {
		return false
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return false
	}
	s.spare = append(s.spare, f)
	return true
}

// create makes a file for a blob. The caller holds s.mu.
func (s *blobStore) create() (*os.File, error) {
	if n := len(s.spare); n > 0 {
		f := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return f, nil
	}
	return os.CreateTemp(filepath.Join(s.dir, partialName), "blob-*") // created 0600
}

// BlobWriter is a blob that is being written to the disk. It is for one
// goroutine; only sealing may come in between.
type BlobWriter struct {
	store *blobStore

	mu   sync.Mutex
	file *os.File // nil once committed, aborted or sealed
	sum  hash.Hash
	size int64
}

// Blob opens a blob that was committed, while the log is still being written.
// The error wraps fs.ErrNotExist where there is none.
func (l *Log) Blob(d Digest) (io.ReadCloser, error) {
	l.blobs.mu.Lock()
	_, ok := l.blobs.sizes[d]
	l.blobs.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("evidence %s: blob %q: %w", l.dir, d, fs.ErrNotExist)
	}
	return openRegular(l.blobs.path(d))
}

// NewBlob begins a blob. The caller ends it with Commit or Abort.
func (l *Log) NewBlob() (*BlobWriter, error) {
	w := &BlobWriter{store: &l.blobs, sum: sha256.New()}
	w.mu.Lock()
	defer w.mu.Unlock()
	l.blobs.mu.Lock()
	defer l.blobs.mu.Unlock()
	if l.blobs.closed {
		return nil, fmt.Errorf("evidence: new blob: %w", ErrSealed)
	}
	file, err := l.blobs.create()
	if err != nil {
		return nil, fmt.Errorf("evidence: new blob: %w", full(err))
	}
	w.file = file
	l.blobs.open[w] = struct{}{}
	return w, nil
}

// PutBlob stores all that r has. The error wraps ErrFull where the disk is full.
func (l *Log) PutBlob(r io.Reader) (Digest, int64, error) {
	w, err := l.NewBlob()
	if err != nil {
		return "", 0, err
	}
	if _, err := io.Copy(w, r); err != nil {
		w.Abort()
		return "", 0, err
	}
	return w.Commit()
}

// Write adds to the blob. After an error, Commit still keeps what was written
// before it. The error wraps ErrFull where the disk is full.
func (w *BlobWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return 0, fmt.Errorf("evidence: write blob: %w", fs.ErrClosed)
	}
	n, err := w.file.Write(p)
	w.sum.Write(p[:n])
	w.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("evidence: write blob: %w", full(err))
	}
	return n, nil
}

// Size is the number of bytes written so far.
func (w *BlobWriter) Size() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size
}

// Commit ends the blob and says what it is. The same bytes twice are one blob.
// An event that names the blob is to be appended after Commit, so that no event
// ever names a blob that is not there.
func (w *BlobWriter) Commit() (Digest, int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.commit()
}

func (w *BlobWriter) commit() (Digest, int64, error) {
	if w.file == nil {
		return "", 0, fmt.Errorf("evidence: commit blob: %w", fs.ErrClosed)
	}
	d, path := digestSum(w.sum), w.file.Name()
	if w.store.again(w.file, d) {
		w.forget()
		return d, w.size, nil
	}
	err := w.file.Close()
	w.forget()
	if err == nil {
		err = w.store.adopt(path, d, w.size)
	}
	if err != nil {
		return "", 0, fmt.Errorf("evidence: commit blob: %w", full(err))
	}
	return d, w.size, nil
}

// Abort drops the blob. It does nothing after Commit.
func (w *BlobWriter) Abort() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return
	}
	path := w.file.Name()
	_ = w.file.Close() // it is thrown away
	w.forget()
	_ = os.Remove(path) // what stays is taken away by sealing
}

func (w *BlobWriter) forget() {
	w.file = nil
	w.store.mu.Lock()
	delete(w.store.open, w)
	w.store.mu.Unlock()
}

// stop admits no further blobs and returns those that are still being written.
func (s *blobStore) stop() []*BlobWriter {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, f := range s.spare {
		_ = f.Close() // it is empty; sealing takes it away
	}
	s.spare = nil
	writers := make([]*BlobWriter, 0, len(s.open))
	for w := range s.open {
		writers = append(writers, w)
	}
	return writers
}

// resume admits blobs again, after sealing has failed.
func (s *blobStore) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = false
}
