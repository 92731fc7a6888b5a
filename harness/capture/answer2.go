package capture

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// mute is HTTP/2 with a client that asks an origin which can't be reached: each
// request is heard to its end and has the same answer (RFC 9113).
type mute struct {
	framer *http2.Framer
	answer answer
	open   map[uint32]bool // streams that are heard
	last   uint32          // the highest that was answered
	window uint32          // the client's first window for a stream, in bytes
	broken error
}

// maxOpen is how many streams a client may open at once.
const maxOpen = 1000

// hearH2 hears requests in HTTP/2 until none is open, and answers them.
func (c *conn) hearH2(device *stream, o observer, a answer) {
	device.within(hearTime)
	defer device.within(0)
	in := &shown{device: device, show: func(b []byte) error { return c.pass(nil, b, nil, o.Sent) }}
	if _, err := io.ReadFull(in, make([]byte, len(preface))); err != nil {
		_ = o.SentAll(eofIsNil(err))
		return
	}
	m := &mute{framer: http2.NewFramer(device, in), answer: a, open: map[uint32]bool{}, window: 65535}
	m.framer.SetMaxReadFrameSize(16 << 10) // as long as nothing else was agreed
	m.framer.AllowIllegalReads = true      // what comes is recorded, not judged
	const all = 1<<31 - 1
	m.say(m.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: all}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: maxOpen}))
	m.say(m.framer.WriteWindowUpdate(0, all-65535))
	asked := false
	for m.broken == nil {
		f, err := m.framer.ReadFrame()
		if isTimeout(err) && len(m.open) > 0 { // they will not end
			for id := range m.open {
				m.reply(id)
			}
			break
		}
		if err != nil && !errors.As(err, new(http2.StreamError)) {
			_ = o.SentAll(eofIsNil(err))
			return
		}
		if f == nil {
			continue
		}
		m.take(f)
		asked = asked || m.last > 0
		if asked && len(m.open) == 0 && !in.more() {
			break
		}
		if len(m.open) > 0 || asked {
			continue
		}
		device.within(0) // nothing was asked yet: that may take its time
	}
	m.say(m.framer.WriteGoAway(m.last, http2.ErrCodeNo, nil))
	device.finish()
}

// say takes note that the client can't be spoken to any more.
func (m *mute) say(err error) { m.broken = errors.Join(m.broken, err) }

// take does what a frame asks for.
func (m *mute) take(f http2.Frame) {
	id := f.Header().StreamID
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			return
		}
		if v, ok := f.Value(http2.SettingInitialWindowSize); ok {
			m.window = v
		}
		m.say(m.framer.WriteSettingsAck())
	case *http2.PingFrame:
		if !f.IsAck() {
			m.say(m.framer.WritePing(true, f.Data))
		}
	case *http2.HeadersFrame:
		if m.open[id] = true; len(m.open) > maxOpen {
			m.say(errors.New("more streams than were allowed"))
		}
		m.endIf(id, f.StreamEnded())
	case *http2.DataFrame:
		if n := f.Header().Length; n > 0 {
			m.say(m.framer.WriteWindowUpdate(0, n))
			if m.open[id] && !f.StreamEnded() {
				m.say(m.framer.WriteWindowUpdate(id, n))
			}
		}
		m.endIf(id, f.StreamEnded())
	case *http2.RSTStreamFrame:
		delete(m.open, id)
		m.last = max(m.last, id)
	}
}

func (m *mute) endIf(id uint32, ended bool) {
	if ended && m.open[id] {
		m.reply(id)
	}
}

// reply answers a stream.
func (m *mute) reply(id uint32) {
	delete(m.open, id)
	m.last = max(m.last, id)
	text := m.answer.text + "\n"
	var head bytes.Buffer
	enc := hpack.NewEncoder(&head)
	enc.SetMaxDynamicTableSizeLimit(0)
	for _, f := range []hpack.HeaderField{
		{Name: ":status", Value: strconv.Itoa(m.answer.status)}, {Name: "content-type", Value: "text/plain; charset=utf-8"},
	} {
		m.say(enc.WriteField(f))
	}
	short := int(m.window) < len(text) || len(text) > 16384
	m.say(m.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head.Bytes(), EndHeaders: true, EndStream: short}))
	if !short {
		m.say(m.framer.WriteData(id, true, []byte(text)))
	}
}

// shown is what the client sends, each byte shown to the observer.
type shown struct {
	device *stream
	show   func([]byte) error
	buf    []byte
	rest   []byte
}

// Read implements io.Reader.
func (s *shown) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.buf == nil {
			s.buf = make([]byte, relayBuffer)
		}
		n, err := s.device.Read(s.buf)
		if n == 0 {
			return 0, err
		}
		if failed := s.show(s.buf[:n]); failed != nil {
			return 0, failed
		}
		s.rest = s.buf[:n]
		s.device.within(hearTime)
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// more reports whether something is here already.
func (s *shown) more() bool { return len(s.rest) > 0 || len(s.device.here()) > 0 }
