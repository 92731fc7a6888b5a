package container

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
)

// plist reads Apple's property lists in XML (PropertyList-1.0.dtd), at the paths that
// their keys make, as those of JSON. Data is shown as Bytes, a date as it is written.
var plist = Format{
	Name:  "plist",
	Media: []string{"application/x-plist", "text/x-apple-plist+xml", "application/x-apple-plist", "application/x-apple-plist+xml"},
	Looks: looksPlist,
	Read:  readPlist,
}

func looksPlist(data []byte) Likeness {
	text := bytes.TrimSpace(bytes.TrimPrefix(data[:min(len(data), xmlProbe)], []byte("\ufeff")))
	if len(text) == 0 || text[0] != '<' || !bytes.Contains(text, []byte("<plist")) {
		return Unlike
	}
	return Certain
}

func readPlist(data []byte, at *Step, b *Budget, leaf Leaf) error {
	if looksPlist(data) == Unlike {
		return ErrOther
	}
	r := plistReader{walk: begin(b, leaf)}
	defer r.end()
	r.open = []plistElement{{at: at}}
	d := newXML(bytes.TrimPrefix(data, []byte("\ufeff")))
	for {
		token, err := d.RawToken()
		if err != nil {
			if len(r.scalar) > 0 { // broken off within a value
				if err := r.value(); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) && r.done {
				return nil
			}
			return ErrOther
		}
		switch token := token.(type) {
		case xml.StartElement:
			err = r.start(token.Name.Local)
		case xml.EndElement:
			err = r.close(token.Name.Local)
		case xml.CharData:
			if r.scalar != "" {
				r.text = append(r.text, token...)
			}
		}
		if err != nil {
			return err
		}
	}
}

type plistReader struct {
	*walk
	open   []plistElement // lists and dictionaries that were begun, outermost first
	scalar string         // the element of the value that is being read, or "key"
	text   []byte         // of it
	done   bool
}

// plistElement is a dictionary or a list, or the whole.
type plistElement struct {
	tag  string
	at   *Step
	name string // of the field that holds it
	key  string // the last one in a dictionary
	n    int    // values so far
}

// place is where the next value of the innermost element stands.
func (r *plistReader) place() (at *Step, name string) {
	e := &r.open[len(r.open)-1]
	n := e.n
	e.n++
	switch e.tag {
	case "dict":
		return r.field(e.at, len(r.open), e.key), e.key
	case "array":
		return r.item(e.at, len(r.open), n), e.name
	}
	return e.at, ""
}

func (r *plistReader) start(tag string) error {
	switch tag {
	case "dict", "array":
		if len(r.open) > deepest {
			return ErrDeep
		}
		at, name := r.place()
		r.open = append(r.open, plistElement{tag: tag, at: at, name: name})
		return r.pass()
	case "true", "false":
		at, name := r.place()
		return r.show(at, name, Bool, []byte(tag))
	case "key", "string", "integer", "real", "date", "data":
		r.scalar, r.text = tag, r.text[:0]
	}
	return nil
}

func (r *plistReader) close(tag string) error {
	switch {
	case tag == "plist":
		r.done = true
	case r.scalar == "key" && tag == "key":
		e := &r.open[len(r.open)-1]
		e.key, r.scalar = r.name(r.text), ""
		return r.key(e.at, e.name, r.text)
	case tag == r.scalar && tag != "":
		return r.value()
	case (tag == "dict" || tag == "array") && len(r.open) > 1 && r.open[len(r.open)-1].tag == tag:
		r.open = r.open[:len(r.open)-1]
	}
	return nil
}

// value shows the value that was read.
func (r *plistReader) value() error {
	tag, text := r.scalar, r.text
	r.scalar = ""
	at, name := r.place()
	switch tag {
	case "integer", "real":
		text = bytes.TrimSpace(text)
		if n := numeral(text); n > 0 && n == len(text) {
			return r.show(at, name, Number, text)
		}
	case "data":
		compact := bytes.Join(bytes.Fields(text), nil)
		out := make([]byte, base64.StdEncoding.DecodedLen(len(compact)))
		if n, err := base64.StdEncoding.Decode(out, compact); err == nil || n > 0 {
			return r.show(at, name, Bytes, out[:n])
		}
	}
	if len(text) == 0 {
		return nil
	}
	return r.show(at, name, Text, text)
}
