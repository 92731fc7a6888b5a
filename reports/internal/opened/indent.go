package opened

import (
	"bytes"
	"encoding/json"
)

const (
	// listWidth is how long a list may be that stands on one line, in bytes.
	listWidth = 96
	// nesting is how deep JSON may be to be laid out. The margin grows with each level, so that a few
	// kilobytes of brackets would become gigabytes of white space.
	nesting = 64
)

// indent lays JSON out for reading: a field a line, and a short list of plain values on one line. It changes
// white space only. It reports false for what is no JSON, or too deep.
func indent(raw []byte) ([]byte, bool) {
	if depth(raw) > nesting {
		return nil, false
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return nil, false
	}
	in := b.Bytes()
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); {
		switch in[i] {
		case '"':
			end := stringEnd(in, i)
			out, i = append(out, in[i:end]...), end
		case '[':
			if line, end := oneLine(in, i); line != nil {
				out, i = append(out, line...), end
				continue
			}
			fallthrough
		default:
			out = append(out, in[i])
			i++
		}
	}
	return out, true
}

// depth is how many lists and objects stand within each other.
func depth(in []byte) int {
	deepest, now := 0, 0
	for i := 0; i < len(in); i++ {
		switch in[i] {
		case '"':
			i = stringEnd(in, i) - 1
		case '[', '{':
			now++
			deepest = max(deepest, now)
		case ']', '}':
			now--
		}
	}
	return deepest
}

// stringEnd is the offset behind the string that begins at i.
func stringEnd(in []byte, i int) int {
	for i++; i < len(in); i++ {
		switch in[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(in)
}

// oneLine is the list that begins at i on one line, and the offset behind it; nil where it is
// too long for one or holds lists or objects.
func oneLine(in []byte, i int) (line []byte, end int) {
	for j := i; j < len(in) && len(line) <= listWidth; {
		switch c := in[j]; c {
		case '"':
			e := stringEnd(in, j)
			line = append(line, in[j:e]...)
			j = e
			continue
		case '[', '{':
			if j > i {
				return nil, 0
			}
			line = append(line, c)
		case ']':
			return append(line, c), j + 1
		case ',':
			line = append(line, ',', ' ')
		case ' ', '\n':
		default:
			line = append(line, c)
		}
		j++
	}
	return nil, 0
}
