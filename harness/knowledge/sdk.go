package knowledge

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// SDK is code of somebody else that apps carry.
type SDK struct {
	ID    string `yaml:"id"`
	Name  string `yaml:"name"`
	Marks `yaml:",inline"`
	// Owner is who makes it; Ultimate the company that controls the maker, where that is another.
	Owner    string `yaml:"owner"`
	Ultimate string `yaml:"ultimate"`
	// Country is that of the seat of who controls it, ISO 3166-1 alpha-2; empty where it is not sure.
	Country string   `yaml:"country"`
	Purpose []string `yaml:"purpose"` // advertising, analytics, attribution, ... : see the schema
	Hosts   []string `yaml:"hosts"`   // suffixes of the host names that it talks to
	// Calibration marks SDKs of the calibration apps, which no company owns.
	Calibration bool `yaml:"calibration"`
	Source      `yaml:",inline"`
}

// Company is the owner, with the one that controls it.
func (s *SDK) Company() string {
	if s.Ultimate == "" || s.Ultimate == s.Owner {
		return s.Owner
	}
	return s.Owner + " (" + s.Ultimate + ")"
}

// Marks are what something leaves in an APK.
type Marks struct {
	Classes   []string `yaml:"classes"`   // packages or classes: com.example has com.example.A and com.example.a.B, and not com.examples.A
	Libraries []string `yaml:"libraries"` // file names of native libraries; * and ? as in path.Match
	Assets    []string `yaml:"assets"`    // paths in the archive, with * and ? within one name
	Manifest  []string `yaml:"manifest"`  // names of components, meta-data, permissions or actions, or packages of them, as Classes
	Strings   []string `yaml:"strings"`   // whole strings of the bytecode, which survive obfuscation
}

// Mark is one thing by which something was recognised.
type Mark struct {
	Kind string // "class", "library", "asset", "manifest", "string"
	Mark string // the entry of the knowledge base
}

// The kinds of marks.
const (
	MarkClass    = "class"
	MarkLibrary  = "library"
	MarkAsset    = "asset"
	MarkManifest = "manifest"
	MarkString   = "string"
)

// MarkIndex finds who left a mark. Safe for concurrent use.
type MarkIndex struct {
	classes  map[string][]int // with slashes, as bytecode has them
	manifest map[string][]int
	names    map[string][]int // of libraries, without wildcards
	patterns []pattern
	strings  map[string][]int
	longest  int // of the strings
}

type pattern struct {
	kind, glob string
	of         int
}

func indexMarks(all []Marks) MarkIndex {
	x := MarkIndex{classes: map[string][]int{}, manifest: map[string][]int{}, names: map[string][]int{}, strings: map[string][]int{}}
	for i, m := range all {
		for _, c := range m.Classes {
			c = strings.ReplaceAll(c, ".", "/")
			x.classes[c] = append(x.classes[c], i)
		}
		for _, n := range m.Manifest {
			x.manifest[n] = append(x.manifest[n], i)
		}
		for _, l := range m.Libraries {
			if strings.ContainsAny(l, "*?[") {
				x.patterns = append(x.patterns, pattern{MarkLibrary, l, i})
			} else {
				x.names[l] = append(x.names[l], i)
			}
		}
		for _, a := range m.Assets {
			x.patterns = append(x.patterns, pattern{MarkAsset, a, i})
		}
		for _, s := range m.Strings {
			x.strings[s] = append(x.strings[s], i)
			x.longest = max(x.longest, len(s))
		}
	}
	return x
}

// Class finds whose class it is, by the longest package that is known. The class is in
// the form of bytecode, "Lcom/example/A$B;"; mark is the entry that it lies under.
func (x *MarkIndex) Class(class []byte) (of []int, mark string) {
	if len(class) < 3 || class[0] != 'L' || class[len(class)-1] != ';' {
		return nil, ""
	}
	name := class[1 : len(class)-1]
	for len(name) > 0 {
		if of, ok := x.classes[string(name)]; ok {
			return of, strings.ReplaceAll(string(name), "/", ".")
		}
		name = name[:max(0, bytes.LastIndexAny(name, "/$"))]
	}
	return nil, ""
}

// Manifest finds whose name in a manifest it is, by the longest entry that it lies under.
func (x *MarkIndex) Manifest(name string) (of []int, mark string) {
	for name != "" {
		if of, ok := x.manifest[name]; ok {
			return of, name
		}
		name = name[:max(0, strings.LastIndexAny(name, ".$"))]
	}
	return nil, ""
}

// File calls f for each mark that an entry of the archive is.
func (x *MarkIndex) File(name string, f func(of int, m Mark)) {
	file := path.Base(name)
	for _, i := range x.names[file] {
		f(i, Mark{MarkLibrary, file})
	}
	for _, p := range x.patterns {
		subject := name
		if p.kind == MarkLibrary {
			subject = file
		}
		if ok, _ := path.Match(p.glob, subject); ok {
			f(p.of, Mark{p.kind, p.glob})
		}
	}
}

// String finds whose string it is.
func (x *MarkIndex) String(s []byte) []int {
	if len(s) > x.longest {
		return nil
	}
	return x.strings[string(s)]
}

// SDKs are the SDKs that are known.
type SDKs struct {
	List   []SDK
	Marks  MarkIndex // by index in List
	byHost map[string][]int
}

type sdkFile struct {
	SDKs []SDK `yaml:"sdks"`
}

func newSDKs(list []SDK) SDKs {
	s := SDKs{List: list, byHost: map[string][]int{}}
	var marks []Marks
	for i, e := range list {
		marks = append(marks, e.Marks)
		for _, h := range e.Hosts {
			s.byHost[h] = append(s.byHost[h], i)
		}
	}
	s.Marks = indexMarks(marks)
	return s
}

// TalkingTo are the SDKs that talk to a host, by the longest suffix that is known. Several
// may share a host.
func (s *SDKs) TalkingTo(host string) []*SDK {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for {
		if of, ok := s.byHost[host]; ok {
			var out []*SDK
			for _, i := range of {
				out = append(out, &s.List[i])
			}
			return out
		}
		_, rest, more := strings.Cut(host, ".")
		if !more {
			return nil
		}
		host = rest
	}
}

// ByID is the SDK of an id.
func (s *SDKs) ByID(id string) (*SDK, bool) {
	i := slices.IndexFunc(s.List, func(e SDK) bool { return e.ID == id })
	if i < 0 {
		return nil, false
	}
	return &s.List[i], true
}

func (s *SDKs) check() error {
	ids, classes := map[string]bool{}, map[string]string{}
	for i := range s.List {
		e := &s.List[i]
		if e.ID == "" || e.Name == "" || e.Owner == "" || len(e.Purpose) == 0 {
			return fmt.Errorf("SDK %d (%s): id, name, owner and purpose must be given", i+1, e.ID)
		}
		if ids[e.ID] {
			return fmt.Errorf("SDK %q stands twice", e.ID)
		}
		ids[e.ID] = true
		if err := e.Marks.check(); err != nil {
			return fmt.Errorf("SDK %s: %w", e.ID, err)
		}
		for _, c := range e.Classes {
			if other, has := classes[c]; has {
				return fmt.Errorf("SDK %s: %s is of %s already", e.ID, c, other)
			}
			classes[c] = e.ID
		}
		for _, h := range e.Hosts {
			if h != strings.ToLower(h) || strings.Trim(h, ".") != h || !strings.Contains(h, ".") {
				return fmt.Errorf("SDK %s: host %q must be lower-case, without dots at its ends", e.ID, h)
			}
		}
		if err := e.Source.check(); err != nil {
			return fmt.Errorf("SDK %s: %w", e.ID, err)
		}
	}
	return nil
}

// minMark is the least length of a string that is a mark of its own.
const minMark = 8

func (m *Marks) check() error {
	if len(m.Classes)+len(m.Libraries)+len(m.Assets)+len(m.Manifest)+len(m.Strings) == 0 {
		return fmt.Errorf("it leaves no mark")
	}
	for _, c := range slices.Concat(m.Classes, m.Manifest) {
		if strings.Trim(c, ".") != c || strings.ContainsAny(c, "/* ") || c == "" {
			return fmt.Errorf("%q must be a package or a class, without dots at its ends", c)
		}
	}
	for _, c := range m.Classes {
		if !strings.Contains(c, ".") {
			return fmt.Errorf("package %q has one part only, which others may have, too", c)
		}
	}
	for _, g := range slices.Concat(m.Libraries, m.Assets) {
		if _, err := path.Match(g, "x"); err != nil || strings.Trim(g, "*?") == "" {
			return fmt.Errorf("%q is no name of a file", g)
		}
	}
	for _, s := range m.Strings {
		if len(s) < minMark {
			return fmt.Errorf("string %q is too short to be a mark", s)
		}
	}
	return nil
}

// Framework is what an app is made with.
type Framework struct {
	ID     string `yaml:"id"`
	Name   string `yaml:"name"`
	Marks  `yaml:",inline"`
	Source `yaml:",inline"`
}

// Frameworks are those that are known.
type Frameworks struct {
	List  []Framework
	Marks MarkIndex // by index in List
}

type frameworkFile struct {
	Frameworks []Framework `yaml:"frameworks"`
}

func newFrameworks(list []Framework) Frameworks {
	var marks []Marks
	for _, e := range list {
		marks = append(marks, e.Marks)
	}
	return Frameworks{List: list, Marks: indexMarks(marks)}
}

func (f *Frameworks) check() error {
	ids := map[string]bool{}
	for i := range f.List {
		e := &f.List[i]
		if e.ID == "" || e.Name == "" || ids[e.ID] {
			return fmt.Errorf("framework %d (%s): id and name must be given, each id once", i+1, e.ID)
		}
		ids[e.ID] = true
		if err := e.Marks.check(); err != nil {
			return fmt.Errorf("framework %s: %w", e.ID, err)
		}
		if err := e.Source.check(); err != nil {
			return fmt.Errorf("framework %s: %w", e.ID, err)
		}
	}
	return nil
}
