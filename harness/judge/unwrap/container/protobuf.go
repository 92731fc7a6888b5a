package container

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// protobuf reads messages without their schema (protobuf.dev/programming-guides/encoding).
//
// A field stands at its number, $.1.2; one that stands more than once in its message
// at $.1.2[0] and so on. What a field is has to be guessed where its wire type does
// not tell, and where two guesses are good, both are shown:
//   - varints and fixed fields as the unsigned number that they are, and as the signed
//     one, the one in zigzag or the float where that is plausible;
//   - fields with a length as a message if they parse as one to their last byte, as
//     text if they are, and as bytes; bytes that are varints to the last one also as
//     a packed list.
var protobuf = Format{
	Name:   "protobuf",
	Binary: true,
	Media: []string{
		"application/x-protobuf", "application/protobuf", "application/x-google-protobuf", "application/vnd.google.protobuf",
		"application/proto", "+protobuf", "+proto", "application/x-protobuffer",
	},
	Looks: looksProtobuf,
	Read:  readProtobuf,
}

// Bounds of what is taken for a message that nothing announces.
const (
	deepestMessage  = 64      // messages within each other
	highestField    = 1 << 18 // extensions have high numbers, but hardly higher ones
	shortestMessage = 8       // bytes
	longestRaw      = 64      // bytes of an identifier or a digest as it is
	longestPacked   = 1 << 16 // bytes of a list of varints
)

func looksProtobuf(data []byte) Likeness {
	if len(data) == 0 {
		return Unlike
	}
	if certainMessage(data, 0) {
		return Certain
	}
	if _, n := nextField(data); n == 0 {
		return Unlike
	}
	return Possible
}

// certainMessage reports whether bytes are a message without anything that says so: they
// parse to the last byte, and a good part of them is text.
func certainMessage(data []byte, depth int) bool {
	if len(data) < shortestMessage || depth > deepestMessage {
		return false
	}
	text, opaque, ok := messageText(data, depth)
	return ok && (text >= 8 && (text*8 >= len(data) || text*2 >= len(data)-opaque) || text >= 6 && text*2 >= len(data)) &&
		(!legible(data) || lineMessage(data))
}

// messageText counts the bytes of text in a message, and those of fields that are neither
// text nor a message; ok is false if it is none.
func messageText(data []byte, depth int) (text, opaque int, ok bool) {
	for rest := data; len(rest) > 0; {
		f, n := nextField(rest)
		if n == 0 || !f.plausible() {
			return 0, 0, false
		}
		rest = rest[n:]
		if f.wire != protowire.BytesType {
			continue
		}
		inner, other, isMessage := 0, 0, false
		if depth < 8 && len(f.bytes) > 2 {
			inner, other, isMessage = messageText(f.bytes, depth+1)
		}
		switch {
		case len(f.bytes) >= 4 && legible(f.bytes):
			text += len(f.bytes)
		case isMessage:
			text += inner
			opaque += other
		default:
			opaque += len(f.bytes)
		}
	}
	return text, opaque, true
}

// Bounds of a message that holds numbers only.
const (
	shortestNumbers = 6
	longestNumbers  = 64
)

// NumbersOnly reports whether bytes may be a short message of Protocol Buffers that holds
// nothing but numbers: at least two fields, each once and in order, with tags of one byte.
// About one in a hundred of random bytes as short as that is one by chance.
func NumbersOnly(data []byte) bool {
	if len(data) < shortestNumbers || len(data) > longestNumbers {
		return false
	}
	last, fields := 0, 0
	for len(data) > 0 {
		f, n := nextField(data)
		if n == 0 || !f.plausible() || f.bytes != nil || f.wire == protowire.BytesType || f.number <= last || f.number > 15 {
			return false
		}
		last, data = f.number, data[n:]
		fields++
	}
	return fields >= 2
}

// lineMessage reports whether bytes that are legible are a message all the same: every
// field is the first one, and its tag a line feed.
func lineMessage(data []byte) bool {
	for len(data) > 0 {
		f, n := nextField(data)
		if n == 0 || data[0] != '\n' || len(f.bytes) == 0 {
			return false
		}
		data = data[n:]
	}
	return true
}

// wireField is a field as it stands on the wire.
type wireField struct {
	number  int
	wire    protowire.Type
	value   uint64 // of a varint or a fixed field
	bytes   []byte // of a field with a length, or of a group
	minimal bool   // the tag and the varint are as short as they can be
}

// plausible reports whether an encoder would write the field so.
func (f *wireField) plausible() bool {
	return f.minimal && f.number <= highestField && (f.number < 19000 || f.number > 19999) && f.wire != protowire.StartGroupType
}

// nextField reads the field that data begins with; n is its length, and 0 if there is none.
func nextField(data []byte) (f wireField, n int) {
	tag, n := protowire.ConsumeVarint(data)
	if n < 0 || tag>>3 == 0 || tag>>3 > uint64(protowire.MaxValidNumber) {
		return f, 0
	}
	f.number, f.wire, f.minimal = int(tag>>3), protowire.Type(tag&7), n == protowire.SizeVarint(tag)
	rest := data[n:]
	size := 0
	switch f.wire {
	case protowire.VarintType:
		f.value, size = protowire.ConsumeVarint(rest)
		f.minimal = f.minimal && size == protowire.SizeVarint(f.value)
	case protowire.Fixed32Type:
		var v uint32
		v, size = protowire.ConsumeFixed32(rest)
		f.value = uint64(v)
	case protowire.Fixed64Type:
		f.value, size = protowire.ConsumeFixed64(rest)
	case protowire.BytesType:
		f.bytes, size = protowire.ConsumeBytes(rest)
		f.minimal = f.minimal && size == protowire.SizeBytes(len(f.bytes))
	case protowire.StartGroupType:
		f.bytes, size = protowire.ConsumeGroup(protowire.Number(f.number), rest)
	default:
		return f, 0
	}
	if size < 0 {
		return f, 0
	}
	return f, n + size
}

func readProtobuf(data []byte, at *Step, b *Budget, leaf Leaf) error {
	r := protobufReader{begin(b, leaf)}
	defer r.end()
	return r.message(data, at, "", 0)
}

type protobufReader struct{ *walk }

// census counts the fields of a message by their numbers. A message has few of them;
// those beyond mostFields are not told apart, and get no position.
type census struct {
	number, total, seen [mostFields]int
	n                   int
}

const mostFields = 48

func (c *census) find(number int) int {
	for i := range c.n {
		if c.number[i] == number {
			return i
		}
	}
	return -1
}

func (c *census) count(number int) {
	i := c.find(number)
	if i < 0 {
		if c.n == mostFields {
			return
		}
		i = c.n
		c.n++
		c.number[i] = number
	}
	c.total[i]++
}

// position is the next position of a field that stands more than once, or -1.
func (c *census) position(number int) int {
	i := c.find(number)
	if i < 0 || c.total[i] < 2 {
		return -1
	}
	c.seen[i]++
	return c.seen[i] - 1
}

// message shows the fields of a message up to the first that is none.
func (r *protobufReader) message(data []byte, at *Step, name string, depth int) error {
	if depth > deepestMessage {
		return ErrDeep
	}
	if len(data) == 0 {
		return nil
	}
	var fields census
	for rest := data; len(rest) > 0; {
		f, n := nextField(rest)
		if n == 0 {
			break
		}
		fields.count(f.number)
		rest = rest[n:]
	}
	for len(data) > 0 {
		f, n := nextField(data)
		if n == 0 {
			return r.broken(data, at, depth)
		}
		data = data[n:]
		where := r.numbered(at, 3*depth, f.number)
		key := where.key
		if i := fields.position(f.number); i >= 0 {
			where = r.item(where, 3*depth+1, i)
		}
		if err := r.field(&f, where, key, depth); err != nil {
			return err
		}
	}
	return nil
}

// broken shows what there is of a field whose end was cut off.
func (r *protobufReader) broken(data []byte, at *Step, depth int) error {
	tag, n := protowire.ConsumeVarint(data)
	if n < 0 || tag>>3 == 0 || tag>>3 > uint64(protowire.MaxValidNumber) || protowire.Type(tag&7) != protowire.BytesType {
		return ErrOther
	}
	_, size := protowire.ConsumeVarint(data[n:])
	if size < 0 || n+size == len(data) {
		return ErrOther
	}
	where := r.numbered(at, 3*depth, int(tag>>3))
	rest := data[n+size:]
	if legible(rest) {
		if err := r.show(where, where.key, Text, rest); err != nil {
			return err
		}
	} else if depth < deepestMessage && begun(rest) {
		if err := r.message(rest, where, where.key, depth+1); err != nil && err != ErrOther {
			return err
		}
	} else if err := r.show(where, where.key, Bytes, rest); err != nil {
		return err
	}
	return ErrOther
}

// begun reports whether bytes begin with a tag that an encoder would write.
func begun(data []byte) bool {
	tag, n := protowire.ConsumeVarint(data)
	wire := protowire.Type(tag & 7)
	return n == protowire.SizeVarint(tag) && tag>>3 > 0 && tag>>3 <= highestField &&
		(wire <= protowire.BytesType || wire == protowire.Fixed32Type)
}

func (r *protobufReader) field(f *wireField, at *Step, key string, depth int) error {
	switch f.wire {
	case protowire.VarintType:
		return r.varint(f.value, at, key)
	case protowire.Fixed32Type:
		return r.fixed(f.value, int64(int32(f.value)), float64(math.Float32frombits(uint32(f.value))), 32, at, key)
	case protowire.Fixed64Type:
		return r.fixed(f.value, int64(f.value), math.Float64frombits(f.value), 64, at, key)
	case protowire.StartGroupType:
		return r.message(f.bytes, at, key, depth+1)
	}
	return r.length(f.bytes, at, key, depth)
}

// length shows a field with a length as what it may be.
func (r *protobufReader) length(data []byte, at *Step, key string, depth int) error {
	if len(data) == 0 {
		return nil
	}
	text := legible(data)
	if text {
		if err := r.show(at, key, Text, data); err != nil {
			return err
		}
	}
	if depth < deepestMessage && wholeMessage(data) && (!text || lineMessage(data)) {
		if !text && len(data) <= longestRaw && !certainMessage(data, depth) {
			if err := r.show(at, key, Bytes, data); err != nil {
				return err
			}
		}
		return r.message(data, at, key, depth+1)
	}
	if text {
		return nil
	}
	if err := r.show(at, key, Bytes, data); err != nil {
		return err
	}
	return r.packed(data, at, key, depth)
}

// wholeMessage reports whether every byte belongs to a field that an encoder would write so.
func wholeMessage(data []byte) bool {
	for len(data) > 0 {
		f, n := nextField(data)
		if n == 0 || !f.plausible() {
			return false
		}
		data = data[n:]
	}
	return true
}

// packed shows the numbers of bytes that are a list of varints, but for small ones: most
// bytes are such a list by chance.
func (r *protobufReader) packed(data []byte, at *Step, key string, depth int) error {
	if len(data) > longestPacked {
		return nil
	}
	count := 0
	for rest := data; len(rest) > 0; count++ {
		v, n := protowire.ConsumeVarint(rest)
		if n < 0 || n != protowire.SizeVarint(v) {
			return nil
		}
		rest = rest[n:]
	}
	if count < 2 {
		return nil
	}
	for i := 0; len(data) > 0; i++ {
		v, n := protowire.ConsumeVarint(data)
		data = data[n:]
		if v < leastTelling {
			continue
		}
		if err := r.varint(v, r.item(at, 3*depth+2, i), key); err != nil {
			return err
		}
	}
	return nil
}

// leastTelling is the least number that may identify: it is shown in a packed list, and
// as the signed number that it would be in zigzag: coordinates are sent so, in 1e-7
// degrees.
const leastTelling = 1 << 20

func (r *protobufReader) varint(v uint64, at *Step, key string) error {
	if err := r.show(at, key, Number, strconv.AppendUint(r.digits[:0], v, 10)); err != nil {
		return err
	}
	if v > math.MaxInt64 {
		if err := r.show(at, key, Number, strconv.AppendInt(r.digits[:0], int64(v), 10)); err != nil {
			return err
		}
	}
	if v >= leastTelling {
		return r.show(at, key, Number, strconv.AppendInt(r.digits[:0], protowire.DecodeZigZag(v), 10))
	}
	return nil
}

func (r *protobufReader) fixed(v uint64, signed int64, float float64, bits int, at *Step, key string) error {
	if err := r.show(at, key, Number, strconv.AppendUint(r.digits[:0], v, 10)); err != nil {
		return err
	}
	if signed < 0 {
		if err := r.show(at, key, Number, strconv.AppendInt(r.digits[:0], signed, 10)); err != nil {
			return err
		}
	}
	// A number that people or programs write as a float is of a usual size.
	if size := math.Abs(float); size < 1e-6 || size > 1e15 || math.IsNaN(size) {
		return nil
	}
	return r.show(at, key, Number, strconv.AppendFloat(r.digits[:0], float, 'f', -1, bits))
}
