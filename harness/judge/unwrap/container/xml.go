package container

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// xmlFormat reads XML 1.0. The text of an element stands at the names that lead to it,
// $.root.item; the second element of a name in its parent at $.root.item[1], and so
// on. An attribute stands at $.root.item['@id'], and its name is id. Names keep their
// prefixes. Comments are shown as text. Entities that the document defines are not
// expanded. HTML is none of it.
var xmlFormat = Format{
	Name:  "xml",
	Media: []string{"application/xml", "text/xml", "+xml"},
	Looks: looksXML,
	Read:  readXML,
}

// xmlProbe is how much of a text is looked at to tell HTML from XML.
const xmlProbe = 512

func looksXML(data []byte) Likeness {
	text := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if len(text) < 4 || text[0] != '<' {
		return Unlike
	}
	start := bytes.ToLower(text[:min(len(text), xmlProbe)])
	if bytes.Contains(start, []byte("<html")) || bytes.Contains(start, []byte("<!doctype html")) {
		return Unlike
	}
	if bytes.HasPrefix(start, []byte("<?xml ")) {
		return Certain
	}
	n := 1
	for n < len(text) && strings.IndexByte(" \t\r\n/>", text[n]) < 0 {
		n++
	}
	name := text[1:n]
	c := start[1]
	switch {
	case c == '!' || c == '?':
		return Possible
	case (c < 'a' || c > 'z') && c != '_' && c < 0x80:
		return Unlike
	case htmlElements[string(bytes.ToLower(name))] || text[len(text)-1] != '>':
		return Possible
	}
	closing := bytes.TrimRight(text[:len(text)-1], " \t\r\n")
	before, ok := bytes.CutSuffix(closing, name)
	if ok && bytes.HasSuffix(before, []byte("</")) || bytes.HasSuffix(closing, []byte("/")) && bytes.Count(text, []byte("<")) == 1 {
		return Certain
	}
	return Possible
}

// htmlElements are elements that a fragment of HTML begins with.
var htmlElements = map[string]bool{
	"a": true, "b": true, "body": true, "br": true, "button": true, "center": true, "div": true, "em": true, "font": true, "form": true,
	"h1": true, "h2": true, "h3": true, "head": true, "hr": true, "i": true, "iframe": true, "img": true, "input": true, "li": true,
	"link": true, "meta": true, "ol": true, "p": true, "pre": true, "script": true, "section": true, "small": true, "span": true,
	"strong": true, "style": true, "table": true, "td": true, "title": true, "tr": true, "u": true, "ul": true,
}

// newXML is a decoder that passes over what is not well formed where it can.
func newXML(data []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		// UTF-16 was decoded before: its declaration could not be read otherwise.
		if strings.HasPrefix(strings.ToLower(label), "utf-16") {
			return in, nil
		}
		if e, err := htmlindex.Get(label); err == nil {
			return e.NewDecoder().Reader(in), nil
		}
		return in, nil
	}
	return d
}

func xmlName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func readXML(data []byte, at *Step, b *Budget, leaf Leaf) error {
	if looksXML(data) == Unlike {
		return ErrOther
	}
	r := xmlReader{walk: begin(b, leaf)}
	defer r.end()
	r.open = []xmlElement{{at: at}}
	d := newXML(bytes.TrimPrefix(data, []byte("\ufeff")))
	elements := 0
	for {
		token, err := d.RawToken()
		if err != nil {
			if err := r.flush(); err != nil {
				return err
			}
			if errors.Is(err, io.EOF) && elements > 0 && len(r.open) == 1 {
				return nil
			}
			return ErrOther
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements++
			err = r.start(token)
		case xml.EndElement:
			err = r.close(xmlName(token.Name))
		case xml.CharData:
			r.text = append(r.text, token...)
		case xml.Comment:
			err = r.comment(token)
		}
		if err != nil {
			return err
		}
	}
}

type xmlReader struct {
	*walk
	open []xmlElement // outermost first; the first is the whole
	text []byte       // since the last tag
}

// xmlElement is an element that was begun.
type xmlElement struct {
	name string
	at   *Step
	seen map[string]int // elements within it, by name
}

func (r *xmlReader) start(e xml.StartElement) error {
	if err := r.flush(); err != nil {
		return err
	}
	if len(r.open) > deepest {
		return ErrDeep
	}
	if err := r.pass(); err != nil {
		return err
	}
	parent := &r.open[len(r.open)-1]
	name := xmlName(e.Name)
	if parent.seen == nil {
		parent.seen = map[string]int{}
	}
	depth := 3 * len(r.open)
	at := r.field(parent.at, depth, name)
	if n := parent.seen[name]; n > 0 {
		at = r.item(at, depth+1, n)
	}
	parent.seen[name]++
	for _, a := range e.Attr {
		if a.Value == "" {
			continue
		}
		key := xmlName(a.Name)
		if err := r.show(r.field(at, depth+2, "@"+key), key, Text, []byte(a.Value)); err != nil {
			return err
		}
	}
	r.open = append(r.open, xmlElement{name: name, at: at})
	return nil
}

// close ends the element of a name, and those within it that were not ended.
func (r *xmlReader) close(name string) error {
	if err := r.flush(); err != nil {
		return err
	}
	for i := len(r.open) - 1; i > 0; i-- {
		if r.open[i].name == name {
			r.open = r.open[:i]
			break
		}
	}
	return nil
}

// flush shows the text since the last tag, without the space around it.
func (r *xmlReader) flush() error {
	text := bytes.TrimSpace(r.text)
	r.text = r.text[:0]
	if len(text) == 0 {
		return nil
	}
	e := r.open[len(r.open)-1]
	return r.show(e.at, e.name, Text, text)
}

func (r *xmlReader) comment(c xml.Comment) error {
	text := bytes.TrimSpace(c)
	if len(text) == 0 {
		return nil
	}
	e := r.open[len(r.open)-1]
	return r.show(e.at, e.name, Text, text)
}
