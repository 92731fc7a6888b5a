package knowledge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Traps are what looks like a finding and is none.
type Traps struct {
	// ShortestDigits is how many digits a number needs at least to be told from others.
	ShortestDigits int `yaml:"shortest_digits"`
	// ShortestText is how many bytes any other value needs.
	ShortestText int       `yaml:"shortest_text"`
	Values       []Trap    `yaml:"values"`
	Requests     []Request `yaml:"requests"`
}

// Trap is a value that many devices share, or that stands for no person.
type Trap struct {
	ID      string   `yaml:"id"`
	Equals  []string `yaml:"equals"`  // compared without regard to case
	Pattern string   `yaml:"pattern"` // RE2, of the whole value
	Why     string   `yaml:"why"`
	Source  `yaml:",inline"`

	pattern *regexp.Regexp
}

// Request is a check that the system makes. Nobody is told anything by it; it is
// left out of counts, and never out of the search.
type Request struct {
	ID     string   `yaml:"id"`
	Hosts  []string `yaml:"hosts"` // exact, in lower case
	Paths  []string `yaml:"paths"` // exact
	Why    string   `yaml:"why"`
	Source `yaml:",inline"`
}

func (t *Traps) prepare() error {
	for i := range t.Values {
		v := &t.Values[i]
		if err := v.Source.check(); err != nil {
			return fmt.Errorf("trap %s: %w", v.ID, err)
		}
		if v.Pattern == "" {
			continue
		}
		re, err := regexp.Compile("^(?:" + v.Pattern + ")$")
		if err != nil {
			return fmt.Errorf("trap %s: %w", v.ID, err)
		}
		v.pattern = re
	}
	for _, r := range t.Requests {
		if err := r.Source.check(); err != nil {
			return fmt.Errorf("trap %s: %w", r.ID, err)
		}
		if len(r.Hosts) == 0 || len(r.Paths) == 0 {
			return fmt.Errorf("trap %s: hosts and paths must be given, or any app could hide behind it", r.ID)
		}
		for _, exact := range slices.Concat(r.Hosts, r.Paths) {
			if strings.ContainsAny(exact, "*{}") || exact != strings.ToLower(exact) {
				return fmt.Errorf("trap %s: %q must be exact and in lower case", r.ID, exact)
			}
		}
	}
	return nil
}

// Value returns the trap that a value is, if it is one.
func (t *Traps) Value(value string) (*Trap, bool) {
	for i := range t.Values {
		v := &t.Values[i]
		if v.pattern != nil && v.pattern.MatchString(value) {
			return v, true
		}
		for _, e := range v.Equals {
			if strings.EqualFold(e, value) {
				return v, true
			}
		}
	}
	return nil, false
}

// Refuse says why a value is no good as a canary; empty if it is good.
func (t *Traps) Refuse(value string) string {
	if trap, is := t.Value(value); is {
		return trap.Why
	}
	digits, other := 0, 0
	distinct := map[rune]bool{}
	for _, r := range value {
		distinct[r] = true
		if r >= '0' && r <= '9' {
			digits++
		} else if !strings.ContainsRune("+-. ()/,:", r) {
			other++
		}
	}
	switch {
	case other == 0 && digits < t.ShortestDigits:
		return fmt.Sprintf("a number of %d digits stands in too many places by chance; %d are needed", digits, t.ShortestDigits)
	case other > 0 && len(value) < t.ShortestText:
		return fmt.Sprintf("%d bytes stand in too many places by chance; %d are needed", len(value), t.ShortestText)
	case len(distinct) < 4:
		return "it repeats too few characters to be told from others"
	}
	return ""
}

// Request returns the trap that a request is, if it is one. path is all that stands
// behind the host, so that a query or a fragment makes it none; the caller sees to
// body and cookies.
func (t *Traps) Request(method, host, path string) (*Request, bool) {
	if method != "GET" && method != "HEAD" {
		return nil, false
	}
	for i := range t.Requests {
		r := &t.Requests[i]
		if slices.Contains(r.Hosts, strings.ToLower(host)) && slices.Contains(r.Paths, path) {
			return r, true
		}
	}
	return nil, false
}
