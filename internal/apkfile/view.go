package apkfile

import (
	"encoding/binary"
)

// view is a stretch of a part's bytes that knows where it begins, so that an
// error can say where it is. No access goes outside it.
type view struct {
	b    []byte
	at   int64 // offset of b[0] within the part
	part string
	kind error
}

func (v view) fail(off int, format string, args ...any) error {
	return fault(v.kind, v.part, v.at+int64(off), format, args...)
}

func (v view) len() int { return len(v.b) }

// need checks that n bytes stand at off.
func (v view) need(off, n int) error {
	if off < 0 || n < 0 || off > len(v.b) || n > len(v.b)-off {
		return v.fail(min(max(off, 0), len(v.b)), "%d bytes expected, %d left", n, max(0, len(v.b)-max(off, 0)))
	}
	return nil
}

// slice is the n bytes at off.
func (v view) slice(off, n int) (view, error) {
	if err := v.need(off, n); err != nil {
		return view{}, err
	}
	return view{b: v.b[off : off+n], at: v.at + int64(off), part: v.part, kind: v.kind}, nil
}

// from is everything from off on.
func (v view) from(off int) (view, error) {
	if err := v.need(off, 0); err != nil {
		return view{}, err
	}
	return v.slice(off, len(v.b)-off)
}

func (v view) u8(off int) (uint8, error) {
	if err := v.need(off, 1); err != nil {
		return 0, err
	}
	return v.b[off], nil
}

func (v view) u16(off int) (uint16, error) {
	if err := v.need(off, 2); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint16(v.b[off:]), nil
}

func (v view) u32(off int) (uint32, error) {
	if err := v.need(off, 4); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(v.b[off:]), nil
}

func (v view) u64(off int) (uint64, error) {
	if err := v.need(off, 8); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(v.b[off:]), nil
}

// prefixed takes a value that is preceded by its length in 32 bits off the
// front of v, as the signing block has it.
func (v *view) prefixed() (view, error) {
	n, err := v.u32(0)
	if err != nil {
		return view{}, err
	}
	if int64(n) > int64(len(v.b)-4) {
		return view{}, v.fail(0, "a field of %d bytes is said to follow, %d bytes are left", n, len(v.b)-4)
	}
	out, err := v.slice(4, int(n))
	if err != nil {
		return view{}, err
	}
	*v, err = v.from(4 + int(n))
	return out, err
}

// The header of every chunk in a resource file.
type chunk struct {
	kind   uint16
	header int  // size of the header
	body   view // the whole chunk, header included
}

// chunk reads the chunk at off. The format is that of ResChunk_header in
// Android's ResourceTypes.h.
func (v view) chunk(off int) (chunk, error) {
	kind, err := v.u16(off)
	if err != nil {
		return chunk{}, err
	}
	header, err := v.u16(off + 2)
	if err != nil {
		return chunk{}, err
	}
	size, err := v.u32(off + 4)
	if err != nil {
		return chunk{}, err
	}
	if header < 8 || uint32(header) > size {
		return chunk{}, v.fail(off, "chunk 0x%04x has a header of %d bytes in a size of %d", kind, header, size)
	}
	if int64(size) > int64(len(v.b)-off) {
		return chunk{}, v.fail(off, "chunk 0x%04x is said to be %d bytes long, %d bytes are left", kind, size, len(v.b)-off)
	}
	body, err := v.slice(off, int(size))
	return chunk{kind: kind, header: int(header), body: body}, err
}
