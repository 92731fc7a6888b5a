package tcf

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Stored is what an app keeps of the consent that it was told of.
type Stored struct {
	// Values are the IAB's keys (IABTCF_*, IABGPP_*, IABUSPrivacy_*) as they stand there.
	Values map[string]string `json:"values"`
	// Applies is what the app says of the GDPR: "1", "0", or "" where it says nothing.
	Applies   string     `json:"gdpr_applies,omitempty"`
	TC        *TC        `json:"tc,omitempty"`
	GPP       *GPP       `json:"gpp,omitempty"`
	USPrivacy *USPrivacy `json:"us_privacy,omitempty"`
	// Faults are strings that can't be read, and keys that contradict the string.
	Faults []string `json:"faults"`
}

// The keys that hold strings (IAB, "In-App Details").
const (
	keyTC      = "IABTCF_TCString"
	keyApplies = "IABTCF_gdprApplies"
	keyGPP     = "IABGPP_HDR_GppString"
	keyUS      = "IABUSPrivacy_String"
)

// The limits of a file of preferences.
const (
	maxFile   = 16 << 20 // bytes
	maxValues = 1000     // of the IAB
)

// Parse reads a string of any kind: TC, GPP or US Privacy. The error wraps [ErrMalformed].
func Parse(s string) (*Stored, error) {
	s = strings.TrimSpace(s)
	key, kind := keyTC, "a TC string"
	switch {
	case len(s) == 4 && s[0] == '1':
		key, kind = keyUS, "a US Privacy string"
	case strings.HasPrefix(s, "DB"):
		key, kind = keyGPP, "a GPP string"
	}
	if s == "" {
		return nil, fmt.Errorf("%w: it is empty", ErrMalformed)
	}
	st := decode(map[string]string{key: s})
	if len(st.Faults) > 0 {
		return nil, fmt.Errorf("%w (read as %s: %s)", ErrMalformed, kind, st.Faults[0])
	}
	return st, nil
}

// Preferences reads an app's shared preferences (shared_prefs/*.xml), of which only the
// IAB's keys matter. A file without any has no Values. The error is one of the file.
func Preferences(r io.Reader) (*Stored, error) {
	limited := &io.LimitedReader{R: r, N: maxFile + 1}
	d := xml.NewDecoder(limited)
	values := map[string]string{}
	name, inMap := "", false
	var text strings.Builder
	for {
		tok, err := d.Token()
		if limited.N <= 0 {
			return nil, fmt.Errorf("preferences: more than %d MiB", maxFile>>20)
		}
		if err == io.EOF && inMap {
			return decode(values), nil
		}
		if err == io.EOF {
			return nil, fmt.Errorf("preferences: no <map>, so no shared preferences of Android")
		}
		if err != nil {
			return nil, fmt.Errorf("preferences: %w", err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			inMap = inMap || t.Name.Local == "map"
			name = ""
			text.Reset()
			value, set := "", false
			for _, a := range t.Attr {
				switch a.Name.Local {
				case "name":
					name = a.Value
				case "value":
					value, set = a.Value, true
				}
			}
			if !isIAB(name) {
				name = ""
			} else if set && len(values) < maxValues {
				values[name] = value
			}
		case xml.CharData:
			if name != "" && text.Len() < maxString {
				text.Write(t)
			}
		case xml.EndElement:
			if _, set := values[name]; name != "" && !set && t.Name.Local == "string" && len(values) < maxValues {
				values[name] = text.String()
			}
			name = ""
		}
	}
}

func isIAB(name string) bool {
	return strings.HasPrefix(name, "IABTCF_") || strings.HasPrefix(name, "IABGPP_") || strings.HasPrefix(name, "IABUSPrivacy_")
}

// decode reads the strings among the values and compares them with the other keys.
func decode(values map[string]string) *Stored {
	s := &Stored{Values: values, Applies: values[keyApplies], Faults: []string{}}
	fault := func(key string, err error) {
		if err != nil {
			s.Faults = append(s.Faults, fmt.Sprintf("%s: %v", key, err))
		}
	}
	var err error
	if v := strings.TrimSpace(values[keyTC]); v != "" {
		s.TC, err = ParseTC(v)
		fault(keyTC, err)
	}
	if v := strings.TrimSpace(values[keyGPP]); v != "" {
		s.GPP, err = ParseGPP(v)
		fault(keyGPP, err)
	}
	if v := strings.TrimSpace(values[keyUS]); v != "" {
		s.USPrivacy, err = ParseUSPrivacy(v)
		fault(keyUS, err)
	}
	if s.TC != nil {
		s.compare()
	}
	return s
}

// compare names the keys that say something else than the TC string.
func (s *Stored) compare() {
	for _, k := range []struct {
		key string
		ids []int
	}{
		{"IABTCF_PurposeConsents", s.TC.Purposes},
		{"IABTCF_PurposeLegitimateInterests", s.TC.LegitimateInterest},
		{"IABTCF_SpecialFeaturesOptIns", s.TC.SpecialFeatures},
		{"IABTCF_VendorConsents", s.TC.Vendors},
		{"IABTCF_VendorLegitimateInterests", s.TC.VendorsInterest},
	} {
		value, ok := s.Values[k.key]
		if !ok {
			continue
		}
		if ids, ok := ones(value); !ok {
			s.Faults = append(s.Faults, k.key+": it is no row of 0 and 1")
		} else if !slices.Equal(ids, k.ids) {
			s.Faults = append(s.Faults, fmt.Sprintf("%s says %s, and the TC string %s", k.key, some(ids), some(k.ids)))
		}
	}
	if v, ok := s.Values["IABTCF_CmpSdkID"]; ok && v != strconv.Itoa(s.TC.CMP) {
		s.Faults = append(s.Faults, fmt.Sprintf("IABTCF_CmpSdkID says %.20q, and the TC string %d", v, s.TC.CMP))
	}
}

// ones are the places, from 1, of the ones in a row of 0 and 1.
func ones(row string) ([]int, bool) {
	ids := []int{}
	for i := range len(row) {
		switch row[i] {
		case '1':
			ids = append(ids, i+1)
		case '0':
		default:
			return nil, false
		}
	}
	return ids, true
}

// some writes the first of many ids.
func some(ids []int) string {
	if len(ids) > 12 {
		return fmt.Sprintf("%v and %d more", ids[:12], len(ids)-12)
	}
	return fmt.Sprint(ids)
}
