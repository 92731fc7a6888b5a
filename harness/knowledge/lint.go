package knowledge

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/unasked-audit/unasked/internal/strictyaml"
)

//go:embed schema/*.json
var schemas embed.FS

// Problem is something wrong in a file.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"` // from 1; 0 where the place is not known
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

func (p Problem) String() string {
	return (&strictyaml.Error{File: p.File, Line: p.Line, Column: p.Column, Message: p.Message}).Error()
}

// Lint says everything that is wrong with a file or a folder of additions, and without a path
// with the embedded knowledge: what the schemas forbid, and what can't stand beside
// the embedded entries. Its error is that of a path that can't be read.
func Lint(target string) ([]Problem, error) {
	if target == "" {
		all, err := layers(embedded, nil)
		if err != nil {
			return nil, err
		}
		var out []Problem
		for _, name := range Files() {
			out = append(out, all[name][0].lint(name)...)
		}
		if len(out) == 0 {
			out = placed(loaded(Load(embedded)), all[FileSignatures])
		}
		return out, nil
	}
	info, err := os.Stat(target)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	dir, only := target, ""
	if !info.IsDir() {
		dir, only = filepath.Split(target)
		dir = filepath.Clean(dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	var out []Problem
	var list []layer
	folder := fstest.MapFS{}
	for _, e := range entries {
		name := e.Name()
		ext := filepath.Ext(name)
		if e.IsDir() || only != "" && name != only || only == "" && ext != ".yaml" && ext != ".yml" {
			continue
		}
		file := filepath.ToSlash(filepath.Join(dir, name))
		if err := known(name); err != nil {
			out = append(out, Problem{File: file, Message: err.Error()})
			continue
		}
		if info, err := e.Info(); err != nil || info.Size() > maxAddition {
			out = append(out, Problem{File: file, Message: fmt.Sprintf("larger than %d MiB, or gone", maxAddition>>20)})
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("lint: %w", err)
		}
		l := layer{file, data}
		list = append(list, l)
		folder[name] = &fstest.MapFile{Data: data}
		out = append(out, l.lint(name)...)
	}
	if len(list) == 0 && len(out) == 0 {
		return nil, fmt.Errorf("lint: %s holds no file of the knowledge; they are called %s", target, strings.Join(Files(), ", "))
	}
	if len(out) == 0 {
		out = placed(loaded(Load(embedded, Addition{filepath.ToSlash(dir), folder})), list)
	}
	return out, nil
}

// loaded is what loading a base says, with the files that are only read when they are needed.
func loaded(b *Base, err error) error {
	if err != nil {
		return err
	}
	_, err = b.Carried()
	return err
}

// placed is an error of loading as a problem, at the entry that it names.
func placed(err error, list []layer) []Problem {
	if err == nil {
		return nil
	}
	var at *strictyaml.Error
	if errors.As(err, &at) {
		return []Problem{{at.File, at.Line, at.Column, at.Message}}
	}
	p := Problem{Message: err.Error()}
	name, rest, _ := strings.Cut(err.Error(), ": ")
	for _, l := range list {
		if filepath.Base(l.file) != name {
			continue
		}
		p.File, p.Message = l.file, rest
		entries, _ := l.entries() // it was read before
		for _, e := range entries {
			if strings.Contains(rest, strconv.Quote(e.ID)) || strings.Contains(rest, " "+e.ID+":") {
				p.Line, p.Column = e.Line, 1
			}
		}
	}
	return []Problem{p}
}

// lint says what is wrong with one file on its own.
func (l layer) lint(name string) (out []Problem) {
	defer func() {
		if recover() != nil { // the parser stumbles over some broken tags
			out = []Problem{{File: l.file, Message: "can't be read as YAML"}}
		}
	}()
	file, err := parser.ParseBytes(l.data, 0)
	var doc any
	if err == nil {
		err = yaml.Unmarshal(l.data, &doc)
	}
	if err != nil || doc == nil {
		return placed(strictyaml.Decode(l.file, l.data, &struct{}{}), []layer{l})
	}
	schema, keys, err := schemaOf(name)
	if err != nil {
		return []Problem{{File: l.file, Message: err.Error()}}
	}
	plain, err := json.Marshal(doc)
	if err != nil {
		return []Problem{{File: l.file, Message: "holds what JSON can't: " + err.Error()}}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		return []Problem{{File: l.file, Message: err.Error()}}
	}
	var wrong *jsonschema.ValidationError
	if !errors.As(schema.Validate(value), &wrong) {
		return nil
	}
	for _, leaf := range leaves(wrong) {
		p := Problem{File: l.file, Message: describe(leaf, keys)}
		at := leaf.InstanceLocation
		if extra, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok && len(extra.Properties) > 0 {
			at = append(slices.Clone(at), extra.Properties[0])
		}
		if node := find(file, at); node != nil {
			p.Line, p.Column = node.Line, node.Column
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Problem) int { return a.Line - b.Line })
	return slices.Compact(out)
}

// schemaOf is the schema of a file, and every key that it knows. An addition may leave
// out what a whole file needs: its lists are what is checked.
func schemaOf(name string) (*jsonschema.Schema, []string, error) {
	text, err := schemas.ReadFile("schema/" + strings.TrimSuffix(name, ".yaml") + ".schema.json")
	if err != nil {
		return nil, nil, fmt.Errorf("there is no schema for %s", name)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	keys := properties(doc)
	if top, ok := doc.(map[string]any); ok {
		delete(top, "required")
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		return nil, nil, err
	}
	schema, err := c.Compile(name)
	return schema, keys, err
}

// properties are the keys that a schema names, at any depth.
func properties(v any) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if group, ok := inner.(map[string]any); ok && k == "properties" {
				out = slices.AppendSeq(out, maps.Keys(group))
			}
			out = append(out, properties(inner)...)
		}
	case []any:
		for _, inner := range v {
			out = append(out, properties(inner)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func leaves(e *jsonschema.ValidationError) (out []*jsonschema.ValidationError) {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	for _, c := range e.Causes {
		out = append(out, leaves(c)...)
	}
	return out
}

var printer = message.NewPrinter(language.English)

// describe says in words what a schema forbids, and in which key; keys are those that
// may have been meant.
func describe(e *jsonschema.ValidationError, keys []string) string {
	where := ""
	if n := len(e.InstanceLocation); n > 0 {
		where = strings.Join(e.InstanceLocation, ".") + ": "
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return where + "the key " + strings.Join(k.Missing, ", ") + " is missing"
	case *kind.AdditionalProperties:
		text := where + "unknown key " + strconv.Quote(strings.Join(k.Properties, ", "))
		if near := strictyaml.Nearest(k.Properties[0], keys); near != "" {
			text += fmt.Sprintf("; did you mean %q?", near)
		}
		return text
	case *kind.Pattern:
		return fmt.Sprintf("%s%q does not have the form %s", where, k.Got, k.Want)
	}
	return where + e.ErrorKind.LocalizedString(printer)
}

// place is where a token stands.
type place struct{ Line, Column int }

// find is the place of a value, or of the nearest value around it that is there.
func find(file *ast.File, path []string) *place {
	if len(file.Docs) == 0 {
		return nil
	}
	node := file.Docs[0].Body
	for _, step := range path {
		next := ast.Node(nil)
		switch n := node.(type) {
		case *ast.MappingNode:
			for _, pair := range n.Values {
				if pair.Key.GetToken().Value == step {
					next = pair.Value
					if step == path[len(path)-1] {
						return at(pair.Key)
					}
				}
			}
		case *ast.SequenceNode:
			if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Values) {
				next = n.Values[i]
			}
		}
		if next == nil {
			break
		}
		node = next
	}
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return at(m.Values[0].Key)
	}
	return at(node)
}

func at(n ast.Node) *place {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return nil
	}
	p := n.GetToken().Position
	return &place{p.Line, p.Column}
}
