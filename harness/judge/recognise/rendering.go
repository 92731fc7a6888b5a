package recognise

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
)

// shortestBrief is how few raw bytes are looked for, among bytes that are no text.
const shortestBrief = 6

// renderings write a spelling, by the names that the knowledge uses.
var renderings = map[string]func(m *maker, value []byte){
	"plain": func(m *maker, value []byte) {
		m.add(value, needle{near: nearOf(value), unmistakable: embeddedBits(value) >= unmistakableAt, bits: float32(information(value))})
	},
	"url":              whole("url"),
	"url-component":    whole("url-component"),
	"html":             whole("html"),
	"json":             whole("json"),
	"base58":           whole("base58"),
	"ascii85":          whole("ascii85"),
	"quoted-printable": whole("quoted-printable"),
	"utf-16le":         unannounced("utf-16le"),
	"utf-16be":         unannounced("utf-16be"),
	"reversed":         unannounced("reversed"),
	"rot13":            unannounced("rot13"),
	"base64": func(m *maker, value []byte) {
		for i, text := range base64s(value) {
			x := m.coded(value, "base64")
			x.code = &inSixes[i%len(inSixes)]
			m.add(text, x)
		}
	},
	"base32": func(m *maker, value []byte) {
		for shift := range 5 {
			x := m.coded(value, "base32")
			x.code = &inFives[shift]
			m.add(aligned(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString, 5, value, shift), x)
		}
	},
	"hex": func(m *maker, value []byte) {
		x := m.coded(value, "hex")
		x.even, x.code = true, &inNibbles
		for _, text := range hexes(value) {
			m.add(text, x)
		}
	},
	"raw":     raw,
	"decimal": inDecimal,
}

// Where a value may stand in a group of each encoding.
var (
	inSixes   = [3]code{{&sixes, 6, 0}, {&sixes, 6, 1}, {&sixes, 6, 2}}
	inFives   = [5]code{{&fives, 5, 0}, {&fives, 5, 1}, {&fives, 5, 2}, {&fives, 5, 3}, {&fives, 5, 4}}
	inNibbles = code{&nibbles, 4, 0}
)

// base64s are the pieces of base64 that follow from a value, in either alphabet, by how
// many bytes stand before it.
func base64s(value []byte) [][]byte {
	var out [][]byte
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			out = append(out, aligned(enc.EncodeToString, 6, value, shift))
		}
	}
	return out
}

func hexes(value []byte) [][]byte {
	digits := hex.EncodeToString(value)
	return [][]byte{[]byte(digits), []byte(strings.ToUpper(digits))}
}

// coded is a needle in an encoding that leaves nothing of the value's characters.
func (m *maker) coded(value []byte, chain ...string) needle {
	return needle{chain: chain, unmistakable: true, bits: float32(information(value))}
}

// whole writes a value alone: what surrounds it changes nothing, or everything.
func whole(name string) func(*maker, []byte) {
	e := encodings[name]
	return func(m *maker, value []byte) {
		text := e.of(value)
		if len(text) == 0 {
			return
		}
		near := wordlike
		if e.plain && nearOf(value) == mailAddress {
			near = mailAddress
		}
		x := needle{chain: []string{e.link}, near: near, unmistakable: embeddedBits(value) >= unmistakableAt, bits: float32(information(value))}
		if !e.plain {
			x.unmistakable = true
		}
		m.add(text, x)
	}
}

// unannounced writes a value in an encoding that shows nothing of itself. Text in reverse
// or with rotated letters does not show an encoding below it either, so what the
// encodings make of a value alone is written so as well.
func unannounced(name string) func(*maker, []byte) {
	e := encodings[name]
	below := []string{"base64", "hex", "hex-upper", "url", "base32", "base58", "ascii85"}
	switch name {
	case "reversed":
		below = append(below, "rot13")
	case "rot13":
	default: // zero bytes between characters show UTF-16 well enough
		below = nil
	}
	return func(m *maker, value []byte) {
		near := nearOf(value)
		switch {
		case near == mailAddress && name == "reversed":
			near = mailReversed
		case name != "rot13" && near == mailAddress:
			near = wordlike
		}
		m.add(e.of(value), needle{chain: []string{e.link}, near: near, unmistakable: embeddedBits(value) >= unmistakableAt, bits: float32(information(value))})
		for _, second := range below {
			text := bytes.TrimRight(encodings[second].of(value), "=")
			m.add(e.of(text), m.coded(value, e.link, encodings[second].link))
		}
	}
}

// raw writes a value as the bytes that it stands for: a UUID, a MAC address or other
// hexadecimal digits as bytes, a number as programs keep it, a location as two numbers.
func raw(m *maker, value []byte) {
	add := func(text []byte, how, half string, bits float64) {
		m.add(text, needle{chain: []string{"raw"}, how: how, half: half, near: binaryOnly, unmistakable: true, bits: float32(bits)})
		// Digits of base64 that are so few are no sign of base64.
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			m.add([]byte(enc.EncodeToString(text)), needle{chain: []string{"base64", "raw"}, how: how, half: half, near: wordlike, bits: float32(bits)})
		}
	}
	// Of a number, hexadecimal digits are not what the number is written as.
	number := func(text []byte, how, half string, bits float64) {
		add(text, how, half, bits)
		for _, digits := range hexes(text) {
			m.add(digits, needle{chain: []string{"hex", "raw"}, how: how, half: half, near: hexadecimal, unmistakable: true, even: true, bits: float32(bits)})
		}
	}
	text := string(value)
	if b := toBytes(value); b != nil {
		add(b, "as bytes", "", 8*float64(len(b)))
		if len(b) == 16 { // as Windows writes a GUID: the first three fields backwards
			add([]byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}, "as a GUID", "", 128)
		}
	}
	// A number has to fill six bytes of a varint, or it stands in too many places by chance.
	if v, err := strconv.ParseUint(text, 10, 64); err == nil && v >= 1<<35 {
		entropy := math.Log2(float64(v))
		number(binary.LittleEndian.AppendUint64(nil, v), "as an integer of 64 bits", "", entropy)
		number(binary.BigEndian.AppendUint64(nil, v), "as an integer of 64 bits", "", entropy)
		number(binary.AppendUvarint(nil, v), "as a varint", "", entropy)
		number(binary.AppendUvarint(nil, v<<1), "as a varint with a sign", "", entropy)
		number(binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(v))), "as a double", "", entropy)
		number(binary.BigEndian.AppendUint64(nil, math.Float64bits(float64(v))), "as a double", "", entropy)
	}
	if lat, lon, ok := coordinates(text); ok {
		rawLocation(lat, lon, number)
	}
}

// rawLocation writes coordinates as doubles, each for itself, and as pairs of floats
// and of integers of ten-millionths of a degree.
func rawLocation(lat, lon float64, add func(text []byte, how, half string, bits float64)) {
	const each = 24 // bits of a coordinate with six decimals, about
	for _, o := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		add(o.AppendUint64(nil, math.Float64bits(lat)), "as a double", latitude, each)
		add(o.AppendUint64(nil, math.Float64bits(lon)), "as a double", longitude, each)
		for _, pair := range [][2]float64{{lat, lon}, {lon, lat}} {
			add(o.AppendUint32(o.AppendUint32(nil, math.Float32bits(float32(pair[0]))), math.Float32bits(float32(pair[1]))), "as two floats", "", 2*each)
			a, b := int32(math.Round(pair[0]*1e7)), int32(math.Round(pair[1]*1e7))
			add(o.AppendUint32(o.AppendUint32(nil, uint32(a)), uint32(b)), "as two integers of 1e-7 degrees", "", 2*each) //nolint:gosec // the bits are meant
		}
	}
}

// inDecimal writes what a value stands for as a number in decimal: sixteen hexadecimal
// digits as one of 64 bits with and without a sign, a UUID as two, a MAC address as one of
// 48, digits as a double is written, and coordinates as integers of small parts of a degree.
func inDecimal(m *maker, value []byte) {
	add := func(text, how, half string, bits float64) {
		near := decimal
		if strings.ContainsAny(text, ".Ee") {
			near = wordlike
		}
		m.add([]byte(text), needle{how: how, half: half, near: near, bits: float32(bits)})
	}
	of := func(b []byte, how string) {
		v := binary.BigEndian.Uint64(b)
		add(strconv.FormatUint(v, 10), how, "", 64)
		if v>>63 == 1 {
			add(strconv.FormatInt(int64(v), 10), how+" with a sign", "", 64) //nolint:gosec // the bits are meant
		}
	}
	switch b := toBytes(value); len(b) {
	case 6:
		add(strconv.FormatUint(binary.BigEndian.Uint64(append([]byte{0, 0}, b...)), 10), "as a number of 48 bits", "", 48)
	case 8:
		of(b, "as a number of 64 bits")
		little := slices.Clone(b)
		slices.Reverse(little)
		m.add(little, needle{chain: []string{"raw"}, how: "as an integer of 64 bits, the last byte first", near: binaryOnly, unmistakable: true, bits: 64})
	case 16:
		of(b[:8], "its first half as a number of 64 bits")
		of(b[8:], "its second half as a number of 64 bits")
	}
	text := string(value)
	if v, err := strconv.ParseUint(text, 10, 64); err == nil && v >= 1<<35 && v < 1<<53 && text[0] != '0' {
		written := strconv.FormatFloat(float64(v), 'E', -1, 64) // 8.6E+14
		bits := math.Log2(float64(v))
		add(strings.Replace(written, "E+", "E", 1), "as a double is written", "", bits)
		add(written, "as a double is written", "", bits)
		add(strings.ToLower(written), "as a double is written", "", bits)
		add(text+".0", "as a double is written", "", bits)
	}
	if lat, lon, ok := coordinates(text); ok {
		for i, degrees := range [...]float64{lat, lon} {
			for _, unit := range [...]float64{1e7, 1e6} {
				for _, whole := range [...]float64{math.Round(degrees * unit), math.Trunc(degrees * unit)} {
					add(strconv.FormatFloat(whole, 'f', 0, 64), "in parts of a degree", [...]string{latitude, longitude}[i], 24)
				}
			}
		}
	}
}
