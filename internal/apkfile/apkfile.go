// Package apkfile reads what an Android package says of itself: its manifest,
// its label, its files and who signed it.
//
// Begin with [Open]. An APK is foreign, perhaps hostile input: nothing here
// executes or extracts it, memory is bounded whatever the file claims, and every
// fault is an [*Error] that names the part, the offset and the kind.
package apkfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// Limits on what is read into memory, in bytes.
const (
	maxManifest  = 8 << 20
	maxResources = 128 << 20
	maxXML       = 4 << 20
)

const (
	manifestName  = "AndroidManifest.xml"
	resourcesName = "resources.arsc"
)

// File is an open APK. Its methods are safe for concurrent use.
type File struct {
	r        io.ReaderAt
	layout   layout
	zip      *zip.Reader
	entries  map[string]*zip.File
	manifest *Manifest
	close    func() error

	resources  func() (resources, error)
	tableMu    sync.Mutex // a table decodes its strings when they are asked for
	signatures func() (signatures, error)

	bundle *bundle // where the file is a module of an app bundle

	odd struct {
		sync.Mutex
		said []string
	}
	sums map[string][32]byte // SHA-256 of entries that were read whole; under odd's lock
}

// Open reads the APK at a path of the host. The caller closes it.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fault(ErrNotAPK, path, -1, "it is a folder")
	}
	var a *File
	if err == nil {
		a, err = Read(f, info.Size())
	}
	if err != nil {
		f.Close()
		var fault *Error
		if errors.As(err, &fault) {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return nil, err
	}
	a.close = f.Close
	return a, nil
}

// Read reads the APK that lies in the first size bytes of r. The archive's
// directory and the manifest are read at once, all else when it is asked for.
func Read(r io.ReaderAt, size int64) (*File, error) {
	l, err := readLayout(r, size)
	if err != nil {
		return nil, err
	}
	z, entries, err := readDirectory(r, size, l)
	if err != nil {
		return nil, err
	}
	if _, ok := entries[manifestName]; !ok {
		return nil, fault(ErrNotAPK, "ZIP", -1, "the archive holds no %s", manifestName)
	}
	return newFile(&File{r: r, layout: l, zip: z, entries: entries})
}

// newFile reads the manifest of an archive.
func newFile(f *File) (*File, error) {
	f.close = func() error { return nil }
	f.resources = sync.OnceValues(f.readResources)
	f.signatures = sync.OnceValues(f.readSignatures)
	b, err := f.read(manifestName, maxManifest)
	if err != nil {
		return nil, err
	}
	root, err := f.parse(b, manifestName, ErrBadManifest)
	if err != nil {
		return nil, err
	}
	if f.manifest, err = f.readManifest(root); err != nil {
		return nil, err
	}
	return f, nil
}

// Close frees what Open opened.
func (f *File) Close() error { return f.close() }

// Manifest is what AndroidManifest.xml says, with references to strings resolved.
func (f *File) Manifest() *Manifest { return f.manifest }

// Size is the file's size in bytes.
func (f *File) Size() int64 { return f.layout.size }

// Names lists the archive's entries in order of name, folders left out.
func (f *File) Names() []string {
	names := make([]string, 0, len(f.entries))
	for n := range f.entries {
		if !strings.HasSuffix(n, "/") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// FS is the whole archive as a file tree. What a file expands to is checked
// against its announced size while it is read.
func (f *File) FS() fs.FS { return f.zip }

// Assets is the folder assets/ as a file tree; an empty one where there is none.
func (f *File) Assets() fs.FS {
	sub, err := fs.Sub(f.zip, "assets")
	if err != nil { // cannot be: the name is valid
		return f.zip
	}
	return sub
}

// NativeABIs are the instruction sets that the APK carries native libraries for,
// such as "arm64-v8a", sorted; empty where it has no native code.
func (f *File) NativeABIs() []string {
	var abis []string
	for n := range f.entries {
		if rest, ok := strings.CutPrefix(n, "lib/"); ok && strings.HasSuffix(n, ".so") {
			if abi, _, ok := strings.Cut(rest, "/"); ok && !slices.Contains(abis, abi) {
				abis = append(abis, abi)
			}
		}
	}
	slices.Sort(abis)
	return abis
}

// HasDex reports whether the APK carries Dalvik bytecode.
func (f *File) HasDex() bool {
	for n := range f.entries {
		if ok, _ := path.Match("classes*.dex", n); ok {
			return true
		}
	}
	return false
}

// XML reads a compiled XML file of the archive, such as "res/xml/authenticator.xml".
// The error wraps fs.ErrNotExist where there is none of that name.
func (f *File) XML(name string) (*Element, error) {
	if _, ok := f.entries[name]; !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	b, err := f.read(name, maxXML)
	if err != nil {
		return nil, err
	}
	return f.parse(b, name, ErrBadXML)
}

// parse reads a compiled XML file in the form that the file's kind has.
func (f *File) parse(b []byte, part string, kind error) (*Element, error) {
	if f.bundle != nil {
		return f.bundle.parseXML(b, part, kind)
	}
	return parseXML(b, part, kind)
}

// read reads one entry whole, up to limit bytes.
func (f *File) read(name string, limit int64) ([]byte, error) {
	e := f.entries[name]
	if e.UncompressedSize64 > uint64(limit) {
		return nil, fault(ErrTooLarge, name, -1, "%d bytes, the limit is %d", e.UncompressedSize64, limit)
	}
	r, err := f.open(e)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, 0, min(e.UncompressedSize64, limit64(e))+1)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if int64(len(b)) > limit {
			return nil, fault(ErrTooLarge, name, limit, "it expands to more than %d bytes", limit)
		}
	}
}

// limit64 is what the compressed bytes of an entry can expand to.
func limit64(e *zip.File) uint64 { return (e.CompressedSize64 + 64) * maxRatio }

// entryFault puts an error of the archive reader into our words.
func entryFault(name string, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault(ErrBadArchive, name, -1, "its compressed data end too early")
	}
	return fault(ErrBadArchive, name, -1, "%v", err)
}
