package protocol

import (
	"regexp"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// Delay is how long after an audit something is wanted: "7d", "12h". It is more than zero
// and ten years at most.
type Delay time.Duration

const (
	day          = 24 * time.Hour
	longestDelay = 3650 * day
)

var delays = regexp.MustCompile(`^([0-9]{1,5})(d|h|m)$`)

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *Delay) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	m := delays.FindStringSubmatch(text)
	if m == nil {
		return strictyaml.Errorf(node, "%q is no time after an audit; write it like 7d, 12h or 30m", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return strictyaml.Errorf(node, "%q is no time after an audit: %v", text, err)
	}
	*d = Delay(time.Duration(n) * map[string]time.Duration{"d": day, "h": time.Hour, "m": time.Minute}[m[2]])
	if *d <= 0 || time.Duration(*d) > longestDelay {
		return strictyaml.Errorf(node, "%q is not between one minute and ten years after the audit", text)
	}
	return nil
}

// String writes it as a file does, in days where it is whole days.
func (d Delay) String() string {
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"d", day}, {"h", time.Hour}} {
		if time.Duration(d)%unit.is == 0 {
			return strconv.FormatInt(int64(time.Duration(d)/unit.is), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(time.Duration(d)/time.Minute), 10) + "m"
}
