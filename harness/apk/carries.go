package apk

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/unasked-audit/unasked/harness/knowledge"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// Blob is an APK that is read from somewhere else than a path, such as evidence.
type Blob struct {
	Name string
	At   io.ReaderAt
	Size int64 // bytes
}

// Carries names the SDKs of others that an app's files hold, as Describe does, without
// reading the rest. What could not be read is told in problems, a sentence each; the error is the context's.
func Carries(ctx context.Context, kb *knowledge.Carried, files ...Blob) (sdks []SDK, problems []string, err error) {
	f := newFinder(&kb.SDKs.Marks)
	for _, b := range files {
		a, err := apkfile.Read(b.At, b.Size)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", b.Name, err))
			continue
		}
		f.manifest(a.Manifest())
		for _, name := range a.Names() {
			f.file(name)
		}
		for _, name := range a.DexNames() {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			if x := bytecode(&part{File: File{Name: b.Name}, f: a}, name, f); x.Error != "" {
				problems = append(problems, b.Name+": "+x.Error)
			}
		}
	}
	return sdksOf(f, kb), problems, ctx.Err()
}

// sdksOf are the SDKs that left a mark, by id.
func sdksOf(f *finder, kb *knowledge.Carried) []SDK {
	out := []SDK{}
	f.found(func(i int, matched []Match) {
		s := kb.SDKs.List[i]
		out = append(out, SDK{
			ID: s.ID, Name: s.Name, Owner: s.Owner, Ultimate: s.Ultimate, Country: s.Country, Purpose: list(s.Purpose), Hosts: list(s.Hosts),
			Matched: matched, Source: s.Source.Source, Checked: s.Checked, Confidence: s.Confidence,
		})
	})
	slices.SortFunc(out, func(x, y SDK) int { return cmp.Compare(x.ID, y.ID) })
	return out
}
