package apkfile

import (
	"cmp"
	"strings"
)

// Component is an activity (or an alias of one), a service, a receiver or a provider.
type Component struct {
	Kind         string // "activity", "activity-alias", "service", "receiver", "provider"
	Name         string // full class name
	Target       string // of an activity-alias
	Label        string
	LabelID      uint32 // as Manifest.LabelID
	Permission   string // that a caller must hold
	Process      string
	Exported     bool // as said, or as Android takes it where nothing is said
	ExportedSaid bool // the manifest says so itself
	Enabled      bool
	Authorities  []string // of a provider
	// ReadPermission and WritePermission are those of a provider, where they are others than Permission.
	ReadPermission, WritePermission string
	GrantURI                        bool // a provider may lend access to single records
	// MetaData values are text; a reference to a file is the file's path in the archive.
	MetaData map[string]string
	Filters  []Filter
	// Actions and Categories are those of all filters, each once.
	Actions, Categories []string
}

// Filter is one intent filter. Its data elements are taken apart, as Android takes them:
// each scheme goes with each host and each path.
type Filter struct {
	Actions, Categories, Schemes, Hosts []string
	Ports, Types                        []string
	Paths                               []Path
	AutoVerify                          bool
}

// Path is what an intent filter asks of a path.
type Path struct {
	Kind  string // "path", "prefix", "pattern", "suffix", "advanced"
	Value string
}

func (r *manifestReader) component(el *Element, exported bool) Component {
	c := Component{
		Kind:            el.Name,
		Name:            r.class(r.text(el, attrName, "name")),
		Target:          r.class(r.text(el, attrTargetActivity, "targetActivity")),
		Label:           r.text(el, attrLabel, "label"),
		LabelID:         reference(el, attrLabel, "label"),
		Permission:      r.text(el, attrPermission, "permission"),
		Process:         r.text(el, attrProcess, "process"),
		Enabled:         r.flag(el, attrEnabled, "enabled", true),
		ReadPermission:  r.text(el, attrReadPermission, "readPermission"),
		WritePermission: r.text(el, attrWritePermission, "writePermission"),
		GrantURI:        r.flag(el, attrGrantURI, "grantUriPermissions", false),
		MetaData:        r.metaData(el),
	}
	if a := r.text(el, attrAuthorities, "authorities"); a != "" {
		c.Authorities = strings.Split(a, ";")
	}
	el.all("intent-filter", func(f *Element) {
		out := r.filter(f)
		c.Filters = append(c.Filters, out)
		c.Actions = union(c.Actions, out.Actions)
		c.Categories = union(c.Categories, out.Categories)
	})
	_, c.ExportedSaid = el.Attr(attrExported, "exported")
	c.Exported = r.flag(el, attrExported, "exported", exported || len(c.Filters) > 0)
	return c
}

func (r *manifestReader) filter(f *Element) Filter {
	out := Filter{AutoVerify: r.flag(f, attrAutoVerify, "autoVerify", false)}
	f.all("action", func(e *Element) { out.Actions = r.add(out.Actions, e, attrName, "name") })
	f.all("category", func(e *Element) { out.Categories = r.add(out.Categories, e, attrName, "name") })
	f.all("data", func(e *Element) {
		out.Schemes = r.add(out.Schemes, e, attrScheme, "scheme")
		out.Hosts = r.add(out.Hosts, e, attrHost, "host")
		out.Ports = r.add(out.Ports, e, attrPort, "port")
		out.Types = r.add(out.Types, e, attrMimeType, "mimeType")
		for _, p := range []Path{
			{"path", r.text(e, attrPath, "path")},
			{"prefix", r.text(e, attrPathPrefix, "pathPrefix")},
			{"pattern", r.text(e, attrPathPattern, "pathPattern")},
			{"suffix", r.named(e, "pathSuffix")},
			{"advanced", r.named(e, "pathAdvancedPattern")},
		} {
			if p.Value != "" {
				out.Paths = append(out.Paths, p)
			}
		}
	})
	return out
}

// named is an attribute of Android's by its name alone, for those that are newer than the
// ids that are known here.
func (r *manifestReader) named(el *Element, name string) string {
	for _, a := range el.Attrs {
		if a.Name == name && a.Space != "" {
			return r.text(el, cmp.Or(a.ID, 1), name)
		}
	}
	return ""
}

// reference is the resource that an attribute points at; 0 where it is no reference.
func reference(el *Element, id uint32, name string) uint32 {
	if a, ok := el.Attr(id, name); ok && (a.Type == typeReference || a.Type == typeDynamic) {
		return a.Data
	}
	return 0
}

// Value is an attribute of an element that [File.XML] gave, as text, a reference resolved.
// id is 0 for an attribute without a namespace. ok says whether the attribute is there.
func (f *File) Value(el *Element, id uint32, name string) (s string, ok bool) {
	if _, ok := el.Attr(id, name); !ok {
		return "", false
	}
	r := manifestReader{file: f, m: f.manifest}
	return r.text(el, id, name), true
}
