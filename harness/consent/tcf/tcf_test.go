package tcf

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The example of the specification, "Consent string and vendor list formats v2".
const (
	exampleCore      = "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA"
	exampleDisclosed = "IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw"
	// The example of "Global Privacy Platform String": TCF and US Privacy.
	exampleGPP = "DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN"
)

func TestParseTC(t *testing.T) {
	tc, err := ParseTC(exampleCore + "." + exampleDisclosed)
	if err != nil {
		t.Fatal(err)
	}
	if got := tc.Created.Format("2006-01-02T15:04:05.000Z"); got != "2020-02-20T23:57:39.300Z" {
		t.Errorf("created %s", got)
	}
	if tc.CMP != 27 || tc.CMPVersion != 0 || tc.Language != "EN" || tc.VendorList != 15 || tc.Policy != 2 || tc.Country != "AA" || tc.ServiceSpecific {
		t.Errorf("%+v", tc)
	}
	for _, c := range []struct {
		what      string
		got, want []int
	}{
		{"purposes", tc.Purposes, []int{1, 2, 3}}, {"legitimate interest", tc.LegitimateInterest, []int{}}, {"special features", tc.SpecialFeatures, []int{}},
		{"vendors", tc.Vendors, []int{2, 6, 8}}, {"vendors' interest", tc.VendorsInterest, []int{2, 6, 8}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if len(tc.Disclosed) == 0 || tc.Disclosed[0] != 2 || !slices.IsSorted(tc.Disclosed) {
		t.Errorf("disclosed: %v", tc.Disclosed)
	}
	if tc.Publisher != nil || tc.Allowed != nil {
		t.Error("segments that aren't there were read")
	}
}

// write makes a string of bits: pairs of width and value.
func write(fields ...int64) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var bits []byte
	for i := 0; i < len(fields); i += 2 {
		for at := fields[i] - 1; at >= 0; at-- {
			bits = append(bits, byte(fields[i+1]>>at&1))
		}
	}
	var s strings.Builder
	for len(bits)%6 != 0 {
		bits = append(bits, 0)
	}
	for i := 0; i < len(bits); i += 6 {
		v := 0
		for _, b := range bits[i : i+6] {
			v = v<<1 | int(b)
		}
		s.WriteByte(alphabet[v])
	}
	return s.String()
}

// What the published examples lack: ranges, restrictions, the publisher's segment.
func TestParseTCSegments(t *testing.T) {
	core := write(6, 2, 36, 0, 36, 10, 12, 300, 12, 1, 6, 3, 6, 3, 6, 4, 12, 48, 6, 5, 1, 1, 1, 0,
		12, 1<<11, 24, 1<<23|1, 24, 1<<22, 1, 1, 6, 3, 6, 4,
		16, 700, 1, 1, 12, 2, 1, 1, 16, 5, 16, 7, 1, 0, 16, 700, // 5 to 7, and 700
		16, 3, 1, 0, 3, 0b101,
		12, 1, 6, 7, 2, 1, 12, 1, 1, 1, 16, 20, 16, 30)
	publisher := write(3, 3, 24, 1<<23, 24, 0, 6, 2, 2, 0b01, 2, 0b10)
	tc, err := ParseTC(core + "." + publisher)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tc.Vendors, []int{5, 6, 7, 700}) || !slices.Equal(tc.VendorsInterest, []int{1, 3}) || !slices.Equal(tc.Purposes, []int{1, 24}) ||
		!slices.Equal(tc.LegitimateInterest, []int{2}) || !slices.Equal(tc.SpecialFeatures, []int{1}) || tc.Language != "DE" || !tc.ServiceSpecific {
		t.Errorf("%+v", tc)
	}
	if want := []Restriction{{7, 1, []Range{{20, 30}}}}; !reflect.DeepEqual(tc.Restrictions, want) {
		t.Errorf("restrictions: %v", tc.Restrictions)
	}
	if p := tc.Publisher; p == nil || !slices.Equal(p.Purposes, []int{1}) || !slices.Equal(p.Custom, []int{2}) || !slices.Equal(p.CustomInterest, []int{1}) {
		t.Errorf("publisher: %+v", p)
	}
}

func TestParseGPP(t *testing.T) {
	g, err := ParseGPP(exampleGPP)
	if err != nil {
		t.Fatal(err)
	}
	if g.Version != 1 || len(g.Sections) != 2 || g.Sections[0].ID != 2 || g.Sections[1].ID != 6 {
		t.Fatalf("%+v", g)
	}
	if tc := g.Sections[0].TC; tc == nil || tc.CMP != 31 || tc.Policy != 2 || tc.Language != "EN" || len(tc.Vendors) != 0 {
		t.Errorf("%+v", g.Sections[0])
	}
	if us := g.Sections[1].USPrivacy; us == nil || *us != (USPrivacy{1, "Y", "N", "N"}) {
		t.Errorf("%+v", g.Sections[1])
	}
	// A range of ids (header of the specification: 5 to 6), and sections of the United States.
	g, err = ParseGPP("DBABjw~" + exampleCore + "~1YNN")
	if err != nil || len(g.Sections) != 2 || g.Sections[0].Name != "tcfca1" || g.Sections[1].ID != 6 {
		t.Errorf("%+v, %v", g, err)
	}
}

func TestUSSections(t *testing.T) {
	// Ids 7 and 8: the distance 7 is 2+5 (0101 and the end), 1 is the first number.
	header := write(6, 3, 6, 1, 12, 2, 1, 0, 5, 0b01011, 1, 0, 2, 0b11)
	california := write(6, 1, 2, 1, 2, 2, 2, 0, 2, 1, 2, 2, 18, 0, 4, 0, 2, 0, 2, 1, 2, 2, 2, 1) + "." + write(2, 1, 1, 1)
	g, err := ParseGPP(header + "~BVVVVVVVVWA~" + california)
	if err != nil || len(g.Sections) != 2 {
		t.Fatalf("%+v, %v", g, err)
	}
	nat, ca := g.Sections[0].US, g.Sections[1].US
	if nat["SaleOptOut"] != 1 || nat["MspaServiceProviderMode"] != 2 || nat["SharingNotice"] != 1 || len(nat["SensitiveDataProcessing"].([]int)) != 12 {
		t.Errorf("usnat: %v", g.Sections[0])
	}
	if ca["SaleOptOutNotice"] != 1 || ca["SharingOptOutNotice"] != 2 || ca["SaleOptOut"] != 1 || ca["SharingOptOut"] != 2 || ca["MspaOptOutOptionMode"] != 2 || ca["Gpc"] != true {
		t.Errorf("usca: %v", g.Sections[1])
	}
}

func TestMalformed(t *testing.T) {
	for _, s := range []string{
		"", "C", "not a string", "BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA", exampleCore[:20], exampleCore + ".", exampleCore + ".w", exampleCore + ".%",
		"DBACNYA", "DBACNYA~1YNN", "DB", "DB//", "DB////~x", "1YNX", "1YN", strings.Repeat("C", maxString+1),
		write(6, 2, 36, 0, 36, 0, 12, 0, 12, 0, 6, 0, 12, 0, 12, 0, 6, 0, 2, 0, 12, 0, 24, 0, 24, 0, 1, 0, 12, 0, 16, 3, 1, 1, 12, 1, 1, 1, 16, 9, 16, 4),
	} {
		if _, err := Parse(s); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.40q: %v", s, err)
		}
	}
}

func TestPreferences(t *testing.T) {
	const file = `<?xml version='1.0' encoding='utf-8' standalone='yes' ?>
<map>
    <string name="IABTCF_TCString">` + exampleCore + `</string>
    <int name="IABTCF_gdprApplies" value="1" />
    <string name="IABTCF_PurposeConsents">1110000000</string>
    <string name="IABTCF_VendorConsents">111</string>
    <int name="IABTCF_CmpSdkID" value="27" />
    <string name="IABGPP_HDR_GppString">` + exampleGPP + `</string>
    <string name="IABUSPrivacy_String">1---</string>
    <string name="secret">not ours</string>
    <set name="more"><string>of it</string></set>
</map>`
	s, err := Preferences(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if s.TC == nil || s.GPP == nil || s.USPrivacy == nil || s.USPrivacy.OptOut != "-" || s.Applies != "1" || s.Values["secret"] != "" || len(s.Values) != 7 {
		t.Errorf("%+v", s)
	}
	if len(s.Faults) != 1 || !strings.Contains(s.Faults[0], "IABTCF_VendorConsents says [1 2 3], and the TC string [2 6 8]") {
		t.Errorf("faults: %q", s.Faults)
	}
	if s, err := Preferences(strings.NewReader("<map />")); err != nil || len(s.Values) != 0 || s.TC != nil {
		t.Errorf("an empty file: %+v, %v", s, err)
	}
	for _, bad := range []string{"", "text", "<html></html>", "<map><string name='IABTCF_TCString'>C"} {
		if _, err := Preferences(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is taken for preferences", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{exampleCore, exampleCore + "." + exampleDisclosed, exampleGPP, "1YNN", "DBABjw~x~y", "DB//", write(6, 2, 36, 0)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		st, err := Parse(s)
		if err != nil {
			return
		}
		if st.TC != nil && (!slices.IsSorted(st.TC.Vendors) || len(st.TC.Vendors) > 1<<16) {
			t.Errorf("%q: vendors %v", s, st.TC.Vendors)
		}
	})
}
