package apkfile

import (
	"regexp"
	"slices"
	"strings"
)

// Manifest is what AndroidManifest.xml says. References to strings are resolved
// to their value in the default configuration.
type Manifest struct {
	Package     string
	Split       string // name of a split APK; empty for the base
	VersionName string
	VersionCode int64 // versionCodeMajor in the upper 32 bits
	MinSDK      int   // 1 where nothing is said, as Android has it; 10000 for a preview's code name
	TargetSDK   int   // MinSDK where nothing is said
	Label       string
	LabelID     uint32 // the resource that Label is a value of; 0 where it stands in the manifest itself
	Icon        string // path in the archive, where the icon is a file
	SharedUser  string
	CompileSDK  int    // 0 where nothing is said
	Application string // class name, where the app has one of its own

	HasCode, AllowBackup, Debuggable, TestOnly bool
	Cleartext                                  *bool  // usesCleartextTraffic; nil where nothing is said
	NetworkSecurity                            string // path of the network security configuration

	AllowBackupSaid bool
	// FullBackupContent and DataExtraction are paths of backup rules, before and since Android 12;
	// FullBackupContent may also be "true" or "false".
	FullBackupContent, DataExtraction string

	// Permissions are those the app asks for, in order, each once.
	Permissions []string
	// PermissionMaxSDK holds the last API level on which a permission is asked for, where it is limited.
	PermissionMaxSDK map[string]int
	Features         []Feature
	Libraries        []string // uses-library
	// Declared are the permissions that the app itself defines.
	Declared []Permission
	// Queries are the packages that the app asks to see (<queries>), sorted as they stand.
	Queries []string

	Activities, Services, Receivers, Providers []Component
	MetaData                                   map[string]string // of the application
}

// Permission is one that an app defines.
type Permission struct {
	Name, Group string
	Level       uint32 // PermissionInfo.protectionLevel: 0 normal, 1 dangerous, 2 signature, 3 signature or system, 4 internal, and flags
}

// Feature is something that the app says it uses.
type Feature struct {
	Name     string
	Required bool
}

// Launcher is the component that a home screen shows: the first enabled activity
// with a filter for MAIN and LAUNCHER.
func (m *Manifest) Launcher() (Component, bool) {
	for _, a := range m.Activities {
		if !a.Enabled {
			continue
		}
		for _, f := range a.Filters {
			if slices.Contains(f.Actions, "android.intent.action.MAIN") &&
				(slices.Contains(f.Categories, "android.intent.category.LAUNCHER") ||
					slices.Contains(f.Categories, "android.intent.category.INFO")) {
				return a, true
			}
		}
	}
	return Component{}, false
}

// Resource ids of the attributes, from the public resources of the Android framework (android.R.attr).
const (
	attrLabel           = 0x01010001
	attrIcon            = 0x01010002
	attrName            = 0x01010003
	attrPermission      = 0x01010006
	attrSharedUserID    = 0x0101000b
	attrHasCode         = 0x0101000c
	attrEnabled         = 0x0101000e
	attrDebuggable      = 0x0101000f
	attrExported        = 0x01010010
	attrProcess         = 0x01010011
	attrAuthorities     = 0x01010018
	attrValue           = 0x01010024
	attrResource        = 0x01010025
	attrScheme          = 0x01010027
	attrHost            = 0x01010028
	attrTargetActivity  = 0x01010202
	attrMinSDK          = 0x0101020c
	attrVersionCode     = 0x0101021b
	attrVersionName     = 0x0101021c
	attrTargetSDK       = 0x01010270
	attrMaxSDK          = 0x01010271
	attrTestOnly        = 0x01010272
	attrAllowBackup     = 0x01010280
	attrRequired        = 0x0101028e
	attrCleartext       = 0x010104ec
	attrNetworkSecurity = 0x01010527
	attrVersionMajor    = 0x01010576

	attrReadPermission  = 0x01010007
	attrWritePermission = 0x01010008
	attrProtectionLevel = 0x01010009
	attrPermissionGroup = 0x0101000a
	attrGrantURI        = 0x0101001b
	attrMimeType        = 0x01010026
	attrPort            = 0x01010029
	attrPath            = 0x0101002a
	attrPathPrefix      = 0x0101002b
	attrPathPattern     = 0x0101002c
	attrFullBackup      = 0x010104eb
	attrAutoVerify      = 0x010104ee
	attrCompileSDK      = 0x01010572
)

// packageName is what Android's package parser takes for a package name: letters, digits
// and underscores in parts that begin with a letter, at least one dot, at most 223 characters.
var packageName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)

// manifestReader carries the file, for its resources, and the first fault.
type manifestReader struct {
	file *File
	m    *Manifest
	err  error
}

func (f *File) readManifest(root *Element) (*Manifest, error) {
	bad := func(el *Element, format string, args ...any) error {
		return fault(ErrBadManifest, manifestName, el.offset, format, args...)
	}
	if root.Name != "manifest" {
		return nil, bad(root, "its root is <%s>, not <manifest>", printable(root.Name))
	}
	m := &Manifest{MinSDK: 1, HasCode: true, AllowBackup: true, PermissionMaxSDK: map[string]int{}}
	r := &manifestReader{file: f, m: m}
	pkg, ok := root.Attr(0, "package")
	if !ok || !packageName.MatchString(pkg.Raw) && pkg.Raw != "android" || len(pkg.Raw) > 223 {
		return nil, bad(root, "%q is no package name", printable(pkg.Raw))
	}
	m.Package = pkg.Raw
	if a, ok := root.Attr(0, "split"); ok {
		m.Split = a.Raw
	}
	m.VersionName = r.text(root, attrVersionName, "versionName")
	m.SharedUser = r.text(root, attrSharedUserID, "sharedUserId")
	m.VersionCode = int64(uint32(r.number(root, attrVersionCode, "versionCode", 0))) |
		int64(r.number(root, attrVersionMajor, "versionCodeMajor", 0))<<32

	root.all("uses-sdk", func(el *Element) {
		m.MinSDK = r.number(el, attrMinSDK, "minSdkVersion", 1)
		m.TargetSDK = r.number(el, attrTargetSDK, "targetSdkVersion", 0)
	})
	if m.TargetSDK == 0 {
		m.TargetSDK = m.MinSDK
	}
	m.CompileSDK = r.number(root, attrCompileSDK, "compileSdkVersion", 0)
	root.all("permission", func(el *Element) {
		p := Permission{Name: r.text(el, attrName, "name"), Group: r.text(el, attrPermissionGroup, "permissionGroup")}
		if a, ok := el.Attr(attrProtectionLevel, "protectionLevel"); ok {
			p.Level = a.Data
		}
		if p.Name != "" {
			m.Declared = append(m.Declared, p)
		}
	})
	root.all("queries", func(el *Element) {
		el.all("package", func(c *Element) { m.Queries = union(m.Queries, r.add(nil, c, attrName, "name")) })
	})
	for _, name := range []string{"uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m"} {
		root.all(name, r.permission)
	}
	root.all("uses-feature", func(el *Element) {
		if name := r.text(el, attrName, "name"); name != "" {
			m.Features = append(m.Features, Feature{Name: name, Required: r.flag(el, attrRequired, "required", true)})
		}
	})
	root.all("application", r.application)
	return m, r.err
}

func (r *manifestReader) permission(el *Element) {
	name := r.text(el, attrName, "name")
	if name == "" {
		return
	}
	if !slices.Contains(r.m.Permissions, name) {
		r.m.Permissions = append(r.m.Permissions, name)
	}
	if limit := r.number(el, attrMaxSDK, "maxSdkVersion", 0); limit > 0 {
		r.m.PermissionMaxSDK[name] = limit
	}
}

func (r *manifestReader) application(el *Element) {
	m := r.m
	m.Label = r.text(el, attrLabel, "label")
	m.LabelID = reference(el, attrLabel, "label")
	m.Application = r.class(r.text(el, attrName, "name"))
	m.Icon = r.text(el, attrIcon, "icon")
	m.HasCode = r.flag(el, attrHasCode, "hasCode", true)
	m.AllowBackup = r.flag(el, attrAllowBackup, "allowBackup", true)
	_, m.AllowBackupSaid = el.Attr(attrAllowBackup, "allowBackup")
	m.FullBackupContent = r.text(el, attrFullBackup, "fullBackupContent")
	m.DataExtraction = r.named(el, "dataExtractionRules")
	m.Debuggable = r.flag(el, attrDebuggable, "debuggable", false)
	m.TestOnly = r.flag(el, attrTestOnly, "testOnly", false)
	if _, ok := el.Attr(attrCleartext, "usesCleartextTraffic"); ok {
		v := r.flag(el, attrCleartext, "usesCleartextTraffic", false)
		m.Cleartext = &v
	}
	m.NetworkSecurity = r.text(el, attrNetworkSecurity, "networkSecurityConfig")
	m.MetaData = r.metaData(el)
	el.all("uses-library", func(c *Element) {
		if name := r.text(c, attrName, "name"); name != "" {
			m.Libraries = append(m.Libraries, name)
		}
	})
	for _, c := range el.Children {
		switch c.Name {
		case "activity", "activity-alias":
			m.Activities = append(m.Activities, r.component(c, false))
		case "service":
			m.Services = append(m.Services, r.component(c, false))
		case "receiver":
			m.Receivers = append(m.Receivers, r.component(c, false))
		case "provider":
			m.Providers = append(m.Providers, r.component(c, m.TargetSDK < 17))
		}
	}
	if m.Label == "" {
		if l, ok := m.Launcher(); ok {
			m.Label, m.LabelID = l.Label, l.LabelID
		}
	}
}

func (r *manifestReader) metaData(el *Element) map[string]string {
	var out map[string]string
	el.all("meta-data", func(e *Element) {
		name := r.text(e, attrName, "name")
		if name == "" {
			return
		}
		value := r.text(e, attrValue, "value")
		if value == "" {
			value = r.text(e, attrResource, "resource")
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = value
	})
	return out
}

// class makes a class name full.
func (r *manifestReader) class(name string) string {
	switch {
	case name == "":
		return ""
	case strings.HasPrefix(name, "."):
		return r.m.Package + name
	case !strings.Contains(name, "."):
		return r.m.Package + "." + name
	}
	return name
}

// text is an attribute as text, a reference resolved; "" where it is missing.
func (r *manifestReader) text(el *Element, id uint32, name string) string {
	a, ok := el.Attr(id, name)
	if !ok {
		return ""
	}
	if a.Type != typeReference && a.Type != typeDynamic {
		return a.text()
	}
	v, err := r.file.Resolve(a.Data)
	if err != nil && r.err == nil {
		r.err = err
	}
	if v == "" {
		return a.text() // not in this file: a split or the framework has it
	}
	return v
}

func (r *manifestReader) add(list []string, el *Element, id uint32, name string) []string {
	if s := r.text(el, id, name); s != "" {
		return append(list, s)
	}
	return list
}

// previewSDK is what Android takes the code name of an unfinished release for.
const previewSDK = 10000

func (r *manifestReader) number(el *Element, id uint32, name string, otherwise int) int {
	a, ok := el.Attr(id, name)
	if !ok {
		return otherwise
	}
	if a.Type == typeIntDec || a.Type == typeIntHex || a.Type == typeIntBool {
		return int(int32(a.Data))
	}
	s := r.text(el, id, name)
	n, digits := 0, false
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<30 {
			return previewSDK
		}
		n, digits = n*10+int(c-'0'), true
	}
	if !digits {
		return otherwise
	}
	return n
}

func (r *manifestReader) flag(el *Element, id uint32, name string, otherwise bool) bool {
	a, ok := el.Attr(id, name)
	if !ok {
		return otherwise
	}
	switch s := r.text(el, id, name); {
	case a.Type == typeIntBool:
		return a.Data != 0
	case s == "true" || s == "1":
		return true
	case s == "false" || s == "0":
		return false
	}
	return otherwise
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
