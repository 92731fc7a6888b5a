package knowledge

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// Entry is one entry of a file, as it is written.
type Entry struct {
	Type   string         `json:"type"` // what the file is about: signature, owner, trap ...
	Kind   string         `json:"kind,omitempty"`
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	File   string         `json:"file"`
	Line   int            `json:"line"`
	Source                // of the entry, or of its file
	Text   string         `json:"-"` // as YAML
	Values map[string]any `json:"-"`
}

// Entries lists the entries of all files, by file and in their order: what stands in a
// list of groups of keys, of which one names it.
func (b *Base) Entries() ([]Entry, error) {
	var out []Entry
	for _, name := range Files() {
		for _, l := range b.files[name] {
			list, err := l.entries()
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		}
	}
	return out, nil
}

// names are the keys that name an entry, and titles those that say what it is, the
// best first.
var (
	names  = []string{"id", "suffixes", "addresses", "name", "role", "value", "permission", "kind"}
	titles = []string{"service", "company", "what", "why", "label", "name", "title"}
)

func (l layer) entries() (out []Entry, err error) {
	defer func() {
		if recover() != nil { // the parser stumbles over some broken tags
			err = &strictyaml.Error{File: l.file, Message: "can't be read as YAML"}
		}
	}()
	file, err := parser.ParseBytes(l.data, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.file, err)
	}
	kind := strings.TrimSuffix(strings.TrimSuffix(path.Base(l.file), path.Ext(l.file)), "s")
	for _, doc := range file.Docs {
		top, ok := doc.Body.(*ast.MappingNode)
		if !ok {
			continue
		}
		var whole Source
		_ = yaml.NodeToValue(top, &whole) // what is not there is ""
		for _, pair := range top.Values {
			list, ok := pair.Value.(*ast.SequenceNode)
			if !ok {
				continue
			}
			for _, item := range list.Values {
				e := Entry{Type: kind, File: l.file, Line: item.GetToken().Position.Line, Source: whole, Text: written(item.String())}
				if yaml.NodeToValue(item, &e.Values) != nil {
					continue
				}
				if e.ID = first(e.Values, names); e.ID == "" {
					continue
				}
				e.Kind = first(e.Values, []string{"kind"})
				e.Title = cmp.Or(first(e.Values, titles), e.ID)
				e.Source.Source = cmp.Or(first(e.Values, []string{"source"}), whole.Source)
				e.Checked = cmp.Or(first(e.Values, []string{"checked"}), whole.Checked)
				e.Confidence = cmp.Or(first(e.Values, []string{"confidence"}), whole.Confidence)
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// written is an entry as an item of a list, from the margin on.
func written(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	margin := len(lines[0]) - len(strings.TrimLeft(lines[0], " "))
	for i, line := range lines {
		lead := "  "
		if i == 0 {
			lead = "- "
		}
		lines[i] = lead + strings.TrimPrefix(line, strings.Repeat(" ", margin))
	}
	return strings.Join(lines, "\n")
}

// first is the text of the first of these keys that has one; of a list, its first.
func first(values map[string]any, keys []string) string {
	for _, k := range keys {
		v := values[k]
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		if text, ok := v.(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// Find returns the entries with an id, whatever their type, and where there is none the
// id that was probably meant.
func Find(entries []Entry, id string) (found []Entry, near string) {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
		if strings.EqualFold(e.ID, id) {
			found = append(found, e)
		}
	}
	if len(found) > 0 {
		return found, ""
	}
	slices.Sort(ids)
	return nil, strictyaml.Nearest(id, ids)
}
