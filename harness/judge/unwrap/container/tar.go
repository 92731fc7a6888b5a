package container

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
)

// tarFormat reads tar archives: of v7, ustar, pax and GNU. A member stands at the field
// of its path in the archive; its name, the link's target and the owner are shown as
// Text, what it holds as Bytes.
var tarFormat = Format{
	Name: "tar", Binary: true, Chained: true,
	Media: []string{"application/x-tar", "application/tar", "application/x-gtar", "application/x-ustar"},
	Looks: looksTar,
	Read:  readTar,
}

// tarBlock is the size of a head; all else is a multiple of it.
const tarBlock = 512

// looksTar checks the sum of the first head, which every version has.
func looksTar(data []byte) Likeness {
	if len(data) < tarBlock || data[0] == 0 {
		return Unlike
	}
	field := bytes.Trim(data[148:156], " \x00")
	want, err := strconv.ParseInt(string(field), 8, 32)
	if err != nil {
		return Unlike
	}
	sum := int64(8 * ' ') // the field itself counts as spaces
	for i, c := range data[:tarBlock] {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	if sum != want {
		return Unlike
	}
	return Certain
}

func readTar(data []byte, at *Step, b *Budget, leaf Leaf) error {
	if looksTar(data) == Unlike {
		return ErrOther
	}
	w := begin(b, leaf)
	defer w.end()
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return ErrOther
		}
		for _, text := range []string{h.Name, h.Linkname, h.Uname, h.Gname} {
			if text == "" || text == "root" {
				continue
			}
			if err := w.archived(at, text); err != nil {
				return err
			}
		}
		for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
			if err := w.archived(at, h.PAXRecords[key]); err != nil {
				return err
			}
		}
		if h.Typeflag == tar.TypeDir || h.Size == 0 {
			continue
		}
		out, err := w.limited(r)
		if len(out) > 0 {
			if err := w.show(w.field(at, 0, h.Name), path.Base(h.Name), Bytes, out); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}
