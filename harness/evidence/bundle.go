package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// maxManifest bounds a manifest, in bytes: a million blobs fit.
const maxManifest = 256 << 20

// Bundle is sealed evidence, open for reading. It holds no file open and may be
// used from several goroutines at once.
type Bundle struct {
	dir      string
	manifest Manifest
	digest   Digest
	blobs    map[Digest]int64
}

// Open opens sealed evidence. The error wraps ErrUnsealed where the audit was
// killed (SealInterrupted helps), ErrNotBundle where dir holds no evidence, and
// ErrBroken where the manifest can't be read.
//
// What is read is checked on the way, so nobody judges changed evidence:
// [Bundle.Events] yields an error wrapping ErrBroken at the first line that is
// not what was sealed, and so does a blob's reader at its end.
func Open(dir string) (*Bundle, error) {
	text, err := readManifest(dir)
	if err != nil {
		return nil, fmt.Errorf("open evidence %s: %w", dir, err)
	}
	b := &Bundle{dir: dir, digest: DigestOf(text)}
	if err := json.Unmarshal(text, &b.manifest); err != nil {
		return nil, fmt.Errorf("open evidence %s: %w: %s: %w", dir, ErrBroken, manifestName, err)
	}
	if b.manifest.Format != Format {
		return nil, fmt.Errorf("open evidence %s: its format is %q and this program reads %q: use the program that wrote it", dir, b.manifest.Format, Format)
	}
	b.blobs = make(map[Digest]int64, len(b.manifest.Blobs))
	for _, e := range b.manifest.Blobs {
		if !e.SHA256.Valid() {
			return nil, fmt.Errorf("open evidence %s: %w: %s names a blob %q", dir, ErrBroken, manifestName, e.SHA256)
		}
		b.blobs[e.SHA256] = e.Size
	}
	return b, nil
}

// readManifest reads manifest.json, or says why there is none.
func readManifest(dir string) ([]byte, error) {
	text, err := readRegular(filepath.Join(dir, manifestName), maxManifest)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if _, err := os.Lstat(filepath.Join(dir, logName)); err != nil {
		return nil, fmt.Errorf("%w: neither %s nor %s is in it", ErrNotBundle, manifestName, logName)
	}
	return nil, ErrUnsealed
}

// readRegular reads a file that must be an ordinary one of at most limit bytes.
func readRegular(path string, limit int64) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%w: %s has more than %d bytes", ErrBroken, filepath.Base(path), limit)
	}
	return text, err
}

// openRegular opens an ordinary file: bundles come from strangers, and a link in
// one could lead anywhere.
func openRegular(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no ordinary file (%s)", ErrBroken, filepath.Base(path), info.Mode().Type())
	}
	return os.Open(path)
}

// Dir is the folder that the bundle was opened from.
func (b *Bundle) Dir() string { return b.dir }

// Manifest is the sealed manifest.
func (b *Bundle) Manifest() Manifest { return b.manifest }

// Digest is the SHA-256 of manifest.json. It stands for the whole bundle, for
// the manifest names the head of the log's chain and every blob.
func (b *Bundle) Digest() Digest { return b.digest }

// Events yields the log in order, as a stream, and checks its chain against the
// manifest. It stops after the first error it yields.
func (b *Bundle) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := b.events(ctx, yield); err != nil {
			yield(Event{}, fmt.Errorf("read evidence %s: %w", b.dir, err))
		}
	}
}

// events calls yield until it returns false, the log ends, or an error is to be
// yielded by the caller.
func (b *Bundle) events(ctx context.Context, yield func(Event, error) bool) error {
	f, err := openRegular(filepath.Join(b.dir, logName))
	if err != nil {
		return err
	}
	defer f.Close()
	broken := func(offset int64, what string, args ...any) error {
		return fmt.Errorf("%w: %s, byte %d: %s; unasked verify says more", ErrBroken, logName, offset, fmt.Sprintf(what, args...))
	}
	in, prev, seq := newLines(f), DigestOf(nil), uint64(0)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		ln, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			if seq != b.manifest.Events || prev != b.manifest.Head || in.offset != b.manifest.LogSize {
				return broken(in.offset, "the log ends after %d events, and the manifest says after %d with another last line", seq, b.manifest.Events)
			}
			return nil
		case errors.Is(err, errLongLine):
			return broken(ln.offset, "%v", err)
		case err != nil:
			return err
		case ln.torn:
			return broken(in.offset, "the last line is torn")
		}
		var ev Event // read leniently: the chain vouches for the bytes
		if err := json.Unmarshal(ln.text, &ev); err != nil {
			return broken(ln.offset, "line %d: %v", seq+1, err)
		}
		if ev.Seq != seq+1 || ev.Prev != prev {
			return broken(ln.offset, "line %d does not follow the one before", seq+1)
		}
		prev, seq = DigestOf(ln.text), ev.Seq
		if !yield(ev, nil) {
			return nil
		}
	}
}

// Blob opens a blob. The error wraps fs.ErrNotExist where the manifest names
// none, and ErrBroken where it does and the blob is gone or has another size.
// The reader's last Read fails with ErrBroken where the bytes are not those
// that were sealed.
func (b *Bundle) Blob(d Digest) (io.ReadCloser, error) {
	size, ok := b.blobs[d]
	if !ok {
		return nil, fmt.Errorf("evidence %s: blob %q: %w", b.dir, d, fs.ErrNotExist)
	}
	f, err := openRegular(filepath.Join(b.dir, blobsName, string(d)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("evidence %s: %w: blob %s is gone", b.dir, ErrBroken, d)
	}
	if err != nil {
		return nil, fmt.Errorf("evidence %s: blob %s: %w", b.dir, d, err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != size {
		return nil, errors.Join(fmt.Errorf("evidence %s: %w: blob %s does not have its %d bytes", b.dir, ErrBroken, d, size), err, f.Close())
	}
	return &blobReader{file: f, sum: sha256.New(), want: d}, nil
}

// blobReader checks a blob while it is read.
type blobReader struct {
	file *os.File
	sum  hash.Hash
	want Digest
}

func (r *blobReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && digestSum(r.sum) != r.want {
		return n, fmt.Errorf("%w: blob %s has other bytes", ErrBroken, r.want)
	}
	return n, err
}

func (r *blobReader) Close() error { return r.file.Close() }

// decodeManifest reads a manifest strictly. at is the place of the first byte
// that is not as it must be.
func decodeManifest(text []byte) (m Manifest, at int, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err = dec.Decode(&m); err != nil {
		var syntax *json.SyntaxError
		var wrong *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			return m, max(0, int(syntax.Offset)-1), err
		case errors.As(err, &wrong):
			return m, max(0, int(wrong.Offset)-1), err
		}
		// An unknown field: what can be read is read, and the place is where
		// the manifest departs from how it would be written.
		m = Manifest{}
		if json.Unmarshal(text, &m) != nil {
			return m, len(text), err
		}
	}
	again, bad := encodeManifest(m)
	if bad != nil {
		return m, 0, bad
	}
	if !bytes.Equal(again, text) {
		at = difference(again, text)
		if err == nil {
			err = errors.New("it is not written as this format is")
		}
	}
	return m, at, err
}
