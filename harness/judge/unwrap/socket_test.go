package unwrap

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// frameOf writes a client's frame, masked.
func frameOf(op byte, last, compressed bool, payload []byte) []byte {
	b := []byte{op, 0x80}
	if last {
		b[0] |= 0x80
	}
	if compressed {
		b[0] |= 0x40
	}
	switch n := len(payload); {
	case n < 126:
		b[1] |= byte(n)
	case n < 1<<16:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	mask := []byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask...)
	for i, c := range payload {
		b = append(b, c^mask[i&3])
	}
	return b
}

// deflated compresses messages with one window, as permessage-deflate does.
func deflated(messages ...string) (out [][]byte) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	for _, m := range messages {
		b.Reset()
		w.Write([]byte(m))
		w.Flush()
		out = append(out, bytes.TrimSuffix(bytes.Clone(b.Bytes()), []byte{0, 0, 0xff, 0xff}))
	}
	return out
}

func TestSocket(t *testing.T) {
	o := opener(t, nil)
	packed := deflated(`{"android_id":"753b11840c754a7b"}`, `{"android_id":"753b11840c754a7b","n":2}`)
	long := strings.Repeat("x", 70_000)
	data := slices.Concat(
		frameOf(opText, true, false, []byte(`{"a":"b"}`)),
		frameOf(0x9, true, false, []byte("ping")),
		frameOf(opText, false, false, []byte("first half, ")), frameOf(0xa, true, false, nil), frameOf(opContinue, true, false, []byte("second half")),
		frameOf(opBinary, true, false, []byte(long)),
		frameOf(opText, true, true, packed[0]), frameOf(opText, true, true, packed[1]),
		frameOf(0x8, true, false, []byte{3, 232}),
	)
	var got []string
	if _, err := o.Socket(data, func(p *Part) {
		if len(p.Data) < 100 {
			got = append(got, p.Surface()+" "+strings.Join(p.Chain, ">")+" "+string(p.Data))
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"ws:0  b", "ws:1  first half, second half",
		"ws:3 deflate 753b11840c754a7b", "ws:4 deflate 753b11840c754a7b", "ws:4 deflate 2",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	for name, data := range map[string][]byte{
		"text":                 []byte("GET / HTTP/1.1\r\n\r\n"),
		"a continuation":       frameOf(opContinue, true, false, []byte("of nothing")),
		"a message in another": slices.Concat(frameOf(opText, false, false, []byte("a")), frameOf(opText, true, false, []byte("b"))),
		"half a head":          {0x81},
	} {
		if _, err := o.Socket(data, func(*Part) {}); err == nil {
			t.Errorf("%s passes as a WebSocket", name)
		}
	}
	// The last frame may be cut off with its connection.
	if _, err := o.Socket(data[:23], func(*Part) {}); err != nil {
		t.Error(err)
	}
}

func FuzzSocket(f *testing.F) {
	f.Add(frameOf(opText, true, false, []byte("hello")))
	f.Add(slices.Concat(frameOf(opText, true, true, deflated("hello hello hello")[0]), frameOf(8, true, false, nil)))
	f.Add([]byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	o, err := New(Containers(), &Limits{Bytes: 1 << 20, Steps: 500, Depth: 6})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		_, _ = o.Socket(data, func(p *Part) { total += len(p.Data) })
		if total > 16<<20 {
			t.Errorf("%d bytes came out of %d", total, len(data))
		}
	})
}
