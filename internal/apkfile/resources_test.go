package apkfile

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// The layout of ResourceTypes.h, by hand: what today's build tools write only for large apps or new releases.

func chunkOf(kind, header uint16, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	b := binary.LittleEndian.AppendUint16(nil, kind)
	b = binary.LittleEndian.AppendUint16(b, header)
	return append(append(b, u32(uint32(8+len(body)))...), body...)
}

func u16(n uint16) []byte { return binary.LittleEndian.AppendUint16(nil, n) }

// poolOf is a pool of short UTF-8 strings.
func poolOf(list ...string) []byte {
	var offsets, data []byte
	for _, s := range list {
		offsets = append(offsets, u32(uint32(len(data)))...)
		data = append(data, byte(len([]rune(s))), byte(len(s)))
		data = append(append(data, s...), 0)
	}
	return chunkOf(chunkStringPool, 28, u32(uint32(len(list))), u32(0), u32(flagUTF8), u32(uint32(28+len(offsets))), u32(0), offsets, data)
}

// typeOf is a type chunk: its flags, its configuration without the size, its index and its entries.
func typeOf(flags byte, config []byte, count int, index, entries []byte) []byte {
	size := uint32(4 + len(config))
	header := 20 + size
	return chunkOf(chunkType, uint16(header), []byte{1, flags, 0, 0}, u32(uint32(count)), u32(header+uint32(len(index))), u32(size), config, index, entries)
}

func tableOf(pool []byte, types ...[]byte) []byte {
	pack := chunkOf(chunkPackage, 288, u32(0x7f), make([]byte, 288-12), slices.Concat(types...))
	return chunkOf(chunkTable, 12, u32(1), pool, pack)
}

// plain is an ordinary entry, compact one of the short form.
func plain(kind byte, data uint32) []byte {
	return slices.Concat(u16(8), u16(0), u32(0), u16(8), []byte{0, kind}, u32(data))
}

func compact(kind byte, data uint32) []byte {
	return slices.Concat(u16(5), u16(uint16(kind)<<8|entryCompact), u32(data)) // a key stands where an ordinary entry has its size
}

func TestTableForms(t *testing.T) {
	any, german := make([]byte, 24), append([]byte{0, 0, 0, 0, 'd', 'e'}, make([]byte, 18)...)
	since31 := append(append(make([]byte, 20), 31, 0), 0, 0)
	pool := poolOf("zero", "one", "two", "zwei")
	for _, c := range []struct {
		name  string
		types [][]byte
		want  map[uint32]string
	}{
		{"dense", [][]byte{typeOf(0, any, 3, slices.Concat(u32(0), u32(0xffffffff), u32(16)), slices.Concat(plain(typeString, 0), plain(typeString, 2)))},
			map[uint32]string{0x7f010000: "zero", 0x7f010001: "", 0x7f010002: "two", 0x7f010003: "", 0x7f020000: "", 0x01010000: ""}},
		{"sparse", [][]byte{typeOf(typeSparse, any, 2, slices.Concat(u16(1), u16(0), u16(700), u16(4)), slices.Concat(plain(typeString, 1), plain(typeString, 2)))},
			map[uint32]string{0x7f010000: "", 0x7f010001: "one", 0x7f0102bc: "two"}},
		{"short offsets", [][]byte{typeOf(typeOffset16, any, 3, slices.Concat(u16(0), u16(0xffff), u16(4), u16(0)), slices.Concat(plain(typeString, 1), plain(typeString, 2)))},
			map[uint32]string{0x7f010000: "one", 0x7f010001: "", 0x7f010002: "two"}},
		{"compact entries", [][]byte{typeOf(0, any, 2, slices.Concat(u32(0), u32(8)), slices.Concat(compact(typeString, 1), compact(typeIntBool, 0xffffffff)))},
			map[uint32]string{0x7f010000: "one", 0x7f010001: "true"}},
		{"the default wins, wherever it stands", [][]byte{typeOf(0, german, 1, u32(0), plain(typeString, 3)), typeOf(0, any, 1, u32(0), plain(typeString, 2))},
			map[uint32]string{0x7f010000: "two"}},
		{"what there is, without a default", [][]byte{typeOf(0, german, 1, u32(0), plain(typeString, 3))},
			map[uint32]string{0x7f010000: "zwei"}},
		{"a value for a newer Android counts as a default", [][]byte{typeOf(0, german, 1, u32(0), plain(typeString, 3)), typeOf(0, since31, 1, u32(0), plain(typeString, 2))},
			map[uint32]string{0x7f010000: "two"}},
		{"references", [][]byte{typeOf(0, any, 3, slices.Concat(u32(0), u32(16), u32(32)), slices.Concat(plain(typeReference, 0x7f010001), plain(typeString, 1), plain(typeReference, 0)))},
			map[uint32]string{0x7f010000: "one", 0x7f010002: ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, err := parseTable(tableOf(pool, c.types...))
			if err != nil {
				t.Fatal(err)
			}
			for id, want := range c.want {
				if got, err := table.resolve(id); err != nil || got != want {
					t.Errorf("0x%08x: %q %v, want %q", id, got, err, want)
				}
			}
		})
	}
}

func TestTableFaults(t *testing.T) {
	any := make([]byte, 24)
	for _, c := range []struct {
		name  string
		entry []byte
		index []byte
		says  string
	}{
		{"a circle", plain(typeReference, 0x7f010000), u32(0), "refers to itself"},
		{"an entry outside", plain(typeString, 0), u32(0x7fffffff), "outside its chunk"},
		{"a string outside", plain(typeString, 99), u32(0), "string 99 of 1"},
		{"half an entry", plain(typeString, 0)[:9], u32(0), "bytes expected"},
	} {
		table, err := parseTable(tableOf(poolOf("x"), typeOf(0, any, 1, c.index, c.entry)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := table.resolve(0x7f010000); !errors.Is(err, ErrBadResources) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want one that says %q", c.name, err, c.says)
		}
	}
}
