package probe

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// reference is how a file names a canary: ${canary.email}.
var reference = regexp.MustCompile(`\$\{([^{}]*)\}`)

// kindNames lists the canaries by name.
func kindNames() []string {
	var names []string
	for _, k := range canary.Kinds() {
		names = append(names, string(k))
	}
	return names
}

// references checks the references in a text.
func (c checker) references(t text) error {
	for _, m := range reference.FindAllStringSubmatch(t.Value, -1) {
		kind, ok := strings.CutPrefix(m[1], "canary.")
		if ok && known(kind) {
			continue
		}
		hint := "there are " + strings.Join(kindNames(), ", ")
		if near := strictyaml.Nearest(kind, kindNames()); near != "" {
			hint = fmt.Sprintf("did you mean ${canary.%s}?", near)
		}
		return c.errorf(t, "unknown reference %s; %s", m[0], hint)
	}
	if strings.Contains(reference.ReplaceAllString(t.Value, ""), "${") {
		return c.errorf(t, "%q has a ${ without its }", t.Value)
	}
	return nil
}

func known(kind string) bool {
	for _, k := range canary.Kinds() {
		if string(k) == kind {
			return true
		}
	}
	return false
}

// expand puts an identity's values in place of the references. escape is applied to
// each value. The error names a canary that the identity has not.
func expand(s string, id canary.Identity, escape func(string) string) (string, error) {
	var missing error
	out := reference.ReplaceAllStringFunc(s, func(m string) string {
		kind := canary.Kind(strings.TrimSuffix(strings.TrimPrefix(m, "${canary."), "}"))
		v := id.Value(kind)
		if v == "" {
			missing = fmt.Errorf("the identity has no %s", kind)
		}
		return escape(v)
	})
	return out, missing
}

func plain(s string) string { return s }

// inAddress escapes a value for a path as for a query.
func inAddress(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// Entered lists the kinds of canaries that the probe shows a website, each once, in the
// order in which it does.
func (p *Probe) Entered() []canary.Kind {
	var out []canary.Kind
	seen := map[string]bool{}
	texts := []text{p.URL}
	for _, s := range p.Steps {
		texts = append(texts, s.Open, s.With)
	}
	for _, t := range texts {
		for _, m := range reference.FindAllStringSubmatch(t.Value, -1) {
			if kind := strings.TrimPrefix(m[1], "canary."); !seen[kind] {
				seen[kind] = true
				out = append(out, canary.Kind(kind))
			}
		}
	}
	return out
}
