package container

import (
	"bytes"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// form reads fields as forms send them (URL Standard, section 5.1). Brackets in names
// are steps of the path: a[b]=1 stands at $.a.b, the second a[]=1 at $.a[1]. The name
// of the value is the name as it is written; for one of a list without its [].
var form = Format{
	Name:  "form",
	Media: []string{"application/x-www-form-urlencoded"},
	Looks: looksForm,
	Read:  readForm,
}

// longestField is how long the name of a field is that nothing announces.
const longestField = 64

// looksForm says Certain if text is name=value pairs, each name short and plain, and
// Possible if there is a pair at all. What begins as JSON is none: some say that they
// send a form, and send that.
func looksForm(data []byte) Likeness {
	text := bytes.TrimSpace(data)
	if len(text) == 0 || text[0] == '{' || text[0] == '[' || bytes.IndexByte(text, '=') < 0 {
		return Unlike
	}
	for n := 0; len(text) > 0; n++ {
		var pair []byte
		pair, text, _ = bytes.Cut(text, []byte("&"))
		name, value, has := bytes.Cut(pair, []byte("="))
		if !has || len(name) == 0 || len(name) > longestField || bytes.ContainsAny(value, " \t\r\n<>\"") ||
			n == 0 && len(bytes.Trim(value, "=")) == 0 {
			return Possible
		}
		for _, c := range name {
			if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte("_-.[]%", c) < 0 {
				return Possible
			}
		}
	}
	if !legible(data) {
		return Possible
	}
	return Certain
}

func readForm(data []byte, at *Step, b *Budget, leaf Leaf) error {
	if looksForm(data) == Unlike {
		return ErrOther
	}
	return Fields(bytes.TrimSpace(data), at, b, leaf)
}

// Fields shows the fields of a form, or of the query of a URL, whatever it looks like. The
// error is ErrBudget, or nil if all were read.
func Fields(text []byte, at *Step, b *Budget, leaf Leaf) error {
	r := formReader{walk: begin(b, leaf), at: at}
	defer r.end()
	for len(text) > 0 {
		var pair []byte
		pair, text, _ = bytes.Cut(text, []byte("&"))
		if len(pair) == 0 {
			continue
		}
		name, value, has := bytes.Cut(pair, []byte("="))
		if !has {
			name, value = nil, pair
		}
		if err := r.pair(plus(name), plus(value)); err != nil {
			return err
		}
	}
	return nil
}

type formReader struct {
	*walk
	at   *Step
	seen map[string]int // fields of lists
}

func (r *formReader) pair(name, value []byte) error {
	if err := r.key(r.at, "", name); err != nil {
		return err
	}
	if len(value) == 0 {
		return r.pass()
	}
	at, key := r.place(name)
	return r.show(at, key, Text, value)
}

// deepestField is how many brackets a name has that are steps.
const deepestField = 16

// place is the path of a name, and the name of the value.
func (r *formReader) place(name []byte) (*Step, string) {
	whole := r.name(name)
	first, brackets, ok := strings.Cut(whole, "[")
	if !ok || first == "" || !strings.HasSuffix(brackets, "]") || strings.Count(brackets, "[") >= deepestField {
		return r.field(r.at, 0, whole), whole
	}
	at := r.field(r.at, 0, first)
	steps := strings.Split(strings.TrimSuffix(brackets, "]"), "][")
	for depth, s := range steps {
		if n, ok := position(s); ok {
			at = r.item(at, depth+1, n)
		} else if s != "" {
			at = r.field(at, depth+1, s)
		} else if depth == len(steps)-1 {
			if r.seen == nil {
				r.seen = map[string]int{}
			}
			at = r.item(at, depth+1, r.seen[whole])
			r.seen[whole]++
		}
	}
	return at, strings.TrimSuffix(whole, "[]")
}

// position is a position in a list that stands in brackets.
func position(s string) (int, bool) {
	if s == "" || len(s) > 6 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// plus takes the encoding off a name or a value; what is no escape stays as it is.
func plus(s []byte) []byte {
	if out, sure := coding.FormValue(nil, s); sure != coding.No {
		return out
	}
	return s
}
