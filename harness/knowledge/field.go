package knowledge

import (
	"fmt"
	"strings"
)

// Fields are names of fields, headers and cookies, by what their values are for.
// Names are compared without regard to case, dashes and underscores; a * stands
// for any characters.
type Fields struct {
	Source `yaml:",inline"`
	// CredentialHeaders and CredentialFields carry a credential when the app sends them.
	CredentialHeaders []string `yaml:"credential_headers"`
	CredentialFields  []string `yaml:"credential_fields"`
	// Principals name a person's account; an id under one of PrincipalParents does too.
	Principals       []string `yaml:"principals"`
	PrincipalParents []string `yaml:"principal_parents"`
	// Installations name an installation or a device.
	Installations []string `yaml:"installations"`
	// SessionCookies name a session that a server keeps.
	SessionCookies []string `yaml:"session_cookies"`
	// Hints are words in a path that tell what a request is about.
	SessionHints      []string `yaml:"session_hints"`
	InstallationHints []string `yaml:"installation_hints"`
	// StandardHeaders of a response are never looked at for minted values.
	StandardHeaders []string `yaml:"standard_headers"`
	// Never lists what is no credential, however random it looks.
	Never []Never `yaml:"never"`
}

// Never is a group of names that are no credentials.
type Never struct {
	Kind   string   `yaml:"kind"` // cookie, header or field
	Names  []string `yaml:"names"`
	Why    string   `yaml:"why"`
	Source `yaml:",inline"`
}

func (f *Fields) prepare() error {
	if err := f.Source.check(); err != nil {
		return err
	}
	for _, list := range [][]string{
		f.CredentialHeaders, f.CredentialFields, f.Principals, f.PrincipalParents,
		f.Installations, f.SessionCookies, f.SessionHints, f.InstallationHints, f.StandardHeaders,
	} {
		fold(list)
	}
	for _, n := range f.Never {
		if n.Kind != "cookie" && n.Kind != "header" && n.Kind != "field" {
			return fmt.Errorf("never: kind is %q; it must be cookie, header or field", n.Kind)
		}
		if err := n.Source.check(); err != nil {
			return fmt.Errorf("never %v: %w", n.Names, err)
		}
		fold(n.Names)
	}
	return nil
}

func fold(list []string) {
	for i := range list {
		list[i] = FoldName(list[i])
	}
}

// FoldName writes a name as names are compared: userId, user_id and User-Id are one.
func FoldName(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// Named reports whether a name is one of a list of the base's names.
func Named(list []string, name string) bool {
	folded := FoldName(name)
	for _, pattern := range list {
		if Glob(pattern, folded) {
			return true
		}
	}
	return false
}

// NeverCredential says why a cookie, header or field is no credential.
func (f *Fields) NeverCredential(kind, name string) (why string, never bool) {
	for _, n := range f.Never {
		if n.Kind == kind && Named(n.Names, name) {
			return n.Why, true
		}
	}
	return "", false
}
