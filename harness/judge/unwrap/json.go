package unwrap

import (
	"encoding/json"
	"errors"
	"strings"
)

// errJSON is the only thing there is to say about what is no JSON: then it is
// looked at as text.
var errJSON = errors.New("no JSON")

// deepest is how many lists and objects may stand within each other.
const deepest = 256

// readJSON shows every value of one or more JSON values that follow each other, as
// it reads them: of a text that breaks off, what stands before the break was shown.
func readJSON(data []byte, at *step, leaf func(at *step, key string, t Type, value []byte)) error {
	r := jsonReader{data: data, leaf: leaf}
	r.space()
	if r.i == len(data) {
		return errJSON
	}
	first := true
	for n := 0; r.i < len(data); n++ {
		where := at
		if !first {
			where = at.item(n)
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
	leaf func(at *step, key string, t Type, value []byte)
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

func (r *jsonReader) value(at *step, key string, depth int) error {
	r.space()
	if r.i >= len(r.data) || depth > deepest {
		return errJSON
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

func (r *jsonReader) object(at *step, depth int) error {
	r.i++
	for r.space(); ; r.space() {
		if r.i >= len(r.data) {
			return errJSON
		}
		if r.data[r.i] == '}' {
			r.i++
			return nil
		}
		if r.data[r.i] != '"' {
			return errJSON
		}
		k, err := r.str()
		if err != nil {
			return err
		}
		key := string(k)
		if r.space(); r.i >= len(r.data) || r.data[r.i] != ':' {
			return errJSON
		}
		r.i++
		if err := r.value(at.field(key), key, depth+1); err != nil {
			return err
		}
		if err := r.more('}'); err != nil {
			return err
		}
	}
}

// list keeps the name of the field that holds it: the items of "ids" are ids.
func (r *jsonReader) list(at *step, key string, depth int) error {
	r.i++
	for n := 0; ; n++ {
		if r.space(); r.i >= len(r.data) {
			return errJSON
		}
		if r.data[r.i] == ']' {
			r.i++
			return nil
		}
		if err := r.value(at.item(n), key, depth+1); err != nil {
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
		return errJSON
	case r.data[r.i] == end:
		return nil
	case r.data[r.i] != ',':
		return errJSON
	}
	r.i++
	if r.space(); r.i >= len(r.data) || r.data[r.i] == end {
		return errJSON
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
				return nil, errJSON
			}
			return []byte(s), nil
		case c == '\\':
			escaped = true
			r.i++
		case c < 0x20:
			return nil, errJSON
		}
	}
	return nil, errJSON
}

func (r *jsonReader) word(word string, at *step, key string, t Type) error {
	end := r.i + len(word)
	if end > len(r.data) || string(r.data[r.i:end]) != word {
		return errJSON
	}
	if t == Bool {
		r.leaf(at, key, t, r.data[r.i:end])
	}
	r.i = end
	return nil
}

func (r *jsonReader) number(at *step, key string) error {
	start := r.i
	for r.i < len(r.data) && strings.IndexByte("0123456789-+.eE", r.data[r.i]) >= 0 {
		r.i++
	}
	if r.i == start || !json.Valid(r.data[start:r.i]) {
		return errJSON
	}
	r.leaf(at, key, Number, r.data[start:r.i])
	return nil
}
