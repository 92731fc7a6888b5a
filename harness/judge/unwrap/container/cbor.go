package container

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
)

// cbor reads CBOR (RFC 8949) and sequences of it (RFC 8742), whose values after the
// first stand at $[1] and so on. A key of a map that is no text stands in the path as
// its digits. Tags are passed over, but for big numbers, which are shown in digits,
// and for CBOR in a byte string (tag 24), which is read in its place.
var cbor = Format{
	Name: "cbor", Binary: true,
	Media: []string{"application/cbor", "+cbor", "application/cbor-seq", "+cbor-seq", "application/cose"},
	Looks: looksCBOR,
	Read:  readCBOR,
}

// selfDescribed is the tag that says that CBOR follows (section 3.4.6).
var selfDescribed = []byte{0xd9, 0xd9, 0xf7}

func looksCBOR(data []byte) Likeness {
	if len(data) > len(selfDescribed) && bytes.HasPrefix(data, selfDescribed) {
		return Certain
	}
	h, ok := (&cborReader{data: data}).head()
	switch {
	case !ok:
		return Unlike
	case h.major != cborMap && h.major != cborList && h.major != cborTag:
		return Possible
	}
	return certainly(data, func(w *walk) error {
		r := cborReader{walk: w, data: data}
		if err := r.value(nil, "", 1); err != nil || r.i < len(data) {
			return ErrOther
		}
		return nil
	})
}

func readCBOR(data []byte, at *Step, b *Budget, leaf Leaf) error {
	r := cborReader{walk: begin(b, leaf), data: data}
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

type cborReader struct {
	*walk
	data []byte
	i    int
}

// The major types (section 3.1).
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborList
	cborMap
	cborTag
	cborSimple
)

// cborBreak ends what has no length.
const cborBreak = 0xff

// cborHead is what stands before the content of an item.
type cborHead struct {
	major, info byte
	n           uint64 // the argument
	open        bool   // without a length, until the break
}

// head reads a head; ok is false if it breaks off or is none.
func (r *cborReader) head() (h cborHead, ok bool) {
	if r.i >= len(r.data) {
		return h, false
	}
	c := r.data[r.i]
	h.major, h.info = c>>5, c&0x1f
	r.i++
	switch {
	case h.info < 24:
		h.n = uint64(h.info)
	case h.info < 28:
		size := 1 << (h.info - 24)
		if len(r.data)-r.i < size {
			return h, false
		}
		for _, c := range r.data[r.i : r.i+size] {
			h.n = h.n<<8 | uint64(c)
		}
		r.i += size
	case h.info == 31 && h.major >= cborBytes && h.major <= cborMap:
		h.open = true
	default:
		return h, false
	}
	return h, true
}

// ended steps over the end of a list or map: the break, or the last of n.
func (r *cborReader) ended(h cborHead, n uint64) bool {
	if !h.open {
		return n >= h.n
	}
	if r.i < len(r.data) && r.data[r.i] == cborBreak {
		r.i++
		return true
	}
	return false
}

// content reads a string, in one piece or in chunks. Of one that breaks off it reads what there is.
func (r *cborReader) content(h cborHead) (b []byte, whole bool) {
	if !h.open {
		rest := r.data[r.i:]
		if h.n > uint64(len(rest)) {
			r.i = len(r.data)
			return rest, false
		}
		r.i += int(h.n)
		return rest[:h.n], true
	}
	for !r.ended(h, 0) {
		chunk, ok := r.head()
		if !ok || chunk.major != h.major || chunk.open {
			return b, false
		}
		piece, whole := r.content(chunk)
		b = append(b, piece...)
		if !whole {
			return b, false
		}
	}
	return b, true
}

func (r *cborReader) value(at *Step, key string, depth int) error {
	if depth > deepest {
		return ErrDeep
	}
	h, ok := r.head()
	if !ok {
		return ErrOther
	}
	switch h.major {
	case cborUint:
		return r.show(at, key, Number, strconv.AppendUint(r.digits[:0], h.n, 10))
	case cborNegative:
		return r.show(at, key, Number, appendNegative(r.digits[:0], h.n))
	case cborBytes, cborText:
		b, whole := r.content(h)
		return r.string(b, whole, h.major == cborText, at, key)
	case cborList:
		for n := uint64(0); !r.ended(h, n); n++ {
			if err := r.value(r.item(at, depth, int(n)), key, depth+1); err != nil {
				return err
			}
		}
		return r.pass()
	case cborMap:
		return r.pairs(h, at, key, depth)
	case cborTag:
		return r.tagged(h.n, at, key, depth)
	}
	return r.simple(h, at, key)
}

// appendNegative writes -1-n, which may be less than an int64 is.
func appendNegative(buf []byte, n uint64) []byte {
	if n < math.MaxUint64 {
		return strconv.AppendUint(append(buf, '-'), n+1, 10)
	}
	return append(buf, "-18446744073709551616"...)
}

func (r *cborReader) string(b []byte, whole, text bool, at *Step, key string) error {
	var err error
	switch {
	case len(b) == 0:
		err = r.pass()
	case text && legible(b):
		err = r.show(at, key, Text, b)
	default:
		err = r.show(at, key, Bytes, b)
	}
	if err == nil && !whole {
		err = ErrOther
	}
	return err
}

func (r *cborReader) simple(h cborHead, at *Step, key string) error {
	switch h.info {
	case 20, 21:
		return r.show(at, key, Bool, strconv.AppendBool(r.digits[:0], h.info == 21))
	case 25:
		return r.show(at, key, Number, appendFloat(r.digits[:0], half(uint16(h.n)), 32))
	case 26:
		return r.show(at, key, Number, appendFloat(r.digits[:0], float64(math.Float32frombits(uint32(h.n))), 32))
	case 27:
		return r.show(at, key, Number, appendFloat(r.digits[:0], math.Float64frombits(h.n), 64))
	}
	return r.pass() // null, undefined, values without a meaning
}

// half is a float of 16 bits (IEEE 754, binary16).
func half(bits uint16) float64 {
	exponent, fraction := int(bits>>10&0x1f), float64(bits&0x3ff)
	f := 0.0
	switch exponent {
	case 0:
		f = math.Ldexp(fraction, -24)
	case 31:
		if f = math.Inf(1); fraction != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(fraction+1024, exponent-25)
	}
	if bits>>15 == 1 {
		f = -f
	}
	return f
}

// The tags that change what is shown, and how long a number is that is written in digits.
const (
	tagPositive = 2
	tagNegative = 3
	tagCBOR     = 24
	longestBig  = 64 // bytes
)

func (r *cborReader) tagged(tag uint64, at *Step, key string, depth int) error {
	start := r.i
	h, ok := r.head()
	if !ok {
		return ErrOther
	}
	if h.major != cborBytes || tag != tagPositive && tag != tagNegative && tag != tagCBOR {
		r.i = start
		return r.value(at, key, depth+1)
	}
	b, whole := r.content(h)
	if !whole || tag != tagCBOR && len(b) > longestBig {
		return r.string(b, whole, false, at, key)
	}
	if tag == tagCBOR {
		if depth >= deepest {
			return ErrDeep
		}
		inner := cborReader{walk: r.walk, data: b}
		if err := inner.value(at, key, depth+1); err != ErrOther {
			return err
		}
		return r.string(b, whole, false, at, key)
	}
	n := new(big.Int).SetBytes(b)
	if tag == tagNegative {
		n.Not(n)
	}
	return r.show(at, key, Number, n.Append(nil, 10))
}

func (r *cborReader) pairs(h cborHead, at *Step, name string, depth int) error {
	for n := uint64(0); !r.ended(h, n); n++ {
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

// mapKey reads a key. One that is neither text nor a number is shown, and has no name.
func (r *cborReader) mapKey(at *Step, name string, depth int) (string, error) {
	start := r.i
	h, ok := r.head()
	if !ok {
		return "", ErrOther
	}
	switch h.major {
	case cborUint:
		b := strconv.AppendUint(r.digits[:0], h.n, 10)
		return r.name(b), r.key(at, name, b)
	case cborNegative:
		b := appendNegative(r.digits[:0], h.n)
		return r.name(b), r.key(at, name, b)
	case cborText, cborBytes:
		b, whole := r.content(h)
		if whole && legible(b) {
			return r.name(b), r.key(at, name, b)
		}
		return "", r.string(b, whole, false, at, name)
	}
	r.i = start
	return "", r.value(at, name, depth+1)
}
