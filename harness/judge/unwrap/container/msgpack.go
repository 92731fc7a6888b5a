package container

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// msgpack reads MessagePack (github.com/msgpack/msgpack/blob/master/spec.md). Several
// values may follow each other, those after the first at $[1] and so on. A key of a
// map that is no text stands in the path as its digits. Timestamps are shown as the
// seconds since 1970 and in RFC 3339, other extensions as Bytes. Strings that are no
// UTF-8 are Bytes: old encoders write them so.
var msgpack = Format{
	Name: "msgpack", Binary: true,
	Media: []string{"application/msgpack", "application/x-msgpack", "application/vnd.msgpack", "+msgpack"},
	Looks: looksMsgpack,
	Read:  readMsgpack,
}

func looksMsgpack(data []byte) Likeness {
	if len(data) == 0 || data[0] == 0xc1 {
		return Unlike
	}
	m := msgpackReader{data: data}
	if h, ok := m.head(); !ok || h.kind != msgpackMap && h.kind != msgpackList {
		return Possible
	}
	return certainly(data, func(w *walk) error {
		r := msgpackReader{walk: w, data: data}
		if err := r.value(nil, "", 1); err != nil || r.i < len(data) {
			return ErrOther
		}
		return nil
	})
}

func readMsgpack(data []byte, at *Step, b *Budget, leaf Leaf) error {
	r := msgpackReader{walk: begin(b, leaf), data: data}
	defer r.end()
	if len(data) == 0 {
		return ErrOther
	}
	for n := 0; r.i < len(data); n++ {
		where := at
		if n > 0 {
			where = r.item(at, 0, n)
		}
		if err := r.value(where, "", 1); err != nil {
			return err
		}
	}
	return nil
}

type msgpackReader struct {
	*walk
	data []byte
	i    int
}

// The kinds of values of MessagePack.
type msgpackKind int

const (
	msgpackNil msgpackKind = iota
	msgpackBool
	msgpackUint
	msgpackInt
	msgpackFloat32
	msgpackFloat64
	msgpackStr
	msgpackBin
	msgpackList
	msgpackMap
	msgpackExt
)

// msgpackHead is what stands before the content of a value.
type msgpackHead struct {
	kind msgpackKind
	// n is the number, the bits of a float, the bytes of the content, or the number
	// of the items or pairs.
	n   uint64
	ext int8
}

// head reads a head; ok is false if it breaks off or is none.
func (r *msgpackReader) head() (h msgpackHead, ok bool) {
	if r.i >= len(r.data) {
		return h, false
	}
	c := r.data[r.i]
	r.i++
	switch {
	case c < 0x80:
		return msgpackHead{kind: msgpackUint, n: uint64(c)}, true
	case c < 0x90:
		return msgpackHead{kind: msgpackMap, n: uint64(c & 0x0f)}, true
	case c < 0xa0:
		return msgpackHead{kind: msgpackList, n: uint64(c & 0x0f)}, true
	case c < 0xc0:
		return msgpackHead{kind: msgpackStr, n: uint64(c & 0x1f)}, true
	case c >= 0xe0:
		return msgpackHead{kind: msgpackInt, n: uint64(int64(int8(c)))}, true
	}
	f := msgpackForms[c-0xc0]
	if f.size < 0 {
		return h, false
	}
	h.kind = f.kind
	if h.n, ok = r.uint(f.size); !ok {
		return h, false
	}
	switch {
	case c == 0xc3:
		h.n = 1
	case h.kind == msgpackInt:
		shift := 64 - 8*f.size
		h.n = uint64(int64(h.n<<shift) >> shift)
	case c >= 0xd4 && c <= 0xd8:
		h.n = 1 << (c - 0xd4)
	}
	if h.kind == msgpackExt {
		e, ok := r.uint(1)
		h.ext = int8(e)
		return h, ok
	}
	return h, true
}

// msgpackForms are the heads from 0xc0 to 0xdf: what they are, and the size of the number that follows.
var msgpackForms = [32]struct {
	kind msgpackKind
	size int
}{
	{msgpackNil, 0}, {msgpackNil, -1}, {msgpackBool, 0}, {msgpackBool, 0},
	{msgpackBin, 1}, {msgpackBin, 2}, {msgpackBin, 4},
	{msgpackExt, 1}, {msgpackExt, 2}, {msgpackExt, 4},
	{msgpackFloat32, 4}, {msgpackFloat64, 8},
	{msgpackUint, 1}, {msgpackUint, 2}, {msgpackUint, 4}, {msgpackUint, 8},
	{msgpackInt, 1}, {msgpackInt, 2}, {msgpackInt, 4}, {msgpackInt, 8},
	{msgpackExt, 0}, {msgpackExt, 0}, {msgpackExt, 0}, {msgpackExt, 0}, {msgpackExt, 0},
	{msgpackStr, 1}, {msgpackStr, 2}, {msgpackStr, 4},
	{msgpackList, 2}, {msgpackList, 4}, {msgpackMap, 2}, {msgpackMap, 4},
}

// uint reads a number of size bytes, the highest first.
func (r *msgpackReader) uint(size int) (v uint64, ok bool) {
	if len(r.data)-r.i < size {
		return 0, false
	}
	for _, c := range r.data[r.i : r.i+size] {
		v = v<<8 | uint64(c)
	}
	r.i += size
	return v, true
}

// content reads n bytes, or those that there are.
func (r *msgpackReader) content(n uint64) (b []byte, whole bool) {
	rest := r.data[r.i:]
	if n > uint64(len(rest)) {
		r.i = len(r.data)
		return rest, false
	}
	r.i += int(n)
	return rest[:n], true
}

func (r *msgpackReader) value(at *Step, key string, depth int) error {
	if depth > deepest {
		return ErrDeep
	}
	h, ok := r.head()
	if !ok {
		return ErrOther
	}
	switch h.kind {
	case msgpackNil:
		return r.pass()
	case msgpackBool:
		return r.show(at, key, Bool, strconv.AppendBool(r.digits[:0], h.n == 1))
	case msgpackUint:
		return r.show(at, key, Number, strconv.AppendUint(r.digits[:0], h.n, 10))
	case msgpackInt:
		return r.show(at, key, Number, strconv.AppendInt(r.digits[:0], int64(h.n), 10))
	case msgpackFloat32:
		return r.show(at, key, Number, appendFloat(r.digits[:0], float64(math.Float32frombits(uint32(h.n))), 32))
	case msgpackFloat64:
		return r.show(at, key, Number, appendFloat(r.digits[:0], math.Float64frombits(h.n), 64))
	case msgpackStr, msgpackBin, msgpackExt:
		return r.bytes(h, at, key)
	case msgpackList:
		return r.list(h.n, at, key, depth)
	}
	return r.pairs(h.n, at, key, depth)
}

// appendFloat writes a float as JSON would, without an exponent where it is of a usual size.
func appendFloat(buf []byte, f float64, bits int) []byte {
	if size := math.Abs(f); size != 0 && (size < 1e-9 || size >= 1e21) {
		return strconv.AppendFloat(buf, f, 'g', -1, bits)
	}
	return strconv.AppendFloat(buf, f, 'f', -1, bits)
}

func (r *msgpackReader) bytes(h msgpackHead, at *Step, key string) error {
	b, whole := r.content(h.n)
	var err error
	switch {
	case h.kind == msgpackExt && h.ext == -1 && whole && msgpackTime(b) != nil:
		t := *msgpackTime(b)
		if err = r.show(at, key, Number, strconv.AppendInt(r.digits[:0], t.Unix(), 10)); err == nil {
			err = r.show(at, key, Text, t.AppendFormat(r.digits[:0], time.RFC3339Nano))
		}
	case len(b) == 0:
		err = r.pass()
	case h.kind == msgpackStr && legible(b):
		err = r.show(at, key, Text, b)
	default:
		err = r.show(at, key, Bytes, b)
	}
	if err == nil && !whole {
		err = ErrOther
	}
	return err
}

// msgpackTime is the time of a timestamp extension, nil for none that can be written.
func msgpackTime(b []byte) *time.Time {
	var sec int64
	var nsec uint32
	switch len(b) {
	case 4:
		sec = int64(binary.BigEndian.Uint32(b))
	case 8:
		v := binary.BigEndian.Uint64(b)
		nsec, sec = uint32(v>>34), int64(v&(1<<34-1))
	case 12:
		nsec, sec = binary.BigEndian.Uint32(b), int64(binary.BigEndian.Uint64(b[4:]))
	default:
		return nil
	}
	// RFC 3339 has years from 0 to 9999.
	if nsec > 999_999_999 || sec < -62_135_596_800 || sec > 253_402_300_799 {
		return nil
	}
	t := time.Unix(sec, int64(nsec)).UTC()
	return &t
}

func (r *msgpackReader) list(n uint64, at *Step, key string, depth int) error {
	for i := uint64(0); i < n; i++ {
		if err := r.value(r.item(at, depth, int(i)), key, depth+1); err != nil {
			return err
		}
	}
	return r.pass()
}

func (r *msgpackReader) pairs(n uint64, at *Step, name string, depth int) error {
	for range n {
		key, err := r.mapKey(at, name, depth)
		if err != nil {
			return err
		}
		if err := r.value(r.field(at, depth, key), key, depth+1); err != nil {
			return err
		}
	}
	return r.pass()
}

// mapKey reads a key. One that is a list or a map is shown, and has no name.
func (r *msgpackReader) mapKey(at *Step, name string, depth int) (string, error) {
	start := r.i
	h, ok := r.head()
	if !ok {
		return "", ErrOther
	}
	switch h.kind {
	case msgpackStr, msgpackBin:
		b, whole := r.content(h.n)
		if !whole {
			if err := r.show(at, name, Bytes, b); err != nil {
				return "", err
			}
			return "", ErrOther
		}
		if !legible(b) {
			return "", r.show(at, name, Bytes, b)
		}
		return r.name(b), r.key(at, name, b)
	case msgpackUint:
		b := strconv.AppendUint(r.digits[:0], h.n, 10)
		return r.name(b), r.key(at, name, b)
	case msgpackInt:
		b := strconv.AppendInt(r.digits[:0], int64(h.n), 10)
		return r.name(b), r.key(at, name, b)
	}
	r.i = start
	return "", r.value(at, name, depth+1)
}
