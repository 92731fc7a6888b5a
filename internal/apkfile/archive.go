package apkfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// Limits on the archive.
const (
	maxEntries   = 1 << 19  // real apps have some 100,000 at most
	maxDirectory = 64 << 20 // bytes
	maxExpanded  = 16 << 30 // bytes, all entries together
	// maxRatio is what deflate can reach: 258 bytes of output in two bits.
	maxRatio = 1032
)

// layout is where the parts of the file lie, in bytes from its beginning.
type layout struct {
	size       int64
	directory  int64 // the central directory
	end        int64 // the end of central directory record
	entryCount int
}

// The signatures of ZIP's records, from APPNOTE.TXT section 4.3.
var (
	zipLocal = []byte("PK\x03\x04")
	zipEnd   = []byte("PK\x05\x06")
)

const endSize = 22

// readLayout finds the central directory. APKs have no ZIP64.
func readLayout(r io.ReaderAt, size int64) (layout, error) {
	l := layout{size: size}
	if size == 0 {
		return l, fault(ErrNotAPK, "ZIP", -1, "the file is empty")
	}
	head := make([]byte, min(size, 4))
	if err := readAt(r, head, 0); err != nil {
		return l, err
	}
	tail := make([]byte, min(size, endSize+0xffff))
	start := size - int64(len(tail))
	if err := readAt(r, tail, start); err != nil {
		return l, err
	}
	at := -1
	for i := len(tail) - endSize; i >= 0; i-- {
		if bytes.HasPrefix(tail[i:], zipEnd) && int(binary.LittleEndian.Uint16(tail[i+20:])) == len(tail)-i-endSize {
			at = i
			break
		}
	}
	if at < 0 {
		if bytes.HasPrefix(zipLocal, head) || bytes.Equal(head, zipLocal) {
			return l, fault(ErrTruncated, "ZIP", size, "it begins as an archive, and the record that ends one is missing")
		}
		return l, fault(ErrNotAPK, "ZIP", 0, "it is no ZIP archive: it begins with % x", head)
	}
	end := tail[at:]
	l.end = start + int64(at)
	l.entryCount = int(binary.LittleEndian.Uint16(end[10:]))
	length := int64(binary.LittleEndian.Uint32(end[12:]))
	l.directory = int64(binary.LittleEndian.Uint32(end[16:]))
	switch {
	case l.directory == 0xffffffff || l.entryCount == 0xffff && length == 0xffffffff:
		return l, fault(ErrBadArchive, "ZIP", l.end, "it is a ZIP64 archive, which Android does not read")
	case l.directory+length > l.end:
		return l, fault(ErrTruncated, "ZIP", l.end, "the directory is said to lie at %d to %d, beyond its own end", l.directory, l.directory+length)
	case l.directory+length != l.end:
		return l, fault(ErrBadArchive, "ZIP", l.end, "%d bytes lie between the directory and its end record", l.end-l.directory-length)
	case length > maxDirectory:
		return l, fault(ErrTooLarge, "ZIP", l.directory, "a directory of %d bytes, the limit is %d", length, maxDirectory)
	case length < int64(l.entryCount)*46:
		return l, fault(ErrBadArchive, "ZIP", l.end, "%d entries are announced in a directory of %d bytes", l.entryCount, length)
	}
	return l, nil
}

// readDirectory reads the central directory, refusing what Android refuses and what
// could only be meant to exhaust the reader.
func readDirectory(r io.ReaderAt, size int64, l layout) (*zip.Reader, map[string]*zip.File, error) {
	z, err := zip.NewReader(plainEnd(r, l), l.end+endSize)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, nil, fault(ErrBadArchive, "ZIP", l.directory, "%v", err)
	}
	if len(z.File) > maxEntries {
		return nil, nil, fault(ErrTooLarge, "ZIP", l.directory, "%d entries, the limit is %d", len(z.File), maxEntries)
	}
	entries := make(map[string]*zip.File, len(z.File))
	var total uint64
	for _, e := range z.File {
		bad := func(kind error, format string, args ...any) (*zip.Reader, map[string]*zip.File, error) {
			return nil, nil, fault(kind, "ZIP entry "+printable(e.Name), -1, format, args...)
		}
		off, err := e.DataOffset()
		packed, full := e.CompressedSize64, e.UncompressedSize64
		switch {
		case e.Name == "" || strings.ContainsRune(e.Name, 0):
			return bad(ErrBadArchive, "its name is empty or holds a zero byte")
		case entries[e.Name] != nil:
			return bad(ErrBadArchive, "the name stands in the archive twice, which Android refuses")
		case err != nil:
			return bad(ErrBadArchive, "its local header can't be read: %v", err)
		case off < 0 || packed > uint64(size) || uint64(off)+packed > uint64(l.directory):
			return bad(ErrBadArchive, "%d bytes at %d reach into the archive's directory", packed, off)
		case e.Method != zip.Store && e.Method != zip.Deflate && (off < 0 || full > uint64(size) || uint64(off)+full > uint64(l.directory)):
			return bad(ErrBadArchive, "%d bytes at %d, of a method that Android reads as stored, reach into the archive's directory", full, off)
		case e.Method == zip.Store && packed != full:
			return bad(ErrBadArchive, "it is stored, and yet %d bytes stand for %d", packed, full)
		case e.Method == zip.Deflate && full > (packed+64)*maxRatio:
			return bad(ErrTooLarge, "%d bytes cannot expand to the %d that are announced", packed, full)
		}
		if total += full; total > maxExpanded {
			return bad(ErrTooLarge, "the archive expands to more than %d bytes", int64(maxExpanded))
		}
		entries[e.Name] = e
	}
	return z, entries, nil
}

// plainEnd is the archive up to its end record, without the record's comment: a record
// that stands in the comment is not taken for the archive's own.
func plainEnd(r io.ReaderAt, l layout) io.ReaderAt { return commentless{r, l.end + endSize} }

type commentless struct {
	r   io.ReaderAt
	end int64
}

func (c commentless) ReadAt(b []byte, off int64) (int, error) {
	if off >= c.end {
		return 0, io.EOF
	}
	short := int64(len(b)) > c.end-off
	if short {
		b = b[:c.end-off]
	}
	n, err := c.r.ReadAt(b, off)
	for i := range n { // the length of the comment: the record's last two bytes
		if at := off + int64(i); at >= c.end-2 {
			b[i] = 0
		}
	}
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fault(ErrTruncated, "file", off+int64(n), "%d bytes expected", len(b)-n)
	}
	return err
}

// printable makes a foreign name safe for a terminal, and short.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() > 120 {
			b.WriteString("…")
			break
		}
		if r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x200b && r <= 0x202e) {
			r = '\ufffd'
		}
		b.WriteRune(r)
	}
	return b.String()
}
