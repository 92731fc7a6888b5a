package evidence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// line is one line of a log with its place.
type line struct {
	offset int64
	text   []byte // without the newline; valid until the next call
	torn   bool   // no newline follows: the file ends here
}

// lines reads a log line by line in bounded memory.
type lines struct {
	r      *bufio.Reader
	offset int64
	buf    []byte
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

var errLongLine = fmt.Errorf("a line longer than %d bytes", maxLine)

// next returns the next line, or io.EOF.
func (l *lines) next() (line, error) {
	l.buf = l.buf[:0]
	start := l.offset
	for {
		part, err := l.r.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		l.offset += int64(len(part))
		if len(l.buf) > maxLine+1 {
			return line{offset: start}, errLongLine
		}
		switch {
		case err == nil:
			return line{offset: start, text: l.buf[:len(l.buf)-1]}, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(l.buf) > 0:
			return line{offset: start, text: l.buf, torn: true}, nil
		default:
			return line{offset: start}, err
		}
	}
}

// parseEvent reads an event's line. at is the place within the line of the
// first byte that is not as it must be; where err is nil there is none.
func parseEvent(text []byte) (ev Event, at int, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ev); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return ev, max(0, int(syntax.Offset)-1), fmt.Errorf("no JSON: %w", err)
		}
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return ev, max(0, int(wrong.Offset)-1), err
		}
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return ev, len(text), errors.New("no JSON: it ends too early")
		}
		return ev, firstDifference(text, ev), err
	}
	again, err := encode(ev)
	if err != nil {
		return ev, 0, err
	}
	if !bytes.Equal(again, text) {
		return ev, difference(again, text), errors.New("not written as this format is")
	}
	ev.Data = bytes.Clone(ev.Data)
	return ev, 0, nil
}

func firstDifference(text []byte, ev Event) int {
	again, err := encode(ev)
	if err != nil {
		return 0
	}
	return difference(again, text)
}

// difference is the index of the first byte in which a and b differ.
func difference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
