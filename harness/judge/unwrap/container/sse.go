package container

import "bytes"

// sse reads server-sent events (HTML Living Standard, section 9.2). The fields of the
// first event stand at $[0].data, $[0].event, $[0].id; lines of data are joined. A
// comment is shown at the event that it stands in.
var sse = Format{
	Name:  "sse",
	Media: []string{"text/event-stream"},
	Looks: looksSSE,
	Read:  readSSE,
}

// sseProbe is how much of a text is looked at to tell whether it is a stream of events.
const sseProbe = 4096

// sseFields are the names of the fields.
var sseFields = [][]byte{[]byte("data"), []byte("event"), []byte("id"), []byte("retry")}

func looksSSE(data []byte) Likeness {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	cut := len(data) > sseProbe
	data = data[:min(len(data), sseProbe)]
	fields := 0
	for len(data) > 0 {
		line, rest, whole := nextLine(data)
		if !whole && cut {
			break
		}
		data = rest
		if len(line) == 0 || line[0] == ':' {
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		known := false
		for _, f := range sseFields {
			known = known || bytes.Equal(name, f)
		}
		if !known {
			return Unlike
		}
		if len(name) == 4 && len(value) > 0 { // data
			fields++
		}
	}
	switch {
	case fields > 0:
		return Certain
	case cut:
		return Possible
	}
	return Unlike
}

// nextLine cuts a line off that ends in CRLF, LF or CR; whole says that its end was there.
func nextLine(data []byte) (line, rest []byte, whole bool) {
	i := bytes.IndexAny(data, "\r\n")
	if i < 0 {
		return data, nil, false
	}
	line, rest = data[:i], data[i+1:]
	if data[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return line, rest, true
}

func readSSE(data []byte, at *Step, b *Budget, leaf Leaf) error {
	w := begin(b, leaf)
	defer w.end()
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var joined []byte
	var lines, n, fields int
	flush := func() error {
		if lines == 0 {
			return nil
		}
		lines = 0
		return w.show(w.field(w.item(at, 0, n), 1, "data"), "data", Text, joined)
	}
	seen := false
	for len(data) > 0 {
		var line []byte
		line, data, _ = nextLine(data)
		if len(line) == 0 {
			if err := flush(); err != nil {
				return err
			}
			if seen {
				n++
			}
			seen = false
			continue
		}
		seen = true
		name, value, has := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case string(name) == "data":
			fields++
			if lines == 0 {
				joined = append(joined[:0], value...)
			} else {
				joined = append(append(joined, '\n'), value...)
			}
			lines++
		case has && len(value) > 0:
			if len(name) > 0 {
				fields++
			}
			key := w.name(name)
			if err := w.show(w.field(w.item(at, 0, n), 1, key), key, Text, value); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if fields == 0 {
		return ErrOther
	}
	return nil
}
