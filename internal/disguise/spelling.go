package disguise

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// The kinds of value that some disguises are for, by the names of package canary.
var (
	hexKinds     = []string{"ssaid", "advertising_id", "mac"}
	uuidKinds    = []string{"advertising_id"}
	macKinds     = []string{"mac"}
	phoneKinds   = []string{"phone", "contact_phone"}
	mailKinds    = []string{"email", "contact_email"}
	nameKinds    = []string{"name", "contact_name"}
	decimalKinds = []string{"imei"}
	placeKinds   = []string{"location"}
)

// spellings are other ways to write the same value as text. A finding tells them as
// its variant, so they add nothing to a chain.
func spellings() []Disguise {
	spell := func(name string, kinds []string, write func(string) string) Disguise {
		return Disguise{
			Name: name, Kinds: kinds, Text: true, Innermost: true, Canonical: true,
			Encode: func(v []byte, _ *Env) []byte {
				if s := write(string(v)); s != "" {
					return []byte(s)
				}
				return nil
			},
		}
	}
	// loose is a spelling that nobody hashes: people write it, or a program writes a number so.
	loose := func(name string, kinds []string, container bool, write func(string) string) Disguise {
		d := spell(name, kinds, write)
		d.Canonical, d.Container = false, container
		return d
	}
	without := func(s, cut string) string { return strings.ReplaceAll(s, cut, "") }
	return []Disguise{
		{Name: "plain", Innermost: true, Canonical: true, Encode: func(v []byte, _ *Env) []byte { return bytes.Clone(v) }},
		spell("lower", append(append([]string{}, hexKinds...), append(mailKinds, nameKinds...)...), strings.ToLower),
		spell("upper", append(append([]string{}, hexKinds...), append(mailKinds, nameKinds...)...), strings.ToUpper),
		spell("uuid/no-dashes", uuidKinds, func(v string) string { return without(v, "-") }),
		spell("uuid/no-dashes-upper", uuidKinds, func(v string) string { return strings.ToUpper(without(v, "-")) }),
		spell("uuid/braces", uuidKinds, func(v string) string { return "{" + v + "}" }),
		spell("mac/bare", macKinds, func(v string) string { return without(v, ":") }),
		spell("mac/bare-upper", macKinds, func(v string) string { return strings.ToUpper(without(v, ":")) }),
		spell("mac/dashes", macKinds, func(v string) string { return strings.ReplaceAll(v, ":", "-") }),
		spell("mac/dashes-upper", macKinds, func(v string) string { return strings.ToUpper(strings.ReplaceAll(v, ":", "-")) }),
		spell("phone/digits", phoneKinds, func(v string) string { return strings.TrimPrefix(v, "+") }),
		spell("phone/00", phoneKinds, func(v string) string { return "00" + strings.TrimPrefix(v, "+") }),
		spell("phone/national", phoneKinds, func(v string) string { return strings.TrimPrefix(v, "+1") }), // canaries are of the North American plan
		loose("phone/spaces", phoneKinds, false, func(v string) string { return v[:2] + " " + v[2:5] + " " + v[5:8] + " " + v[8:] }),
		loose("phone/brackets", phoneKinds, false, func(v string) string { return "(" + v[2:5] + ") " + v[5:8] + "-" + v[8:] }),
		loose("phone/dots", phoneKinds, false, func(v string) string { return v[2:5] + "." + v[5:8] + "." + v[8:] }),
		loose("imei/dashes", decimalKinds, false, func(v string) string { return v[:2] + "-" + v[2:8] + "-" + v[8:14] + "-" + v[14:] }),
		loose("ssaid/number", []string{"ssaid"}, true, func(v string) string {
			n, err := strconv.ParseUint(v, 16, 64)
			if err != nil {
				return ""
			}
			return `{"device":` + strconv.FormatInt(int64(n), 10) + `,"seq":7}` //nolint:gosec // Java has no other
		}),
		loose("uuid/two-numbers", uuidKinds, true, func(v string) string {
			b, err := hex.DecodeString(without(v, "-"))
			if err != nil || len(b) != 16 {
				return ""
			}
			half := func(b []byte) string { return strconv.FormatInt(int64(binary.BigEndian.Uint64(b)), 10) } //nolint:gosec // as UUID of Java gives them
			return `{"mostSignificantBits":` + half(b[:8]) + `,"leastSignificantBits":` + half(b[8:]) + `}`
		}),
		loose("location/e7", placeKinds, true, func(v string) string {
			lat, lon, ok := degrees(v)
			if !ok {
				return ""
			}
			return fmt.Sprintf(`{"latitudeE7":%d,"longitudeE7":%d}`, int64(math.Round(lat*1e7)), int64(math.Round(lon*1e7)))
		}),
		loose("location/three-decimals", placeKinds, false, func(v string) string { return place(v, 3) }),
		spell("mail/no-dots", mailKinds, func(v string) string {
			local, domain, _ := strings.Cut(v, "@")
			return without(strings.ToLower(local), ".") + "@" + strings.ToLower(domain)
		}),
		spell("name/no-spaces", nameKinds, func(v string) string { return without(v, " ") }),
		spell("name/underscores", nameKinds, func(v string) string { return strings.ReplaceAll(v, " ", "_") }),
		spell("name/last-first", nameKinds, func(v string) string {
			first, last, ok := strings.Cut(v, " ")
			if !ok {
				return ""
			}
			return last + " " + first
		}),
		spell("location/swapped", placeKinds, func(v string) string {
			lat, lon, _ := strings.Cut(v, ",")
			return lon + "," + lat
		}),
		spell("location/space", placeKinds, func(v string) string { return strings.Replace(v, ",", ", ", 1) }),
		spell("location/five-decimals", placeKinds, func(v string) string { return place(v, 5) }),
		spell("location/four-decimals", placeKinds, func(v string) string { return place(v, 4) }),
	}
}

// place writes "LATITUDE,LONGITUDE" with fewer decimals.
func place(v string, decimals int) string {
	lat, lon, ok := degrees(v)
	if !ok {
		return ""
	}
	return strconv.FormatFloat(lat, 'f', decimals, 64) + "," + strconv.FormatFloat(lon, 'f', decimals, 64)
}

func degrees(v string) (lat, lon float64, ok bool) {
	a, b, ok := strings.Cut(v, ",")
	lat, err1 := strconv.ParseFloat(a, 64)
	lon, err2 := strconv.ParseFloat(b, 64)
	return lat, lon, ok && err1 == nil && err2 == nil
}

// raws write a value as the bytes that it stands for. They are ways of spelling, too.
func raws() []Disguise {
	raw := func(name string, kinds []string, write func(string) []byte) Disguise {
		return Disguise{
			Name: name, Kinds: kinds, Text: true, Binary: true, Innermost: true, Canonical: true,
			Encode: func(v []byte, _ *Env) []byte { return write(string(v)) },
		}
	}
	// field is the same for a number in a message: what is sent has other fields, too.
	field := func(name string, kinds []string, write func(string) []byte) Disguise {
		d := raw(name, kinds, write)
		d.Canonical, d.Container = false, true
		return d
	}
	number := func(write func(n uint64) []byte) func(string) []byte {
		return func(v string) []byte {
			n, err := strconv.ParseUint(v, 10, 64)
			if err != nil {
				return nil
			}
			return write(n)
		}
	}
	pair := func(write func(lat, lon float64) []byte) func(string) []byte {
		return func(v string) []byte {
			if lat, lon, ok := degrees(v); ok {
				return write(lat, lon)
			}
			return nil
		}
	}
	le, be := binary.LittleEndian, binary.BigEndian
	return []Disguise{
		raw("raw/bytes", hexKinds, func(v string) []byte {
			b, err := hex.DecodeString(strings.NewReplacer("-", "", ":", "").Replace(v))
			if err != nil {
				return nil
			}
			return b
		}),
		field("raw/varint", decimalKinds, number(func(n uint64) []byte { return message(protowire.VarintType, protowire.AppendVarint(nil, n)) })),
		field("raw/fixed64", decimalKinds, number(func(n uint64) []byte { return message(protowire.Fixed64Type, le.AppendUint64(nil, n)) })),
		raw("raw/fixed64-big", decimalKinds, number(func(n uint64) []byte { return be.AppendUint64(nil, n) })),
		field("raw/double", decimalKinds, number(func(n uint64) []byte {
			return message(protowire.Fixed64Type, le.AppendUint64(nil, math.Float64bits(float64(n))))
		})),
		// The phone number's digits fit in no 32 bits; those of a short number do.
		field("raw/fixed32", []string{"number"}, number(func(n uint64) []byte {
			if n > math.MaxUint32 {
				return nil
			}
			return message(protowire.Fixed32Type, le.AppendUint32(nil, uint32(n)))
		})),
		field("location/doubles", placeKinds, pair(func(lat, lon float64) []byte {
			b := protowire.AppendTag(nil, 1, protowire.Fixed64Type)
			b = le.AppendUint64(b, math.Float64bits(lat))
			b = protowire.AppendTag(b, 2, protowire.Fixed64Type)
			return le.AppendUint64(b, math.Float64bits(lon))
		})),
		field("location/floats", placeKinds, pair(func(lat, lon float64) []byte {
			b := protowire.AppendTag(nil, 1, protowire.Fixed32Type)
			b = le.AppendUint32(b, math.Float32bits(float32(lat)))
			b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
			return le.AppendUint32(b, math.Float32bits(float32(lon)))
		})),
		{
			Name: "location/fields", Kinds: placeKinds, Text: true, Innermost: true, Container: true,
			Encode: func(v []byte, _ *Env) []byte {
				lat, lon, ok := strings.Cut(string(v), ",")
				if !ok {
					return nil
				}
				return []byte(`{"latitude":` + lat + `,"longitude":` + lon + `,"accuracy":12.5}`)
			},
		},
		{
			Name: "location/coarse-fields", Kinds: placeKinds, Text: true, Innermost: true, Container: true,
			Encode: func(v []byte, _ *Env) []byte {
				lat, lon, ok := strings.Cut(place(string(v), 4), ",")
				if !ok {
					return nil
				}
				return []byte(`{"lat":"` + lat + `","lng":"` + lon + `"}`)
			},
		},
	}
}

// message is a protobuf message: a number of an event, and field 3, the value.
func message(t protowire.Type, value []byte) []byte {
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, 42)
	b = protowire.AppendTag(b, 3, t)
	return append(b, value...)
}
