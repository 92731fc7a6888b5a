package observe

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/unasked-audit/unasked/harness/flow"
)

// messages reads the messages of one direction of a WebSocket (RFC 6455).
type messages struct {
	t    *tunnel
	sent bool

	header [14]byte
	got    int    // bytes of it
	left   uint64 // bytes of the frame's payload that are to come
	inside bool   // a frame's payload is being read
	final  bool   // it is the last of its message
	data   bool   // it is no control frame
	op     byte
	mask   [4]byte
	masked bool
	turn   int // which byte of the mask is next

	open    bool // a message is under way
	binary  bool
	packed  bool // it is compressed
	body    Body
	inflate *inflater // nil where no compression was agreed on

	control []byte // what the client's control frame carries
	ping    []byte // what the last ping carried
	scratch []byte // where masks are taken off
	broken  string // why no more is read
}

func newMessages(t *tunnel, sent bool, d *deflate) *messages {
	m := &messages{t: t, sent: sent}
	if d != nil {
		m.inflate = &inflater{keep: !d.noTakeover}
	}
	return m
}

const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opControl      = 8 // and above; closes a connection
	opPing         = 9
	opPong         = 10
)

// take reads bytes. An error is the Recorder's.
func (m *messages) take(b []byte) error {
	for len(b) > 0 && m.broken == "" {
		if !m.inside {
			n, err := m.head(b)
			if err != nil {
				return err
			}
			b = b[n:]
			continue
		}
		n := int(min(uint64(len(b)), m.left))
		if m.data {
			if err := m.payload(b[:n]); err != nil {
				return err
			}
		} else {
			m.control = append(m.control, m.plain(b[:n])...) // 125 bytes at most
		}
		b = b[n:]
		if m.left -= uint64(n); m.left == 0 {
			if err := m.endFrame(); err != nil {
				return err
			}
		}
	}
	return nil
}

// head reads the beginning of a frame (RFC 6455 section 5.2).
func (m *messages) head(b []byte) (n int, err error) {
	for {
		want := 2
		if m.got >= 2 {
			switch m.header[1] & 0x7f {
			case 126:
				want += 2
			case 127:
				want += 8
			}
			if m.header[1]&0x80 != 0 {
				want += 4
			}
		}
		k := copy(m.header[m.got:want], b[n:])
		n += k
		m.got += k
		if m.got < want {
			return n, nil
		}
		if want == 2 && (m.header[1]&0x80 != 0 || m.header[1]&0x7f >= 126) {
			continue
		}
		break
	}
	h := m.header[:m.got]
	m.got = 0
	length, rest := uint64(h[1]&0x7f), h[2:]
	switch length {
	case 126:
		length, rest = uint64(binary.BigEndian.Uint16(rest)), rest[2:]
	case 127:
		length, rest = binary.BigEndian.Uint64(rest), rest[8:]
	}
	m.masked, m.turn = h[1]&0x80 != 0, 0
	copy(m.mask[:], rest)
	m.final = h[0]&0x80 != 0
	if why := m.begin(h[0], length); why != "" {
		m.broken = why
		return n, m.cut("it was followed by bytes that are no frame: " + why)
	}
	m.left, m.inside = length, true
	if length == 0 {
		return n, m.endFrame()
	}
	return n, nil
}

// begin looks at a frame's first byte. why says what is wrong with it.
func (m *messages) begin(first byte, length uint64) (why string) {
	op := first & 0x0f
	m.op, m.data = op, op < opControl
	m.control = m.control[:0]
	switch {
	case first&0x30 != 0:
		return "a bit is set that nothing was agreed on for"
	case length>>63 != 0:
		return "a frame has an impossible length"
	case op >= opControl && (op > opControl+2 || !m.final || length > 125 || first&0x40 != 0):
		return "a control frame is malformed"
	case op >= opControl:
		return ""
	case op > opBinary:
		return "a frame's type is unknown"
	case (op == opContinuation) != m.open:
		return "a message is not continued where it should be, or continued where there is none"
	case first&0x40 != 0 && (m.inflate == nil || op == opContinuation):
		return "a frame is compressed, which was not agreed on"
	}
	if op != opContinuation {
		m.open, m.binary, m.packed = true, op == opBinary, first&0x40 != 0
	}
	return ""
}

// payload takes bytes of a message, as they are in the frame.
func (m *messages) payload(b []byte) error {
	for len(b) > 0 {
		part := m.plain(b)
		if m.packed {
			m.inflate.add(part)
		} else if err := writeTo(&m.body, m.t.c.o.Recorder, part); err != nil {
			return err
		}
		b = b[len(part):]
	}
	return nil
}

// plain is the first of the bytes, at least one, without their mask. They are valid
// until the next call.
func (m *messages) plain(b []byte) []byte {
	if !m.masked {
		return b
	}
	if m.scratch == nil {
		m.scratch = make([]byte, 4<<10)
	}
	return m.unmask(b)
}

// unmask copies bytes, as many as there is room for, and takes the mask off.
func (m *messages) unmask(b []byte) []byte {
	n := copy(m.scratch, b)
	part := m.scratch[:n]
	for len(part) > 0 && m.turn != 0 {
		part[0] ^= m.mask[m.turn]
		m.turn = (m.turn + 1) & 3
		part = part[1:]
	}
	four := binary.LittleEndian.Uint32(m.mask[:])
	eight := uint64(four)<<32 | uint64(four)
	for len(part) >= 8 {
		binary.LittleEndian.PutUint64(part, binary.LittleEndian.Uint64(part)^eight)
		part = part[8:]
	}
	for i := range part {
		part[i] ^= m.mask[m.turn]
		m.turn = (m.turn + 1) & 3
	}
	return m.scratch[:n]
}

func (m *messages) endFrame() error {
	m.inside = false
	switch {
	case !m.data:
		return m.endControl()
	case !m.final:
		return nil
	}
	cut := ""
	if m.packed {
		var err error
		if cut, err = m.inflate.unfold(&m.body, m.t.c.o.Recorder); err != nil {
			return err
		}
	}
	return m.record(cut)
}

// endControl is for a control frame that is whole. What the client writes into one is
// kept without its mask, but for what a server has asked it to repeat, and for the
// number that says why it closes.
func (m *messages) endControl() error {
	text := m.control
	switch other := m.t.messages[1]; {
	case m.op == opPing:
		m.ping = append(m.ping[:0], text...)
	case m.op == opPong && other != nil && bytes.Equal(text, other.ping):
		return nil
	case m.op == opControl:
		text = text[min(2, len(text)):]
	}
	if !m.sent {
		return nil
	}
	return m.t.c.strayed(true, text)
}

// cut records the message that is under way, if any.
func (m *messages) cut(why string) error {
	if !m.open {
		return nil
	}
	if m.packed {
		broken, err := m.inflate.unfold(&m.body, m.t.c.o.Recorder)
		if err != nil {
			return err
		}
		if broken != "" {
			why += "; " + broken
		}
	}
	return m.record(why)
}

func (m *messages) record(cut string) error {
	t := m.t
	at := t.c.at
	r := flow.Message{Flow: t.record.Flow, Index: t.index, At: at, Sent: m.sent, Binary: m.binary, Body: endBody(&m.body, cut)}
	t.index++
	m.open = false
	return t.c.o.Recorder.Message(r)
}

// end records what is under way when the connection is over.
func (m *messages) end() error {
	if m.inside && !m.data {
		if err := m.endControl(); err != nil {
			return err
		}
	}
	return m.cut(m.t.c.blame())
}

// deflate is what was agreed on for one direction (RFC 7692).
type deflate struct{ noTakeover bool }

// deflation reads Sec-WebSocket-Extensions of a response: what was agreed on for
// messages of the client and of the server. It is nil where that is no compression.
func deflation(extensions string) (client, server *deflate) {
	for one := range strings.SplitSeq(extensions, ",") {
		name, parameters, _ := strings.Cut(one, ";")
		if !isToken(trim(name), "permessage-deflate") {
			continue
		}
		client, server = new(deflate), new(deflate)
		for p := range strings.SplitSeq(parameters, ";") {
			switch p = strings.ToLower(trim(p)); p {
			case "client_no_context_takeover":
				client.noTakeover = true
			case "server_no_context_takeover":
				server.noTakeover = true
			}
		}
		return client, server
	}
	return nil, nil
}
