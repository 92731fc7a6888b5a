package apk

import "github.com/unasked-audit/unasked/harness/evidence"

// Description is what an app's files say of it, as `unasked inspect --json` prints it;
// docs/inspect.schema.json is made from it. Lists are never null.
type Description struct {
	Format  string `json:"format"`            // apk, aab, apks, xapk, apkm, zip, folder or files
	Wrapper *File  `json:"wrapper,omitempty"` // the one file that all came in
	Files   []File `json:"files"`             // the base first

	Package     string `json:"package"`
	VersionCode int64  `json:"versionCode"` // versionCodeMajor in the upper 32 bits
	VersionName string `json:"versionName"`
	MinSDK      int    `json:"minSdk"`
	TargetSDK   int    `json:"targetSdk"`
	CompileSDK  int    `json:"compileSdk,omitempty"`
	// Label is the name in the default language; Labels has it by BCP 47 tag and, under
	// "default", as Label.
	Label  string            `json:"label"`
	Labels map[string]string `json:"labels"`

	Locales []string `json:"locales"` // BCP 47 tags of the languages that its resources have

	Application string `json:"application,omitempty"` // the app's own Application class
	Launcher    string `json:"launcher,omitempty"`    // the component that a home screen starts
	Debuggable  bool   `json:"debuggable"`
	TestOnly    bool   `json:"testOnly"`
	HasCode     bool   `json:"hasCode"` // there is bytecode that the manifest lets run, or a native library

	Permissions []Permission         `json:"permissions"`
	Declared    []DeclaredPermission `json:"declaredPermissions"` // those that the app itself defines
	Features    []Feature            `json:"features"`
	UsesLibrary []string             `json:"usesLibraries"`
	Queries     []string             `json:"queries"` // packages that it asks to see
	MetaData    map[string]string    `json:"metaData"`
	Components  []Component          `json:"components"`

	NetworkSecurity NetworkSecurity `json:"networkSecurity"`
	Backup          Backup          `json:"backup"`

	// Signers are those of the newest scheme that verifies; Schemes the schemes that
	// verify: v1, v2, v3, v3.1, v4. Signatures has every scheme that is there, verified or not.
	Signers    []Signer    `json:"signers"`
	Schemes    []string    `json:"schemes"`
	Signatures []Signature `json:"signatures"`
	Stamps     []string    `json:"signingBlocks"` // the ids of what else the signing block holds, such as 0x6dff800d

	ABIs       []string  `json:"abis"`
	Libraries  []Library `json:"libraries"`
	DEX        []DEX     `json:"dex"`
	Frameworks []Carried `json:"frameworks"`
	SDKs       []SDK     `json:"sdks"`

	// Classes, Strings and Methods are the lists that were asked for: every class that the
	// bytecode defines, every string, every method that it refers to. Describe leaves them empty; WriteJSON streams them.
	Classes []string `json:"classes,omitempty"`
	Strings []string `json:"strings,omitempty"`
	Methods []string `json:"methods,omitempty"`

	// Oddities are what a build tool does not make and Android takes all the same; Problems
	// what could not be read, so that something may be missing above. One sentence each.
	Oddities []string `json:"oddities"`
	Problems []string `json:"problems"`
}

// Permission is one that the app asks for.
type Permission struct {
	Name string `json:"name"`
	// Level is normal, dangerous, signature or internal; unknown where neither the app nor
	// the knowledge base defines it.
	Level  string   `json:"level"`
	Flags  []string `json:"flags,omitempty"`  // of the level, such as appop
	MaxSDK int      `json:"maxSdk,omitempty"` // the last API level on which it is asked for
}

// DeclaredPermission is one that the app defines.
type DeclaredPermission struct {
	Name  string   `json:"name"`
	Level string   `json:"level"`
	Flags []string `json:"flags,omitempty"`
	Group string   `json:"group,omitempty"`
}

// Feature is something that the app says it uses.
type Feature struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
}

// Component is a part of the app that Android can start.
type Component struct {
	Kind    string `json:"kind"` // activity, activity-alias, service, receiver or provider
	Name    string `json:"name"` // full class name
	Split   string `json:"split,omitempty"`
	Target  string `json:"target,omitempty"` // of an activity-alias
	Enabled bool   `json:"enabled"`
	// Exported says that other apps can reach it; ExportedBy why that is so or not:
	// manifest, intent-filter, or default.
	Exported        bool       `json:"exported"`
	ExportedBy      string     `json:"exportedBy"`
	Permission      string     `json:"permission,omitempty"` // that a caller must hold
	ReadPermission  string     `json:"readPermission,omitempty"`
	WritePermission string     `json:"writePermission,omitempty"`
	GrantURI        bool       `json:"grantUriPermissions,omitempty"`
	Process         string     `json:"process,omitempty"`
	Authorities     []string   `json:"authorities,omitempty"`
	Actions         []string   `json:"actions,omitempty"`
	Categories      []string   `json:"categories,omitempty"`
	DeepLinks       []DeepLink `json:"deepLinks,omitempty"`
}

// DeepLink is a filter by which a web page can open the app. Each scheme goes with each host and each path.
type DeepLink struct {
	Schemes    []string `json:"schemes"`
	Hosts      []string `json:"hosts,omitempty"`
	Ports      []string `json:"ports,omitempty"`
	Paths      []Path   `json:"paths,omitempty"`
	AutoVerify bool     `json:"autoVerify"` // Android asks the hosts whether the app is theirs
}

// Path is what a filter asks of a path.
type Path struct {
	Kind  string `json:"kind"` // path, prefix, pattern, suffix or advanced
	Value string `json:"value"`
}

// Signer is who signed the app.
type Signer struct {
	SHA256    evidence.Digest `json:"sha256"` // of the certificate
	SHA1      string          `json:"sha1"`
	Subject   string          `json:"subject"`
	Issuer    string          `json:"issuer"`
	Serial    string          `json:"serial"`    // decimal
	NotBefore string          `json:"notBefore"` // RFC 3339
	NotAfter  string          `json:"notAfter"`
	Key       string          `json:"key"` // such as "RSA 2048"
	// Debug says that it is a certificate of Android's build tools, whose private key everybody has.
	Debug bool `json:"debug"`
}

// Signature is what one scheme says.
type Signature struct {
	File     string            `json:"file"`
	Scheme   string            `json:"scheme"` // v1, v2, v3, v3.1 or v4
	Verified bool              `json:"verified"`
	Error    string            `json:"error,omitempty"`
	Signers  []SchemeSignature `json:"signers"`
}

// SchemeSignature is one signer by one scheme.
type SchemeSignature struct {
	SHA256     evidence.Digest `json:"sha256"`
	Algorithms []string        `json:"algorithms,omitempty"`
	MinSDK     int             `json:"minSdk,omitempty"` // the releases that look at it
	MaxSDK     int             `json:"maxSdk,omitempty"`
	Lineage    []Ancestor      `json:"lineage,omitempty"` // the keys that it rotated from, oldest first, itself last
}

// Ancestor is a key in a proof of rotation.
type Ancestor struct {
	SHA256       evidence.Digest `json:"sha256"`
	Capabilities []string        `json:"capabilities"` // what the newest key leaves to it
}

// Library is a native library.
type Library struct {
	Name    string `json:"name"` // in its file
	File    string `json:"file"`
	ABI     string `json:"abi,omitempty"` // the folder's
	Machine string `json:"machine,omitempty"`
	BuildID string `json:"buildId,omitempty"`
	Size    int64  `json:"size"` // bytes
}

// DEX is a file of bytecode.
type DEX struct {
	Name    string          `json:"name"`
	File    string          `json:"file"`
	Version string          `json:"version,omitempty"`
	SHA256  evidence.Digest `json:"sha256,omitempty"`
	Classes int             `json:"classes"` // that it defines
	Strings int             `json:"strings"` // that it holds; those below that it refers to
	Types   int             `json:"types"`
	Methods int             `json:"methods"`
	Fields  int             `json:"fields"`
	// Broken is how many names lie outside of the file and were skipped.
	Broken int    `json:"broken,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Carried is a framework that the app is made with.
type Carried struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Matched []Match `json:"matched"`
}

// SDK is code of somebody else in the app. That it is there does not say that it ran.
type SDK struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Owner    string   `json:"owner"`
	Ultimate string   `json:"ultimate,omitempty"` // who controls the owner
	Country  string   `json:"country,omitempty"`  // of who controls it, ISO 3166-1 alpha-2
	Purpose  []string `json:"purpose"`
	Hosts    []string `json:"hosts"` // that it is known to talk to
	Matched  []Match  `json:"matched"`
	Source   string   `json:"source"`
	Checked  string   `json:"checked"`
	// Confidence is read or memory: whether the marks were seen in the source.
	Confidence string `json:"confidence"`
}

// Match is one mark by which something was recognised.
type Match struct {
	Kind  string `json:"kind"`  // class, library, asset, manifest or string
	Mark  string `json:"mark"`  // the entry of the knowledge base
	Where string `json:"where"` // the first place: a class, a path, a name
	Count int    `json:"count"` // of places
}
