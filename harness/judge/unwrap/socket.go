package unwrap

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// errSocket says that bytes are no WebSocket frames, from where on.
var errSocket = errors.New("the bytes are no WebSocket frames")

// The opcodes of WebSocket frames (RFC 6455, section 5.2).
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opControl  = 0x8 // this bit marks control frames
)

// window is how far back a compressed message may point (RFC 7692, section 7).
const window = 32 << 10

// Socket shows every part of the messages that one side of a WebSocket sent, as
// ws:0, ws:1 and so on. Masks are taken off, fragments put together, and compressed
// messages opened (RFC 7692). The error says from which byte on it is no WebSocket;
// what stands before was shown.
func (o *Opener) Socket(data []byte, visit func(*Part)) (Report, error) {
	w := o.begin(visit)
	defer w.end()
	s := &socket{}
	for n := 0; s.at < len(data); n++ {
		message, compressed, err := s.next(data)
		if err != nil {
			at := s.at
			return w.close(), fmt.Errorf("byte %d: %w", at, err)
		}
		if message == nil {
			break // only control frames were left
		}
		p := w.part()
		*p = Part{Parent: -1, Type: Text, Data: message, root: flow.MessageSurface(n)}
		if compressed {
			out, err := s.inflate(message, max(w.left.Bytes, 0))
			if err != nil {
				w.cut(p, "deflate: %v", err)
			}
			w.left.Bytes -= int64(len(out))
			p.Chain, p.Data = chained(nil, "deflate"), out
		}
		w.open(p, 0)
		w.drop(p)
	}
	return w.close(), nil
}

// socket reads frames.
type socket struct {
	at  int
	out []byte // the last of what was inflated: later messages may point back into it
}

// next puts the next message together; nil where there is none any more.
func (s *socket) next(data []byte) (message []byte, compressed bool, err error) {
	open := false
	for s.at < len(data) {
		f, size, err := frame(data[s.at:])
		if err != nil {
			return message, compressed, err
		}
		s.at += size
		if f.op&opControl != 0 {
			continue
		}
		if (f.op == opContinue) != open {
			return message, compressed, errSocket
		}
		if !open {
			compressed, open, message = f.compressed, true, []byte{}
		}
		message = append(message, f.payload...)
		if f.last {
			return message, compressed, nil
		}
	}
	return message, compressed, nil
}

type part struct {
	op         byte
	last       bool
	compressed bool
	payload    []byte
}

// frame reads one frame (RFC 6455, section 5.2) and says how long it is.
func frame(b []byte) (f part, size int, err error) {
	if len(b) < 2 {
		return f, 0, errSocket
	}
	f.op, f.last, f.compressed = b[0]&0x0f, b[0]&0x80 != 0, b[0]&0x40 != 0
	if b[0]&0x30 != 0 || f.op > opBinary && f.op < opControl || f.op > 0xa {
		return f, 0, errSocket
	}
	length, at := uint64(b[1]&0x7f), 2
	switch {
	case length == 126 && len(b) >= 4:
		length, at = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case length == 127 && len(b) >= 10:
		length, at = binary.BigEndian.Uint64(b[2:]), 10
	case length > 125:
		return f, 0, errSocket
	}
	var mask []byte
	if b[1]&0x80 != 0 {
		if len(b) < at+4 {
			return f, 0, errSocket
		}
		mask = b[at : at+4]
		at += 4
	}
	// The last frame may have been cut off with its connection.
	end := uint64(len(b))
	if length < end-uint64(at) {
		end = uint64(at) + length
	}
	f.payload = bytes.Clone(b[at:end])
	for i := range f.payload {
		if mask != nil {
			f.payload[i] ^= mask[i&3]
		}
	}
	return f, int(end), nil
}

// inflate opens a compressed message (RFC 7692, section 7.2.2).
func (s *socket) inflate(message []byte, budget int64) ([]byte, error) {
	// What the sender left off, and an empty last block that ends the stream.
	tail := []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(message), bytes.NewReader(tail)), s.out)
	out, err := io.ReadAll(io.LimitReader(r, budget+1))
	if int64(len(out)) > budget {
		return out[:budget], coding.ErrBudget
	}
	s.out = append(s.out, out...)
	if len(s.out) > window {
		s.out = bytes.Clone(s.out[len(s.out)-window:])
	}
	return out, err
}
