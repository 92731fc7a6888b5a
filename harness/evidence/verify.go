package evidence

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a bundle.
type Problem struct {
	File string `json:"file"` // path within the bundle, with slashes
	// Offset is the place of the first byte that can be shown to be wrong, from
	// 0. Where only a hash says that something was changed, that is where the
	// hashed bytes begin, and What says how far they reach; a single changed byte
	// in something short is found by trying.
	Offset int64  `json:"offset"`
	What   string `json:"what"` // what is wrong, in a sentence
}

// String is the problem on one line.
func (p Problem) String() string { return fmt.Sprintf("%s: byte %d: %s", p.File, p.Offset, p.What) }

// Verify says everything that is wrong with the evidence in dir, by file and
// place; nothing where it is whole and as it was sealed. Files beside
// log.jsonl, blobs/, manifest.json and SHA256SUMS, such as reports, are no part
// of the evidence. The error is about reading, not about the evidence; it
// wraps ErrNotBundle where dir holds none.
func Verify(ctx context.Context, dir string) ([]Problem, error) {
	v := &verifier{dir: dir}
	if err := v.run(ctx); err != nil {
		return v.problems, fmt.Errorf("verify %s: %w", dir, err)
	}
	slices.SortStableFunc(v.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(fileOrder(a.File), fileOrder(b.File)), strings.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
	})
	return v.problems, nil
}

// fileOrder puts the file that speaks for the others first.
func fileOrder(name string) int {
	i := slices.Index([]string{manifestName, sumsName, logName}, name)
	if i < 0 {
		return 3
	}
	return i
}

type verifier struct {
	dir      string
	problems []Problem

	text     []byte   // manifest.json
	manifest Manifest // as far as it can be read
	readable bool     // the manifest could be read
	log      Digest   // of log.jsonl as it is
}

func (v *verifier) wrong(file string, offset int64, what string, args ...any) {
	v.problems = append(v.problems, Problem{File: file, Offset: offset, What: fmt.Sprintf(what, args...)})
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.checkManifest(); err != nil {
		return err
	}
	if err := v.checkLog(ctx); err != nil {
		return err
	}
	if err := v.checkBlobs(ctx); err != nil {
		return err
	}
	return v.checkSums()
}

// checkManifest checks what the manifest says by itself.
func (v *verifier) checkManifest() error {
	var err error
	v.text, err = readManifest(v.dir)
	switch {
	case errors.Is(err, ErrUnsealed):
		v.wrong(manifestName, 0, "it is missing: the audit was killed, or somebody took the file away")
		return nil
	case errors.Is(err, ErrBroken):
		v.wrong(manifestName, 0, "%v", err)
		return nil
	case err != nil:
		return err
	}
	m, at, err := decodeManifest(v.text)
	if err != nil {
		v.wrong(manifestName, int64(at), "%v", err)
	}
	v.manifest = m
	v.readable = m.Format == Format
	if !v.readable {
		v.wrong(manifestName, int64(place(v.text, `"format"`)), "the format is %q, and this program knows %q", m.Format, Format)
	}
	for i, e := range m.Blobs {
		where := int64(place(v.text, `"`+string(e.SHA256)+`"`))
		switch {
		case !e.SHA256.Valid() || e.Size < 0:
			v.wrong(manifestName, where, "blob %d is named %q with %d bytes, which no blob can be", i+1, e.SHA256, e.Size)
		case i > 0 && e.SHA256 <= m.Blobs[i-1].SHA256:
			v.wrong(manifestName, where, "blob %s stands twice or out of order", e.SHA256)
		}
	}
	return nil
}

// place is where a text first stands in data, or 0.
func place(data []byte, text string) int {
	return max(0, bytes.Index(data, []byte(text)))
}

// checkBlobs compares the blobs that are there with those that the manifest names.
func (v *verifier) checkBlobs(ctx context.Context) error {
	named := make(map[string]bool, len(v.manifest.Blobs))
	for _, e := range v.manifest.Blobs {
		if !e.SHA256.Valid() || named[string(e.SHA256)] {
			continue // said already
		}
		named[string(e.SHA256)] = true
		if err := v.checkBlob(ctx, e); err != nil {
			return err
		}
	}
	if !v.readable {
		return v.checkNames(ctx)
	}
	entries, err := os.ReadDir(filepath.Join(v.dir, blobsName))
	if errors.Is(err, fs.ErrNotExist) {
		if len(named) == 0 {
			v.wrong(blobsName, 0, "the folder is missing")
		}
		return nil // else each blob was said to be missing
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !named[e.Name()] {
			v.wrong(blobsName+"/"+e.Name(), 0, "the manifest names no such blob: it was added or renamed")
		}
	}
	return nil
}

// checkNames checks blobs by their own names, where no manifest can be asked.
func (v *verifier) checkNames(ctx context.Context) error {
	entries, err := os.ReadDir(filepath.Join(v.dir, blobsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // an audit that was killed at its very beginning
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !Digest(e.Name()).Valid() {
			v.wrong(blobsName+"/"+e.Name(), 0, "this is no blob's name")
		} else if err := v.checkBlob(ctx, BlobEntry{SHA256: Digest(e.Name()), Size: info.Size()}); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) checkBlob(ctx context.Context, e BlobEntry) error {
	name := blobsName + "/" + string(e.SHA256)
	f, err := openRegular(filepath.Join(v.dir, blobsName, string(e.SHA256)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.wrong(name, 0, "it is missing: the manifest names it with %d bytes", e.Size)
		return nil
	case errors.Is(err, ErrBroken):
		v.wrong(name, 0, "it is no ordinary file")
		return nil
	case err != nil:
		return err
	}
	defer f.Close()
	sum, size, err := digestReader(contextReader{ctx, f})
	if err != nil {
		return err
	}
	switch {
	case sum == e.SHA256 && size == e.Size:
	case sum == e.SHA256:
		v.wrong(manifestName, int64(place(v.text, `"`+string(e.SHA256)+`"`)), "it gives blob %s %d bytes, and the blob, which is whole, has %d", e.SHA256, e.Size, size)
	case size < e.Size:
		v.wrong(name, size, "it ends here: %d of %d bytes are missing", e.Size-size, e.Size)
	case size > e.Size:
		v.wrong(name, e.Size, "it goes on here: %d bytes more than the %d that were sealed", size-e.Size, e.Size)
	default:
		return v.findByte(name, e)
	}
	return nil
}

// findByte reports a blob of the right size with other bytes.
func (v *verifier) findByte(name string, e BlobEntry) error {
	if e.Size > searchBits {
		v.wrong(name, 0, "its bytes are not those that were sealed: somewhere in these %d", e.Size)
		return nil
	}
	data, err := readRegular(filepath.Join(v.dir, blobsName, string(e.SHA256)), e.Size)
	if err != nil {
		return err
	}
	if at, was, ok := locate(data, e.SHA256); ok {
		v.wrong(name, int64(at), "this byte is 0x%02x and was 0x%02x", data[at], was)
	} else {
		v.wrong(name, 0, "its bytes are not those that were sealed: several, somewhere in these %d", e.Size)
	}
	return nil
}

// checkSums compares SHA256SUMS with what it speaks of. It is what tells a
// changed manifest from an honest one.
func (v *verifier) checkSums() error {
	if v.text == nil {
		return nil // no manifest; said already
	}
	sums, err := readRegular(filepath.Join(v.dir, sumsName), maxManifest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.wrong(sumsName, 0, "it is missing")
		return nil
	case errors.Is(err, ErrBroken):
		v.wrong(sumsName, 0, "%v", err)
		return nil
	case err != nil:
		return err
	}
	want := sumsText(v.log, DigestOf(v.text), v.manifest.Blobs)
	if bytes.Equal(sums, want) {
		return nil
	}
	got, must := bytes.SplitAfter(sums, []byte("\n")), bytes.SplitAfter(want, []byte("\n"))
	if !v.readable { // then nothing is known of the blobs' lines
		got, must = got[:min(2, len(got))], must[:2]
	}
	v.compareSums(got, must)
	return nil
}

// compareSums reports the first line of SHA256SUMS that differs, by what it is about.
func (v *verifier) compareSums(got, want [][]byte) {
	var offset int64
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want) || i >= len(got):
			v.wrong(sumsName, offset, "it has %d lines and must have %d", len(got)-1, len(want)-1)
			return
		case bytes.Equal(got[i], want[i]):
			offset += int64(len(got[i]))
			continue
		}
		if i == 0 && v.log == "" {
			offset += int64(len(got[i]))
			continue // there is no log; said already
		}
		at := difference(got[i], want[i])
		said, is := digestAt(got[i]), digestAt(want[i])
		_, slip := edited(said, is)
		tail := len(got[i]) >= digestLen && len(want[i]) >= digestLen && bytes.Equal(got[i][digestLen:], want[i][digestLen:])
		switch {
		case !tail || !said.Valid() || slip:
			v.wrong(sumsName, offset+int64(at), "this is not what must stand here: %q", bytes.TrimSpace(want[i]))
		case i == 0 && v.has(logName):
			// The log is known to be wrong, and by more than its hash.
		case i == 1:
			v.manifestChanged(said)
		default:
			v.wrong(sumsName, offset, "it has another hash for %s", bytes.TrimSpace(want[i][digestLen:]))
		}
		offset += int64(len(got[i]))
	}
}

// manifestChanged reports a manifest that had another hash when it was sealed.
func (v *verifier) manifestChanged(said Digest) {
	if at, was, ok := locate(bytes.Clone(v.text), said); ok {
		v.wrong(manifestName, int64(at), "this byte is %q and was %q", v.text[at], was)
		return
	}
	if !v.has(manifestName) {
		v.wrong(manifestName, 0, "%s says that it was another when it was sealed: somewhere in these %d bytes", sumsName, len(v.text))
	}
}

func (v *verifier) has(file string) bool {
	return slices.ContainsFunc(v.problems, func(p Problem) bool { return p.File == file })
}

// digestAt is what stands where a line of SHA256SUMS has its digest.
func digestAt(line []byte) Digest { return Digest(line[:min(digestLen, len(line))]) }
