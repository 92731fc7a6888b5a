package apk

import (
	"cmp"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// finder collects the marks of one knowledge file while an app is read.
type finder struct {
	marks *knowledge.MarkIndex
	seen  map[seenMark]*Match
}

type seenMark struct {
	of         int
	kind, mark string
}

func newFinder(marks *knowledge.MarkIndex) *finder {
	return &finder{marks: marks, seen: map[seenMark]*Match{}}
}

func (f *finder) add(of int, kind, mark string, where func() string) {
	key := seenMark{of, kind, mark}
	m := f.seen[key]
	if m == nil {
		m = &Match{Kind: kind, Mark: mark, Where: where()}
		f.seen[key] = m
	}
	m.Count++
}

func (f *finder) class(c []byte) {
	of, mark := f.marks.Class(c)
	for _, i := range of {
		f.add(i, knowledge.MarkClass, mark, func() string { return className(c) })
	}
}

// className is the class of a type of bytecode, as a programmer writes it.
func className(c []byte) string {
	return strings.ReplaceAll(apkfile.Text(c[1:len(c)-1]), "/", ".")
}

func (f *finder) text(s []byte) {
	for _, i := range f.marks.String(s) {
		f.add(i, knowledge.MarkString, string(s), func() string { return string(s) })
	}
}

func (f *finder) file(name string) {
	f.marks.File(name, func(of int, m knowledge.Mark) {
		f.add(of, m.Kind, m.Mark, func() string { return name })
	})
}

// manifest looks at the names in a manifest: of components, whose classes may have been
// left out of the bytecode, of meta-data, permissions and actions.
func (f *finder) manifest(m *apkfile.Manifest) {
	one := func(name string) {
		of, mark := f.marks.Manifest(name)
		for _, i := range of {
			f.add(i, knowledge.MarkManifest, mark, func() string { return name })
		}
	}
	for name := range m.MetaData {
		one(name)
	}
	for _, name := range m.Permissions {
		one(name)
	}
	for _, components := range [][]apkfile.Component{m.Activities, m.Services, m.Receivers, m.Providers} {
		for _, c := range components {
			one(c.Name)
			of, mark := f.marks.Class([]byte("L" + strings.ReplaceAll(c.Name, ".", "/") + ";"))
			for _, i := range of {
				f.add(i, knowledge.MarkManifest, mark, func() string { return c.Name })
			}
			for name := range c.MetaData {
				one(name)
			}
			for _, name := range c.Actions {
				one(name)
			}
		}
	}
}

// found calls f for each entry of the knowledge base that left a mark, with its marks in order.
func (f *finder) found(each func(of int, matched []Match)) {
	all := map[int][]Match{}
	for key, m := range f.seen {
		all[key.of] = append(all[key.of], *m)
	}
	for of, matched := range all {
		slices.SortFunc(matched, func(x, y Match) int {
			return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Mark, y.Mark))
		})
		each(of, matched)
	}
}
