package coding

// Bare are the compressions whose streams begin with no sign of their own. Their first
// bytes still rule most bytes out, which Plausible tells without opening anything.
var Bare = []string{"deflate", "brotli", "snappy-block", "lz4-block"}

// Plausible reports whether src, once each byte is combined with key, may be a whole stream of
// the named bare compression that holds something readable. It looks at a few bytes
// only: its no is certain for what the usual encoders write, its yes is a guess.
func Plausible(name string, src []byte, key byte) bool {
	return PlausibleHead(name, src, len(src), key)
}

// PlausibleHead is Plausible of which only the head is known, and how many bytes the stream has.
func PlausibleHead(name string, head []byte, size int, key byte) bool {
	if len(head) < 6 {
		return false
	}
	switch name {
	case "deflate":
		return plausibleDeflate(head, size, key)
	case "brotli":
		return plausibleBrotli(head, size, key)
	case "snappy-block":
		return plausibleSnappy(head, size, key)
	case "lz4-block":
		return plausibleLZ4(head, size, key)
	}
	return false
}

// keyed reads bits of bytes under a key, the lowest first.
type keyed struct {
	src []byte
	key byte
	at  int // bit
}

func (b *keyed) bits(n int) (v int) {
	for i := range n {
		if at := b.at + i; at>>3 < len(b.src) {
			v |= int((b.src[at>>3]^b.key)>>(at&7)&1) << i
		}
	}
	b.at += n
	return v
}

// plausibleDeflate reads the header of the first block (RFC 1951, section 3.2).
func plausibleDeflate(src []byte, whole int, key byte) bool {
	b := keyed{src: src, key: key}
	b.bits(1)
	switch b.bits(2) {
	case 0: // stored: the size stands there twice, the second time inverted
		if b.bits(5) != 0 {
			return false
		}
		size, inverse := b.bits(16), b.bits(16)
		return size^inverse == 0xffff && size > 0 && size <= whole
	case 1: // fixed codes: what comes first is no reference to what came before
		code := 0
		for range 8 {
			code = code<<1 | b.bits(1)
		}
		return code >= 0x30 && code <= 0xbf || code >= 0xc8 // a literal
	case 2: // codes of its own: the lengths of their lengths fill the tree
		literals, distances, lengths := b.bits(5), b.bits(5), b.bits(4)
		if literals > 29 || distances > 29 {
			return false
		}
		space := 0
		for range lengths + 4 {
			if n := b.bits(3); n > 0 {
				space += 128 >> n
			}
		}
		return space == 128
	}
	return false
}

// plausibleBrotli reads the header of the first meta-block (RFC 7932, sections 9.1 and 9.2).
func plausibleBrotli(src []byte, whole int, key byte) bool {
	b := keyed{src: src, key: key}
	if b.bits(1) == 1 && b.bits(3) == 0 {
		switch b.bits(3) {
		case 1: // large windows, which are of another format
			return false
		}
	}
	last := b.bits(1)
	if last == 1 && b.bits(1) == 1 {
		return false // nothing follows
	}
	nibbles := b.bits(2) + 4
	if nibbles == 7 {
		return false // bytes to be skipped
	}
	size := b.bits(4*nibbles) + 1
	if nibbles > 4 && size>>(4*nibbles-4) == 0 {
		return false // written longer than need be
	}
	if last == 0 && b.bits(1) == 1 { // not compressed
		return size <= whole
	}
	return size/64 <= whole && size >= whole/4
}

// plausibleSnappy reads the size and the first tag of a block (google/snappy, format_description.txt).
func plausibleSnappy(src []byte, whole int, key byte) bool {
	size, at := 0, 0
	for shift := 0; ; shift += 7 {
		if at == 4 || at == len(src) {
			return false
		}
		c := src[at] ^ key
		at++
		size |= int(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	if at >= len(src) || size+size/6+32 < whole || size > 22*whole {
		return false
	}
	tag := src[at] ^ key
	length := int(tag>>2) + 1
	at++
	if length > 60 {
		at += length - 60
		length = 4
	}
	return tag&3 == 0 && length <= size && at+length <= whole
}

// plausibleLZ4 reads the first token of a block (LZ4 Block Format Description), after
// its size or without one.
func plausibleLZ4(src []byte, whole int, key byte) bool {
	token := src[0] ^ key
	literals := int(token >> 4)
	switch {
	case literals == 0:
	case literals < 15 && 1+literals <= whole && (1+literals == whole || 3+literals < len(src)):
		// What follows the literals points back into them.
		if at := 1 + literals; at == whole {
			return true
		} else if back := int(src[at]^key) | int(src[at+1]^key)<<8; back > 0 && back <= literals {
			return true
		}
	case literals == 15:
		if length := 15 + int(src[1]^key); length+2 <= whole {
			return true
		}
	}
	if len(src) < 8 || key != 0 {
		return false
	}
	little := int(src[0]) | int(src[1])<<8 | int(src[2])<<16 | int(src[3])<<24
	big := int(src[3]) | int(src[2])<<8 | int(src[1])<<16 | int(src[0])<<24
	return min(little, big) <= 64*whole && min(little, big)+16 >= whole-4
}
