package tcf

import (
	"fmt"
	"strings"
)

// GPP is a decoded string of the IAB's Global Privacy Platform.
type GPP struct {
	Version  int       `json:"version"`
	Sections []Section `json:"sections"`
}

// Section is one law's part of a GPP string. One of TC, USPrivacy and US is set for
// the sections that are read; the others keep their text.
type Section struct {
	ID        int            `json:"id"`
	Name      string         `json:"name,omitempty"`
	Text      string         `json:"text"`
	TC        *TC            `json:"tc,omitempty"`
	USPrivacy *USPrivacy     `json:"us_privacy,omitempty"`
	US        map[string]any `json:"us,omitempty"` // fields by the specification's names; each 0 not applicable, 1, 2
	Error     string         `json:"error,omitempty"`
}

// The ids of sections (GPP, "Section Information").
var sectionNames = map[int]string{
	2: "tcfeu2", 5: "tcfca1", 6: "uspv1", 7: "usnat", 8: "usca", 9: "usva", 10: "usco", 11: "usut", 12: "usct", 13: "usfl", 14: "usmt",
	15: "usor", 16: "ustx", 17: "usde", 18: "usia", 19: "usne", 20: "usnh", 21: "usnj", 22: "ustn",
}

const gppType = 3

// ParseGPP reads a GPP string (IAB Tech Lab, "Global Privacy Platform String"). A section that
// can't be read says why and leaves the others; an error is one of the header, and wraps [ErrMalformed].
func ParseGPP(s string) (*GPP, error) {
	parts := strings.Split(strings.TrimSpace(s), "~")
	b := newBits(strings.TrimRight(parts[0], "="))
	kind := b.number(6)
	g := &GPP{Version: int(b.number(6)), Sections: []Section{}}
	if b.err == nil && kind != gppType {
		return nil, fmt.Errorf("%w: its header is of type %d, and a GPP string's of type %d", ErrMalformed, kind, gppType)
	}
	ids := b.sectionIDs()
	if b.err != nil {
		return nil, fmt.Errorf("GPP string: %w", b.err)
	}
	if len(ids) != len(parts)-1 {
		return nil, fmt.Errorf("%w: the GPP string's header names %d sections, and %d follow", ErrMalformed, len(ids), len(parts)-1)
	}
	for i, id := range ids {
		g.Sections = append(g.Sections, section(id, parts[i+1]))
	}
	return g, nil
}

// maxSections bounds the ids that a header may name.
const maxSections = 1024

// sectionIDs reads the ids of a header: each is coded by its distance from the one before.
func (b *bits) sectionIDs() []int {
	var ids []int
	last := 0
	for range b.number(12) {
		many := b.flag()
		first := last + b.fibonacci()
		last = first
		if many {
			last += b.fibonacci()
		}
		if b.err == nil && len(ids)+last-first >= maxSections {
			b.err = fmt.Errorf("%w: more than %d sections", ErrMalformed, maxSections)
		}
		if b.err != nil {
			return nil
		}
		for id := first; id <= last; id++ {
			ids = append(ids, id)
		}
	}
	return ids
}

func section(id int, text string) Section {
	s := Section{ID: id, Name: sectionNames[id], Text: text}
	var err error
	switch s.Name {
	case "tcfeu2":
		s.TC, err = ParseTC(text)
	case "uspv1":
		s.USPrivacy, err = ParseUSPrivacy(text)
	case "usnat":
		s.US, err = usSection(text, usNational)
	case "usca":
		s.US, err = usSection(text, usCalifornia)
	}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

// usField is a field of a section of the United States: one value of two bits, or a list of them.
type usField struct {
	name string
	n    int // how many values; 0: one, and no list
}

// usNational is the layout of usnat; version 2 has four more sensitive kinds and one more of children.
func usNational(version int) []usField {
	sensitive, children := 12, 2
	if version >= 2 {
		sensitive, children = 16, 3
	}
	return []usField{
		{"SharingNotice", 0}, {"SaleOptOutNotice", 0}, {"SharingOptOutNotice", 0}, {"TargetedAdvertisingOptOutNotice", 0},
		{"SensitiveDataProcessingOptOutNotice", 0}, {"SensitiveDataLimitUseNotice", 0}, {"SaleOptOut", 0}, {"SharingOptOut", 0},
		{"TargetedAdvertisingOptOut", 0}, {"SensitiveDataProcessing", sensitive}, {"KnownChildSensitiveDataConsents", children},
		{"PersonalDataConsents", 0}, {"MspaCoveredTransaction", 0}, {"MspaOptOutOptionMode", 0}, {"MspaServiceProviderMode", 0},
	}
}

// usCalifornia is the layout of usca.
func usCalifornia(int) []usField {
	return []usField{
		{"SaleOptOutNotice", 0}, {"SharingOptOutNotice", 0}, {"SensitiveDataLimitUseNotice", 0}, {"SaleOptOut", 0}, {"SharingOptOut", 0},
		{"SensitiveDataProcessing", 9}, {"KnownChildSensitiveDataConsents", 2},
		{"PersonalDataConsents", 0}, {"MspaCoveredTransaction", 0}, {"MspaOptOutOptionMode", 0}, {"MspaServiceProviderMode", 0},
	}
}

// segmentGPC is the type of the segment that tells of Global Privacy Control.
const segmentGPC = 1

func usSection(text string, layout func(version int) []usField) (map[string]any, error) {
	core, rest, more := strings.Cut(text, ".")
	b := newBits(strings.TrimRight(core, "="))
	version := int(b.number(6))
	fields := map[string]any{"Version": version}
	for _, f := range layout(version) {
		if f.n == 0 {
			fields[f.name] = int(b.number(2))
			continue
		}
		values := make([]int, f.n)
		for i := range values {
			values[i] = int(b.number(2))
		}
		fields[f.name] = values
	}
	if b.err != nil {
		return nil, b.err
	}
	if more {
		s := newBits(strings.TrimRight(rest, "="))
		if s.number(2) == segmentGPC {
			fields["Gpc"] = s.flag()
		}
		if s.err != nil {
			return nil, s.err
		}
	}
	return fields, nil
}

// USPrivacy is a decoded US Privacy string (IAB Tech Lab, CCPA framework, version 1).
type USPrivacy struct {
	Version int    `json:"version"`
	Notice  string `json:"notice"`  // Y: notice and a way to opt out were given, N, - not applicable
	OptOut  string `json:"opt_out"` // Y: the user opted out of sale
	Covered string `json:"covered"` // Y: under the Limited Service Provider Agreement
}

// ParseUSPrivacy reads a string such as "1YNN". The error wraps [ErrMalformed].
func ParseUSPrivacy(s string) (*USPrivacy, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) != 4 || s[0] != '1' || strings.Trim(s[1:], "YN-") != "" {
		return nil, fmt.Errorf("%w: a US Privacy string is 1 and three of Y, N and -, not %.20q", ErrMalformed, s)
	}
	return &USPrivacy{1, s[1:2], s[2:3], s[3:4]}, nil
}
