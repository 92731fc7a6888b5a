package apkfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// bundle is what a module of an app bundle (.aab) has in place of binary resources: the
// same in protocol buffers, as aapt2's Resources.proto describes them.
type bundle struct {
	whole *File // the bundle itself, for its signature
	table *protoTable
}

// The files that mark an app bundle, and where its modules have theirs.
const (
	bundleConfig    = "BundleConfig.pb"
	moduleManifest  = "/manifest/" + manifestName
	moduleResources = "resources.pb"
	baseModule      = "base"
	maxModules      = 512
)

// IsBundle reports whether an archive with such a name in it is an app bundle.
func IsBundle(name string) bool { return name == bundleConfig || name == baseModule+moduleManifest }

// OpenBundle opens an app bundle and returns its modules, the base first. The caller
// closes the base, which closes all.
func OpenBundle(path string) ([]*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := r.Stat()
	var modules []*File
	if err == nil {
		modules, err = ReadBundle(r, info.Size())
	}
	if err != nil {
		r.Close()
		var fault *Error
		if errors.As(err, &fault) {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return nil, err
	}
	modules[0].close = r.Close
	return modules, nil
}

// ReadBundle reads the app bundle that lies in the first size bytes of r. A module is a
// [File] whose entries have the names that they would have in an APK.
func ReadBundle(r io.ReaderAt, size int64) ([]*File, error) {
	l, err := readLayout(r, size)
	if err != nil {
		return nil, err
	}
	z, entries, err := readDirectory(r, size, l)
	if err != nil {
		return nil, err
	}
	whole := &File{r: r, layout: l, zip: z, entries: entries}
	var names []string
	for name := range entries {
		if module, ok := strings.CutSuffix(name, moduleManifest); ok && module != "" && !strings.Contains(module, "/") {
			names = append(names, module)
		}
	}
	if !slices.Contains(names, baseModule) {
		return nil, fault(ErrNotAPK, "ZIP", -1, "it is an app bundle without %s", baseModule+moduleManifest)
	}
	if len(names) > maxModules {
		return nil, fault(ErrTooLarge, "ZIP", -1, "%d modules, the limit is %d", len(names), maxModules)
	}
	slices.SortFunc(names, func(a, b string) int {
		if (a == baseModule) != (b == baseModule) {
			if a == baseModule {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var modules []*File
	for _, name := range names {
		f := &File{r: r, layout: l, zip: z, entries: module(entries, name)}
		f.bundle = &bundle{whole: whole, table: &protoTable{}}
		if _, ok := f.entries[moduleResources]; ok {
			b, err := f.read(moduleResources, maxResources)
			if err != nil {
				return nil, err
			}
			if f.bundle.table, err = parseProtoTable(b); err != nil {
				return nil, err
			}
		}
		if f, err = newFile(f); err != nil {
			return nil, err
		}
		if f.manifest.Split == "" && name != baseModule {
			f.manifest.Split = name
		}
		modules = append(modules, f)
	}
	return modules, nil
}

// module are a module's entries under the names that they have in an APK.
func module(entries map[string]*zip.File, name string) map[string]*zip.File {
	out := map[string]*zip.File{}
	for full, e := range entries {
		rest, ok := strings.CutPrefix(full, name+"/")
		if !ok {
			continue
		}
		for _, folder := range []string{"manifest/", "dex/", "root/"} {
			rest = strings.TrimPrefix(rest, folder)
		}
		if out[rest] == nil {
			out[rest] = e
		}
	}
	return out
}
