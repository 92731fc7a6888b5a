package apkfile

import (
	"archive/zip"
	"bufio"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"
)

// Open opens one entry as Android reads it: what is not deflated is stored, whatever
// method it claims; the flag that says "encrypted" and a checksum that does not match
// are not looked at. Both are told by Oddities. A reader's errors are of type [*Error],
// and it yields no more bytes than the entry's announced size.
// The error wraps fs.ErrNotExist where there is none of that name.
func (f *File) Open(name string) (io.ReadCloser, error) {
	e, ok := f.entries[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.open(e)
}

// EntrySize is the announced size of an entry in bytes, expanded; -1 where there is none.
func (f *File) EntrySize(name string) int64 {
	if e, ok := f.entries[name]; ok {
		return int64(e.UncompressedSize64)
	}
	return -1
}

// Oddities are what was come across so far that a build tool does not make and Android
// takes all the same, one sentence each, sorted.
func (f *File) Oddities() []string {
	f.odd.Lock()
	defer f.odd.Unlock()
	out := slices.Clone(f.odd.said)
	slices.Sort(out)
	return out
}

const maxOddities = 32

func (f *File) oddity(s string) {
	f.odd.Lock()
	defer f.odd.Unlock()
	if len(f.odd.said) < maxOddities && !slices.Contains(f.odd.said, s) {
		f.odd.said = append(f.odd.said, s)
	}
}

const flagEncrypted = 1 // APPNOTE.TXT section 4.4.4

func (f *File) open(e *zip.File) (io.ReadCloser, error) {
	off, err := e.DataOffset()
	if err != nil {
		return nil, entryFault(e.Name, err)
	}
	if e.Flags&flagEncrypted != 0 {
		f.oddity(printable(e.Name) + " is marked as encrypted, and is not")
	}
	out := &entryReader{file: f, e: e, sum: crc32.NewIEEE(), left: int64(e.UncompressedSize64), whole: true}
	switch e.Method {
	case zip.Deflate:
		d := inflaters.Get().(*inflater)
		d.reset(io.NewSectionReader(f.r, off, int64(e.CompressedSize64)))
		out.r, out.close = d.out, func() error { inflaters.Put(d); return nil }
	case zip.Store:
		out.r = io.NewSectionReader(f.r, off, int64(e.UncompressedSize64))
	default:
		f.oddity(printable(e.Name) + " is compressed by a method that Android does not know and reads as stored")
		out.r, out.whole = io.NewSectionReader(f.r, off, int64(e.UncompressedSize64)), false
	}
	return out, nil
}

// inflater is a decompressor that is used again: its tables are larger than most entries.
type inflater struct {
	in  *bufio.Reader
	out io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	in := bufio.NewReaderSize(nil, 32<<10)
	return &inflater{in, flate.NewReader(in)}
}}

func (d *inflater) reset(r io.Reader) {
	d.in.Reset(r)
	if err := d.out.(flate.Resetter).Reset(d.in, nil); err != nil { // cannot be: it only resets
		d.out = flate.NewReader(d.in)
	}
}

// entryReader yields an entry's bytes, as many as it announces.
type entryReader struct {
	file  *File
	e     *zip.File
	r     io.Reader
	close func() error
	sum   hash.Hash32
	left  int64 // bytes that are still announced
	whole bool  // the checksum means something
	done  bool
}

func (r *entryReader) Read(b []byte) (int, error) {
	if r.done {
		return 0, io.EOF
	}
	if r.left == 0 {
		// What stands behind the announced size nobody reads.
		r.done = true
		if r.whole && r.sum.Sum32() != r.e.CRC32 {
			r.file.oddity("the checksum of " + printable(r.e.Name) + " does not match its content")
		}
		return 0, io.EOF
	}
	if int64(len(b)) > r.left {
		b = b[:r.left]
	}
	n, err := r.r.Read(b)
	r.sum.Write(b[:n])
	r.left -= int64(n)
	switch {
	case n > 0:
		return n, nil // an error comes again
	case err == io.EOF:
		return 0, entryFault(r.e.Name, io.ErrUnexpectedEOF)
	case err != nil:
		return 0, entryFault(r.e.Name, err)
	}
	return 0, nil
}

func (r *entryReader) Close() error {
	if r.close == nil {
		return nil
	}
	err := r.close()
	r.close, r.done = nil, true
	return err
}
