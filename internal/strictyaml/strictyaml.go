// Package strictyaml decodes YAML that people write by hand: an unknown key is an
// error that names its file, line and column, and the key that was probably meant.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Error is something wrong at a place in a file.
type Error struct {
	File         string
	Line, Column int // from 1; 0 where the place is not known
	Message      string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Decode reads one document into v, a pointer to a struct with yaml tags. file is
// named in errors, which are of type *[Error]. An empty document and a second
// document are errors too.
func Decode(file string, data []byte, v any) (err error) {
	defer func() {
		if recover() != nil { // the parser stumbles over some tags without a value, such as "! 0"
			err = &Error{File: file, Message: "can't be read as YAML"}
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return &Error{File: file, Message: "the file is empty"}
		}
		return place(file, err, reflect.TypeOf(v))
	}
	var rest any
	if err := d.Decode(&rest); !errors.Is(err, io.EOF) {
		return &Error{File: file, Message: "holds more than one document; keep one (nothing after ---)"}
	}
	return nil
}

// Errorf is an error at a node, for a type's UnmarshalYAML(ast.Node): Decode adds
// the file, the line and the column.
func Errorf(node ast.Node, format string, args ...any) error {
	return &yaml.SyntaxError{Message: fmt.Sprintf(format, args...), Token: node.GetToken()}
}

// Duration is a time.Duration that is written as "1m30s".
type Duration time.Duration

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *Duration) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return Errorf(node, "%q is no duration; write it like 500ms, 10s or 1m30s", text)
	}
	*d = Duration(parsed)
	return nil
}

// kinds says in words what a value must be.
var kinds = map[reflect.Kind]string{
	reflect.Int: "whole number", reflect.Int64: "whole number", reflect.Uint64: "whole number", reflect.Float64: "number",
	reflect.String: "text", reflect.Bool: "true or false", reflect.Slice: "list", reflect.Struct: "group of keys", reflect.Map: "group of keys",
}

func place(file string, err error, t reflect.Type) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return &Error{File: file, Message: err.Error()}
	}
	out := &Error{File: file, Message: at.GetMessage()}
	token := at.GetToken()
	if token == nil {
		return out
	}
	out.Line, out.Column = token.Position.Line, token.Position.Column
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) && wrong.DstType != nil {
		out.Message = fmt.Sprintf("%q is no %s", token.Value, kinds[wrong.DstType.Kind()])
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		out.Message = fmt.Sprintf("unknown key %q", token.Value)
		if near := Nearest(token.Value, keys(t)); near != "" {
			out.Message += fmt.Sprintf("; did you mean %q?", near)
		}
	}
	return out
}

// Nearest returns the candidate that is the fewest edits away from word, or ""
// where none is near enough to be what was meant.
func Nearest(word string, candidates []string) string {
	best, least := "", len(word)/2+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is Levenshtein's, over bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// keys lists every yaml key that a type can hold, sorted, without repeats.
func keys(t reflect.Type) []string {
	var all []string
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			if seen[t] || t == reflect.TypeFor[time.Time]() {
				return
			}
			seen[t] = true
			for i := range t.NumField() {
				f := t.Field(i)
				if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
					all = append(all, name)
				}
				walk(f.Type)
			}
		}
	}
	walk(t)
	slices.Sort(all)
	return slices.Compact(all)
}
