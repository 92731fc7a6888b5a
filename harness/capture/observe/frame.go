package observe

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unasked-audit/unasked/harness/flow"
)

// preface is what a client of HTTP/2 begins with (RFC 9113 section 3.4).
const (
	preface     = http2.ClientPreface
	prefaceHead = "PRI * HTTP/2.0\r\n\r\n" // as much of it as HTTP/1 takes for a head
)

const (
	frameHeader  = 9       // bytes before a frame's payload
	maxTable     = 1 << 20 // of HPACK's dynamic table, in bytes
	defaultTable = 1 << 12 // what it has unless a SETTINGS frame says otherwise
)

// frameReader is how far HTTP/2's frames were read, on one side.
type frameReader struct {
	first  bool // the first frame is to come
	header [frameHeader]byte
	got    int // bytes of it

	kind   http2.FrameType
	flags  http2.Flags
	id     uint32
	left   int  // bytes of the payload that are to come
	pad    int  // of them, at the end, those that are padding
	padded bool // the first of them says how many
	held   bool // the frame is in side.held
	block  uint32
	stream *stream // that DATA is for; nil where there is none

	table   uint32 // the largest that the other side has allowed
	decoder *hpack.Decoder
	fields  []flow.Header // that the decoder has brought
	pseudo  pseudo
	weight  int
}

func (f *frameReader) init() {
	f.first, f.table = true, defaultTable
	f.decoder = hpack.NewDecoder(defaultTable, f.emit)
	f.decoder.SetMaxStringLength(maxHead)
}

// mayBeSettings says whether bytes may be the beginning of a SETTINGS frame, which is
// the first on either side.
func mayBeSettings(b []byte) bool {
	for i, c := range b[:min(len(b), frameHeader)] {
		switch i {
		case 2: // the low byte of the length
			if c%6 != 0 {
				return false
			}
		case 3:
			if c != byte(http2.FrameSettings) {
				return false
			}
		default:
			if c != 0 {
				return false
			}
		}
	}
	return true
}

// preface reads the client's preface, of which left bytes have come.
func (s *side) preface(b []byte) (int, error) {
	want := preface[s.left:]
	n := min(len(b), len(want))
	if string(b[:n]) != want[:n] {
		s.held = append([]byte(nil), preface[:s.left]...)
		return 0, notUnderstood("the client does not begin with HTTP/2's preface")
	}
	if s.left += int64(n); s.left == int64(len(preface)) {
		s.left, s.step = 0, (*side).frame
	}
	return n, nil
}

// frame reads the beginning of a frame (RFC 9113 section 4.1).
func (s *side) frame(b []byte) (int, error) {
	f := &s.frames
	if f.got == 0 && len(s.held) == 0 {
		s.started = s.c.at
	}
	n := copy(f.header[f.got:], b)
	if f.got += n; f.got < frameHeader {
		return n, nil
	}
	f.got = 0
	f.left = int(f.header[0])<<16 | int(f.header[1])<<8 | int(f.header[2])
	f.kind, f.flags = http2.FrameType(f.header[3]), http2.Flags(f.header[4])
	f.id = binary.BigEndian.Uint32(f.header[5:]) &^ (1 << 31)
	if err := s.begin(); err != nil {
		s.hold(f.header[:])
		return n, err
	}
	if f.left == 0 {
		k, err := s.step(s, nil) // there is no payload to wait for
		return n + k, err
	}
	return n, nil
}

// begin decides how a frame is to be read.
func (s *side) begin() error {
	f := &s.frames
	if f.first && !mayBeSettings(f.header[:]) {
		return notUnderstood(s.who() + " does not begin with HTTP/2's settings")
	}
	f.first = false
	if (f.kind == http2.FrameContinuation) != (f.block != 0) || f.block != 0 && f.block != f.id {
		return notUnderstood("a header block is interrupted")
	}
	switch f.kind {
	case http2.FrameData:
		if f.id == 0 {
			return notUnderstood("data has no stream")
		}
		f.stream = s.c.h2.streams[f.id]
		f.pad, f.padded = 0, f.flags.Has(http2.FlagDataPadded)
		if f.padded && f.left == 0 {
			return notUnderstood("padding has no length")
		}
		if f.stream != nil {
			f.stream.size(s.sent, frameHeader)
		}
		s.step = (*side).data
	case http2.FrameHeaders, http2.FramePushPromise, http2.FrameContinuation, http2.FrameRSTStream, http2.FrameSettings, http2.FrameGoAway:
		if len(s.held)+f.left > maxHead {
			return notUnderstood("a header block is too long")
		}
		s.step = (*side).payload
	case frameAltSvc, frameOrigin:
		s.step = (*side).skip
		if s.sent { // these are for the origin to send
			return s.unexpected()
		}
	case http2.FramePriority, http2.FramePing, http2.FrameWindowUpdate, framePriorityUpdate:
		s.step = (*side).skip
		if f.left > frameSizes[f.kind] {
			return s.unexpected()
		}
	default:
		return s.unexpected()
	}
	return nil
}

// Types of frames beside RFC 9113's: of RFC 7838, RFC 8336 and RFC 9218.
const (
	frameAltSvc         http2.FrameType = 0x0a
	frameOrigin         http2.FrameType = 0x0c
	framePriorityUpdate http2.FrameType = 0x10
)

// frameSizes are what frames have of payload that say nothing about an exchange, in
// bytes (RFC 9113 section 6): with more in them they are kept. A PRIORITY_UPDATE names
// a stream, and has as much as "u=0, i=?1" (RFC 9218 section 7.1).
var frameSizes = map[http2.FrameType]int{http2.FramePriority: 5, http2.FramePing: 8, http2.FrameWindowUpdate: 4, framePriorityUpdate: 4 + 9}

// unexpected keeps a frame, with its payload, that has a type of its own or more in it
// than belongs there.
func (s *side) unexpected() error {
	s.step = (*side).unknown
	return s.c.strayed(s.sent, s.frames.header[:])
}

// padding keeps what the client has put into padding, which is to be zeros.
func (s *side) padding(b []byte) error {
	if s.sent && len(bytes.Trim(b, "\x00")) > 0 {
		return s.c.strayed(true, b)
	}
	return nil
}

// over is for a frame that is at its end.
func (s *side) over() { s.step = (*side).frame }

// skip passes over a payload that says nothing about an exchange.
func (s *side) skip(b []byte) (int, error) {
	n := min(len(b), s.frames.left)
	if s.frames.left -= n; s.frames.left == 0 {
		s.over()
	}
	return n, nil
}

// unknown keeps the payload of a frame of a type that is not known.
func (s *side) unknown(b []byte) (int, error) {
	n, err := s.skip(b)
	if err != nil {
		return n, err
	}
	return n, s.c.strayed(s.sent, b[:n])
}

// data reads a DATA frame's payload.
func (s *side) data(b []byte) (int, error) {
	f := &s.frames
	n := 0
	switch {
	case f.padded:
		f.padded, f.pad = false, int(b[0])
		if f.left--; f.pad > f.left {
			s.hold(f.header[:])
			return 0, notUnderstood("there is more padding than payload")
		}
		n = 1
	case f.left > f.pad:
		n = min(len(b), f.left-f.pad)
		if err := s.c.streamData(f.stream, s.sent, b[:n]); err != nil {
			return 0, err
		}
		f.left -= n
	default:
		n = min(len(b), f.left)
		if err := s.padding(b[:n]); err != nil {
			return 0, err
		}
		f.left -= n
	}
	if f.stream != nil {
		f.stream.size(s.sent, n)
	}
	if f.left > 0 {
		return n, nil
	}
	s.over()
	st := f.stream
	f.stream = nil
	if st != nil && f.flags.Has(http2.FlagDataEndStream) {
		return n, s.c.endStream(st, s.sent)
	}
	return n, nil
}

// payload reads a frame that is to be had as a whole, and with HEADERS those that
// continue it.
func (s *side) payload(b []byte) (int, error) {
	f := &s.frames
	ended := f.flags.Has(http2.FlagHeadersEndHeaders)
	part := !ended && (f.kind == http2.FrameHeaders || f.kind == http2.FramePushPromise || f.kind == http2.FrameContinuation)
	if len(s.held) == 0 && len(b) >= f.left && !part {
		s.over()
		err := s.process(f.kind, f.flags, f.id, b[:f.left], frameHeader+f.left)
		if _, no := err.(notUnderstood); no {
			s.hold(f.header[:])
			return 0, err
		}
		return f.left, err
	}
	if !f.held {
		s.hold(f.header[:])
		f.held = true
	}
	n := min(len(b), f.left)
	s.hold(b[:n])
	if f.left -= n; f.left > 0 {
		return n, nil
	}
	f.held = false
	s.over()
	if part {
		f.block = f.id
		return n, nil
	}
	f.block = 0
	err := s.processHeld()
	if _, no := err.(notUnderstood); !no {
		s.release()
	}
	return n, err
}

// processHeld reads the frames that are held: one, or a header block with those that
// continue it.
func (s *side) processHeld() error {
	b := s.held
	size := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	kind, flags, id := http2.FrameType(b[3]), http2.Flags(b[4]), binary.BigEndian.Uint32(b[5:])&^(1<<31)
	first, rest := b[frameHeader:frameHeader+size], b[frameHeader+size:]
	if len(rest) == 0 {
		return s.process(kind, flags, id, first, len(b))
	}
	first, err := s.unpad(kind, flags, first)
	if err != nil {
		return err
	}
	block := make([]byte, 0, len(b))
	block = append(block, first...)
	for len(rest) > 0 {
		size := int(rest[0])<<16 | int(rest[1])<<8 | int(rest[2])
		block = append(block, rest[frameHeader:frameHeader+size]...)
		rest = rest[frameHeader+size:]
	}
	return s.process(kind, flags&^(http2.FlagHeadersPadded|http2.FlagHeadersPriority), id, block, len(b))
}

// unpad takes padding and priority off a HEADERS or PUSH_PROMISE frame's payload.
func (s *side) unpad(kind http2.FrameType, flags http2.Flags, p []byte) ([]byte, error) {
	if flags.Has(http2.FlagHeadersPadded) {
		if len(p) == 0 || int(p[0]) > len(p)-1 {
			return nil, notUnderstood("there is more padding than payload")
		}
		end := len(p) - int(p[0])
		if err := s.padding(p[end:]); err != nil {
			return nil, err
		}
		p = p[1:end]
	}
	if kind == http2.FrameHeaders && flags.Has(http2.FlagHeadersPriority) {
		if len(p) < 5 {
			return nil, notUnderstood("a HEADERS frame is too short")
		}
		p = p[5:]
	}
	return p, nil
}

// process reads a whole frame, whose bytes are size with those that continue it.
func (s *side) process(kind http2.FrameType, flags http2.Flags, id uint32, p []byte, size int) error {
	c := s.c
	switch kind {
	case http2.FrameSettings:
		if flags.Has(http2.FlagSettingsAck) {
			return c.strayed(s.sent, p) // there is nothing in it
		}
		return c.settings(s, p)
	case http2.FrameRSTStream:
		if len(p) != 4 {
			return notUnderstood("a RST_STREAM frame has no code")
		}
		return c.resetStream(s, id, http2.ErrCode(binary.BigEndian.Uint32(p)))
	case http2.FrameGoAway:
		if len(p) < 8 {
			return notUnderstood("a GOAWAY frame is too short")
		}
		if s.sent {
			if err := c.strayed(true, p[8:]); err != nil {
				return err
			}
		}
		return c.goAway(s, binary.BigEndian.Uint32(p)&^(1<<31), http2.ErrCode(binary.BigEndian.Uint32(p[4:])))
	case http2.FrameHeaders, http2.FramePushPromise:
		p, err := s.unpad(kind, flags, p)
		if err != nil {
			return err
		}
		promised := uint32(0)
		if kind == http2.FramePushPromise {
			if len(p) < 4 || s.sent {
				return notUnderstood("a PUSH_PROMISE frame is out of place")
			}
			promised, p = binary.BigEndian.Uint32(p)&^(1<<31), p[4:]
		}
		if id == 0 {
			return notUnderstood("headers have no stream")
		}
		if err := s.frames.decode(p); err != nil {
			return err
		}
		switch {
		case promised != 0:
			return c.push(s, promised, size)
		case s.sent:
			return c.requestHeaders(s, id, flags.Has(http2.FlagHeadersEndStream), size)
		}
		return c.responseHeaders(s, id, flags.Has(http2.FlagHeadersEndStream), size)
	}
	return nil
}
