package container

import (
	"encoding/json"
	"errors"
	"strings"
)

// ErrOther says that bytes are not, or not to their end, of the format asked for.
var ErrOther = errors.New("the bytes are of another format")

// deepest is how many lists and objects may stand within each other.
const deepest = 256

// JSON shows every value of one or more JSON values that follow each other (RFC 8259,
// and JSON lines), as it reads them: of a text that breaks off, what stands before the
// break was shown, and the error is ErrOther. A null is shown as Bytes.
func JSON(data []byte, at *Step, leaf Leaf) error {
	r := jsonReader{data: data, leaf: leaf}
	r.space()
	if r.i == len(data) {
		return ErrOther
	}
	first := true
	for n := 0; r.i < len(data); n++ {
		where := at
		if !first {
			where = at.Item(n)
		}
		first = false
		if err := r.value(where, "", 0); err != nil {
			return err
		}
		r.space()
	}
	return nil
}

type jsonReader struct {
	data []byte
	i    int
	leaf Leaf
}

func (r *jsonReader) space() {
	for r.i < len(r.data) {
		switch r.data[r.i] {
		case ' ', '\t', '\r', '\n':
			r.i++
		default:
			return
		}
	}
}

func (r *jsonReader) value(at *Step, key string, depth int) error {
	r.space()
	if r.i >= len(r.data) || depth > deepest {
		return ErrOther
	}
	switch c := r.data[r.i]; {
	case c == '{':
		return r.object(at, depth)
	case c == '[':
		return r.list(at, key, depth)
	case c == '"':
		s, err := r.str()
		if err != nil {
			return err
		}
		r.leaf(at, key, Text, s)
	case c == 't':
		return r.word("true", at, key, Bool)
	case c == 'f':
		return r.word("false", at, key, Bool)
	case c == 'n':
		return r.word("null", at, key, Bytes)
	default:
		return r.number(at, key)
	}
	return nil
}

func (r *jsonReader) object(at *Step, depth int) error {
	r.i++
	for r.space(); ; r.space() {
		if r.i >= len(r.data) {
			return ErrOther
		}
		if r.data[r.i] == '}' {
			r.i++
			return nil
		}
		if r.data[r.i] != '"' {
			return ErrOther
		}
		k, err := r.str()
		if err != nil {
			return err
		}
		key := string(k)
		if r.space(); r.i >= len(r.data) || r.data[r.i] != ':' {
			return ErrOther
		}
		r.i++
		if err := r.value(at.Field(key), key, depth+1); err != nil {
			return err
		}
		if err := r.more('}'); err != nil {
			return err
		}
	}
}

// list keeps the name of the field that holds it: the items of "ids" are ids.
func (r *jsonReader) list(at *Step, key string, depth int) error {
	r.i++
	for n := 0; ; n++ {
		if r.space(); r.i >= len(r.data) {
			return ErrOther
		}
		if r.data[r.i] == ']' {
			r.i++
			return nil
		}
		if err := r.value(at.Item(n), key, depth+1); err != nil {
			return err
		}
		if err := r.more(']'); err != nil {
			return err
		}
	}
}

// more steps over a comma, or stops before the end.
func (r *jsonReader) more(end byte) error {
	r.space()
	switch {
	case r.i >= len(r.data):
		return ErrOther
	case r.data[r.i] == end:
		return nil
	case r.data[r.i] != ',':
		return ErrOther
	}
	r.i++
	if r.space(); r.i >= len(r.data) || r.data[r.i] == end {
		return ErrOther
	}
	return nil
}

func (r *jsonReader) str() ([]byte, error) {
	start := r.i
	escaped := false
	for r.i++; r.i < len(r.data); r.i++ {
		switch c := r.data[r.i]; {
		case c == '"':
			r.i++
			if !escaped {
				return r.data[start+1 : r.i-1], nil
			}
			var s string
			if json.Unmarshal(r.data[start:r.i], &s) != nil {
				return nil, ErrOther
			}
			return []byte(s), nil
		case c == '\\':
			escaped = true
			r.i++
		case c < 0x20:
			return nil, ErrOther
		}
	}
	return nil, ErrOther
}

func (r *jsonReader) word(word string, at *Step, key string, t Type) error {
	end := r.i + len(word)
	if end > len(r.data) || string(r.data[r.i:end]) != word {
		return ErrOther
	}
	if t == Bool {
		r.leaf(at, key, t, r.data[r.i:end])
	}
	r.i = end
	return nil
}

func (r *jsonReader) number(at *Step, key string) error {
	start := r.i
	for r.i < len(r.data) && strings.IndexByte("0123456789-+.eE", r.data[r.i]) >= 0 {
		r.i++
	}
	if r.i == start || !json.Valid(r.data[start:r.i]) {
		return ErrOther
	}
	r.leaf(at, key, Number, r.data[start:r.i])
	return nil
}
