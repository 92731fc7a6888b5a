package apkfile

import (
	"context"
	"iter"
	"path"
	"slices"
)

// Strings yields every string that the APK holds where code and resources keep them:
// those of the bytecode (classes*.dex, in the order of their names and tables), of the
// resource table, and of the manifest. A string may come more than once.
//
// An error is that of one part, and the part's strings before it were yielded; the next
// part follows. The context's error ends it. One part at a time is held in memory.
func (f *File) Strings(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var dex []string
		for n := range f.entries {
			if ok, _ := path.Match("classes*.dex", n); ok {
				dex = append(dex, n)
			}
		}
		slices.Sort(dex)
		going := true
		each := func(s string, err error) bool {
			if err == nil && ctx.Err() != nil {
				err = ctx.Err()
				yield("", err)
				going = false
				return false
			}
			going = yield(s, err)
			return going
		}
		for _, n := range dex {
			b, err := f.read(n, maxDex)
			if err != nil {
				each("", err)
			} else {
				dexStrings(b, n, each)
			}
			if !going {
				return
			}
		}
		if _, ok := f.entries[resourcesName]; ok {
			b, err := f.read(resourcesName, maxResources)
			if err != nil {
				each("", err)
			} else {
				poolStrings(view{b: b, part: resourcesName, kind: ErrBadResources}, chunkTable, each)
			}
			if !going {
				return
			}
		}
		b, err := f.read(manifestName, maxManifest)
		if err != nil {
			each("", err)
			return
		}
		poolStrings(view{b: b, part: manifestName, kind: ErrBadManifest}, chunkXML, each)
	}
}

// poolStrings yields the strings of the pool that stands first in a chunk of a kind.
func poolStrings(v view, kind uint16, yield func(string, error) bool) {
	top, err := v.chunk(0)
	if err == nil && top.kind != kind {
		err = v.fail(0, "it begins with chunk 0x%04x, not 0x%04x", top.kind, kind)
	}
	var pool *stringPool
	if err == nil {
		var c chunk
		if c, err = top.body.chunk(top.header); err == nil {
			pool, err = newStringPool(c)
		}
	}
	if err != nil {
		yield("", err)
		return
	}
	broken := 0
	for i := range pool.count {
		s, err := pool.get(uint32(i))
		clear(pool.cache) // nothing is asked for twice
		switch {
		case err == nil && s == "":
			continue
		case err != nil:
			if broken++; broken > 1 && pool.decoded <= maxStringBytes {
				continue // one error stands for all of the part
			}
		}
		if !yield(s, err) || pool.decoded > maxStringBytes {
			return
		}
	}
}
