package adbd

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Commands of the protocol, as the file protocol.txt of adb's sources names them.
const (
	cmdSync    = 0x434e5953
	cmdConnect = 0x4e584e43
	cmdOpen    = 0x4e45504f
	cmdOkay    = 0x59414b4f
	cmdClose   = 0x45534c43
	cmdWrite   = 0x45545257
	cmdAuth    = 0x48545541
	cmdTLS     = 0x534c5453
)

const (
	// version is the first in which checksums are not checked.
	version = 0x01000001
	// maxPayload is what one packet carries at most.
	maxPayload = 1 << 20
	// oldPayload is what it carries before the two sides have agreed.
	oldPayload = 4096
	headerSize = 24
)

// packet is one message of the protocol.
type packet struct {
	command, arg0, arg1 uint32
	data                []byte
}

// readPacket reads one message. An error that is not of the connection says
// what is wrong with the message.
func readPacket(r io.Reader) (packet, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return packet{}, err
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(h[4*i:]) }
	p := packet{command: word(0), arg0: word(1), arg1: word(2)}
	if word(5) != ^p.command {
		return p, fmt.Errorf("packet %08x has magic %08x: this is not adb", p.command, word(5))
	}
	length := word(3)
	if length > maxPayload {
		return p, fmt.Errorf("packet %08x of %d bytes is longer than %d", p.command, length, maxPayload)
	}
	p.data = make([]byte, length)
	if _, err := io.ReadFull(r, p.data); err != nil {
		return p, err
	}
	return p, nil
}

// encode is the message as it goes over the wire. The sum of its bytes is what
// peers before version ask for.
func (p packet) encode() []byte {
	out := make([]byte, headerSize, headerSize+len(p.data))
	var sum uint32
	for _, b := range p.data {
		sum += uint32(b)
	}
	for i, v := range []uint32{p.command, p.arg0, p.arg1, uint32(len(p.data)), sum, ^p.command} {
		binary.LittleEndian.PutUint32(out[4*i:], v)
	}
	return append(out, p.data...)
}
