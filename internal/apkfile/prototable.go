package apkfile

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// protoTable is resources.pb.
type protoTable struct {
	values map[uint32][]protoValue
	names  map[uint32]string
	ids    map[string]uint32 // by "type/entry"
}

// protoValue is the value of a resource in one configuration.
type protoValue struct {
	item    view
	locale  string
	generic bool // no more than a locale, an API level and a density
	density uint64
}

const maxProtoValues = 1 << 22

func parseProtoTable(b []byte) (*protoTable, error) {
	t := &protoTable{values: map[uint32][]protoValue{}, names: map[uint32]string{}, ids: map[string]uint32{}}
	count := 0
	v := view{b: b, part: moduleResources, kind: ErrBadResources}
	return t, v.fields(func(number int, _ uint64, pack view) error {
		if number != 2 {
			return nil
		}
		var pkg uint32
		return pack.fields(func(number int, _ uint64, b view) error {
			switch number {
			case 1:
				return b.fields(func(_ int, n uint64, _ view) error { pkg = uint32(n); return nil })
			case 3:
				return t.kind(b, pkg, &count)
			}
			return nil
		})
	})
}

// kind reads a Type.
func (t *protoTable) kind(v view, pkg uint32, count *int) error {
	var id uint32
	var name string
	return v.fields(func(number int, _ uint64, b view) error {
		switch number {
		case 1:
			return b.fields(func(_ int, n uint64, _ view) error { id = uint32(n); return nil })
		case 2:
			name = string(b.b)
		case 3:
			return t.entry(b, pkg<<24|id<<16, name, count)
		}
		return nil
	})
}

func (t *protoTable) entry(v view, base uint32, kind string, count *int) error {
	id := base
	return v.fields(func(number int, _ uint64, b view) error {
		switch number {
		case 1:
			return b.fields(func(_ int, n uint64, _ view) error { id = base | uint32(uint16(n)); return nil })
		case 2:
			name := kind + "/" + string(b.b)
			t.names[id], t.ids[name] = name, id
		case 6:
			if *count++; *count > maxProtoValues {
				return fault(ErrTooLarge, v.part, v.at, "more than %d values", maxProtoValues)
			}
			value, err := protoConfigValue(b)
			if err != nil {
				return err
			}
			if value.item.b != nil {
				t.values[id] = append(t.values[id], value)
			}
		}
		return nil
	})
}

// protoConfigValue reads a ConfigValue. A compound value, such as a style, has no item.
func protoConfigValue(v view) (protoValue, error) {
	out := protoValue{generic: true}
	err := v.fields(func(number int, _ uint64, b view) error {
		switch number {
		case 1: // Configuration
			return b.fields(func(number int, n uint64, b view) error {
				switch number {
				case 3:
					out.locale = string(b.b)
				case 18:
					out.density = n
				case 24: // the API level that it needs
				default:
					out.generic = false
				}
				return nil
			})
		case 2: // Value
			return b.fields(func(number int, _ uint64, b view) error {
				if number == 4 {
					out.item = b
				}
				return nil
			})
		}
		return nil
	})
	return out, err
}

// item reads an Item: a reference, a text, a file or a primitive.
func (t *protoTable) item(v view) (Attr, error) {
	var a Attr
	err := v.fields(func(number int, _ uint64, b view) error {
		switch number {
		case 1:
			return t.reference(b, &a)
		case 2, 3, 4, 5: // String, RawString, StyledString, FileReference: the text or path is field 1
			a.Type = typeString
			return b.fields(func(number int, _ uint64, b view) error {
				if number == 1 {
					a.Raw = string(b.b)
				}
				return nil
			})
		case 7:
			return b.fields(func(number int, n uint64, _ view) error {
				a.Type, a.Data = primitive(number, n)
				return nil
			})
		}
		return nil
	})
	return a, err
}

func (t *protoTable) reference(v view, a *Attr) error {
	a.Type = typeReference
	var name string
	err := v.fields(func(number int, n uint64, b view) error {
		switch number {
		case 1:
			if n == 1 {
				a.Type = typeAttribute
			}
		case 2:
			a.Data = uint32(n)
		case 3:
			name = string(b.b)
		}
		return nil
	})
	if a.Data == 0 && name != "" {
		_, bare, ok := strings.Cut(name, ":")
		if !ok {
			bare = name
		}
		a.Data = t.ids[bare]
	}
	return err
}

// primitive is a Primitive by the number of the member that is set.
func primitive(number int, n uint64) (uint8, uint32) {
	switch number {
	case 1, 2:
		return typeNull, 0
	case 3:
		return typeFloat, uint32(n)
	case 6:
		return typeIntDec, uint32(n)
	case 7:
		return typeIntHex, uint32(n)
	case 8:
		if n != 0 {
			return typeIntBool, math.MaxUint32
		}
		return typeIntBool, 0
	}
	return typeIntHex, uint32(n)
}

func (t *protoTable) resolve(id uint32) (string, error) {
	for range maxReferences {
		var best *protoValue
		score := -1
		for i := range t.values[id] {
			v := &t.values[id][i]
			n := 1
			if v.generic && v.locale == "" {
				n += 1 << 20
			}
			if v.density < 0xfffe {
				n += int(v.density)
			}
			if n > score {
				best, score = v, n
			}
		}
		if best == nil {
			return "", nil
		}
		a, err := t.item(best.item)
		if err != nil {
			return "", err
		}
		if a.Type != typeReference {
			return a.text(), nil
		}
		if a.Data == 0 {
			return "", nil
		}
		id = a.Data
	}
	return "", fault(ErrBadResources, moduleResources, -1, "resource 0x%s refers to itself", hex8(id))
}

func (t *protoTable) locales(id uint32) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range t.values[id] {
		if !v.generic || v.density != 0 {
			continue
		}
		a, err := t.item(v.item)
		if err != nil {
			return nil, err
		}
		s := a.Raw
		if a.Type == typeReference {
			if s, err = t.resolve(a.Data); err != nil {
				return nil, err
			}
		} else if a.Type != typeString {
			continue
		}
		if _, has := out[v.locale]; !has && s != "" && len(out) <= maxLocales {
			out[v.locale] = s
		}
	}
	return out, nil
}

func (t *protoTable) name(id uint32) string { return t.names[id] }

func (t *protoTable) tags() []string {
	seen := map[string]bool{}
	for _, values := range t.values {
		for _, v := range values {
			if v.locale != "" && len(seen) < maxLocales {
				seen[v.locale] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
