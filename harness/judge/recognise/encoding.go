package recognise

import (
	"bytes"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"html"
	"mime/quotedprintable"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mr-tron/base58"
)

// encoding is a way to write a whole value, by the name that the knowledge uses.
type encoding struct {
	link string // in a chain
	// of gives nil where it does not apply.
	of func([]byte) []byte
	// plain encodings leave most values as they are, and are no disguise then.
	plain bool
	// unannounced encodings show nothing of themselves: what they gave looks like any
	// other value, so that a decoder has no reason to try.
	unannounced bool
	// rare encodings are seldom hashed.
	rare bool
}

var encodings = map[string]encoding{
	"base64":          {link: "base64", of: func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }},
	"base64-unpadded": {link: "base64", of: func(b []byte) []byte { return []byte(base64.RawStdEncoding.EncodeToString(b)) }},
	"base64-url":      {link: "base64", of: func(b []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(b)) }},
	"hex":             {link: "hex", of: func(b []byte) []byte { return []byte(hex.EncodeToString(b)) }},
	"hex-upper":       {link: "hex", of: func(b []byte) []byte { return bytes.ToUpper([]byte(hex.EncodeToString(b))) }},
	"url":             {link: "url", of: func(b []byte) []byte { return []byte(url.QueryEscape(string(b))) }, plain: true},
	"url-component":   {link: "url", of: component, plain: true},
	"base32":          {link: "base32", of: func(b []byte) []byte { return []byte(base32.StdEncoding.EncodeToString(b)) }},
	"base32-unpadded": {link: "base32", of: func(b []byte) []byte {
		return []byte(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
	}},
	"bytes":            {link: "raw", of: toBytes},
	"fixed64":          {link: "raw", of: func(b []byte) []byte { return toFixed64(b, binary.LittleEndian) }},
	"fixed64-big":      {link: "raw", of: func(b []byte) []byte { return toFixed64(b, binary.BigEndian) }},
	"base58":           {link: "base58", of: func(b []byte) []byte { return []byte(base58.Encode(b)) }},
	"ascii85":          {link: "ascii85", of: toASCII85},
	"quoted-printable": {link: "quoted-printable", of: toQuotedPrintable, plain: true},
	"html":             {link: "html", of: func(b []byte) []byte { return []byte(html.EscapeString(string(b))) }, plain: true},
	"json":             {link: "unicode", of: toJSON, plain: true},
	"lzstring-base64":  {link: "lzstring", of: toLZBase64, rare: true},
	"lzstring-uri":     {link: "lzstring", of: toLZURI, rare: true},
	"lzstring-utf16":   {link: "lzstring", of: toLZUTF16, rare: true},
	"lzstring-bytes":   {link: "lzstring", of: toLZBytes, rare: true},
	"utf-16le":         {link: "utf-16le", of: func(b []byte) []byte { return toUTF16(b, binary.LittleEndian) }, unannounced: true},
	"utf-16be":         {link: "utf-16be", of: func(b []byte) []byte { return toUTF16(b, binary.BigEndian) }, unannounced: true},
	"reversed":         {link: "reversed", of: reversed, unannounced: true},
	"rot13":            {link: "rot13", of: rot13, unannounced: true},
}

// component escapes as encodeURIComponent does (ECMA-262, 19.2.6.4): a space is no plus.
func component(b []byte) []byte {
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || bytes.IndexByte([]byte("-_.!~*'()"), c) >= 0 {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return out
}

func toASCII85(b []byte) []byte {
	out := make([]byte, ascii85.MaxEncodedLen(len(b)))
	return out[:ascii85.Encode(out, b)]
}

func toQuotedPrintable(b []byte) []byte {
	var out bytes.Buffer
	w := quotedprintable.NewWriter(&out)
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// toJSON is a value as encoders write it that escape what HTML does not like.
func toJSON(b []byte) []byte {
	out, err := json.Marshal(string(b))
	if err != nil {
		return nil
	}
	return out[1 : len(out)-1]
}

// toBytes are the bytes that a UUID, a MAC address or other hexadecimal digits stand for.
func toBytes(b []byte) []byte {
	digits := strings.NewReplacer("-", "", ":", "", "{", "", "}", "").Replace(string(b))
	class := classOf([]byte(digits))
	if len(digits) < 2*shortestBrief || class > hexadecimal || class == decimal && len(digits) == len(b) {
		return nil
	}
	out, err := hex.DecodeString(digits)
	if err != nil {
		return nil
	}
	return out
}

// toFixed64 is a decimal number as an integer of 64 bits.
func toFixed64(b []byte, o binary.AppendByteOrder) []byte {
	v, err := strconv.ParseUint(string(b), 10, 64)
	if err != nil || v < 1<<35 {
		return nil
	}
	return o.AppendUint64(nil, v)
}

// order is how the two bytes of a character stand.
type order interface {
	AppendUint16([]byte, uint16) []byte
}

func toUTF16(b []byte, o order) []byte {
	if !utf8.Valid(b) {
		return nil
	}
	out := make([]byte, 0, 2*len(b))
	for _, u := range utf16.Encode([]rune(string(b))) {
		out = o.AppendUint16(out, u)
	}
	return out
}

// reversed puts characters in reverse, and bytes where they are no characters.
func reversed(b []byte) []byte {
	if utf8.Valid(b) {
		runes := []rune(string(b))
		slices.Reverse(runes)
		return []byte(string(runes))
	}
	out := slices.Clone(b)
	slices.Reverse(out)
	return out
}

func rot13(b []byte) []byte {
	out := slices.Clone(b)
	for i, c := range out {
		switch {
		case c >= 'a' && c <= 'z':
			out[i] = 'a' + (c-'a'+13)%26
		case c >= 'A' && c <= 'Z':
			out[i] = 'A' + (c-'A'+13)%26
		}
	}
	return out
}

// aligned is the part of a text in base64 or base32 that follows from value alone,
// when value begins shift bytes after a border of a group. digit is how many bits a
// character has.
func aligned(encode func([]byte) string, digit int, value []byte, shift int) []byte {
	padded := append(make([]byte, shift), value...)
	text := encode(padded)
	from := (shift*8 + digit - 1) / digit
	to := len(padded) * 8 / digit
	if to-from < shortestAligned {
		return nil
	}
	return []byte(text[from:to])
}
