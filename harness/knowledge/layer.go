package knowledge

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/internal/strictyaml"
)

// Addition is a folder with entries of somebody's own: any of the files of a base,
// with the same keys. Their lists are added to the base's.
type Addition struct {
	Name string // what errors call the folder
	FS   fs.FS
}

// With is the embedded knowledge and the additions in folders. What they say of a request goes
// before what the embedded signatures say.
func With(dirs ...string) (*Base, error) {
	var more []Addition
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("read knowledge: %w", err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("read knowledge: %s is a file; name the folder that it is in", dir)
		}
		more = append(more, Addition{dir, os.DirFS(dir)})
	}
	return Load(embedded, more...)
}

// layer is the text of one file.
type layer struct {
	file string // as errors call it
	data []byte
}

// maxAddition bounds a file of an addition, in bytes.
const maxAddition = 8 << 20

// layers reads every file of a base, and what the additions add to it.
func layers(fsys fs.FS, more []Addition) (map[string][]layer, error) {
	out := map[string][]layer{}
	for _, name := range Files() {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read knowledge: %w", err)
		}
		out[name] = []layer{{name, data}}
	}
	for _, a := range more {
		entries, err := fs.ReadDir(a.FS, ".")
		if err != nil {
			return nil, fmt.Errorf("read knowledge in %s: %w", a.Name, err)
		}
		found := false
		for _, e := range entries {
			name := e.Name()
			if ext := path.Ext(name); e.IsDir() || ext != ".yaml" && ext != ".yml" {
				continue
			}
			if err := known(name); err != nil {
				return nil, fmt.Errorf("%s: %w", path.Join(a.Name, name), err)
			}
			if info, err := e.Info(); err != nil || info.Size() > maxAddition {
				return nil, fmt.Errorf("%s: larger than %d MiB, or gone", path.Join(a.Name, name), maxAddition>>20)
			}
			data, err := fs.ReadFile(a.FS, name)
			if err != nil {
				return nil, fmt.Errorf("read knowledge in %s: %w", a.Name, err)
			}
			found = true
			out[name] = append(out[name], layer{path.Join(a.Name, name), data})
		}
		if !found {
			return nil, fmt.Errorf("%s holds no file of the knowledge; they are called %s", a.Name, strings.Join(Files(), ", "))
		}
	}
	return out, nil
}

// known says what is wrong with a file's name.
func known(name string) error {
	if slices.Contains(Files(), name) {
		return nil
	}
	if near := strictyaml.Nearest(name, Files()); near != "" {
		return fmt.Errorf("no file of the knowledge has this name; did you mean %s?", near)
	}
	return fmt.Errorf("no file of the knowledge has this name; they are called %s", strings.Join(Files(), ", "))
}

// decode reads layers into a pointer to a struct: lists follow each other, and what is no
// list stands in the first that has it.
func decode(list []layer, v any) error {
	for i, l := range list {
		if i == 0 {
			if err := strictyaml.Decode(l.file, l.data, v); err != nil {
				return err
			}
			continue
		}
		one := reflect.New(reflect.TypeOf(v).Elem())
		if err := strictyaml.Decode(l.file, l.data, one.Interface()); err != nil {
			return err
		}
		merge(reflect.ValueOf(v).Elem(), one.Elem())
	}
	return nil
}

func merge(into, from reflect.Value) {
	for i := range into.NumField() {
		a, b := into.Field(i), from.Field(i)
		switch {
		case !a.CanSet():
		case a.Kind() == reflect.Slice:
			a.Set(reflect.AppendSlice(a, b))
		case a.IsZero():
			a.Set(b)
		}
	}
}
