package knowledge

import (
	"fmt"
	"slices"
	"strings"
	"time"
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
	// Others are parents of other people's ids, and Wrappers what an answer is wrapped in.
	Others   []string `yaml:"others"`
	Wrappers []string `yaml:"wrappers"`
	// PrincipalHints are last words of a path that asks for a user, SelfHints of one
	// that asks for oneself.
	PrincipalHints []string `yaml:"principal_hints"`
	SelfHints      []string `yaml:"self_hints"`
	// Renewals are credentials that others are renewed with.
	Renewals []string `yaml:"renewals"`
	// Anonymous are fields that are true for a user without a sign-up, AnonymousValues
	// what stands in AnonymousPlaces for one.
	Anonymous       []string `yaml:"anonymous"`
	AnonymousValues []string `yaml:"anonymous_values"`
	AnonymousPlaces []string `yaml:"anonymous_places"`
	// Profile are fields of an account object, ProfileNames those that name the user
	// for others, Created those that say when it came to be.
	Profile      []string `yaml:"profile"`
	ProfileNames []string `yaml:"profile_names"`
	Created      []string `yaml:"created"`
	Signup       Signup   `yaml:"signup"`
	IDTimes      []IDTime `yaml:"id_times"`
	// Never lists what is no credential, however random it looks.
	Never []Never `yaml:"never"`
}

// Signup is what a person types to sign up or to log in, and where.
type Signup struct {
	Identifiers    []string `yaml:"identifiers"`     // name the person
	Secrets        []string `yaml:"secrets"`         // only the person knows
	Personal       []string `yaml:"personal"`        // what a form of registration asks besides
	Hardware       []string `yaml:"hardware"`        // names the device: the app sent that, and no person
	ProviderTokens []string `yaml:"provider_tokens"` // what another service says of the person
	Providers      []string `yaml:"providers"`       // such services
	ProviderFields []string `yaml:"provider_fields"` // where they are named
	Paths          []string `yaml:"paths"`           // words of a path
	Creating       []string `yaml:"creating"`        // last words of a path that creates something
	Grants         []string `yaml:"grants"`          // OAuth grants that a person took part in
}

// IDTime describes numbers that hold the time at which they were made.
type IDTime struct {
	Name  string        `yaml:"name"`
	Hosts []string      `yaml:"hosts"` // of those who make them; * stands for any characters
	Shift int           `yaml:"shift"` // the lowest bits that are no time
	Unit  time.Duration `yaml:"unit"`
	Epoch int64         `yaml:"epoch"` // in units since 1970
}

// Never is a group of names that are no credentials.
type Never struct {
	Kind  string   `yaml:"kind"` // cookie, header or field
	Names []string `yaml:"names"`
	// Exact says that dashes and underscores count.
	Exact  bool   `yaml:"exact"`
	Why    string `yaml:"why"`
	Source `yaml:",inline"`
}

func (f *Fields) prepare() error {
	if err := f.Source.check(); err != nil {
		return err
	}
	for _, list := range [][]string{
		f.CredentialHeaders, f.CredentialFields, f.Principals, f.PrincipalParents,
		f.Installations, f.SessionCookies, f.SessionHints, f.InstallationHints, f.StandardHeaders,
		f.Others, f.Wrappers, f.PrincipalHints, f.SelfHints, f.Anonymous, f.AnonymousPlaces, f.Profile, f.ProfileNames, f.Created,
		f.Signup.Identifiers, f.Signup.Secrets, f.Signup.Personal, f.Signup.Hardware, f.Renewals, f.Signup.ProviderTokens, f.Signup.ProviderFields, f.Signup.Paths, f.Signup.Creating,
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
		if !n.Exact {
			fold(n.Names)
		}
	}
	for _, i := range f.IDTimes {
		if i.Unit <= 0 || i.Shift < 0 || i.Shift > 63 {
			return fmt.Errorf("id_times: %s: a unit of %v and a shift of %d are no time", i.Name, i.Unit, i.Shift)
		}
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
		if n.Kind == kind && (n.Exact && slices.Contains(n.Names, strings.ToLower(name)) || !n.Exact && Named(n.Names, name)) {
			return n.Why, true
		}
	}
	return "", false
}
