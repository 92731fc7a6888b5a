package apkfile

import (
	"bytes"
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
)

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
