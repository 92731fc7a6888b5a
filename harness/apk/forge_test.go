package apk

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/emulator/virtual/apps"
)

// dexOf is a file of bytecode that defines classes and holds strings besides.
func dexOf(classes []string, more ...string) []byte {
	le := binary.LittleEndian
	all := slices.Clone(more)
	for _, c := range classes {
		all = append(all, "L"+strings.ReplaceAll(c, ".", "/")+";")
	}
	slices.Sort(all)
	data := make([]byte, 0x70)
	copy(data, "dex\n039\x00")
	le.PutUint32(data[0x28:], 0x12345678)
	var places, types, defs []byte
	for i, s := range all {
		places = le.AppendUint32(places, uint32(len(data)))
		length := binary.AppendUvarint(nil, uint64(len(s)))
		data = append(append(append(data, length...), s...), 0)
		if strings.HasPrefix(s, "L") && strings.HasSuffix(s, ";") {
			defs = append(le.AppendUint32(defs, uint32(len(types)/4)), make([]byte, 28)...)
			types = le.AppendUint32(types, uint32(i))
		}
	}
	for _, t := range []struct {
		at   int
		size int
		b    []byte
	}{{0x38, 4, places}, {0x40, 4, types}, {0x60, 32, defs}} {
		le.PutUint32(data[t.at:], uint32(len(t.b)/t.size))
		le.PutUint32(data[t.at+4:], uint32(len(data)))
		data = append(data, t.b...)
	}
	return data
}

// with is a calibration app with more files in it, and so without its signature.
func with(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	whole := apps.Pantry().APK
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range z.File {
		if files[e.Name] == nil && !strings.HasPrefix(e.Name, "META-INF/") {
			if err := w.Copy(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		to, err := w.Create(name)
		if err == nil {
			_, err = to.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// wrapped is a wrapper of several APKs, each stored or compressed by its turn.
func wrapped(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i, name := range slices.Sorted(maps.Keys(files)) {
		method := zip.Deflate
		if i%2 == 0 {
			method = zip.Store
		}
		to, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = io.Copy(to, bytes.NewReader(files[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
