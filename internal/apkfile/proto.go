package apkfile

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// fields calls f for each field of a message with the field's number and, by its wire
// type, its number or its bytes. Groups and what is not sound end it with an error.
func (v view) fields(f func(number int, n uint64, b view) error) error {
	for off := 0; off < v.len(); {
		number, kind, n := protowire.ConsumeTag(v.b[off:])
		if n < 0 {
			return v.fail(off, "a field of a message is not sound: %v", protowire.ParseError(n))
		}
		at := off + n
		var value uint64
		var body view
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(v.b[at:])
		case protowire.Fixed32Type:
			var x uint32
			x, n = protowire.ConsumeFixed32(v.b[at:])
			value = uint64(x)
		case protowire.Fixed64Type:
			value, n = protowire.ConsumeFixed64(v.b[at:])
		case protowire.BytesType:
			var b []byte
			if b, n = protowire.ConsumeBytes(v.b[at:]); n >= 0 {
				body = view{b: b, at: v.at + int64(at+n-len(b)), part: v.part, kind: v.kind}
			}
		default:
			n = -1
		}
		if n < 0 {
			return v.fail(at, "field %d of a message is not sound", number)
		}
		if err := f(int(number), value, body); err != nil {
			return err
		}
		off = at + n
	}
	return nil
}

// parseXML reads the XmlNode of a compiled XML file.
func (b *bundle) parseXML(data []byte, part string, kind error) (*Element, error) {
	v := view{b: data, part: part, kind: kind}
	p := &protoXML{table: b.table}
	root, _, err := p.node(v, 0)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, v.fail(0, "it holds no element")
	}
	return root, nil
}

type protoXML struct {
	table *protoTable
	count int
}

// node reads one XmlNode: an element or a text.
func (p *protoXML) node(v view, depth int) (el *Element, text string, err error) {
	if depth > maxXMLDepth {
		return nil, "", v.fail(0, "elements are nested more than %d deep", maxXMLDepth)
	}
	err = v.fields(func(number int, _ uint64, b view) error {
		switch number {
		case 1:
			el, err = p.element(b, depth)
			return err
		case 2:
			text = string(b.b)
		}
		return nil
	})
	return el, text, err
}

func (p *protoXML) element(v view, depth int) (*Element, error) {
	if p.count++; p.count > maxXMLElements {
		return nil, fault(ErrTooLarge, v.part, v.at, "more than %d elements", maxXMLElements)
	}
	el := &Element{offset: v.at}
	err := v.fields(func(number int, _ uint64, b view) error {
		switch number {
		case 2:
			el.Space = string(b.b)
		case 3:
			el.Name = string(b.b)
		case 4:
			a, err := p.attr(b)
			el.Attrs = append(el.Attrs, a)
			return err
		case 5:
			child, text, err := p.node(b, depth+1)
			if child != nil {
				el.Children = append(el.Children, child)
			}
			el.Text += text
			return err
		}
		return nil
	})
	return el, err
}

func (p *protoXML) attr(v view) (Attr, error) {
	var a Attr
	var item view
	err := v.fields(func(number int, n uint64, b view) error {
		switch number {
		case 1:
			a.Space = string(b.b)
		case 2:
			a.Name = string(b.b)
		case 3:
			a.Raw = string(b.b)
		case 5:
			a.ID = uint32(n)
		case 6:
			item = b
		}
		return nil
	})
	if err != nil {
		return a, err
	}
	a.Type = typeString
	if item.b == nil {
		return a, nil
	}
	value, err := p.table.item(item)
	if value.Raw == "" {
		value.Raw = a.Raw
	}
	value.Space, value.Name, value.ID = a.Space, a.Name, a.ID
	return value, err
}
