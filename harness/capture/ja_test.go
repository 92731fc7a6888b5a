package capture

import (
	"crypto/tls"
	"testing"
)

// The examples of github.com/salesforce/ja3, README.md.
func TestJA3(t *testing.T) {
	for _, test := range []struct {
		hello      tls.ClientHelloInfo
		text, want string
	}{
		{tls.ClientHelloInfo{
			CipherSuites: []uint16{47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4}, Extensions: []uint16{0, 10, 11},
			SupportedCurves: []tls.CurveID{23, 24, 25}, SupportedPoints: []uint8{0},
		}, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0", "ada70206e40642a3e4461f35503241d5"},
		{tls.ClientHelloInfo{CipherSuites: []uint16{4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}},
			"769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"},
		{tls.ClientHelloInfo{ // the same with GREASE
			CipherSuites: []uint16{0x0a0a, 4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}, Extensions: []uint16{0xfafa}, SupportedCurves: []tls.CurveID{0x1a1a},
		}, "769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"},
	} {
		if got := ja3Text(&test.hello, tls.VersionTLS10); got != test.text {
			t.Errorf("got  %s\nwant %s", got, test.text)
		}
		if got := ja3(&test.hello, tls.VersionTLS10); got != test.want {
			t.Errorf("%s: %s, want %s", test.text, got, test.want)
		}
	}
}

// The example of github.com/FoxIO-LLC/ja4, technical_details/JA4.md, and what it says
// of hellos that lack something.
func TestJA4(t *testing.T) {
	example := func() *tls.ClientHelloInfo {
		return &tls.ClientHelloInfo{
			CipherSuites:      []uint16{0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
			Extensions:        []uint16{0x7a7a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015},
			SignatureSchemes:  []tls.SignatureScheme{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601},
			SupportedVersions: []uint16{0x9a9a, 0x0304, 0x0303}, SupportedProtos: []string{"h2", "http/1.1"},
		}
	}
	for name, test := range map[string]struct {
		change func(*tls.ClientHelloInfo)
		want   string
	}{
		"the example":   {func(*tls.ClientHelloInfo) {}, "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		"no signatures": {func(h *tls.ClientHelloInfo) { h.SignatureSchemes = nil }, "t13d1516h2_8daaf6152771_6d807ffa2a79"},
		"http/1.1":      {func(h *tls.ClientHelloInfo) { h.SupportedProtos = h.SupportedProtos[1:] }, "t13d1516h1_8daaf6152771_e5627efa2ab1"},
		"no ALPN":       {func(h *tls.ClientHelloInfo) { h.SupportedProtos = nil }, "t13d151600_8daaf6152771_e5627efa2ab1"},
		"odd ALPN":      {func(h *tls.ClientHelloInfo) { h.SupportedProtos = []string{"01\xab\xcd"} }, "t13d15163d_8daaf6152771_e5627efa2ab1"},
		"one odd byte":  {func(h *tls.ClientHelloInfo) { h.SupportedProtos = []string{"\xab"} }, "t13d1516ab_8daaf6152771_e5627efa2ab1"},
		"nothing": {func(h *tls.ClientHelloInfo) { *h = tls.ClientHelloInfo{} },
			"t12i000000_000000000000_000000000000"},
	} {
		h := example()
		test.change(h)
		if got := ja4(h, tls.VersionTLS12); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
