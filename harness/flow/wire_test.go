package flow

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"
)

func TestPacketsAreReadAsTheyWereWritten(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 14, 0, 123456789, time.UTC)
	want := []Packet{{at, true, []byte("sent")}, {at.Add(time.Microsecond), false, []byte{}}, {at, false, bytes.Repeat([]byte{7}, MaxPacket)}}
	var written []byte
	for _, p := range want {
		written = AppendPacket(written, p)
	}
	n := 0
	for p, err := range Packets(bytes.NewReader(written)) {
		if err != nil {
			t.Fatal(err)
		}
		if !p.At.Equal(want[n].At) || p.Sent != want[n].Sent || !bytes.Equal(p.Data, want[n].Data) {
			t.Errorf("packet %d: %v %v, %d bytes", n, p.At, p.Sent, len(p.Data))
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d packets, want %d", n, len(want))
	}
	for _, cut := range []int{1, 12, 13, 16} {
		for _, err := range Packets(bytes.NewReader(written[:cut])) {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut at %d: %v", cut, err)
			}
		}
	}
}

func FuzzPackets(f *testing.F) {
	f.Add(AppendPacket(AppendPacket(nil, Packet{At: time.Unix(1, 2), Sent: true, Data: []byte("ab")}), Packet{At: time.Unix(3, 4)}))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		failed := false
		for p, err := range Packets(bytes.NewReader(data)) {
			if err != nil {
				failed = true
				break
			}
			again = AppendPacket(again, p)
		}
		if !bytes.HasPrefix(data, again) || !failed && len(again) != len(data) {
			t.Errorf("%d of %d bytes were read as packets; failed: %v", len(again), len(data), failed)
		}
	})
}
