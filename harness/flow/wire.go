package flow

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// Wire is a connection between the device and the proxy as it was on the wire. It
// is recorded when the connection ends; requests and connections name it by its ID.
type Wire struct {
	ID      string    `json:"id"` // "w1", "w2", in the order in which they began
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Client  string    `json:"client"`           // the device's end, host:port
	Proxy   string    `json:"proxy"`            // our end
	Server  string    `json:"server,omitempty"` // address of the origin that it was joined with
	UID     int       `json:"uid,omitempty"`    // of the app; 0 where it can't be known

	Sent     int64 `json:"sent"`     // bytes from the device, TLS and all
	Received int64 `json:"received"` // bytes to it

	// Packets is a blob of what passed, byte for byte, as WritePacket writes it; empty
	// where it was not kept. Keys are the secrets of its TLS connections, in the lines
	// of NSS's key log format (draft-ietf-tls-keylogfile), to read the packets with.
	Packets evidence.Digest `json:"packets,omitempty"`
	Keys    []string        `json:"keys,omitempty"`

	// How long it took to join it with its origin; 0 where there was nothing to wait for.
	Connect time.Duration `json:"connect,omitempty"` // TCP, name resolution included
	TLS     time.Duration `json:"tls,omitempty"`     // TLS with the origin
}

// Packet is bytes that were read from or written to a connection at once.
type Packet struct {
	At   time.Time
	Sent bool // by the device; else to it
	Data []byte
}

// MaxPacket is the most bytes that a packet holds.
const MaxPacket = 1 << 20

// AppendPacket adds a packet to b: the time in nanoseconds since 1970 (8 bytes), the
// direction (1 byte: 1 from the device, 0 to it), the length (4 bytes), all in
// big-endian order, and the bytes themselves.
func AppendPacket(b []byte, p Packet) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(p.At.UnixNano()))
	direction := byte(0)
	if p.Sent {
		direction = 1
	}
	b = append(b, direction)
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.Data)))
	return append(b, p.Data...)
}

// Packets reads what AppendPacket wrote. The data is valid until the next packet.
// It stops after the first error it yields; what breaks off is io.ErrUnexpectedEOF.
func Packets(r io.Reader) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		var head [13]byte
		var data []byte
		for {
			if _, err := io.ReadFull(in, head[:]); err != nil {
				if !errors.Is(err, io.EOF) {
					yield(Packet{}, fmt.Errorf("read packets: %w", err))
				}
				return
			}
			n := binary.BigEndian.Uint32(head[9:])
			if n > MaxPacket || head[8] > 1 {
				yield(Packet{}, errors.New("read packets: these are none"))
				return
			}
			if uint32(cap(data)) < n {
				data = make([]byte, n)
			}
			data = data[:n]
			if _, err := io.ReadFull(in, data); err != nil {
				yield(Packet{}, fmt.Errorf("read packets: %w", io.ErrUnexpectedEOF))
				return
			}
			at := time.Unix(0, int64(binary.BigEndian.Uint64(head[:])))
			if !yield(Packet{At: at, Sent: head[8] == 1, Data: data}, nil) {
				return
			}
		}
	}
}
