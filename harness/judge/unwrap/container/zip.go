package container

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"path"
)

// zipFormat reads ZIP archives (APPNOTE.TXT). A member stands at the field of its path in
// the archive; its name and its comment are shown as Text, what it holds as Bytes. A
// member that is encrypted, or compressed in a way that is not known, is shown as it
// stands. Of an archive without its directory the members are read one after the other.
var zipFormat = Format{
	Name: "zip", Binary: true, Chained: true,
	Media: []string{
		"application/zip", "application/x-zip-compressed", "application/x-zip", "application/java-archive", "+zip",
		"application/vnd.android.package-archive",
	},
	Looks: looksZIP,
	Read:  readZIP,
}

var (
	zipMember    = []byte("PK\x03\x04")
	zipEmpty     = []byte("PK\x05\x06")
	zipSpanned   = []byte("PK\x07\x08PK\x03\x04")
	zipEncrypted = uint16(1) // of the flags
	zipDeferred  = uint16(8) // sizes stand behind the data
)

func looksZIP(data []byte) Likeness {
	if bytes.HasPrefix(data, zipMember) || bytes.HasPrefix(data, zipEmpty) || bytes.HasPrefix(data, zipSpanned) {
		return Certain
	}
	return Unlike
}

func readZIP(data []byte, at *Step, b *Budget, leaf Leaf) error {
	if looksZIP(data) == Unlike {
		return ErrOther
	}
	w := zipReader{walk: begin(b, leaf)}
	defer w.end()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return w.stream(data, at)
	}
	if archive.Comment != "" {
		if err := w.show(at, "", Text, []byte(archive.Comment)); err != nil {
			return err
		}
	}
	var broken error
	for _, f := range archive.File {
		offset, err := f.DataOffset()
		if err != nil || offset > int64(len(data)) {
			broken = ErrOther
			continue
		}
		raw := data[offset:]
		if f.CompressedSize64 < uint64(len(raw)) {
			raw = raw[:f.CompressedSize64]
		}
		if f.Comment != "" {
			if err := w.show(at, "", Text, []byte(f.Comment)); err != nil {
				return err
			}
		}
		switch _, err := w.member(f.Name, f.Flags, f.Method, raw, at); err {
		case nil:
		case ErrOther:
			broken = ErrOther
		default:
			return err
		}
	}
	return broken
}

type zipReader struct {
	*walk
	inflater io.ReadCloser // used again: an archive may have many members
}

// member shows a member. used is how much of raw its data took.
func (w *zipReader) member(name string, flags, method uint16, raw []byte, at *Step) (used int, err error) {
	if err := w.archived(at, name); err != nil {
		return 0, err
	}
	where, base := w.field(at, 0, name), path.Base(name)
	switch {
	case flags&zipEncrypted != 0 || method != zip.Store && method != zip.Deflate:
		if len(raw) == 0 {
			return 0, nil
		}
		return len(raw), w.show(where, base, Bytes, raw)
	case method == zip.Store:
		if len(raw) == 0 {
			return 0, nil
		}
		// A byte may be in several members that overlap.
		if !w.b.take(len(raw)) {
			return 0, ErrBudget
		}
		return len(raw), w.show(where, base, Bytes, raw)
	}
	src := bytes.NewReader(raw)
	if w.inflater == nil {
		w.inflater = flate.NewReader(src)
	} else if err := w.inflater.(flate.Resetter).Reset(src, nil); err != nil {
		return 0, err
	}
	out, err := w.limited(w.inflater)
	used = len(raw) - src.Len()
	if len(out) > 0 {
		if err := w.show(where, base, Bytes, out); err != nil {
			return used, err
		}
	}
	return used, err
}

// archived shows the name of a member of an archive.
func (w *walk) archived(at *Step, name string) error {
	if name == "" {
		return w.pass()
	}
	return w.show(at, "", Text, []byte(name))
}

// limited reads all that the budget allows. What was read before an error is returned
// with it: ErrBudget, or ErrOther for what breaks off.
func (w *walk) limited(r io.Reader) ([]byte, error) {
	left := max(w.b.Bytes, 0)
	out, err := io.ReadAll(io.LimitReader(r, left+1))
	over := int64(len(out)) > left
	w.b.take(len(out))
	switch {
	case over:
		return out[:left], ErrBudget
	case err != nil:
		return out, ErrOther
	}
	return out, nil
}

// zipHead is how long the head of a member is, without its name and extra field.
const zipHead = 30

// stream reads members one after the other by the heads that stand before them.
func (w *zipReader) stream(data []byte, at *Step) error {
	for {
		i := bytes.Index(data, zipMember)
		if i < 0 || len(data)-i < zipHead {
			return ErrOther
		}
		head := data[i:]
		flags, method := binary.LittleEndian.Uint16(head[6:]), binary.LittleEndian.Uint16(head[8:])
		size := uint64(binary.LittleEndian.Uint32(head[18:]))
		name, extra := int(binary.LittleEndian.Uint16(head[26:])), int(binary.LittleEndian.Uint16(head[28:]))
		if len(head) < zipHead+name+extra {
			data = head[len(zipMember):]
			continue
		}
		raw := head[zipHead+name+extra:]
		if flags&zipDeferred == 0 && size < uint64(len(raw)) {
			raw = raw[:size]
		} else if flags&zipDeferred != 0 && method != zip.Deflate {
			if end := bytes.Index(raw, []byte("PK")); end >= 0 {
				raw = raw[:end]
			}
		}
		used, err := w.member(string(head[zipHead:zipHead+name]), flags, method, raw, at)
		if err != nil && err != ErrOther {
			return err
		}
		if err != nil { // its end can't be told: the next head may stand anywhere
			used = 0
		}
		data = head[zipHead+name+extra+used:]
	}
}
