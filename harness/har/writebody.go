package har

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// maxContent is how much of one body's content is written, in bytes: no more is read back.
const maxContent = 64 << 20

// heldInMemory is how long a body may be that is not read a second time, in bytes.
const heldInMemory = 64 << 10

// bodyText is a body as it will be written.
type bodyText struct {
	open    func() (io.ReadCloser, error)
	size    int64  // of what will be written, in bytes
	plain   bool   // it is text; else it is written in base64
	decoded bool   // a content coding was taken off
	cut     string // why it is not whole, or not decoded
}

// body reads a body once, to see what it is.
func (w *writer) body(b flow.Body, headers []flow.Header) (*bodyText, error) {
	t := &bodyText{cut: b.Cut, plain: true}
	if b.Size == 0 {
		return t, nil
	}
	codings, err := flow.Codings(headers)
	if err == nil {
		t.open = func() (io.ReadCloser, error) {
			rc, _, err := flow.Content(w.ev, b, headers, maxContent)
			return rc, err
		}
		if err = t.measure(); err == nil || errors.Is(err, flow.ErrBudget) {
			t.decoded = len(codings) > 0
			if err != nil {
				t.cut = fmt.Sprintf("only the first %d bytes of its content are here", t.size)
			}
			return t, nil
		}
	}
	if errors.Is(err, evidence.ErrBroken) {
		return nil, err
	}
	// It can't be decoded to its end, or is cut: as it came, it is evidence all the same.
	t.open = func() (io.ReadCloser, error) { return b.Open(w.ev) }
	if t.cut == "" {
		t.cut = "it is written with its content coding on: " + err.Error()
	}
	if err := t.measure(); err != nil {
		return nil, err
	}
	return t, nil
}

// measure finds the size and whether it is text.
func (t *bodyText) measure() error {
	t.size, t.plain = 0, true
	var small []byte
	err := t.each(func(piece []byte) {
		t.size += int64(len(piece))
		if t.size <= heldInMemory {
			small = append(small, piece...)
		}
		for len(piece) > 0 && t.plain {
			c, n := utf8.DecodeRune(piece)
			odd := c < ' ' && c != '\t' && c != '\n' && c != '\r' || c >= 0x7f && c < 0xa0
			if odd || c == utf8.RuneError {
				t.plain = false
			}
			piece = piece[n:]
		}
	})
	if err == nil && t.size <= heldInMemory {
		t.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(small)), nil }
	}
	return err
}

// each calls use with one piece after the other; none ends within a character.
func (t *bodyText) each(use func(piece []byte)) error {
	rc, err := t.open()
	if err != nil {
		return err
	}
	defer rc.Close()
	in := io.LimitReader(rc, maxContent)
	buf := make([]byte, 16<<10)
	kept := 0
	for {
		n, err := in.Read(buf[kept:])
		n += kept
		last := err != nil
		whole := n
		if !last {
			whole -= unfinished(buf[:n])
		}
		use(buf[:whole])
		kept = copy(buf, buf[whole:n])
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// unfinished is how many bytes at the end begin a character that is not whole.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// text writes a body as a JSON string.
func (w *writer) text(t *bodyText) error {
	if !t.plain {
		return w.base64(t.open)
	}
	w.WriteByte('"')
	err := t.each(func(piece []byte) { w.escaped(piece) })
	if err != nil && !errors.Is(err, flow.ErrBudget) {
		return err
	}
	return w.WriteByte('"')
}

// escaped writes what stands within a JSON string.
func (w *writer) escaped(text []byte) {
	from := 0
	for i, b := range text {
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		w.Write(text[from:i])
		from = i + 1
		switch b {
		case '"', '\\':
			w.WriteByte('\\')
			w.WriteByte(b)
		case '\n':
			w.WriteString(`\n`)
		case '\r':
			w.WriteString(`\r`)
		case '\t':
			w.WriteString(`\t`)
		default:
			fmt.Fprintf(w, `\u%04x`, b)
		}
	}
	w.Write(text[from:])
}

// base64 writes bytes as a JSON string.
func (w *writer) base64(open func() (io.ReadCloser, error)) error {
	rc, err := open()
	if err != nil {
		return err
	}
	defer rc.Close()
	w.WriteByte('"')
	enc := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := io.Copy(enc, io.LimitReader(rc, maxContent)); err != nil && !errors.Is(err, flow.ErrBudget) {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	return w.WriteByte('"')
}

// messagesInMemory is how much of messages is held from the survey until their entry is
// written, in bytes; for those beyond it, the log is read again.
const messagesInMemory = 8 << 20

// socket is what a flow has of messages.
type socket struct {
	list []flow.Message
	more bool // list is not all
}

// message takes a message in; size is what it takes.
func (w *writer) message(m flow.Message, size int) {
	s := w.sockets[m.Flow]
	if s == nil {
		s = &socket{}
		w.sockets[m.Flow] = s
	}
	if w.kept += size; w.kept > messagesInMemory {
		s.more, s.list = true, nil
	}
	if !s.more {
		s.list = append(s.list, m)
	}
}

// messages writes those of a flow.
func (w *writer) messages(id flow.ID) error {
	s := w.sockets[id]
	if s == nil {
		return nil
	}
	delete(w.sockets, id)
	w.WriteString(`,"_resourceType":"websocket","_webSocketMessages":[`)
	n := 0
	if !s.more {
		for _, m := range s.list {
			if err := w.frame(m, &n); err != nil {
				return err
			}
		}
	} else {
		for e, err := range w.ev.Events(w.ctx) {
			if err != nil {
				return err
			}
			if e.Kind != evidence.KindMessage {
				continue
			}
			var m flow.Message
			if err := json.Unmarshal(e.Data, &m); err != nil {
				return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
			}
			if m.Flow == id {
				if err := w.frame(m, &n); err != nil {
					return err
				}
			}
		}
	}
	return w.WriteByte(']')
}

// frame writes one message as Chromium does: a text as it is, what is binary in base64.
func (w *writer) frame(m flow.Message, n *int) error {
	if *n++; *n > 1 {
		w.WriteByte(',')
	}
	t := &bodyText{open: func() (io.ReadCloser, error) { return m.Body.Open(w.ev) }}
	if err := t.measure(); err != nil {
		return err
	}
	t.plain = t.plain && !m.Binary
	kind, opcode := "receive", 1
	if m.Sent {
		kind = "send"
	}
	if !t.plain {
		opcode = 2
	}
	fmt.Fprintf(w, `{"type":"%s","time":%.6f,"opcode":%d,"data":`, kind, float64(m.At.UnixMicro())/1e6, opcode)
	if err := w.text(t); err != nil {
		return err
	}
	return w.WriteByte('}')
}
