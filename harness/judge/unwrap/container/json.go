package container

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// json reads one or more values that follow each other (RFC 8259, JSON lines, RFC
// 7464), behind a guard or in the call of a function (JSONP) as well.
var json = Format{
	Name: "json",
	Media: []string{
		"application/json", "+json", "text/json", "application/x-ndjson", "application/ndjson", "application/jsonl",
		"application/x-jsonlines", "application/json-lines", "application/json-seq", "+json-seq",
		"application/x-json-stream", "application/stream+json",
	},
	Looks: looksJSON,
	Read:  readJSON,
}

// JSON shows every value of one or more JSON values that follow each other (RFC
// 8259, JSON lines, RFC 7464), as it reads them, on a usual budget. The values after
// the first stand at $[1] and so on. Of a text that breaks off, what stands before
// the break was shown, and the error is ErrOther. A null is not shown.
func JSON(data []byte, at *Step, leaf Leaf) error { return readJSON(data, at, nil, leaf) }

// jsonProbe is how much of a text has to be text if it is JSON.
const jsonProbe = 64

func looksJSON(data []byte) Likeness {
	text := bytes.Trim(unguarded(data), " \t\r\n\x1e")
	if len(text) < 2 {
		return Unlike
	}
	// A character may be cut off where the probe ends.
	start := bytes.ToValidUTF8(text[:min(len(text), jsonProbe)], nil)
	second := bytes.TrimLeft(text[1:], " \t\r\n")
	switch first, last := text[0], text[len(text)-1]; {
	case len(start)+4 < min(len(text), jsonProbe) || !legible(bytes.ReplaceAll(start, []byte{0x1e}, nil)):
		return Unlike
	case first == '{' && (len(second) == 0 || second[0] == '"' || second[0] == '}'),
		first == '[' && (len(second) == 0 || strings.IndexByte(`{["-0123456789tfn]`, second[0]) >= 0),
		first == '"' && last == '"':
		return Certain
	case strings.IndexByte(`{["-0123456789tfn`, first) >= 0:
		return Possible
	}
	return Unlike
}

func readJSON(data []byte, at *Step, b *Budget, leaf Leaf) error {
	r := jsonReader{walk: begin(b, leaf), data: unguarded(data)}
	defer r.end()
	r.between()
	if r.i == len(r.data) {
		return ErrOther
	}
	var broken error
	for n := 0; r.i < len(r.data); n++ {
		where := at
		if n > 0 {
			where = r.item(at, 0, n)
		}
		switch err := r.value(where, "", 1); {
		case err == ErrOther && n > 0 && r.nextLine():
			broken = err
		case err != nil:
			return err
		}
		r.between()
	}
	return broken
}

type jsonReader struct {
	*walk
	data []byte
	i    int
	buf  []byte // of the last string that had escapes
}

// between steps over what may stand between two values of a sequence.
func (r *jsonReader) between() {
	for r.space(); r.i < len(r.data) && r.data[r.i] == 0x1e; r.space() {
		r.i++
	}
}

// nextLine goes to the next line that begins with an object or a list.
func (r *jsonReader) nextLine() bool {
	for r.i < len(r.data) {
		n := bytes.IndexByte(r.data[r.i:], '\n')
		if n < 0 {
			return false
		}
		r.i += n + 1
		if r.between(); r.i < len(r.data) && (r.data[r.i] == '{' || r.data[r.i] == '[') {
			return true
		}
	}
	return false
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
	if r.i >= len(r.data) {
		return ErrOther
	}
	if depth > deepest {
		return ErrDeep
	}
	switch c := r.data[r.i]; c {
	case '{':
		return r.object(at, key, depth)
	case '[':
		return r.list(at, key, depth)
	case '"':
		s, err := r.str()
		if err != nil && (r.i < len(r.data) || len(s) == 0) {
			return err
		}
		if err := r.show(at, key, Text, s); err != nil {
			return err
		}
		return err
	case 't':
		return r.word("true", at, key)
	case 'f':
		return r.word("false", at, key)
	case 'n':
		return r.word("null", at, key)
	default:
		return r.numeral(at, key)
	}
}

func (r *jsonReader) object(at *Step, name string, depth int) error {
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
		if err := r.key(at, name, k); err != nil {
			return err
		}
		key := r.name(k)
		if r.space(); r.i >= len(r.data) || r.data[r.i] != ':' {
			return ErrOther
		}
		r.i++
		if err := r.value(r.field(at, depth, key), key, depth+1); err != nil {
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
	if b, ok := octets(r.data[r.i:]); ok {
		if err := r.show(at, key, Bytes, b); err != nil {
			return err
		}
	}
	for n := 0; ; n++ {
		if r.space(); r.i >= len(r.data) {
			return ErrOther
		}
		if r.data[r.i] == ']' {
			r.i++
			return nil
		}
		if err := r.value(r.item(at, depth, n), key, depth+1); err != nil {
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

// plainInString holds true for the bytes that stand for themselves in a string.
var plainInString = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return plain
}()

// str reads a string, which is valid until the next one that has escapes. Of one that
// breaks off at the end of the text it returns what there is, and ErrOther.
func (r *jsonReader) str() ([]byte, error) {
	start := r.i + 1
	i := start
	for i < len(r.data) && plainInString[r.data[i]] {
		i++
	}
	if i < len(r.data) && r.data[i] == '"' {
		r.i = i + 1
		return r.data[start:i], nil
	}
	buf := r.buf[:0]
	for i < len(r.data) {
		buf = append(buf, r.data[start:i]...)
		start = i
		switch c := r.data[i]; {
		case c == '"':
			r.i, r.buf = i+1, buf
			return buf, nil
		case c != '\\':
			r.i = i
			return nil, ErrOther
		}
		var n int
		if buf, n = unescaped(buf, r.data[i:]); n == 0 {
			r.i = i
			return nil, ErrOther
		}
		i += n
		start = i
		for i < len(r.data) && plainInString[r.data[i]] {
			i++
		}
	}
	r.i = i
	return append(buf, r.data[start:i]...), ErrOther
}

// unescaped appends the character of the escape that s begins with, and says how
// long the escape is: 0 for none.
func unescaped(buf, s []byte) ([]byte, int) {
	if len(s) < 2 {
		return buf, 0
	}
	switch c := s[1]; c {
	case '"', '\\', '/':
		return append(buf, c), 2
	case 'b':
		return append(buf, '\b'), 2
	case 'f':
		return append(buf, '\f'), 2
	case 'n':
		return append(buf, '\n'), 2
	case 'r':
		return append(buf, '\r'), 2
	case 't':
		return append(buf, '\t'), 2
	case 'u':
		c, ok := unit(s)
		if !ok {
			return buf, 0
		}
		if utf16.IsSurrogate(c) {
			if low, ok := unit(s[6:]); ok {
				if pair := utf16.DecodeRune(c, low); pair != utf8.RuneError {
					return utf8.AppendRune(buf, pair), 12
				}
			}
		}
		return utf8.AppendRune(buf, c), 6
	}
	return buf, 0
}

// unit is the UTF-16 code unit of an escape \uXXXX.
func unit(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var u rune
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		u = u<<4 | rune(c)
	}
	return u, true
}

func (r *jsonReader) word(word string, at *Step, key string) error {
	end := r.i + len(word)
	if end > len(r.data) || string(r.data[r.i:end]) != word {
		return ErrOther
	}
	value := r.data[r.i:end]
	r.i = end
	if word == "null" {
		return nil
	}
	return r.show(at, key, Bool, value)
}

func (r *jsonReader) numeral(at *Step, key string) error {
	n := numeral(r.data[r.i:])
	if n == 0 {
		return ErrOther
	}
	value := r.data[r.i : r.i+n]
	r.i += n
	return r.show(at, key, Number, value)
}

// numeral is the length of the number that s begins with (RFC 8259, section 6): 0 for none.
func numeral(s []byte) int {
	i := 0
	digits := func() bool {
		start := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return 0
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return 0
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	if i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' || s[i] == '-' || s[i] == '+') {
		return 0 // 01, 1.2.3, 1-2: a date or an address, no number
	}
	return i
}
