package protocol

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// Refusals is a number of TLS handshakes that an app may refuse; "never" in YAML where
// no number is enough.
type Refusals int

const (
	// Never lets nothing through.
	Never Refusals = -1
	// UsualRefusals is what a protocol asks for that names none.
	UsualRefusals Refusals = 3
)

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (r *Refusals) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	if text == "never" {
		*r = Never
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1000 {
		return strictyaml.Errorf(node, "%q is no number of refusals; write a whole number from 1 to 1000, or never", text)
	}
	*r = Refusals(n)
	return nil
}
