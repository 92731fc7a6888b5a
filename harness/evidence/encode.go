package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// encode is JSON on one line, with characters as they are.
func encode(v any) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer e.put()
	b, err := e.encode(v)
	return bytes.Clone(b), err
}

// encoder makes JSON on one line, in room that is used again.
type encoder struct {
	b    bytes.Buffer
	json *json.Encoder
}

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.json = json.NewEncoder(&e.b)
	e.json.SetEscapeHTML(false)
	return e
}}

// encode returns bytes that are valid until put.
func (e *encoder) encode(v any) ([]byte, error) {
	e.b.Reset()
	if err := e.json.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(e.b.Bytes(), []byte("\n")), nil
}

func (e *encoder) put() {
	const most = 64 << 10 // a large event's room is not kept
	if e.b.Cap() <= most {
		encoders.Put(e)
	}
}

// eventRoom is what a line needs beside its payload, mostly.
const eventRoom = 320

// appendEvent adds an event's line to b, as encode writes it: its payload, which
// is encoded already, need not be read again for that. It leaves ev.Data as the
// place of the payload within the line.
func appendEvent(b []byte, ev *Event) ([]byte, error) {
	if y := ev.At.Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("the year %d can't be written", y) // RFC 3339 has four digits
	}
	b = strconv.AppendUint(append(b, `{"seq":`...), ev.Seq, 10)
	b = ev.At.AppendFormat(append(b, `,"at":"`...), time.RFC3339Nano)
	b = append(b, '"')
	for _, m := range [...]struct{ name, value string }{{`,"arm":`, ev.Arm}, {`,"phase":`, ev.Phase}, {`,"consent":`, string(ev.Consent)}, {`,"kind":`, ev.Kind}} {
		if m.value == "" && m.name != `,"kind":` {
			continue
		}
		var err error
		if b, err = appendString(append(b, m.name...), m.value); err != nil {
			return nil, err
		}
	}
	b = append(b, `,"data":`...)
	from := len(b)
	b = append(b, ev.Data...)
	to := len(b)
	b = append(append(append(b, `,"prev":"`...), ev.Prev...), `"}`...)
	ev.Data = b[from:to:to]
	return b, nil
}

// appendString adds a JSON string.
func appendString(b []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			text, err := encode(s)
			return append(b, text...), err
		}
	}
	return append(append(append(b, '"'), s...), '"'), nil
}
