package device

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// ssaidSetting is one entry of settings_ssaid.xml; its name is the app's uid.
type ssaidSetting struct{ attrs []xml.Attr }

func (s *ssaidSetting) get(name string) string {
	for _, a := range s.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (s *ssaidSetting) set(name, value string) {
	for i, a := range s.attrs {
		if a.Name.Local == name {
			s.attrs[i].Value = value
			return
		}
	}
	s.attrs = append(s.attrs, xml.Attr{Name: xml.Name{Local: name}, Value: value})
}

// ssaids is the file: attributes of its root, and the entries in order.
type ssaids struct {
	root    []xml.Attr
	entries []*ssaidSetting
}

func parseSSAIDs(text []byte) (*ssaids, error) {
	s := &ssaids{root: []xml.Attr{{Name: xml.Name{Local: "version"}, Value: "-1"}}}
	if len(bytes.TrimSpace(text)) == 0 {
		return s, nil
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	seen := false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			if !seen {
				return nil, fmt.Errorf("%s holds no <settings>", ssaidFile)
			}
			return s, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ssaidFile, err)
		}
		t, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch t.Name.Local {
		case "settings":
			seen, s.root = true, t.Attr
		case "setting":
			s.entries = append(s.entries, &ssaidSetting{slices.Clone(t.Attr)})
		}
	}
}

func (s *ssaids) encode() []byte {
	var b bytes.Buffer
	attrs := func(list []xml.Attr) {
		for _, a := range list {
			b.WriteString(" " + a.Name.Local + `="`)
			xml.EscapeText(&b, []byte(a.Value))
			b.WriteByte('"')
		}
	}
	b.WriteString("<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<settings")
	attrs(s.root)
	b.WriteString(">\n")
	for _, e := range s.entries {
		b.WriteString("  <setting")
		attrs(e.attrs)
		b.WriteString(" />\n")
	}
	b.WriteString("</settings>\n")
	return b.Bytes()
}

func (s *ssaids) of(uid int) *ssaidSetting {
	for _, e := range s.entries {
		if e.get("name") == strconv.Itoa(uid) {
			return e
		}
	}
	return nil
}

// putSSAID sets an app's id and leaves every other entry as it is.
func putSSAID(text []byte, uid int, pkg, value string) ([]byte, error) {
	s, err := parseSSAIDs(text)
	if err != nil {
		return nil, err
	}
	e := s.of(uid)
	if e == nil {
		next := 1
		for _, o := range s.entries {
			if id, err := strconv.Atoi(o.get("id")); err == nil && id >= next {
				next = id + 1
			}
		}
		e = &ssaidSetting{}
		e.set("id", strconv.Itoa(next))
		e.set("name", strconv.Itoa(uid))
		s.entries = append(s.entries, e)
	}
	e.set("value", value)
	e.set("package", pkg)
	e.set("defaultValue", value)
	e.set("defaultSysSet", "true")
	if e.get("tag") == "" {
		e.set("tag", "null")
	}
	return s.encode(), nil
}

// dropSSAID takes an app's entry out; Android makes a new one when the app asks.
func dropSSAID(text []byte, uid int) ([]byte, error) {
	s, err := parseSSAIDs(text)
	if err != nil {
		return nil, err
	}
	s.entries = slices.DeleteFunc(s.entries, func(e *ssaidSetting) bool { return e.get("name") == strconv.Itoa(uid) })
	return s.encode(), nil
}

// getSSAID returns an app's id, "" where it has none.
func getSSAID(text []byte, uid int) (string, error) {
	s, err := parseSSAIDs(text)
	if err != nil {
		return "", err
	}
	if e := s.of(uid); e != nil {
		return e.get("value"), nil
	}
	return "", nil
}
