package probe

import (
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// The bounds of a file.
const (
	maxFile  = 1 << 20 // bytes
	maxSteps = 50
	maxSigns = 50 // of each answer
	maxText  = 4096
)

// Schema is the JSON Schema of a probe's file, for editors.
//
//go:embed probe.schema.json
var Schema []byte

// text is a text with its place in the file. The zero value stands for none.
type text struct {
	Value        string
	line, column int
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (t *text) UnmarshalYAML(node ast.Node) error {
	token := node.GetToken()
	switch n := node.(type) {
	case *ast.StringNode:
		t.Value = n.Value
	case *ast.LiteralNode:
		t.Value = strings.TrimSpace(n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		t.Value = token.Value
	case *ast.NullNode:
		return strictyaml.Errorf(node, "nothing stands here; give a text")
	default:
		return strictyaml.Errorf(node, "give one text here, and no list or group of keys")
	}
	if strings.TrimSpace(t.Value) == "" {
		return strictyaml.Errorf(node, "the text is empty")
	}
	if len(t.Value) > maxText {
		return strictyaml.Errorf(node, "the text has %d bytes; %d are enough for anything", len(t.Value), maxText)
	}
	t.line, t.column = token.Position.Line, token.Position.Column
	return nil
}

func (t text) given() bool { return t.Value != "" }

// Load reads a probe's file.
func Load(file string) (*Probe, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("read probe: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("read probe: %s has %d bytes, which no probe has", file, info.Size())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read probe: %w", err)
	}
	return Parse(file, data)
}

// Parse reads a probe from the text of a file. Errors are of type *strictyaml.Error and
// name file, line and column.
func Parse(file string, data []byte) (*Probe, error) {
	p := &Probe{}
	if len(data) > maxFile {
		return nil, &strictyaml.Error{File: file, Message: fmt.Sprintf("has %d bytes, which no probe has", len(data))}
	}
	if err := strictyaml.Decode(file, data, p); err != nil {
		return nil, err
	}
	p.Source = data
	c := checker{file}
	if err := c.probe(p); err != nil {
		return nil, err
	}
	return p, nil
}

// checker finds what is wrong beyond the form.
type checker struct{ file string }

func (c checker) errorf(at text, format string, args ...any) error {
	return &strictyaml.Error{File: c.file, Line: at.line, Column: at.column, Message: fmt.Sprintf(format, args...)}
}

func (c checker) probe(p *Probe) error {
	switch {
	case p.Name == "":
		return c.errorf(text{}, `the probe has no name: add a line like "name: find-account"`)
	case strings.ContainsAny(p.Name, "\n\r\x00\x1b") || len(p.Name) > 100:
		return c.errorf(text{}, "the name must be one short line")
	case !p.URL.given():
		return c.errorf(text{}, `the probe has no url: add a line like "url: https://www.example.com/find-account"`)
	case len(p.Steps) == 0:
		return c.errorf(text{}, `the probe has no steps: the last of them is a "wait:"`)
	case len(p.Steps) > maxSteps:
		return c.errorf(text{}, "the probe has %d steps; %d are enough for any form", len(p.Steps), maxSteps)
	}
	if err := c.address(p.URL); err != nil {
		return err
	}
	for name, d := range map[string]strictyaml.Duration{"deadline": p.Deadline, "patience": p.Patience} {
		if time.Duration(d) > longest {
			return c.errorf(text{}, "%s is %s; a page that takes more than %s answers nobody", name, time.Duration(d), longest)
		}
	}
	for i := range p.Steps {
		if err := c.step(i+1, &p.Steps[i], i == len(p.Steps)-1); err != nil {
			return err
		}
	}
	return nil
}

// step checks the nth step.
func (c checker) step(n int, s *Step, last bool) error {
	var given []text
	for _, t := range []text{s.Open, s.Fill, s.Click, s.Press} {
		if t.given() {
			given = append(given, t)
		}
	}
	switch {
	case s.Wait != nil && len(given) > 0, len(given) > 1:
		return c.errorf(given[len(given)-1], "step %d does two things; make two steps of it", n)
	case s.Wait == nil && len(given) == 0:
		return c.errorf(s.With, "step %d does nothing; give it one of open, fill, click, press and wait", n)
	case s.With.given() && !s.Fill.given():
		return c.errorf(s.With, "step %d: \"with\" belongs to \"fill\"", n)
	case s.Fill.given() && !s.With.given():
		return c.errorf(s.Fill, "step %d fills %s with nothing; add a line like \"with: ${canary.email}\"", n, s.Fill.Value)
	case last && s.Wait == nil:
		return c.errorf(given[0], "the last step must be a \"wait:\" that says by what each answer is known")
	case !last && s.Wait != nil:
		return c.errorf(s.Wait.first(), "step %d waits for the answer, so nothing can come after it", n)
	}
	switch {
	case s.Open.given():
		return c.address(s.Open)
	case s.Fill.given():
		return c.entered(s.With)
	case s.Press.given() && !slices.Contains(Keys(), s.Press.Value):
		hint := "choose one of " + strings.Join(Keys(), ", ")
		if near := strictyaml.Nearest(s.Press.Value, Keys()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return c.errorf(s.Press, "unknown key %q; %s", s.Press.Value, hint)
	case s.Wait != nil:
		return c.wait(n, s.Wait)
	}
	return nil
}

func (c checker) wait(n int, w *Wait) error {
	if len(w.Exists) == 0 || len(w.Not) == 0 {
		return c.errorf(w.first(), "step %d: \"wait\" needs signs of both \"exists\" and \"does-not-exist\": a page that says neither is no answer", n)
	}
	for _, signs := range [][]Sign{w.Exists, w.Not, w.Blocked} {
		if len(signs) > maxSigns {
			return c.errorf(w.first(), "step %d: %d signs of one answer; %d are enough", n, len(signs), maxSigns)
		}
		for _, s := range signs {
			switch {
			case s.Text.given() && s.Selector.given():
				return c.errorf(s.Selector, "a sign is a text or a selector; make two of it")
			case !s.Text.given() && !s.Selector.given():
				return c.errorf(w.first(), "step %d: a sign needs a text or a selector", n)
			}
			if err := c.references(s.Text); err != nil {
				return err
			}
		}
	}
	return nil
}

// first is some place in a wait, to point at.
func (w *Wait) first() text {
	for _, signs := range [][]Sign{w.Exists, w.Not, w.Blocked} {
		for _, s := range signs {
			if s.Text.given() {
				return s.Text
			}
			if s.Selector.given() {
				return s.Selector
			}
		}
	}
	return text{}
}

// address checks an address that is opened.
func (c checker) address(t text) error {
	if err := c.references(t); err != nil {
		return err
	}
	u, err := url.Parse(reference.ReplaceAllString(t.Value, "x"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return c.errorf(t, "%q is no address of a website; write it whole, such as https://www.example.com/login", t.Value)
	case u.User != nil:
		return c.errorf(t, "the address holds a user name or a password; a probe sees what anyone sees")
	case reference.MatchString(beforePath(t.Value)):
		return c.errorf(t, "a canary can stand in an address's path or query, and not in its host")
	}
	return nil
}

// beforePath is the scheme and the host of an address.
func beforePath(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return scheme + "://" + rest
}

// entered checks what is filled in: canaries, and between them what separates words.
func (c checker) entered(t text) error {
	if err := c.references(t); err != nil {
		return err
	}
	if !reference.MatchString(t.Value) || strings.Trim(reference.ReplaceAllString(t.Value, ""), " ,;-") != "" {
		return c.errorf(t, "a probe enters nothing but canaries of its own identity; %q is something else: write ${canary.email} or the like", t.Value)
	}
	return nil
}
