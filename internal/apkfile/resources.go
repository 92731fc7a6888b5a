package apkfile

import (
	"strings"
)

// table is resources.arsc, indexed; values are read when they are asked for. The
// format is that of ResTable_header and what follows it in ResourceTypes.h.
type table struct {
	values *stringPool
	types  map[uint16][]resType // by package id and type id: PPTT
	packs  map[uint8]*resPack
}

// resPack is what names the resources of one package.
type resPack struct {
	kinds, keys *stringPool
}

// resources is what a manifest's references point at: a table of an APK, or that of an app bundle.
type resources interface {
	// resolve is a value in the default configuration, as text; "" for none.
	resolve(id uint32) (string, error)
	// locales are the texts of a string by BCP 47 tag, "" for the default.
	locales(id uint32) (map[string]string, error)
	// tags are those of all locales, sorted.
	tags() []string
	// name is "type/entry", such as "string/app_name"; "" where it is not known.
	name(id uint32) string
}

// resType is one chunk with the values of one type in one configuration.
type resType struct {
	body    chunk
	flags   uint8
	count   uint32
	start   uint32 // of the entries, from the chunk's beginning
	generic bool   // the default configuration
	locale  string // BCP 47 tag, where the configuration holds nothing else; "" otherwise
	tag     string // BCP 47 tag, whatever else the configuration holds
	density uint16
}

const (
	chunkTable   = 0x0002
	chunkPackage = 0x0200
	chunkType    = 0x0201

	typeSparse   = 0x01
	typeOffset16 = 0x02

	entryComplex = 0x0001
	entryCompact = 0x0008
)

// maxReferences bounds how many references are followed from one value to the next.
const maxReferences = 16

func (f *File) readResources() (resources, error) {
	if f.bundle != nil {
		return f.bundle.table, nil
	}
	if _, ok := f.entries[resourcesName]; !ok {
		return &table{}, nil
	}
	b, err := f.read(resourcesName, maxResources)
	if err != nil {
		return nil, err
	}
	t, err := parseTable(b)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Resolve is the value of a resource in the default configuration, as text; that of
// a file is its path in the archive. It is "" where the file does not hold the resource.
func (f *File) Resolve(id uint32) (string, error) {
	t, err := f.resources()
	if err != nil {
		return "", err
	}
	f.tableMu.Lock()
	defer f.tableMu.Unlock()
	return t.resolve(id)
}

func parseTable(b []byte) (*table, error) {
	v := view{b: b, part: resourcesName, kind: ErrBadResources}
	top, err := v.chunk(0)
	if err != nil {
		return nil, err
	}
	if top.kind != chunkTable {
		return nil, v.fail(0, "it begins with chunk 0x%04x, not 0x%04x", top.kind, chunkTable)
	}
	t := &table{types: map[uint16][]resType{}, packs: map[uint8]*resPack{}}
	for off := top.header; off < top.body.len(); {
		c, err := top.body.chunk(off)
		if err != nil {
			return nil, err
		}
		switch {
		case c.kind == chunkStringPool && t.values == nil:
			if t.values, err = newStringPool(c); err != nil {
				return nil, err
			}
		case c.kind == chunkPackage:
			if err := t.pack(c); err != nil {
				return nil, err
			}
		}
		off += c.body.len()
	}
	return t, nil
}

// pack indexes the types of one package.
func (t *table) pack(p chunk) error {
	id, err := p.body.u32(8)
	if err != nil {
		return err
	}
	t.pools(p, uint8(id))
	for off := p.header; off < p.body.len(); {
		c, err := p.body.chunk(off)
		if err != nil {
			return err
		}
		if c.kind == chunkType {
			if err := t.index(uint8(id), c); err != nil {
				return err
			}
		}
		off += c.body.len()
	}
	return nil
}

func (t *table) index(pkg uint8, c chunk) error {
	v := c.body
	kind, _ := v.u8(8)
	flags, _ := v.u8(9)
	count, _ := v.u32(12)
	start, err := v.u32(16)
	if err != nil {
		return err
	}
	size, err := v.u32(20) // of the configuration that follows
	if err != nil {
		return err
	}
	if size < 4 || int64(size) > int64(c.header-20) {
		return v.fail(20, "a configuration of %d bytes in a header of %d", size, c.header)
	}
	r := resType{body: c, flags: flags, count: count, start: start, generic: true}
	config := v.b[24 : 20+size]
	for i, b := range config {
		switch {
		case b == 0, i == 20 || i == 21: // the API level that a value needs does not make it special
		case i == 10 || i == 11:
			r.density |= uint16(b) << (8 * (i - 10))
		default:
			r.generic = false
		}
	}
	tag, alone := localeOf(config)
	if r.tag = tag; alone && r.density == 0 {
		r.locale = tag
	}
	key := uint16(pkg)<<8 | uint16(kind)
	t.types[key] = append(t.types[key], r)
	return nil
}

// value is one Res_value, or none.
type value struct {
	found bool
	kind  uint8
	data  uint32
}

func (t *table) resolve(id uint32) (string, error) {
	for range maxReferences {
		v, err := t.find(id)
		if err != nil || !v.found {
			return "", err
		}
		switch v.kind {
		case typeString:
			return t.values.get(v.data)
		case typeReference, typeDynamic:
			if v.data == 0 {
				return "", nil
			}
			id = v.data
		default:
			return Attr{Type: v.kind, Data: v.data}.text(), nil
		}
	}
	return "", fault(ErrBadResources, resourcesName, -1, "resource 0x%s refers to itself", hex8(id))
}

// find is the value in the default configuration; where there is none, in any. Of
// several, a bitmap beats a drawing for a newer Android, for whoever shows it may know only bitmaps.
func (t *table) find(id uint32) (value, error) {
	var best value
	var bestScore int
	for _, r := range t.types[uint16(id>>16)] {
		v, err := r.entry(id & 0xffff)
		if err != nil {
			return value{}, err
		}
		if !v.found {
			continue
		}
		score := 1
		if r.generic {
			score += 1 << 20
		}
		if r.density < 0xfffe {
			score += int(r.density)
		}
		if v.kind == typeString {
			if s, err := t.values.get(v.data); err == nil && strings.HasSuffix(s, ".xml") && r.density == 0xfffe {
				score = 1
			}
		}
		if score > bestScore {
			best, bestScore = v, score
		}
	}
	return best, nil
}

// entry reads one value out of a type chunk.
func (r resType) entry(n uint32) (value, error) {
	v := r.body.body
	offset, ok, err := r.offset(n)
	if err != nil || !ok {
		return value{}, err
	}
	at := int64(r.start) + int64(offset)
	if at > int64(v.len()) {
		return value{}, v.fail(r.body.header, "entry %d lies at %d, outside its chunk of %d bytes", n, at, v.len())
	}
	size, _ := v.u16(int(at))
	flags, err := v.u16(int(at) + 2)
	if err != nil {
		return value{}, err
	}
	if flags&entryCompact != 0 { // ResTable_entry::Compact: the type in the flags, the value where a key was
		data, err := v.u32(int(at) + 4)
		return value{found: true, kind: uint8(flags >> 8), data: data}, err
	}
	if flags&entryComplex != 0 {
		return value{}, nil // a bag, such as a style: no single value
	}
	kind, _ := v.u8(int(at) + int(size) + 3)
	data, err := v.u32(int(at) + int(size) + 4)
	return value{found: true, kind: kind, data: data}, err
}

// offset is where an entry lies, from the beginning of the entries.
func (r resType) offset(n uint32) (uint32, bool, error) {
	v, h := r.body.body, r.body.header
	switch {
	case r.flags&typeSparse != 0:
		// Pairs of index and offset in words, sorted by index.
		if err := v.need(h, int(min(r.count, 1<<28))*4); err != nil {
			return 0, false, err
		}
		for i := range int(r.count) {
			if index, _ := v.u16(h + 4*i); uint32(index) == n {
				off, err := v.u16(h + 4*i + 2)
				return uint32(off) * 4, true, err
			}
		}
		return 0, false, nil
	case n >= r.count:
		return 0, false, nil
	case r.flags&typeOffset16 != 0:
		off, err := v.u16(h + 2*int(n))
		return uint32(off) * 4, off != 0xffff, err
	}
	off, err := v.u32(h + 4*int(n))
	return off, off != 0xffffffff, err
}
