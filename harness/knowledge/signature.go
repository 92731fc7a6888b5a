package knowledge

import (
	"fmt"
	"slices"
	"strings"
)

// The kinds of things that a service issues.
const (
	KindAccount      = "account"      // a user-level principal
	KindSession      = "session"      // a guest session, no account
	KindInstallation = "installation" // an installation or a device, no account
)

// Signature describes a request that creates something, and what its response mints.
type Signature struct {
	ID      string   `yaml:"id"`
	Service string   `yaml:"service"`
	Kind    string   `yaml:"kind"`
	Where   []Where  `yaml:"where"`
	Present []Marker `yaml:"present"` // all of them must be in the request
	Absent  []Marker `yaml:"absent"`  // none of them may be
	Minted  []Minted `yaml:"minted"`
	// Client says that the id is made by the app itself; the service only registers it.
	Client bool `yaml:"client"`
	// Sealed names markers of a body that is encrypted inside TLS.
	Sealed []Marker `yaml:"sealed"`
	Note   string   `yaml:"note"`
	Source `yaml:",inline"`
}

// Where is an endpoint.
type Where struct {
	Methods []string `yaml:"methods"` // POST if absent
	// Hosts are names, with * for any labels or any part of one. Absent for a
	// service that is self-hosted: then path and markers decide.
	Hosts []string `yaml:"hosts"`
	// Paths begin with /, with {name} for one segment or a part of it. A path that
	// begins with ** may stand behind any prefix; one that ends in ** before anything.
	Paths []string `yaml:"paths"`
}

// Marker is a place in a message, and what must stand there.
type Marker struct {
	// At is body:a.b (these keys, at any depth), body:$.a.b (from the root),
	// query:NAME, header:NAME, cookie:NAME or jwt:claim (of any JWT in the message).
	// A name may end in *.
	At     string `yaml:"at"`
	Equals string `yaml:"equals"` // compared without regard to case; any value if absent
}

// Minted is a place in a response, and what the value there is for.
type Minted struct {
	At   string `yaml:"at"`   // as Marker.At
	Role string `yaml:"role"` // RoleID or RoleToken
}

// What a minted value is for.
const (
	MintedID    = "id"
	MintedToken = "token"
)

type signatureFile struct {
	Signatures []Signature `yaml:"signatures"`
}

func (b *Base) prepareSignatures() error {
	for i, s := range b.Signatures {
		if slices.ContainsFunc(b.Signatures[:i], func(o Signature) bool { return o.ID == s.ID }) {
			return fmt.Errorf("signature %q stands twice", s.ID)
		}
		if err := s.check(); err != nil {
			return fmt.Errorf("signature %q: %w", s.ID, err)
		}
	}
	return nil
}

func (s *Signature) check() error {
	if s.ID == "" {
		return fmt.Errorf("no id")
	}
	if !slices.Contains([]string{KindAccount, KindSession, KindInstallation}, s.Kind) {
		return fmt.Errorf("kind is %q; it must be %s, %s or %s", s.Kind, KindAccount, KindSession, KindInstallation)
	}
	if len(s.Where) == 0 {
		return fmt.Errorf("no place under where")
	}
	for _, w := range s.Where {
		if len(w.Hosts) == 0 && len(s.Present) == 0 && len(s.Minted) == 0 {
			return fmt.Errorf("a self-hosted service needs a marker or a minted field to be told by")
		}
		for _, p := range w.Paths {
			if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "**/") {
				return fmt.Errorf("path %q must begin with / or **/", p)
			}
		}
	}
	for _, list := range [][]Marker{s.Present, s.Absent, s.Sealed} {
		for _, m := range list {
			if err := checkAt(m.At); err != nil {
				return err
			}
		}
	}
	for _, m := range s.Minted {
		if err := checkAt(m.At); err != nil {
			return err
		}
		if m.Role != MintedID && m.Role != MintedToken {
			return fmt.Errorf("minted at %s: role is %q; it must be %s or %s", m.At, m.Role, MintedID, MintedToken)
		}
	}
	return s.Source.check()
}

func (s Source) check() error {
	switch {
	case s.Source == "":
		return fmt.Errorf("no source")
	case len(s.Checked) != len("2006-01-02"):
		return fmt.Errorf("checked is %q; write the day like 2026-01-31", s.Checked)
	case s.Confidence != Read && s.Confidence != Memory:
		return fmt.Errorf("confidence is %q; it must be %s or %s", s.Confidence, Read, Memory)
	}
	return nil
}

func checkAt(at string) error {
	kind, name, ok := strings.Cut(at, ":")
	if !ok || name == "" || !slices.Contains([]string{"body", "query", "header", "cookie", "jwt"}, kind) {
		return fmt.Errorf("place %q must be body:, query:, header:, cookie: or jwt: with a name", at)
	}
	return nil
}

// Matches reports whether method, host and path are those of the endpoint.
func (w *Where) Matches(method, host, path string) bool {
	if len(w.Methods) == 0 {
		if method != "POST" {
			return false
		}
	} else if !slices.Contains(w.Methods, method) {
		return false
	}
	if len(w.Hosts) > 0 && !slices.ContainsFunc(w.Hosts, func(h string) bool { return Glob(h, strings.ToLower(host)) }) {
		return false
	}
	return slices.ContainsFunc(w.Paths, func(p string) bool { return matchPath(p, path) })
}

// Glob reports whether text is what the pattern says, where * stands for any
// characters or none.
func Glob(pattern, text string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	if !strings.HasPrefix(text, head) {
		return false
	}
	text = text[len(head):]
	for {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(part):], next
	}
}

// matchPath compares segment by segment.
func matchPath(pattern, path string) bool {
	want := strings.Split(strings.Trim(pattern, "/"), "/")
	got := strings.Split(strings.Trim(path, "/"), "/")
	if want[0] == "**" {
		want = want[1:]
		if len(got) < len(want) {
			return false
		}
		got = got[len(got)-len(want):]
	}
	if len(want) == 0 {
		return true // "/**" is any path
	}
	if n := len(want) - 1; want[n] == "**" {
		if len(got) < n {
			return false
		}
		want, got = want[:n], got[:n]
	}
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if !matchSegment(want[i], got[i]) {
			return false
		}
	}
	return true
}

// matchSegment turns {name} into a star that must stand for something.
func matchSegment(pattern, segment string) bool {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return pattern == segment
	}
	end := strings.IndexByte(pattern[open:], '}')
	if end < 0 {
		return pattern == segment
	}
	head, tail := pattern[:open], pattern[open+end+1:]
	return len(segment) > len(head)+len(tail) && strings.HasPrefix(segment, head) && strings.HasSuffix(segment, tail)
}
