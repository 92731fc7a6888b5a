// Package identities reads the values that a recording is searched for: a list of
// kinds and values, in YAML or JSON, that a person wrote.
package identities

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// The bounds of a list.
const (
	mostValues = 100_000
	longest    = 64 << 10 // bytes of a value
	longestKey = 64       // characters of a kind
	// MaxFile is how long a file of identities may be, in bytes.
	MaxFile = 32 << 20
)

// List is what to look for.
type List struct {
	Identity canary.Identity // the values that were given
	Decoys   canary.Identity // those that were given as decoys, and derived ones
	Derived  int             // how many of the decoys were derived
}

// item is one member of the list.
type item struct {
	Kind  kind  `yaml:"kind"`
	Value value `yaml:"value"`
	Decoy bool  `yaml:"decoy"`
}

// Parse reads a list of {kind, value}; decoy: true marks a value that can't be in the
// traffic. A value is a text, or a number that is taken as it is written. name is the
// file's, for errors; they say the line and the column where there is one.
//
// To the decoys that were given, one of each kind that package canary knows is added,
// so that each scan measures how often it finds what is not there. They follow from the
// list, so that the same list gives the same ones.
func Parse(name string, data []byte) (*List, error) {
	if len(data) > MaxFile {
		return nil, &strictyaml.Error{File: name, Message: fmt.Sprintf("has more than %d MiB; it should be a list of identities", MaxFile>>20)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var items []item
	if err := strictyaml.Decode(name, spaced(data), &items); err != nil {
		return nil, plainer(err)
	}
	if len(items) == 0 {
		return nil, &strictyaml.Error{File: name, Message: "names no identity; write a list such as\n- kind: email\n  value: somebody@example.org"}
	}
	if len(items) > mostValues {
		return nil, &strictyaml.Error{File: name, Message: fmt.Sprintf("names %d identities; %d may be looked for at once", len(items), mostValues)}
	}
	l := &List{Identity: canary.Identity{Label: "scan"}, Decoys: canary.Identity{Label: "scan"}}
	seen := map[canary.Canary]bool{}
	sum := sha256.New()
	for i, it := range items {
		c := canary.Canary{Kind: canary.Kind(it.Kind.text), Value: it.Value.text}
		switch {
		case c.Kind == "":
			return nil, &strictyaml.Error{File: name, Message: fmt.Sprintf("item %d has no kind (such as email, phone or advertising_id)", i+1)}
		case c.Value == "":
			return nil, &strictyaml.Error{File: name, Message: fmt.Sprintf("item %d, %s, has no value", i+1, c.Kind)}
		case seen[c]:
			continue
		}
		seen[c] = true
		fmt.Fprintf(sum, "%q %q\n", c.Kind, c.Value)
		if it.Decoy {
			l.Decoys.Canaries = append(l.Decoys.Canaries, c)
		} else {
			l.Identity.Canaries = append(l.Identity.Canaries, c)
		}
	}
	if len(l.Identity.Canaries) == 0 {
		return nil, &strictyaml.Error{File: name, Message: "names decoys only, and nothing to look for"}
	}
	l.derive(sum.Sum(nil))
	return l, nil
}

// derive adds decoys that have nothing to do with what was given.
func (l *List) derive(seed []byte) {
	given := l.Identity.Canaries
	for _, d := range canary.Decoys(seed, "scan").Canaries {
		near := false
		for _, c := range given {
			a, b := strings.ToLower(d.Value), strings.ToLower(c.Value)
			near = near || strings.Contains(b, a) || len(b) >= 6 && strings.Contains(a, b)
		}
		if !near {
			l.Decoys.Canaries = append(l.Decoys.Canaries, d)
			l.Derived++
		}
	}
}

// spaced makes JSON's white space such that YAML reads it, which forbids tabs. Where it
// is not JSON, it stays.
func spaced(data []byte) []byte {
	text := bytes.TrimLeft(data, " \t\r\n")
	if len(text) == 0 || text[0] != '[' || !json.Valid(data) {
		return data
	}
	out := bytes.Clone(data)
	quoted, escaped := false, false
	for i, b := range out {
		switch {
		case escaped:
			escaped = false
		case quoted && b == '\\':
			escaped = true
		case b == '"':
			quoted = !quoted
		case !quoted && b == '\t':
			out[i] = ' '
		}
	}
	return out
}

// plainer says a frequent mistake in its own words.
func plainer(err error) error {
	var at *strictyaml.Error
	if errors.As(err, &at) && (strings.Contains(at.Message, "where sequence is expected") || strings.HasSuffix(at.Message, "is no list")) {
		at.Message = "the file must be a list of identities: each item begins with \"- kind: \""
	}
	return err
}

// kind is a kind's name.
type kind struct{ text string }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (k *kind) UnmarshalYAML(node ast.Node) error {
	text, err := scalar(node)
	if err != nil {
		return err
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return strictyaml.Errorf(node, "the kind is empty; name one, such as email, phone or advertising_id")
	}
	if utf8.RuneCountInString(text) > longestKey || strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		return strictyaml.Errorf(node, "a kind is a short name, such as email; %.40q is none", text)
	}
	k.text = text
	return nil
}

// value is a value as it is written.
type value struct{ text string }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (v *value) UnmarshalYAML(node ast.Node) error {
	text, err := scalar(node)
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return strictyaml.Errorf(node, "the value is empty; give the text to look for")
	}
	if len(text) > longest {
		return strictyaml.Errorf(node, "the value has %d bytes; %d are looked for at most", len(text), longest)
	}
	v.text = text
	return nil
}

// scalar is the text of a node as it is written: 0049 stays 0049.
func scalar(node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSuffix(n.Value.Value, "\n"), nil
	case *ast.IntegerNode, *ast.FloatNode:
		return node.GetToken().Value, nil
	case *ast.TagNode:
		return scalar(n.Value)
	case *ast.NullNode:
		return "", strictyaml.Errorf(node, "nothing stands here; give a text")
	case *ast.BoolNode:
		return "", strictyaml.Errorf(node, "%q is true or false and no text; put it in quotes if it is meant", node.GetToken().Value)
	}
	return "", strictyaml.Errorf(node, "give one text or number here, and no list or group of keys")
}
