package apkfile

import (
	"archive/zip"
	"io"
)

// ReadArchive reads a ZIP of any content by the rules of an APK: a wrapper of several
// APKs, say. The result has entries, and neither a manifest nor resources: of its methods
// only Names, Open, EntrySize, Stored, Oddities and Size may be called.
func ReadArchive(r io.ReaderAt, size int64) (*File, error) {
	l, err := readLayout(r, size)
	if err != nil {
		return nil, err
	}
	z, entries, err := readDirectory(r, size, l)
	if err != nil {
		return nil, err
	}
	return &File{r: r, layout: l, zip: z, entries: entries, close: func() error { return nil }}, nil
}

// Stored is the content of an entry where it stands in the archive as it is; false where
// it is compressed or not there.
func (f *File) Stored(name string) (*io.SectionReader, bool) {
	e, ok := f.entries[name]
	if !ok || e.Method != zip.Store {
		return nil, false
	}
	off, err := e.DataOffset()
	if err != nil {
		return nil, false
	}
	return io.NewSectionReader(f.r, off, int64(e.UncompressedSize64)), true
}
