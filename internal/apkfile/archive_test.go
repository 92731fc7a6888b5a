package apkfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// entry is one entry of an archive that a test makes, with what it claims of itself.
type entry struct {
	name    string
	content []byte
	method  uint16
	size    uint32 // claimed uncompressed size; 0 for the truth
	packed  uint32 // claimed compressed size; 0 for the truth
}

// archive makes a ZIP by hand, so that it can lie.
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out, directory bytes.Buffer
	le := binary.LittleEndian
	for _, e := range entries {
		offset := out.Len()
		size, packed := e.size, e.packed
		if size == 0 {
			size = uint32(len(e.content))
		}
		if packed == 0 {
			packed = uint32(len(e.content))
		}
		var header []byte
		header = le.AppendUint16(header, 20) // version
		header = le.AppendUint16(header, 0)  // flags
		header = le.AppendUint16(header, e.method)
		header = le.AppendUint32(header, 0x00210000) // 1980-01-01
		header = le.AppendUint32(header, crc32.ChecksumIEEE(e.content))
		header = le.AppendUint32(header, packed)
		header = le.AppendUint32(header, size)
		header = le.AppendUint16(header, uint16(len(e.name)))
		header = le.AppendUint16(header, 0)
		out.WriteString("PK\x03\x04")
		out.Write(header)
		out.WriteString(e.name)
		out.Write(e.content)
		directory.WriteString("PK\x01\x02\x14\x00")
		directory.Write(header)
		directory.Write(make([]byte, 2+2+2+4))
		directory.Write(le.AppendUint32(nil, uint32(offset)))
		directory.WriteString(e.name)
	}
	at := out.Len()
	out.Write(directory.Bytes())
	out.WriteString("PK\x05\x06\x00\x00\x00\x00")
	out.Write(le.AppendUint16(nil, uint16(len(entries))))
	out.Write(le.AppendUint16(nil, uint16(len(entries))))
	out.Write(le.AppendUint32(nil, uint32(directory.Len())))
	out.Write(le.AppendUint32(nil, uint32(at)))
	out.Write(make([]byte, 2))
	return out.Bytes()
}

// manifestOf is the compiled manifest of a committed APK.
func manifestOf(t testing.TB, name string) []byte { return fileOf(t, name, manifestName) }

func fileOf(t testing.TB, apk, name string) []byte {
	t.Helper()
	z, err := zip.OpenReader(calibration(t, apk))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	b, err := fs.ReadFile(z, name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBadFiles(t *testing.T) {
	whole, err := os.ReadFile(calibration(t, "clipshare"))
	if err != nil {
		t.Fatal(err)
	}
	manifest := entry{name: manifestName, content: manifestOf(t, "clipshare")}
	good := archive(t, manifest)
	end := len(good) - endSize
	patched := func(at int, b ...byte) []byte {
		out := bytes.Clone(good)
		copy(out[at:], b)
		return out
	}
	for _, c := range []struct {
		name  string
		bytes []byte
		kind  error
		says  string
	}{
		{"empty", nil, ErrNotAPK, "empty"},
		{"text", []byte("MZ this is no archive at all"), ErrNotAPK, "no ZIP archive: it begins with 4d 5a"},
		{"only the first letters", []byte("PK\x03"), ErrTruncated, "missing"},
		{"half of an APK", whole[:len(whole)/2], ErrTruncated, "missing"},
		{"an APK without its last byte", whole[:len(whole)-1], ErrTruncated, "missing"},
		{"a ZIP without a manifest", archive(t, entry{name: "hello.txt", content: []byte("hi")}), ErrNotAPK, "no AndroidManifest.xml"},
		{"an empty ZIP", archive(t), ErrNotAPK, "no AndroidManifest.xml"},
		{"a name twice", archive(t, manifest, entry{name: "a", content: []byte("1")}, entry{name: "a", content: []byte("2")}), ErrBadArchive, "twice"},
		{"two manifests", archive(t, manifest, manifest), ErrBadArchive, "twice"},
		{"a name with a zero byte", archive(t, manifest, entry{name: "a\x00b"}), ErrBadArchive, "zero byte"},
		{"a bomb", archive(t, manifest, entry{name: "bomb", content: []byte("x"), method: 8, size: 1 << 31}), ErrTooLarge, "cannot expand"},
		{"stored with two sizes", archive(t, manifest, entry{name: "s", content: []byte("xy"), size: 3}), ErrBadArchive, "stand for"},
		{"an entry beyond the file", archive(t, manifest, entry{name: "s", content: []byte("xy"), packed: 1 << 20, size: 1 << 20}), ErrBadArchive, "directory"},
		{"an unknown method that reads too far", archive(t, manifest, entry{name: "s", content: []byte("xy"), method: 99, size: 1 << 20}), ErrBadArchive, "reads as stored"},
		{"a manifest that is no deflate", archive(t, entry{name: manifestName, content: manifest.content, method: 8}), ErrBadArchive, "AndroidManifest.xml"},
		{"a directory that lies elsewhere", patched(end+16, 0, 0, 0, 1), ErrTruncated, "beyond its own end"},
		{"a gap after the directory", patched(end+12, 1, 0, 0, 0), ErrBadArchive, "between the directory"},
		{"more entries than fit", patched(end+10, 0xff, 0x7f), ErrBadArchive, "announced"},
		{"ZIP64", patched(end+16, 0xff, 0xff, 0xff, 0xff), ErrBadArchive, "ZIP64"},
		{"a text manifest", archive(t, entry{name: manifestName, content: []byte("<manifest package='a.b'/>")}), ErrBadManifest, "plain text"},
		{"an empty manifest", archive(t, entry{name: manifestName}), ErrBadManifest, "bytes expected"},
		{"half a manifest", archive(t, entry{name: manifestName, content: manifest.content[:len(manifest.content)/2]}), ErrBadManifest, "bytes are left"},
		{"a manifest too large", archive(t, entry{name: manifestName, content: make([]byte, maxManifest+1)}), ErrTooLarge, "limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(c.bytes), int64(len(c.bytes)))
			var fault *Error
			if !errors.Is(err, c.kind) || !errors.As(err, &fault) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want a %v that says %q", err, c.kind, c.says)
			}
		})
	}
	if _, err := Read(bytes.NewReader(good), int64(len(good))); err != nil {
		t.Errorf("the archive that the others were made from: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none.apk")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrNotAPK) || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: %v", err)
	}
	path := filepath.Join(dir, "x.apk")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrNotAPK) || !strings.Contains(err.Error(), path) {
		t.Errorf("a text file: %v, which should name it", err)
	}
}

// TestNamesAreHarmless: a name may hold what a terminal would obey.
func TestNamesAreHarmless(t *testing.T) {
	evil := "a\x1b[2J\u202eb"
	b := archive(t, entry{name: evil, content: []byte("1")}, entry{name: evil, content: []byte("2")})
	_, err := Read(bytes.NewReader(b), int64(len(b)))
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e") {
		t.Errorf("the error repeats the name's control characters: %q", err)
	}
}

// TestMemoryIsBounded reads a manifest whose few bytes point at one long string again and again.
func TestMemoryIsBounded(t *testing.T) {
	manifest := repeated(1<<15, 1<<14)
	if len(manifest) > 1<<20 {
		t.Fatalf("the test's own manifest has %d bytes", len(manifest))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, err := parseXML(manifest, manifestName, ErrBadManifest)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v; want %v", err, ErrTooLarge)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 4*maxStringBytes {
		t.Errorf("%d bytes were taken for a manifest of %d", used, len(manifest))
	}
}

// repeated is an element with count attributes whose names are as many strings, all in the same length bytes.
func repeated(length, count int) []byte {
	le := binary.LittleEndian
	head := func(kind, header uint16, size int) []byte {
		return le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, kind), header), uint32(size))
	}
	data := append([]byte{0x80 | byte(length>>8), byte(length), 0x80 | byte((length-1)>>8), byte(length - 1)}, bytes.Repeat([]byte("x"), length)...)
	if length > 0x7fff {
		data = append([]byte{0xff, 0xff, 0xff, 0xff}, bytes.Repeat([]byte("x"), length)...)
	}
	var pool []byte
	pool = append(pool, head(chunkStringPool, 28, 28+4*count+len(data))...)
	for _, n := range []uint32{uint32(count), 0, flagUTF8, uint32(28 + 4*count), 0} {
		pool = le.AppendUint32(pool, n)
	}
	pool = append(pool, make([]byte, 4*count)...)
	pool = append(pool, data...)
	var attrs []byte
	for i := range count {
		for _, n := range []uint32{noString, uint32(i), noString, 0x12000008, 0} {
			attrs = le.AppendUint32(attrs, n)
		}
	}
	start := append(head(chunkStart, 16, 36+len(attrs)), make([]byte, 8)...)
	start = le.AppendUint32(start, noString)
	start = le.AppendUint32(start, 0)
	start = le.AppendUint16(le.AppendUint16(le.AppendUint16(start, 20), 20), uint16(count))
	start = append(append(start, make([]byte, 6)...), attrs...)
	body := append(pool, start...)
	return append(head(chunkXML, 8, 8+len(body)), body...)
}
