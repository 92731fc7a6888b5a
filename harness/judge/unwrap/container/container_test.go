package container

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// line is how tests write a value: path, type, name and what it says.
func line(at *Step, name string, t Type, value []byte) string {
	kind := map[Type]string{Bytes: "bytes", Text: "text", Number: "number", Bool: "bool"}[t]
	if t == Bytes {
		return fmt.Sprintf("%s %s %s %x", at, kind, name, value)
	}
	return fmt.Sprintf("%s %s %s %s", at, kind, name, value)
}

// shown reads bytes and lists what was shown.
func shown(t *testing.T, f Format, data []byte) ([]string, error) {
	t.Helper()
	var lines []string
	err := f.Read(data, nil, nil, func(at *Step, name string, t Type, value []byte) {
		lines = append(lines, line(at, name, t, value))
	})
	return lines, err
}

// expect reads bytes whole and compares what was shown.
func expect(t *testing.T, f Format, data []byte, want ...string) {
	t.Helper()
	got, err := shown(t, f, data)
	if err != nil {
		t.Errorf("%s: %v", f.Name, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", f.Name, diff)
	}
}

// certain is the first format that says it is certain.
func certain(data []byte) string {
	for _, f := range Formats() {
		if f.Looks(data) == Certain {
			return f.Name
		}
	}
	return ""
}

func TestByMedia(t *testing.T) {
	for media, want := range map[string]string{
		"application/json; charset=utf-8": "json", "APPLICATION/JSON": "json", "application/vnd.api+json": "json",
		"application/soap+xml": "xml", "text/event-stream": "sse", "application/grpc+proto": "grpc",
		"application/x-protobuf": "protobuf", "application/x-apple-plist+xml": "plist", "image/png": "", "": "", "text/html": "",
		"application/senml+cbor": "cbor", "application/epub+zip": "zip", "application/xhtml": "",
	} {
		if f, ok := ByMedia(media); f.Name != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", media, f.Name, want)
		}
	}
}

// plainThings are bytes that are of no format at all.
func plainThings(t testing.TB) map[string][]byte {
	things := map[string][]byte{
		"nothing":       {},
		"word":          []byte("hello"),
		"english":       []byte("The quick brown fox jumps over the lazy dog. It was the best of times, it was the worst of times."),
		"line first":    []byte("\nThe quick brown fox jumps over the lazy dog\n"),
		"german":        []byte("Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, süß und öde."),
		"japanese":      []byte("いろはにほへとちりぬるをわかよたれそつねならむ"),
		"png":           append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x06\x00\x00\x00"), make([]byte, 200)...),
		"jpeg":          append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), make([]byte, 200)...),
		"gzip":          []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcbH\xcd\xc9\xc9W(\xcf/\xcaI\x01\x00\x85\x11J\r\x0b\x00\x00\x00"),
		"html":          []byte("<!DOCTYPE html><html><head><title>t</title></head><body><p>Hello</p></body></html>"),
		"html fragment": []byte("<div class=\"a\"><p>Hello</p></div>"),
		"less":          []byte("<3 you all, and 1 < 2 > 0"),
		"base64":        []byte("aGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXN0IG9mIGJhc2U2NA=="),
		"hex":           []byte("9e107d9d372bb6826bd81d3542a419d6"),
		"uuid":          []byte("38400000-8cf0-11bd-b23e-10b96e40000d"),
		"url":           []byte("https://example.org/a/b?c=d&e=f"),
		"date":          []byte("2026-11-23T21:17:43Z"),
		"address":       []byte("192.168.1.1"),
		"log":           []byte("21:17:43 INFO data: started\n21:17:44 INFO id: 5\n"),
		"zeros":         make([]byte, 512),
		"ones":          bytes.Repeat([]byte{0xff}, 512),
		"utf-16":        []byte("h\x00e\x00l\x00l\x00o\x00 \x00w\x00o\x00r\x00l\x00d\x00"),
		"windows":       []byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00\xb8\x00\x00\x00"),
	}
	self, err := os.ReadFile("container_test.go")
	if err != nil {
		t.Fatal(err)
	}
	things["source"] = self
	return things
}

// TestNoFalseClaim asks every format about bytes that are none of it.
func TestNoFalseClaim(t *testing.T) {
	for name, data := range plainThings(t) {
		if got := certain(data); got != "" {
			t.Errorf("%s is taken for %s", name, got)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	taken := map[string]int{}
	const samples = 200_000
	for range samples {
		data := make([]byte, 8+r.IntN(72))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		if got := certain(data); got != "" {
			taken[got]++
		}
	}
	for name, n := range taken {
		if n > samples/20_000 {
			t.Errorf("%d of %d random strings are taken for %s", n, samples, name)
		}
	}
	t.Log(taken)
}

// TestNearMisses asks each format about whole messages of the others.
func TestNearMisses(t *testing.T) {
	for name, data := range vectors(t) {
		want, _, _ := strings.Cut(name, "/")
		if got := certain(data); got != want {
			t.Errorf("%s is taken for %q", name, got)
		}
	}
}

// TestBreak cuts every vector at every byte: no panic, the values before the break.
func TestBreak(t *testing.T) {
	for name, data := range vectors(t) {
		kind, _, _ := strings.Cut(name, "/")
		for _, f := range Formats() {
			if f.Name != kind || f.Looks(data) == Unlike {
				continue
			}
			whole, err := shown(t, f, data)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for cut := range min(len(data), 2000) {
				part, _ := shown(t, f, data[:cut])
				if len(part) > 2*len(whole)+8 {
					t.Fatalf("%s cut at %d: %d values of %d", name, cut, len(part), len(whole))
				}
			}
			// Half of it is hardly ever nothing.
			if len(data) > 40 && (f.Name == "json" || f.Name == "msgpack" || f.Name == "cbor" || f.Name == "protobuf" || f.Name == "xml") {
				if part, _ := shown(t, f, data[:len(data)*3/4]); len(part) == 0 {
					t.Errorf("%s cut at three quarters shows nothing", name)
				}
			}
		}
	}
}

// TestBudget: whatever the format, no more values are shown than may be.
func TestBudget(t *testing.T) {
	for name, data := range vectors(t) {
		kind, _, _ := strings.Cut(name, "/")
		for _, f := range Formats() {
			if f.Name != kind || f.Looks(data) == Unlike {
				continue
			}
			b := Budget{Bytes: 1 << 20, Values: 1}
			n := 0
			err := f.Read(data, nil, &b, func(*Step, string, Type, []byte) { n++ })
			if n > 1 {
				t.Errorf("%s: %d values on a budget of one", name, n)
			}
			if all, _ := shown(t, f, data); len(all) > 1 && !errors.Is(err, ErrBudget) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestStepKept(t *testing.T) {
	var kept []*Step
	err := json.Read([]byte(`{"a":[1,{"b":2}],"c":3}`), nil, nil, func(at *Step, _ string, _ Type, _ []byte) {
		kept = append(kept, at.Keep())
	})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, s := range kept {
		paths = append(paths, s.String())
	}
	if want := []string{"$.a[0]", "$.a[1].b", "$.c"}; !slices.Equal(paths, want) {
		t.Errorf("%v, want %v", paths, want)
	}
	if got := (*Step)(nil).Field("a").Numbered(3).Item(1).Field("b c").String(); got != "$.a.3[1]['b c']" {
		t.Error(got)
	}
}
