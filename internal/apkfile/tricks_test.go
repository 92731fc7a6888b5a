package apkfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestTricks: what malware does to its archive and manifest, Android reads all the same.
func TestTricks(t *testing.T) {
	manifest := manifestOf(t, "pantry")
	le := binary.LittleEndian
	head, body := manifest[:8], manifest[8:]
	rebuilt := func(kind uint16, parts ...[]byte) []byte {
		b := chunkOf(kind, le.Uint16(head[2:]), parts...)
		return b
	}
	pool := int(le.Uint32(body[4:]))
	decoy := poolOf("fake", "decoy")
	flags := func(b []byte) []byte { // sets the flag for encryption in both headers
		b = bytes.Clone(b)
		b[6] |= 1
		at := bytes.LastIndex(b, []byte("PK\x01\x02"))
		b[at+8] |= 1
		return b
	}
	plain := archive(t, entry{name: manifestName, content: manifest})
	sum := bytes.Clone(plain)
	copy(sum[len(sum)-endSize-46-len(manifestName)+16:], "oops") // the directory's checksum
	for _, c := range []struct {
		name string
		b    []byte
		odd  string // what Oddities says
	}{
		{"plain", plain, ""},
		{"an unknown method", archive(t, entry{name: manifestName, content: manifest, method: 14939}), "reads as stored"},
		{"marked as encrypted", flags(plain), "marked as encrypted"},
		{"a wrong checksum", sum, "checksum"},
		{"a wrong magic", archive(t, entry{name: manifestName, content: rebuilt(0x1003, body)}), ""},
		{"chunks that nobody knows", archive(t, entry{name: manifestName, content: rebuilt(chunkXML, chunkOf(0x7777, 8, []byte("junk")), body[:pool], chunkOf(0x0042, 8, nil), body[pool:])}), ""},
		{"a string pool in front of the true one", archive(t, entry{name: manifestName, content: rebuilt(chunkXML, decoy, body)}), ""},
		{"a string pool behind the root", archive(t, entry{name: manifestName, content: rebuilt(chunkXML, body, decoy)}), ""},
		{"a second root, and garbage", archive(t, entry{name: manifestName, content: rebuilt(chunkXML, body, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9})}), ""},
		{"an end record in the comment of the end record", func() []byte {
			b := bytes.Clone(plain)
			fake := bytes.Clone(b[len(b)-endSize:])
			le.PutUint32(fake[12:], 0)
			le.PutUint16(fake[8:], 0)
			le.PutUint16(fake[10:], 0)
			fake = append(fake, "tail"...) // its own length of a comment is wrong, the outer one's is right
			le.PutUint16(b[len(b)-2:], uint16(len(fake)))
			return append(b, fake...)
		}(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Read(bytes.NewReader(c.b), int64(len(c.b)))
			if err != nil {
				t.Fatal(err)
			}
			if f.Manifest().Package != "org.example.pantry" {
				t.Errorf("package %q", f.Manifest().Package)
			}
			if got := strings.Join(f.Oddities(), "; "); (c.odd == "") != (got == "") || !strings.Contains(got, c.odd) {
				t.Errorf("oddities: %q, want one that says %q", got, c.odd)
			}
		})
	}
}

// TestDexSequences reads a class, a method and a string, and survives tables that lie.
func TestDexSequences(t *testing.T) {
	names := []string{"La/b/C;", "run", "hello"}
	var data, places []byte
	base := dexHeader
	data = append(data, make([]byte, base-len(data))...)
	copy(data, "dex\n035\x00")
	le := binary.LittleEndian
	for _, n := range names {
		places = le.AppendUint32(places, uint32(len(data)))
		data = append(append(append(data, byte(len(n))), n...), 0)
	}
	table := func(count, at int, b []byte) {
		le.PutUint32(data[count:], uint32(len(b)))
		le.PutUint32(data[at:], uint32(len(data)))
		data = append(data, b...)
	}
	le.PutUint32(data[dexEndian:], 0x12345678)
	table(dexStringCount, dexStringTable, places)
	le.PutUint32(data[dexStringCount:], 3)
	table(dexTypeCount, dexTypeTable, u32(0))
	le.PutUint32(data[dexTypeCount:], 1)
	table(dexMethodCount, dexMethodTable, slices.Concat(u16(0), u16(0), u32(1), u16(9), u16(0), u32(1)))
	le.PutUint32(data[dexMethodCount:], 2) // the second is of a class that is not there
	table(dexClassCount, dexClassTable, append(u32(0), make([]byte, dexClassSize-4)...))
	le.PutUint32(data[dexClassCount:], 1)
	d, err := parseDex(data, "classes.dex")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for c := range d.Classes() {
		got = append(got, string(c))
	}
	for c, m := range d.Methods() {
		got = append(got, string(c)+"->"+string(m))
	}
	for s := range d.Strings() {
		got = append(got, Text(s))
	}
	if want := []string{"La/b/C;", "La/b/C;->run", "La/b/C;", "run", "hello"}; !slices.Equal(got, want) || d.Broken() != 1 {
		t.Errorf("%q, %d broken", got, d.Broken())
	}
}

func FuzzDex(f *testing.F) {
	data := make([]byte, dexHeader)
	copy(data, "dex\n035\x00")
	binary.LittleEndian.PutUint32(data[dexEndian:], 0x12345678)
	f.Add(data)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseDex(b, "classes.dex")
		onlyFaults(t, err)
		if err != nil {
			return
		}
		for range d.Classes() {
		}
		for range d.Methods() {
		}
		for range d.Strings() {
		}
	})
}

func FuzzELF(f *testing.F) {
	f.Add(elfWithNote(true))
	f.Add(elfWithNote(false))
	f.Fuzz(func(t *testing.T, b []byte) {
		if machine, id := elfNotes(b); machine == "" && id != "" || len(id) > 2*maxBuildID {
			t.Errorf("%q %q", machine, id)
		}
	})
}

// elfWithNote is the least ELF file that has a build id, of 64 or 32 bits.
func elfWithNote(wide bool) []byte {
	le := binary.LittleEndian
	b := make([]byte, 256)
	copy(b, "\x7fELF\x01\x01\x01")
	le.PutUint16(b[18:], 40)
	note := slices.Concat(u32(4), u32(5), u32(3), []byte("GNU\x00"), []byte{0xde, 0xad, 0xbe, 0xef, 0x01, 0, 0, 0})
	copy(b[160:], note)
	if wide {
		b[4] = elfClass64
		le.PutUint16(b[18:], 183)
		le.PutUint64(b[32:], 64)
		le.PutUint16(b[54:], 56)
		le.PutUint16(b[56:], 1)
		le.PutUint32(b[64:], segmentNote)
		le.PutUint64(b[72:], 160)
		le.PutUint64(b[96:], uint64(len(note)))
		return b
	}
	le.PutUint32(b[28:], 52)
	le.PutUint16(b[42:], 32)
	le.PutUint16(b[44:], 1)
	le.PutUint32(b[52:], segmentNote)
	le.PutUint32(b[56:], 160)
	le.PutUint32(b[68:], uint32(len(note)))
	return b
}

func TestLibrary(t *testing.T) {
	b := archive(t, entry{name: manifestName, content: manifestOf(t, "pantry")},
		entry{name: "lib/arm64-v8a/liba.so", content: elfWithNote(true)}, entry{name: "lib/armeabi-v7a/liba.so", content: elfWithNote(false)},
		entry{name: "assets/no.so", content: []byte("MZ")})
	f, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Library{
		"lib/arm64-v8a/liba.so":   {ABI: "arm64-v8a", Machine: "AArch64", BuildID: "deadbeef01", Size: 256},
		"lib/armeabi-v7a/liba.so": {ABI: "armeabi-v7a", Machine: "ARM", BuildID: "deadbeef01", Size: 256},
		"assets/no.so":            {Size: 2},
	} {
		want.Name = name
		if got, err := f.Library(name); err != nil || got != want {
			t.Errorf("%+v %v, want %+v", got, err, want)
		}
	}
}

// TestBombs: announced sizes cost nothing until the bytes are there.
func TestBombs(t *testing.T) {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w, err := z.Create("classes.dex")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 8<<20)); err != nil { // eight kilobytes in the file
		t.Fatal(err)
	}
	m, err := z.Create(manifestName)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Write(manifestOf(t, "pantry")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := Read(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Dex("classes.dex"); err == nil {
		t.Error("eight megabytes of zeros are bytecode")
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes were taken", used)
	}
}
