package capture

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// fingerprint tells a client's TLS stack from others, in the manner of JA4
// (github.com/FoxIO-LLC/ja4, technical_details/JA4.md): a readable head, a hash of
// the cipher suites, and a hash of the extensions, groups and signature schemes.
// GREASE (RFC 8701) is left out, and suites and extensions are sorted, for browsers
// shuffle them. Left out too are extensions that one and the same stack sends on some
// connections only. The text can be compared with others made here, not with JA4's.
func fingerprint(hello *tls.ClientHelloInfo) string {
	suites := sortedCodes(hello.CipherSuites)
	extensions := slices.DeleteFunc(sortedCodes(hello.Extensions), func(e uint16) bool { return passing[e] })
	newest := uint16(0)
	for _, v := range hello.SupportedVersions {
		if !grease(v) {
			newest = max(newest, v)
		}
	}
	protocols := slices.DeleteFunc(slices.Clone(hello.SupportedProtos), func(p string) bool {
		return len(p) == 2 && grease(uint16(p[0])<<8|uint16(p[1]))
	})
	var rest strings.Builder
	fmt.Fprintf(&rest, "%04x_", extensions)
	for _, g := range hello.SupportedCurves {
		if !grease(uint16(g)) {
			fmt.Fprintf(&rest, "%04x,", uint16(g))
		}
	}
	rest.WriteByte('_')
	for _, s := range hello.SignatureSchemes {
		if !grease(uint16(s)) {
			fmt.Fprintf(&rest, "%04x,", uint16(s))
		}
	}
	fmt.Fprintf(&rest, "_%q", protocols)
	first := "-"
	if len(protocols) > 0 && (protocols[0] == "h2" || protocols[0] == "http/1.1") {
		first = protocols[0]
	}
	return fmt.Sprintf("%04x_%s_%d_%d_%s_%s", newest, first, len(suites), len(extensions), short(fmt.Sprintf("%04x", suites)), short(rest.String()))
}

// passing are extensions that depend on the connection more than on the client: the
// server's name (absent for an address), padding, an early start of a session that
// is resumed, and an answer to a retry (RFC 8446 section 4.2, RFC 7685).
var passing = map[uint16]bool{0: true, 21: true, 41: true, 42: true, 44: true}

// grease reports whether a code stands for nothing (RFC 8701).
func grease(code uint16) bool { return code&0x0f0f == 0x0a0a && code>>8 == code&0xff }

func sortedCodes(codes []uint16) []uint16 {
	out := slices.DeleteFunc(slices.Clone(codes), grease)
	slices.Sort(out)
	return out
}

func short(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
