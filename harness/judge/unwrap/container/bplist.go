package container

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// bplist reads Apple's binary property lists of version 0 (CFBinaryPList.c in
// CoreFoundation). An object that several others hold is shown in each place, on the
// budget. A date is shown in RFC 3339, a UID as a number.
//
// howett.net/plist is not used: it unfolds such objects without a limit, and it
// panics with errors of the runtime where a file lies about its sizes.
var bplist = Format{
	Name: "plist", Binary: true,
	Media: []string{"application/x-bplist", "application/x-apple-binary-plist", "application/vnd.apple.binary-plist"},
	Looks: looksBplist,
	Read:  readBplist,
}

var bplistMagic = []byte("bplist0")

// bplistTrailer is how long the end of the file is that says where the objects are.
const bplistTrailer = 32

func looksBplist(data []byte) Likeness {
	if bytes.HasPrefix(data, bplistMagic) {
		return Certain
	}
	return Unlike
}

func readBplist(data []byte, at *Step, b *Budget, leaf Leaf) error {
	r := bplistReader{walk: begin(b, leaf), data: data}
	defer r.end()
	if looksBplist(data) != Certain {
		return ErrOther
	}
	if !r.trailer() {
		return r.scan(at)
	}
	return r.object(r.top, at, "", 1)
}

type bplistReader struct {
	*walk
	data        []byte // objects only, once the trailer is read
	table       []byte // of their offsets
	offset, ref int    // how many bytes an offset and a reference have
	count, top  uint64
}

// trailer reads the end of the file; it reports whether it makes sense.
func (r *bplistReader) trailer() bool {
	if len(r.data) < len(bplistMagic)+1+bplistTrailer {
		return false
	}
	end := len(r.data) - bplistTrailer
	t := r.data[end:]
	r.offset, r.ref = int(t[6]), int(t[7])
	r.count, r.top = binary.BigEndian.Uint64(t[8:]), binary.BigEndian.Uint64(t[16:])
	table := binary.BigEndian.Uint64(t[24:])
	if r.offset < 1 || r.offset > 8 || r.ref < 1 || r.ref > 8 || table > uint64(end) || table < uint64(len(bplistMagic)) ||
		r.count > (uint64(end)-table)/uint64(r.offset) || r.top >= r.count {
		return false
	}
	r.table = r.data[table : table+r.count*uint64(r.offset)]
	r.data = r.data[:table]
	return true
}

// number reads a number of size bytes, the highest first; only the lowest eight count.
func number(b []byte, size int) uint64 {
	v := uint64(0)
	for _, c := range b[:size] {
		v = v<<8 | uint64(c)
	}
	return v
}

// at is where an object stands, -1 for nowhere.
func (r *bplistReader) at(object uint64) int {
	if object >= r.count {
		return -1
	}
	at := number(r.table[object*uint64(r.offset):], r.offset)
	if at >= uint64(len(r.data)) {
		return -1
	}
	return int(at)
}

// head reads the marker of the object at i: its kind, its length, and where its content begins.
func (r *bplistReader) head(i int) (kind, info byte, n uint64, content int, ok bool) {
	if i < 0 || i >= len(r.data) {
		return 0, 0, 0, 0, false
	}
	kind, info = r.data[i]&0xf0, r.data[i]&0x0f
	n, content = uint64(info), i+1
	if info != 0x0f || kind < 0x40 || kind == 0x80 {
		return kind, info, n, content, true
	}
	if content >= len(r.data) || r.data[content]&0xf0 != 0x10 || r.data[content]&0x0f > 3 {
		return kind, info, n, content, false
	}
	size := 1 << (r.data[content] & 0x0f)
	content++
	if len(r.data)-content < size {
		return kind, info, n, content, false
	}
	return kind, info, number(r.data[content:], size), content + size, true
}

// slice is n times size bytes from i on.
func (r *bplistReader) slice(i int, n uint64, size int) ([]byte, bool) {
	rest := uint64(len(r.data) - i)
	if n > rest/uint64(size) {
		return nil, false
	}
	return r.data[i : i+int(n)*size], true
}

// object shows an object. One that is none, or that holds itself, ends the reading
// of the branch only: ErrOther is returned after all others were shown.
func (r *bplistReader) object(object uint64, at *Step, key string, depth int) error {
	if depth > deepest {
		return ErrDeep
	}
	if err := r.pass(); err != nil {
		return err
	}
	kind, info, n, i, ok := r.head(r.at(object))
	if !ok {
		return ErrOther
	}
	switch kind {
	case 0xa0, 0xb0, 0xc0: // array, ordered set, set
		refs, ok := r.slice(i, n, r.ref)
		if !ok {
			return ErrOther
		}
		return r.list(refs, at, key, depth)
	case 0xd0:
		if n > math.MaxInt32 {
			return ErrOther
		}
		refs, ok := r.slice(i, 2*n, r.ref)
		if !ok {
			return ErrOther
		}
		return r.dict(refs[:len(refs)/2], refs[len(refs)/2:], at, key, depth)
	}
	return r.scalar(kind, info, n, i, at, key)
}

func (r *bplistReader) list(refs []byte, at *Step, key string, depth int) error {
	var broken error
	for n := 0; len(refs) > 0; n++ {
		object := number(refs, r.ref)
		refs = refs[r.ref:]
		if err := r.object(object, r.item(at, depth, n), key, depth+1); err == ErrOther {
			broken = err
		} else if err != nil {
			return err
		}
	}
	return broken
}

func (r *bplistReader) dict(keys, values []byte, at *Step, name string, depth int) error {
	var broken error
	for len(keys) > 0 {
		k, v := number(keys, r.ref), number(values, r.ref)
		keys, values = keys[r.ref:], values[r.ref:]
		kind, _, n, i, ok := r.head(r.at(k))
		var text []byte
		if ok {
			text, ok = r.text(kind, n, i)
		}
		if !ok {
			broken = ErrOther
		}
		if !r.b.take(len(text)) {
			return ErrBudget
		}
		if err := r.key(at, name, text); err != nil {
			return err
		}
		key := r.name(text)
		if err := r.object(v, r.field(at, depth, key), key, depth+1); err == ErrOther {
			broken = err
		} else if err != nil {
			return err
		}
	}
	return broken
}

// text is the text of a string, in UTF-8.
func (r *bplistReader) text(kind byte, n uint64, i int) ([]byte, bool) {
	switch kind {
	case 0x50, 0x70: // ASCII, UTF-8
		return r.slice(i, n, 1)
	case 0x60:
		units, ok := r.slice(i, n, 2)
		if !ok || r.b.Bytes < int64(len(units)) {
			return nil, false
		}
		return utf8Of(units, binary.BigEndian), true
	}
	return nil, false
}

// utf8Of is text of UTF-16 in UTF-8.
func utf8Of(units []byte, order binary.ByteOrder) []byte {
	text := make([]byte, 0, len(units)+len(units)/2)
	for ; len(units) >= 2; units = units[2:] {
		c := rune(order.Uint16(units))
		if utf16.IsSurrogate(c) && len(units) >= 4 {
			if pair := utf16.DecodeRune(c, rune(order.Uint16(units[2:]))); pair != utf8.RuneError {
				c = pair
				units = units[2:]
			}
		}
		text = utf8.AppendRune(text, c)
	}
	return text
}

func (r *bplistReader) scalar(kind, info byte, n uint64, i int, at *Step, key string) error {
	switch kind {
	case 0x00:
		if info == 8 || info == 9 {
			return r.show(at, key, Bool, strconv.AppendBool(r.digits[:0], info == 9))
		}
		return nil
	case 0x10, 0x20, 0x30, 0x80:
		return r.numeric(kind, info, i, at, key)
	case 0x40:
		data, ok := r.slice(i, n, 1)
		if !ok {
			return ErrOther
		}
		return r.blob(data, Bytes, at, key)
	}
	text, ok := r.text(kind, n, i)
	if !ok {
		return ErrOther
	}
	return r.blob(text, Text, at, key)
}

func (r *bplistReader) blob(data []byte, t Type, at *Step, key string) error {
	if len(data) == 0 {
		return nil
	}
	// What several objects hold comes out more than once.
	if !r.b.take(len(data)) {
		return ErrBudget
	}
	if t == Text && !legible(data) {
		t = Bytes
	}
	return r.show(at, key, t, data)
}

// numeric shows an integer, a real, a date or a UID.
func (r *bplistReader) numeric(kind, info byte, i int, at *Step, key string) error {
	size := 1 << info
	if kind == 0x80 {
		size = int(info) + 1
	}
	if size > 16 || len(r.data)-i < size {
		return ErrOther
	}
	v := number(r.data[i:], size)
	switch {
	case kind == 0x80:
		return r.show(at, key, Number, strconv.AppendUint(r.digits[:0], v, 10))
	case kind == 0x10 && size == 8: // shorter ones have no sign
		return r.show(at, key, Number, strconv.AppendInt(r.digits[:0], int64(v), 10))
	case kind == 0x10:
		return r.show(at, key, Number, strconv.AppendUint(r.digits[:0], v, 10))
	case kind == 0x20 && size == 4:
		return r.show(at, key, Number, appendFloat(r.digits[:0], float64(math.Float32frombits(uint32(v))), 32))
	case kind == 0x20 && size == 8:
		return r.show(at, key, Number, appendFloat(r.digits[:0], math.Float64frombits(v), 64))
	case kind == 0x30 && size == 8:
		seconds := math.Float64frombits(v)
		if !(math.Abs(seconds) < 1e11) {
			return ErrOther
		}
		whole, part := math.Modf(seconds)
		t := appleEpoch.Unix() + int64(whole)
		return r.show(at, key, Text, time.Unix(t, int64(part*1e9)).UTC().AppendFormat(r.digits[:0], time.RFC3339))
	}
	return ErrOther
}

// appleEpoch is when dates count from.
var appleEpoch = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// scan shows the strings and the data of a list whose end is missing, one after the
// other: without its end nothing tells what belongs together. Objects stand one behind
// the other in what programs write.
func (r *bplistReader) scan(at *Step) error {
	r.ref = r.guessRef()
	shown := 0
	for i := len(bplistMagic) + 1; i < len(r.data); {
		kind, info, n, content, ok := r.head(i)
		i++
		if !ok {
			continue
		}
		size := uint64(1)
		switch kind {
		case 0x00:
			continue
		case 0x10, 0x20, 0x30:
			n = 1 << info
		case 0x60:
			size = 2
		case 0x80:
			n = uint64(info) + 1
		case 0xa0, 0xb0, 0xc0:
			size = uint64(r.ref)
		case 0xd0:
			size = 2 * uint64(r.ref)
		}
		data, ok := r.slice(content, n, int(size))
		if !ok {
			data = r.data[content:]
		}
		t := Text
		switch kind {
		case 0x40:
			t = Bytes
		case 0x50, 0x60, 0x70:
			if ok {
				data, _ = r.text(kind, n, content)
			}
		default:
			data = nil
		}
		if len(data) > 0 {
			if err := r.blob(data, t, r.item(at, 0, shown), ""); err != nil {
				return err
			}
			shown++
		}
		if !ok && len(data) > 0 {
			break // a string is cut off: it was the last
		}
		if ok {
			i = content + int(n*size)
		}
	}
	return ErrOther
}

// guessRef guesses how many bytes a reference has: behind the list or the dictionary that
// comes first stands a string.
func (r *bplistReader) guessRef() int {
	kind, _, n, content, ok := r.head(len(bplistMagic) + 1)
	if !ok || kind < 0xa0 || kind > 0xd0 || n > uint64(len(r.data)) {
		return 1
	}
	if kind == 0xd0 {
		n *= 2
	}
	for _, ref := range []int{1, 2, 4} {
		at := uint64(content) + n*uint64(ref)
		if at < uint64(len(r.data)) && r.data[at]>>4 >= 5 && r.data[at]>>4 <= 7 {
			return ref
		}
	}
	return 1
}
