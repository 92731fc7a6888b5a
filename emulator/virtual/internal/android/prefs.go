package android

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// preferences are one file of shared preferences, in the XML that Android
// writes (android.util.XmlUtils): a map of typed entries, in order.
type preferences struct {
	entries []preference
}

type preference struct {
	Kind  string // string, int, long, float, boolean, set
	Name  string
	Value string
	Set   []string // of a string set
}

// parsePreferences reads a file. An empty file is an empty map, as Android reads it.
func parsePreferences(data []byte) (*preferences, error) {
	p := &preferences{}
	if len(bytes.TrimSpace(data)) == 0 {
		return p, nil
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	var in *preference
	var text strings.Builder
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, fmt.Errorf("shared preferences: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			text.Reset()
			if depth == 1 && t.Name.Local != "map" {
				return nil, fmt.Errorf("shared preferences: root element is %q, not map", t.Name.Local)
			}
			if depth == 2 {
				in = &preference{Kind: t.Name.Local}
				for _, a := range t.Attr {
					switch a.Name.Local {
					case "name":
						in.Name = a.Value
					case "value":
						in.Value = a.Value
					}
				}
			}
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if depth == 3 && in != nil && t.Name.Local == "string" {
				in.Set = append(in.Set, text.String())
			}
			if depth == 2 && in != nil {
				if in.Kind == "string" {
					in.Value = text.String()
				}
				p.entries = append(p.entries, *in)
				in = nil
			}
			depth--
		}
	}
}

// get returns an entry's value as text.
func (p *preferences) get(name string) (string, bool) {
	for _, e := range p.entries {
		if e.Name == name {
			return e.Value, true
		}
	}
	return "", false
}

// put sets an entry.
func (p *preferences) put(kind, name, value string) {
	for i, e := range p.entries {
		if e.Name == name {
			p.entries[i] = preference{Kind: kind, Name: name, Value: value}
			return
		}
	}
	p.entries = append(p.entries, preference{Kind: kind, Name: name, Value: value})
}

// remove deletes an entry, if it is there.
func (p *preferences) remove(name string) {
	for i, e := range p.entries {
		if e.Name == name {
			p.entries = append(p.entries[:i], p.entries[i+1:]...)
			return
		}
	}
}

// encode writes the file.
func (p *preferences) encode() []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n")
	for _, e := range p.entries {
		switch e.Kind {
		case "string":
			fmt.Fprintf(&b, "    <string name=\"%s\">%s</string>\n", escapeXML(e.Name), escapeXML(e.Value))
		case "set":
			fmt.Fprintf(&b, "    <set name=\"%s\">\n", escapeXML(e.Name))
			for _, v := range e.Set {
				fmt.Fprintf(&b, "        <string>%s</string>\n", escapeXML(v))
			}
			b.WriteString("    </set>\n")
		default:
			fmt.Fprintf(&b, "    <%s name=\"%s\" value=\"%s\" />\n", e.Kind, escapeXML(e.Name), escapeXML(e.Value))
		}
	}
	b.WriteString("</map>\n")
	return b.Bytes()
}

// escapeXML escapes text for an element or a double-quoted attribute, the way
// Android's serializer does, and drops what XML cannot hold.
func escapeXML(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r == '\n' || r == '\r' || r == '\t':
			fmt.Fprintf(&b, "&#%d;", r)
		case r < 0x20 || r == 0xfffe || r == 0xffff || r == 0xfffd:
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
