package recording

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unasked-audit/unasked/harness/flow"
)

// preface is what a client of HTTP/2 begins with (RFC 9113, section 3.4).
const preface = http2.ClientPreface

// The bounds of one side of HTTP/2.
const (
	maxFrame = 16<<20 - 1
	maxTable = 1 << 20 // bytes of HPACK's dynamic table
)

// multiplexed is one stream of HTTP/2 while its frames come in.
type multiplexed struct {
	exchange
	id      uint32
	started [2]bool // the head of the request, of the response
}

// http2 reads both sides of a connection. Streams are appended in the order of their ids.
func (l *line) http2() error {
	streams := map[uint32]*multiplexed{}
	broken := [2]error{
		l.frames(l.s.Up[len(preface):], true, streams),
		l.frames(l.s.Down, false, streams),
	}
	order := make([]*multiplexed, 0, len(streams))
	for _, m := range streams {
		order = append(order, m)
	}
	slices.SortFunc(order, func(a, b *multiplexed) int { return int(int64(a.id) - int64(b.id)) })
	for _, m := range order {
		if !m.started[0] {
			continue // it was opened before the capture, or pushed
		}
		if _, err := l.put(&m.exchange); err != nil {
			return err
		}
	}
	for _, err := range broken {
		if err != nil {
			l.notes = append(l.notes, Note{Hides: true, What: "HTTP/2 between " + l.s.Client + " and " + l.s.Server + " can't be read to its end: " + err.Error() + "."})
		}
	}
	return nil
}

// frames reads one side.
func (l *line) frames(data []byte, sent bool, streams map[uint32]*multiplexed) error {
	f := http2.NewFramer(io.Discard, bytes.NewReader(data))
	f.SetMaxReadFrameSize(maxFrame)
	f.MaxHeaderListSize = maxHead
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.ReadMetaHeaders.SetAllowedMaxDynamicTableSize(maxTable)
	for {
		frame, err := f.ReadFrame()
		var bad http2.StreamError
		switch {
		case errors.As(err, &bad):
			continue // of one stream; the others go on
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil // the capture ends here
		case err != nil:
			return err
		}
		id := frame.Header().StreamID
		m := streams[id]
		if m == nil && id != 0 && len(streams) < mostMessages {
			m = &multiplexed{id: id}
			streams[id] = m
		}
		if m == nil {
			continue
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			l.heads(m, frame, sent)
		case *http2.DataFrame:
			if sent {
				m.sent = append(m.sent, frame.Data()...)
			} else {
				m.received = append(m.received, frame.Data()...)
			}
		}
	}
}

// heads takes a header section in: the head of a message, or its trailers.
func (l *line) heads(m *multiplexed, frame *http2.MetaHeadersFrame, sent bool) {
	var fields []flow.Header
	for _, h := range frame.RegularFields() {
		fields = append(fields, flow.Header{Name: h.Name, Value: h.Value})
	}
	switch {
	case sent && !m.started[0]:
		m.started[0] = true
		scheme, host, path := frame.PseudoValue("scheme"), frame.PseudoValue("authority"), frame.PseudoValue("path")
		if host == "" {
			host = l.host
		}
		if scheme == "" {
			scheme = l.scheme
		}
		m.request = flow.Request{
			Method: frame.PseudoValue("method"), Proto: "HTTP/2.0", Headers: fields, URL: scheme + "://" + host + "/" + strings.TrimPrefix(path, "/"),
		}
	case sent:
		m.request.Trailers = append(m.request.Trailers, fields...)
	case !m.started[1]:
		status, _ := strconv.Atoi(frame.PseudoValue("status"))
		if status >= 100 && status < 200 {
			m.response.Interim = append(m.response.Interim, flow.Interim{Status: status, Headers: fields})
			return
		}
		m.started[1], m.answered = true, true
		m.response.Status, m.response.Proto, m.response.Headers = status, "HTTP/2.0", fields
	default:
		m.response.Trailers = append(m.response.Trailers, fields...)
	}
}
