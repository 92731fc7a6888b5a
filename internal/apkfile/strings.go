package apkfile

import (
	"encoding/binary"
	"unicode/utf16"
)

// maxStringBytes bounds what is decoded out of one string pool, for a few bytes of
// hostile input may point at the same long string again and again.
const maxStringBytes = 32 << 20

// stringPool is a pool of strings, decoded on demand. The format is that of
// ResStringPool_header in Android's ResourceTypes.h.
type stringPool struct {
	body    view
	offsets view // 32 bits each
	data    view
	count   int
	utf8    bool
	cache   map[uint32]string
	decoded int
}

const (
	chunkStringPool = 0x0001
	flagUTF8        = 1 << 8
)

func newStringPool(c chunk) (*stringPool, error) {
	v := c.body
	if c.kind != chunkStringPool {
		return nil, v.fail(0, "a string pool was expected, chunk 0x%04x found", c.kind)
	}
	if c.header < 28 {
		return nil, v.fail(2, "a string pool's header has 28 bytes, not %d", c.header)
	}
	count, _ := v.u32(8)
	flags, _ := v.u32(16)
	start, err := v.u32(20)
	if err != nil {
		return nil, err
	}
	p := &stringPool{body: v, utf8: flags&flagUTF8 != 0, cache: map[uint32]string{}}
	if int64(count)*4 > int64(v.len()-c.header) {
		return nil, v.fail(8, "%d strings are announced in %d bytes", count, v.len())
	}
	p.count = int(count)
	if p.offsets, err = v.slice(c.header, p.count*4); err != nil {
		return nil, err
	}
	if count == 0 {
		return p, nil
	}
	if int64(start) > int64(v.len()) {
		return nil, v.fail(20, "strings begin at %d, outside the pool of %d bytes", start, v.len())
	}
	p.data, err = v.from(int(start))
	return p, err
}

// noString is the index that stands for "none".
const noString = 0xffffffff

// get is the string at an index; "" for none.
func (p *stringPool) get(i uint32) (string, error) {
	if i == noString {
		return "", nil
	}
	if p == nil || int64(i) >= int64(p.count) {
		if p == nil {
			return "", fault(ErrBadXML, "string pool", -1, "string %d is asked for before any pool", i)
		}
		return "", p.body.fail(0, "string %d of %d is asked for", i, p.count)
	}
	if s, ok := p.cache[i]; ok {
		return s, nil
	}
	off, err := p.offsets.u32(int(i) * 4)
	if err != nil {
		return "", err
	}
	if int64(off) >= int64(p.data.len()) {
		return "", p.offsets.fail(int(i)*4, "string %d begins at %d, outside the pool", i, off)
	}
	var s string
	if p.utf8 {
		s, err = p.decodeUTF8(int(off))
	} else {
		s, err = p.decodeUTF16(int(off))
	}
	if err != nil {
		return "", err
	}
	if p.decoded += len(s); p.decoded > maxStringBytes {
		return "", fault(ErrTooLarge, p.body.part, p.body.at, "its strings decode to more than %d bytes", maxStringBytes)
	}
	p.cache[i] = s
	return s, nil
}

// decodeUTF8: length in UTF-16 units and length in bytes, each one or two bytes, then the bytes.
func (p *stringPool) decodeUTF8(off int) (string, error) {
	length := func() (int, error) {
		b, err := p.data.u8(off)
		if err != nil {
			return 0, err
		}
		off++
		if b&0x80 == 0 {
			return int(b), nil
		}
		low, err := p.data.u8(off)
		off++
		return int(b&0x7f)<<8 | int(low), err
	}
	if _, err := length(); err != nil {
		return "", err
	}
	n, err := length()
	if err != nil {
		return "", err
	}
	v, err := p.data.slice(off, n)
	return string(v.b), err
}

// decodeUTF16: length in units, one or two of them, then the units.
func (p *stringPool) decodeUTF16(off int) (string, error) {
	first, err := p.data.u16(off)
	if err != nil {
		return "", err
	}
	off += 2
	n := int(first)
	if first&0x8000 != 0 {
		low, err := p.data.u16(off)
		if err != nil {
			return "", err
		}
		off += 2
		n = int(first&0x7fff)<<16 | int(low)
	}
	v, err := p.data.slice(off, n*2)
	if err != nil {
		return "", err
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(v.b[2*i:])
	}
	return string(utf16.Decode(units)), nil
}
