package apkfile

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDex bounds one file of bytecode, in bytes: its method table holds 65,536, and
// real ones hardly pass 15 MB.
const maxDex = 256 << 20

// Offsets in the header of a DEX file (source.android.com/docs/core/runtime/dex-format).
const (
	dexHeader      = 0x70
	dexEndian      = 0x28
	dexStringCount = 0x38
	dexStringTable = 0x3c
	dexTypeCount   = 0x40
	dexTypeTable   = 0x44
	dexFieldCount  = 0x50
	dexMethodCount = 0x58
	dexMethodTable = 0x5c
	dexClassCount  = 0x60
	dexClassTable  = 0x64

	dexMethodSize = 8  // bytes of a method_id_item: class, prototype, name
	dexClassSize  = 32 // bytes of a class_def_item
)

// Dex is one file of bytecode. Its sequences yield what is sound and skip what is not;
// Broken counts what was skipped.
type Dex struct {
	Name    string
	Version string // of the format, such as "039"
	SHA256  [sha256.Size]byte
	v       view
	strings view // the places of all strings, 32 bits each
	types   view // the index of each type's name, 32 bits each
	methods view
	classes view
	fields  int
	broken  int
}

// DexNames are the entries that end in ".dex", those that Android loads first, sorted.
func (f *File) DexNames() []string {
	var main, other []string
	for n := range f.entries {
		if ok, _ := path.Match("classes*.dex", n); ok {
			main = append(main, n)
		} else if strings.HasSuffix(n, ".dex") {
			other = append(other, n)
		}
	}
	byNumber := func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	}
	slices.SortFunc(main, byNumber)
	slices.Sort(other)
	return append(main, other...)
}

// Dex reads one entry as bytecode. It holds the whole entry in memory.
func (f *File) Dex(name string) (*Dex, error) {
	if _, ok := f.entries[name]; !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	b, err := f.read(name, maxDex)
	if err != nil {
		return nil, err
	}
	d, err := parseDex(b, name)
	if err != nil {
		return nil, err
	}
	d.SHA256 = f.sum(name, b)
	return d, nil
}

// sum is the SHA-256 of an entry's whole content, which is kept: a JAR signature asks for it again.
func (f *File) sum(name string, content []byte) [sha256.Size]byte {
	f.odd.Lock()
	defer f.odd.Unlock()
	sum, ok := f.sums[name]
	if !ok {
		sum = sha256.Sum256(content)
		if f.sums == nil {
			f.sums = map[string][sha256.Size]byte{}
		}
		f.sums[name] = sum
	}
	return sum
}

// summed is what sum kept.
func (f *File) summed(name string) ([sha256.Size]byte, bool) {
	f.odd.Lock()
	defer f.odd.Unlock()
	sum, ok := f.sums[name]
	return sum, ok
}

func parseDex(b []byte, name string) (*Dex, error) {
	d := &Dex{Name: name, v: view{b: b, part: name, kind: ErrBadDex}}
	var err error
	if d.strings, err = dexTable(d.v); err != nil {
		return nil, err
	}
	d.Version = printable(strings.TrimRight(string(b[4:8]), "\x00"))
	for _, t := range []struct {
		count, at, size int
		into            *view
	}{{dexTypeCount, dexTypeTable, 4, &d.types}, {dexMethodCount, dexMethodTable, dexMethodSize, &d.methods}, {dexClassCount, dexClassTable, dexClassSize, &d.classes}} {
		count, _ := d.v.u32(t.count)
		at, _ := d.v.u32(t.at)
		if count == 0 {
			continue
		}
		if int64(at)+int64(count)*int64(t.size) > int64(len(b)) {
			return nil, d.v.fail(t.count, "%d items are announced at %d, in %d bytes", count, at, len(b))
		}
		if *t.into, err = d.v.slice(int(at), int(count)*t.size); err != nil {
			return nil, err
		}
	}
	fields, _ := d.v.u32(dexFieldCount)
	d.fields = int(fields)
	return d, nil
}

// Counts are the numbers of classes that the file defines, and of strings, types, methods
// and fields that it refers to.
func (d *Dex) Counts() (classes, strings, types, methods, fields int) {
	return d.classes.len() / dexClassSize, d.strings.len() / 4, d.types.len() / 4, d.methods.len() / dexMethodSize, d.fields
}

// Broken is how many names the sequences had to skip so far.
func (d *Dex) Broken() int { return d.broken }

// Classes yields the type of each class that is defined, in the file's own form,
// "Lorg/example/Main$Inner;". The bytes are only valid until the next one.
func (d *Dex) Classes() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		left := d.budget()
		for at := 0; at < d.classes.len(); at += dexClassSize {
			i, _ := d.classes.u32(at)
			s, ok := d.typeName(i, &left)
			if ok && !yield(s) {
				return
			}
		}
	}
}

// Methods yields the class and the name of each method that is referred to.
func (d *Dex) Methods() iter.Seq2[[]byte, []byte] {
	return func(yield func(class, name []byte) bool) {
		left := d.budget()
		for at := 0; at < d.methods.len(); at += dexMethodSize {
			i, _ := d.methods.u16(at)
			n, _ := d.methods.u32(at + 4)
			class, ok := d.typeName(uint32(i), &left)
			name, fine := d.raw(n, &left)
			if ok && fine && !yield(class, name) {
				return
			}
		}
	}
}

// Strings yields every string as it stands in the file, in modified UTF-8 ([Text] turns
// it into text), in order.
func (d *Dex) Strings() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		left := d.budget()
		for i := range uint32(d.strings.len() / 4) {
			if s, ok := d.raw(i, &left); ok && !yield(s) {
				return
			}
		}
	}
}

// Text is modified UTF-8 as text.
func Text(b []byte) string { return mutf8(b) }

// budget bounds the bytes that one sequence looks at: a name may be referred to more than
// once, but an honest file stays far below.
func (d *Dex) budget() int { return 64*d.v.len() + 1<<20 }

func (d *Dex) typeName(i uint32, left *int) ([]byte, bool) {
	name, err := d.types.u32(int(min(i, 1<<30)) * 4)
	if err != nil {
		d.broken++
		return nil, false
	}
	return d.raw(name, left)
}

// raw is the string of an index, without its end.
func (d *Dex) raw(i uint32, left *int) ([]byte, bool) {
	off, err := d.strings.u32(int(min(i, 1<<30)) * 4)
	if err != nil || int64(off) >= int64(d.v.len()) || *left < 0 {
		d.broken++
		return nil, false
	}
	b := d.v.b[off:]
	at := 0
	for at < len(b) && at < 5 && b[at] >= 0x80 {
		at++
	}
	end := -1
	if at < min(len(b), 5) {
		at++
		end = bytes.IndexByte(b[at:], 0)
	}
	if end < 0 {
		*left -= len(b)
		d.broken++
		return nil, false
	}
	*left -= end + 8
	return b[at : at+end], true
}

// dexStrings yields the table of strings of a DEX file. Of a string that lies, the error
// is yielded once, and the others follow.
func dexStrings(b []byte, name string, yield func(string, error) bool) {
	v := view{b: b, part: name, kind: ErrBadDex}
	table, err := dexTable(v)
	if err != nil {
		yield("", err)
		return
	}
	// Every string stands in the file once, and no byte of it is more than one and a half of text.
	left := 2*len(b) + 1024
	failed := false
	for i := 0; i < table.len(); i += 4 {
		off, _ := table.u32(i)
		s, err := v.dexString(off)
		if err != nil {
			if !failed && !yield("", err) {
				return
			}
			failed = true
		}
		cost := len(s) + 1
		if err != nil && int64(off) < int64(len(b)) {
			cost = len(b) - int(off) // its end was looked for
		}
		if left -= cost; left < 0 {
			yield("", fault(ErrTooLarge, name, table.at+int64(i), "its strings are more than the file holds"))
			return
		}
		if s != "" && !yield(s, nil) {
			return
		}
	}
}

// dexTable is the table of the places of all strings, 32 bits each.
func dexTable(v view) (view, error) {
	if v.len() < dexHeader || !bytes.HasPrefix(v.b, []byte("dex\n")) {
		return view{}, v.fail(0, "it begins with % x, and no DEX file does", v.b[:min(v.len(), 8)])
	}
	if endian, _ := v.u32(dexEndian); endian != 0x12345678 {
		return view{}, v.fail(dexEndian, "its byte order is marked as %08x", endian)
	}
	count, _ := v.u32(dexStringCount)
	at, _ := v.u32(dexStringTable)
	if int64(at)+4*int64(count) > int64(v.len()) {
		return view{}, v.fail(dexStringCount, "%d strings are announced at %d, in %d bytes", count, at, v.len())
	}
	return v.slice(int(at), 4*int(count))
}

// dexString reads the string at off: its length in UTF-16 units as ULEB128, which is not
// needed, and MUTF-8 up to a zero byte.
func (v view) dexString(off uint32) (string, error) {
	at := int(off)
	if int64(off) >= int64(v.len()) {
		return "", v.fail(v.len(), "a string begins at %d, in %d bytes", off, v.len())
	}
	for n := 0; ; n++ {
		c, err := v.u8(at)
		if err != nil {
			return "", err
		}
		if n == 5 {
			return "", v.fail(int(off), "the length of a string has more than five bytes")
		}
		at++
		if c < 0x80 {
			break
		}
	}
	end := bytes.IndexByte(v.b[at:], 0)
	if end < 0 {
		return "", v.fail(at, "a string has no end")
	}
	return mutf8(v.b[at : at+end]), nil
}

// mutf8 is text of modified UTF-8: zero is written in two bytes, and a character beyond
// 16 bits as two surrogates of three bytes each. What is neither stands as U+FFFD.
func mutf8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, n := mutf8Unit(b)
		b = b[n:]
		if utf16.IsSurrogate(r) {
			if low, m := mutf8Unit(b); m > 0 && utf16.DecodeRune(r, low) != utf8.RuneError {
				r = utf16.DecodeRune(r, low)
				b = b[m:]
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

// mutf8Unit is the unit of UTF-16 that b begins with, and its length; 0 for none.
func mutf8Unit(b []byte) (rune, int) {
	switch {
	case len(b) == 0:
		return utf8.RuneError, 0
	case b[0] < 0x80:
		return rune(b[0]), 1
	case b[0]&0xe0 == 0xc0 && len(b) > 1 && b[1]&0xc0 == 0x80:
		return rune(b[0]&0x1f)<<6 | rune(b[1]&0x3f), 2
	case b[0]&0xf0 == 0xe0 && len(b) > 2 && b[1]&0xc0 == 0x80 && b[2]&0xc0 == 0x80:
		return rune(b[0]&0x0f)<<12 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f), 3
	}
	return utf8.RuneError, 1
}
