package coding

import (
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

// Bare blocks have no magic and no checksum, so nearly anything may be tried as one. They
// are walked first without writing: what is none is known before room is made for it.

// lz4Block reads a bare block, or one with its size before it (four bytes, little or
// big endian), as lz4's bindings for many languages write it.
func lz4Block(dst, src []byte, most int) ([]byte, error) {
	if len(src) > 8 {
		for _, size := range []uint32{binary.LittleEndian.Uint32(src), binary.BigEndian.Uint32(src)} {
			if size == 0 || int64(size) > int64(len(src))*255 || int64(size) < int64(len(src))-4-16 {
				continue
			}
			if int64(size) > int64(most) {
				return dst, ErrBudget
			}
			if lz4Length(src[4:], int(size)) != int(size) {
				continue
			}
			if out, err := lz4Sized(dst, src[4:], int(size)); err == nil && len(out)-len(dst) == int(size) {
				return out, nil
			}
		}
	}
	size := lz4Length(src, most)
	if size < 0 {
		return dst, ErrForm
	}
	return lz4Sized(dst, src, size)
}

func lz4Sized(dst, src []byte, size int) ([]byte, error) {
	at := len(dst)
	out := slices.Grow(dst, size)
	n, err := lz4.UncompressBlock(src, out[at:at+size])
	if err != nil {
		return dst, ErrForm
	}
	return out[:at+n], nil
}

// lz4Length is how many bytes a bare block gives, or -1 where src is none or gives more
// than most (lz4's Block Format Description).
func lz4Length(src []byte, most int) int {
	length := 0
	for at := 0; ; {
		if at >= len(src) {
			return -1 // a block ends with literals
		}
		token := src[at]
		at++
		literals, next := lz4Run(src, at, int(token>>4))
		if next < 0 || next+literals > len(src) {
			return -1
		}
		at = next + literals
		length += literals
		if at == len(src) && length <= most {
			return length // the last sequence is literals only
		}
		if at+2 > len(src) {
			return -1
		}
		offset := int(binary.LittleEndian.Uint16(src[at:]))
		match, next := lz4Run(src, at+2, int(token&15))
		if next < 0 || offset == 0 || offset > length {
			return -1
		}
		at = next
		if length += match + 4; length > most {
			return -1
		}
	}
}

// lz4Run reads the rest of a length whose first four bits are known, and where it ends;
// that is -1 where src ends before.
func lz4Run(src []byte, at, n int) (length, next int) {
	if n < 15 {
		return n, at
	}
	for at < len(src) {
		b := src[at]
		at++
		if n += int(b); b != 255 {
			return n, at
		}
	}
	return 0, -1
}

// snappyBlock reads a bare block of Snappy, which begins with its size.
func snappyBlock(dst, src []byte, most int) ([]byte, error) {
	size, err := snappy.DecodedLen(src)
	if err != nil || size == 0 || int64(size) > int64(len(src))*64 {
		return dst, ErrForm
	}
	if !snappyGives(src, size) {
		return dst, ErrForm
	}
	if size > most {
		return dst, ErrBudget
	}
	at := len(dst)
	out := slices.Grow(dst, size)
	got, err := snappy.Decode(out[at:at+size], src)
	if err != nil {
		return dst, ErrForm
	}
	return append(dst, got...), nil
}

// snappyGives reports whether a bare block's elements give the size that it begins with
// (Snappy's format_description.txt, section 2).
func snappyGives(src []byte, size int) bool {
	_, at := binary.Uvarint(src)
	length := 0
	for at < len(src) {
		tag := src[at]
		at++
		n, offset, wide := int(tag>>2)+1, 0, 0
		switch tag & 3 {
		case 0: // literals; 60 to 63 say how many bytes the length has
			if n > 60 {
				wide = n - 60
			}
			if at+wide > len(src) {
				return false
			}
			if wide > 0 {
				n = little(src[at:at+wide]) + 1
			}
			at += wide + n
			length += n
			if at > len(src) || length > size {
				return false
			}
			continue
		case 1:
			wide, n = 1, int(tag>>2&7)+4
		case 2:
			wide = 2
		case 3:
			wide = 4
		}
		if at+wide > len(src) {
			return false
		}
		if offset = little(src[at : at+wide]); wide == 1 {
			offset |= int(tag>>5) << 8
		}
		at += wide
		if offset == 0 || offset > length {
			return false
		}
		if length += n; length > size {
			return false
		}
	}
	return length == size
}

// little is a number of up to four bytes, little end first.
func little(b []byte) int {
	n := 0
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | int(b[i])
	}
	return n
}
