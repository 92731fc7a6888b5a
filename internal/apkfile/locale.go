package apkfile

import (
	"bytes"
	"maps"
	"slices"
)

// Labels are the texts of a string resource by BCP 47 tag, such as "pt-BR"; under ""
// that of the default configuration. It is empty where the file does not hold it as text.
func (f *File) Labels(id uint32) (map[string]string, error) {
	t, err := f.resources()
	if err != nil {
		return nil, err
	}
	f.tableMu.Lock()
	defer f.tableMu.Unlock()
	return t.locales(id)
}

// ResourceName is the name of a resource in the source, such as "string/app_name"; ""
// where the table does not hold it.
func (f *File) ResourceName(id uint32) string {
	t, err := f.resources()
	if err != nil {
		return ""
	}
	f.tableMu.Lock()
	defer f.tableMu.Unlock()
	return t.name(id)
}

// Locales are the tags of all languages that the file has resources for, sorted.
func (f *File) Locales() ([]string, error) {
	t, err := f.resources()
	if err != nil {
		return nil, err
	}
	return t.tags(), nil
}

func (t *table) tags() []string {
	seen := map[string]bool{}
	for _, types := range t.types {
		for _, r := range types {
			if r.tag != "" && len(seen) < maxLocales {
				seen[r.tag] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// maxLocales bounds the texts of one resource; Android has some 700 locales.
const maxLocales = 2048

func (t *table) locales(id uint32) (map[string]string, error) {
	out := map[string]string{}
	for _, r := range t.types[uint16(id>>16)] {
		if !r.generic && r.locale == "" {
			continue
		}
		v, err := r.entry(id & 0xffff)
		if err != nil {
			return nil, err
		}
		if !v.found {
			continue
		}
		var s string
		switch v.kind {
		case typeString:
			s, err = t.values.get(v.data)
		case typeReference, typeDynamic:
			s, err = t.resolve(v.data)
		}
		if err != nil {
			return nil, err
		}
		if _, has := out[r.locale]; s != "" && !has {
			out[r.locale] = s
		}
		if len(out) > maxLocales {
			return nil, fault(ErrTooLarge, resourcesName, -1, "resource 0x%s has more than %d translations", hex8(id), maxLocales)
		}
	}
	return out, nil
}

func (t *table) name(id uint32) string {
	p := t.packs[uint8(id>>24)]
	if p == nil {
		return ""
	}
	kind, err := p.kinds.get(uint32(uint8(id>>16)) - 1)
	if err != nil || kind == "" {
		return ""
	}
	for _, r := range t.types[uint16(id>>16)] {
		key, ok := r.key(id & 0xffff)
		if !ok {
			continue
		}
		if s, err := p.keys.get(key); err == nil && s != "" {
			return kind + "/" + s
		}
	}
	return ""
}

// key is the index of an entry's name.
func (r resType) key(n uint32) (uint32, bool) {
	v := r.body.body
	offset, ok, err := r.offset(n)
	at := int64(r.start) + int64(offset)
	if err != nil || !ok || at > int64(v.len()) {
		return 0, false
	}
	flags, err := v.u16(int(at) + 2)
	if err != nil {
		return 0, false
	}
	if flags&entryCompact != 0 {
		key, err := v.u16(int(at))
		return uint32(key), err == nil
	}
	key, err := v.u32(int(at) + 4)
	return key, err == nil
}

// pools reads the names of a package, where they are whole; without them values still resolve.
func (t *table) pools(p chunk, id uint8) {
	at := func(off int) *stringPool {
		where, err := p.body.u32(off)
		if err != nil || off+4 > p.header || where == 0 || int64(where) > int64(p.body.len()) {
			return nil
		}
		c, err := p.body.chunk(int(where))
		if err != nil {
			return nil
		}
		pool, err := newStringPool(c)
		if err != nil {
			return nil
		}
		return pool
	}
	// ResTable_package: id, name in 128 units, then typeStrings, lastPublicType, keyStrings.
	kinds, keys := at(12+256), at(12+256+8)
	if kinds != nil && keys != nil && t.packs[id] == nil {
		t.packs[id] = &resPack{kinds: kinds, keys: keys}
	}
}

// localeOf is the tag of a configuration, "" for none, and whether it is special by that
// alone (and the API level that it needs). Offsets are those of ResTable_config less the size field.
func localeOf(config []byte) (tag string, alone bool) {
	alone = true
	for i, b := range config {
		switch {
		case b == 0, i >= 4 && i < 8, i == 20, i == 21, i >= 32 && i < 44:
		default:
			alone = false
		}
	}
	if len(config) < 8 || config[4] == 0 {
		return "", false
	}
	tag = unpackLocale(config[4], config[5], 'a')
	if len(config) >= 36 && config[32] != 0 {
		tag += "-" + string(bytes.TrimRight(config[32:36], "\x00"))
	}
	if config[6] != 0 {
		tag += "-" + unpackLocale(config[6], config[7], '0')
	}
	if len(config) >= 44 && config[36] != 0 {
		tag += "-" + string(bytes.TrimRight(config[36:44], "\x00"))
	}
	for _, c := range tag {
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return "", false
		}
	}
	return tag, alone
}

// unpackLocale is a language or region of two letters, or of three packed into 15 bits.
func unpackLocale(a, b, from byte) string {
	if a&0x80 == 0 {
		return string([]byte{a, b})
	}
	return string([]byte{from + b&0x1f, from + b>>5 + a&3<<3, from + a>>2&0x1f})
}
