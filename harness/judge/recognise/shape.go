package recognise

import (
	"fmt"
	"net/mail"
	"strings"

	"github.com/unasked-audit/unasked/harness/knowledge"
)

const shapeCoordinates = "coordinates"

// shapes tell what a value looks like, by the names that the knowledge uses.
var shapes = map[string]func(string) bool{
	"uuid": func(v string) bool { return isUUID(strings.Trim(v, "{}")) },
	"mac":  isMAC,
	"mail": func(v string) bool {
		a, err := mail.ParseAddress(strings.TrimSpace(v))
		return err == nil && a.Address == strings.TrimSpace(v)
	},
	"phone": func(v string) bool {
		return strings.HasPrefix(v, "+") && len(digits(v)) >= 9 && onlyOf(v[1:], "0123456789 -()./")
	},
	shapeCoordinates: func(v string) bool { _, _, ok := coordinates(v); return ok && strings.Count(v, ".") == 2 },
	"decimal":        func(v string) bool { return onlyOf(v, "0123456789 -") && digits(v) != "" },
	"hex":            func(v string) bool { return classOf([]byte(v)) <= hexadecimal },
	"words":          func(v string) bool { return strings.Contains(v, " ") },
	"text":           func(string) bool { return true },
}

// shapeOf returns the first shape of the knowledge that a value has, and the variants for it.
func shapeOf(value string, d *knowledge.Disguises) (name string, variants []string, err error) {
	for _, s := range d.Shapes {
		is, ok := shapes[s.Shape]
		if !ok {
			return "", nil, fmt.Errorf("%s: no shape is named %q", knowledge.FileDisguises, s.Shape)
		}
		if is(value) {
			return s.Shape, s.Variants, nil
		}
	}
	return "", nil, nil
}

func onlyOf(v, characters string) bool { return strings.Trim(v, characters) == "" && v != "" }

// isUUID reports whether text is a UUID (RFC 9562, section 4).
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (text[i] == '-') || !dash && !hexadecimal.touches(text[i]) {
			return false
		}
	}
	return true
}

// isMAC reports whether text is a MAC address with separators.
func isMAC(text string) bool {
	if len(text) != 17 || text[2] != ':' && text[2] != '-' {
		return false
	}
	for i := range len(text) {
		if between := i%3 == 2; between && text[i] != text[2] || !between && !hexadecimal.touches(text[i]) {
			return false
		}
	}
	return true
}
