package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Encode writes the judgement as canonical JSON: the same evidence and the same
// knowledge give the same bytes, on any machine.
func (j *Judgement) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(j); err != nil {
		return nil, fmt.Errorf("encode judgement: %w", err)
	}
	return b.Bytes(), nil
}
