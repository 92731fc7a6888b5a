package apkfile

import (
	"math"
	"strconv"
	"strings"
)

// Element is one element of a compiled XML file.
type Element struct {
	Space    string // namespace URI
	Name     string
	Attrs    []Attr
	Children []*Element
	Text     string
	offset   int64
}

// Attr is one attribute. Its value is typed; Raw is the text it was compiled
// from, where the compiler kept it.
type Attr struct {
	Space, Name string
	ID          uint32 // resource id of the name, such as 0x01010003 for android:name; 0 for none
	Raw         string
	Type        uint8
	Data        uint32
}

// The types of a typed value that matter here, from Res_value in ResourceTypes.h.
const (
	typeNull      = 0x00
	typeReference = 0x01
	typeAttribute = 0x02
	typeString    = 0x03
	typeFloat     = 0x04
	typeDynamic   = 0x07
	typeIntDec    = 0x10
	typeIntHex    = 0x11
	typeIntBool   = 0x12
)

const (
	chunkXML       = 0x0003
	chunkStartNS   = 0x0100
	chunkEndNS     = 0x0101
	chunkStart     = 0x0102
	chunkEnd       = 0x0103
	chunkText      = 0x0104
	chunkIDs       = 0x0180
	maxXMLDepth    = 256
	maxXMLElements = 1 << 18
)

// xmlParser turns chunks into a tree.
type xmlParser struct {
	pool  *stringPool
	ids   view
	root  *Element
	stack []*Element
	count int
	done  bool // the root is closed: Android reads no further
}

// parseXML reads a compiled XML file whole. part and kind are what its errors say.
func parseXML(b []byte, part string, kind error) (*Element, error) {
	v := view{b: b, part: part, kind: kind}
	if len(b) > 0 && b[0] == '<' {
		return nil, v.fail(0, "it is plain text, not the compiled form that a build tool makes")
	}
	file, err := v.chunk(0)
	if err != nil {
		return nil, err
	}
	// Android does not look at the kind of the outermost chunk.
	var p xmlParser
	for off := file.header; off < file.body.len() && !p.done; {
		c, err := file.body.chunk(off)
		if err != nil {
			return nil, err
		}
		if err := p.take(c); err != nil {
			return nil, err
		}
		off += c.body.len()
	}
	switch {
	case p.root == nil:
		if file.kind != chunkXML {
			return nil, v.fail(0, "it begins with chunk 0x%04x, not 0x%04x", file.kind, chunkXML)
		}
		return nil, v.fail(len(b), "it holds no element")
	case len(p.stack) != 0:
		return nil, v.fail(len(b), "element <%s> is not closed", p.stack[len(p.stack)-1].Name)
	}
	return p.root, nil
}

func (p *xmlParser) take(c chunk) error {
	switch c.kind {
	case chunkStringPool:
		if p.root != nil {
			return nil // of several pools in front of the elements Android takes the last
		}
		pool, err := newStringPool(c)
		p.pool = pool
		return err
	case chunkIDs:
		ids, err := c.body.from(c.header)
		p.ids = ids
		return err
	case chunkStart:
		return p.start(c)
	case chunkEnd:
		if len(p.stack) == 0 {
			return c.body.fail(0, "an element ends that never began")
		}
		p.stack = p.stack[:len(p.stack)-1]
		p.done = len(p.stack) == 0
	case chunkText:
		if len(p.stack) == 0 {
			return nil
		}
		i, err := c.body.u32(c.header)
		if err != nil {
			return err
		}
		s, err := p.pool.get(i)
		if err != nil {
			return err
		}
		p.stack[len(p.stack)-1].Text += s
	}
	return nil // namespaces and what Android does not know either
}

func (p *xmlParser) start(c chunk) error {
	if p.count++; p.count > maxXMLElements {
		return fault(ErrTooLarge, c.body.part, c.body.at, "more than %d elements", maxXMLElements)
	}
	if len(p.stack) >= maxXMLDepth {
		return c.body.fail(0, "elements are nested more than %d deep", maxXMLDepth)
	}
	v, err := c.body.from(c.header)
	if err != nil {
		return err
	}
	el := &Element{offset: c.body.at}
	if el.Space, err = p.str(v, 0); err != nil {
		return err
	}
	if el.Name, err = p.str(v, 4); err != nil {
		return err
	}
	start, _ := v.u16(8)
	size, _ := v.u16(10)
	count, err := v.u16(12)
	if err != nil {
		return err
	}
	if count > 0 && size < 20 {
		return v.fail(10, "an attribute has 20 bytes, not %d", size)
	}
	for i := range int(count) {
		a, err := v.slice(int(start)+i*int(size), 20)
		if err != nil {
			return err
		}
		attr, err := p.attr(a)
		if err != nil {
			return err
		}
		el.Attrs = append(el.Attrs, attr)
	}
	if len(p.stack) > 0 {
		parent := p.stack[len(p.stack)-1]
		parent.Children = append(parent.Children, el)
	} else {
		p.root = el
	}
	p.stack = append(p.stack, el)
	return nil
}

func (p *xmlParser) str(v view, off int) (string, error) {
	i, err := v.u32(off)
	if err != nil {
		return "", err
	}
	return p.pool.get(i)
}

func (p *xmlParser) attr(v view) (Attr, error) {
	var a Attr
	var err error
	if a.Space, err = p.str(v, 0); err != nil {
		return a, err
	}
	name, _ := v.u32(4)
	if a.Name, err = p.pool.get(name); err != nil {
		return a, err
	}
	if int64(name)*4+4 <= int64(p.ids.len()) {
		a.ID, _ = p.ids.u32(int(name) * 4)
	}
	if a.Raw, err = p.str(v, 8); err != nil {
		return a, err
	}
	a.Type, _ = v.u8(15)
	a.Data, _ = v.u32(16)
	if a.Type == typeString && a.Raw == "" {
		a.Raw, err = p.pool.get(a.Data)
	}
	return a, err
}

// Attr finds an attribute: by resource id where id is not 0, else by its plain name without a namespace.
func (e *Element) Attr(id uint32, name string) (Attr, bool) {
	for _, a := range e.Attrs {
		if id != 0 && a.ID == id {
			return a, true
		}
	}
	for _, a := range e.Attrs {
		// Some packers strip the id table; the name is what is left. A name with an id of its own is another attribute.
		if a.Name == name && a.ID == 0 && (id != 0) == (a.Space != "") {
			return a, true
		}
	}
	return Attr{}, false
}

// All calls f for each child of that name.
func (e *Element) all(name string, f func(*Element)) {
	for _, c := range e.Children {
		if c.Name == name {
			f(c)
		}
	}
}

// text is an attribute's value as text, references not resolved.
func (a Attr) text() string {
	switch a.Type {
	case typeString:
		return a.Raw
	case typeReference, typeDynamic:
		return "@0x" + hex8(a.Data)
	case typeAttribute:
		return "?0x" + hex8(a.Data)
	case typeIntDec:
		return strconv.FormatInt(int64(int32(a.Data)), 10)
	case typeIntHex:
		return "0x" + strconv.FormatUint(uint64(a.Data), 16)
	case typeIntBool:
		return strconv.FormatBool(a.Data != 0)
	case typeFloat:
		return strconv.FormatFloat(float64(math.Float32frombits(a.Data)), 'g', -1, 32)
	case typeNull:
		return a.Raw
	}
	if a.Raw != "" {
		return a.Raw
	}
	return "0x" + hex8(a.Data)
}

func hex8(n uint32) string {
	s := strconv.FormatUint(uint64(n), 16)
	return strings.Repeat("0", 8-len(s)) + s
}
