package apkfile

// Authenticator is a service through which an app keeps accounts of a type in
// Android's AccountManager.
type Authenticator struct {
	Service string // class name
	Type    string // of the accounts, such as "org.example.app"
	Label   string
}

const (
	authenticatorName = "android.accounts.AccountAuthenticator" // of the intent and of the meta-data
	attrAccountType   = 0x0101028f
)

// Authenticators are those that the manifest declares. One whose description is
// missing or malformed is left out, as Android does.
func (f *File) Authenticators() []Authenticator {
	var out []Authenticator
	for _, s := range f.manifest.Services {
		name, ok := s.MetaData[authenticatorName]
		if !ok || !s.Enabled {
			continue
		}
		root, err := f.XML(name)
		if err != nil || root.Name != "account-authenticator" {
			continue
		}
		r := manifestReader{file: f, m: f.manifest}
		a := Authenticator{
			Service: s.Name,
			Type:    r.text(root, attrAccountType, "accountType"),
			Label:   r.text(root, attrLabel, "label"),
		}
		if a.Type != "" {
			out = append(out, a)
		}
	}
	return out
}
