package capture

import (
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// ja3 is the fingerprint of a hello as github.com/salesforce/ja3 has it: the MD5 of
// version, cipher suites, extensions, groups and point formats, in decimal and in the
// order in which they came, without GREASE (RFC 8701). legacy is the version in the
// hello itself.
func ja3(h *tls.ClientHelloInfo, legacy uint16) string {
	sum := md5.Sum([]byte(ja3Text(h, legacy)))
	return hex.EncodeToString(sum[:])
}

func ja3Text(h *tls.ClientHelloInfo, legacy uint16) string {
	return fmt.Sprintf("%d,%s,%s,%s,%s", legacy, dashed(h.CipherSuites), dashed(h.Extensions), dashed(h.SupportedCurves), dashed(h.SupportedPoints))
}

func dashed[T ~uint8 | ~uint16](codes []T) string {
	var b strings.Builder
	for _, c := range codes {
		if grease(uint16(c)) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('-')
		}
		fmt.Fprint(&b, uint16(c))
	}
	return b.String()
}

// ja4 is the fingerprint of a hello over TCP as github.com/FoxIO-LLC/ja4 has it
// (technical_details/JA4.md): a readable head, and hashes of the sorted suites and of
// the sorted extensions with the signature schemes as they came.
func ja4(h *tls.ClientHelloInfo, legacy uint16) string {
	suites, extensions := sortedCodes(h.CipherSuites), sortedCodes(h.Extensions)
	name := 'i'
	if slices.Contains(extensions, 0) {
		name = 'd'
	}
	head := fmt.Sprintf("t%s%c%02d%02d%s", ja4Version(h, legacy), name, min(len(suites), 99), min(len(extensions), 99), ja4Protocol(h.SupportedProtos))
	// The name and ALPN say more of the connection than of the client.
	extensions = slices.DeleteFunc(extensions, func(e uint16) bool { return e == 0 || e == 16 })
	rest := hexes(extensions)
	var schemes []uint16
	for _, s := range h.SignatureSchemes {
		if !grease(uint16(s)) {
			schemes = append(schemes, uint16(s))
		}
	}
	if len(schemes) > 0 {
		rest += "_" + hexes(schemes)
	}
	return head + "_" + ja4Hash(hexes(suites), len(suites)) + "_" + ja4Hash(rest, len(extensions))
}

// ja4Hash is the first 12 digits of a SHA-256; zeros where there was nothing to hash.
func ja4Hash(text string, n int) string {
	if n == 0 {
		return "000000000000"
	}
	return short(text)
}

func hexes(codes []uint16) string {
	list := make([]string, len(codes))
	for i, c := range codes {
		list[i] = fmt.Sprintf("%04x", c)
	}
	return strings.Join(list, ",")
}

func ja4Version(h *tls.ClientHelloInfo, legacy uint16) string {
	newest := legacy
	if slices.Contains(h.Extensions, 43) { // supported_versions
		newest = 0
		for _, v := range h.SupportedVersions {
			if !grease(v) {
				newest = max(newest, v)
			}
		}
	}
	switch newest {
	case tls.VersionTLS13:
		return "13"
	case tls.VersionTLS12:
		return "12"
	case tls.VersionTLS11:
		return "11"
	case tls.VersionTLS10:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

// ja4Protocol is the first and last character of the first application protocol;
// where one is no letter or digit, the first and last digit of its bytes in hexadecimal.
func ja4Protocol(offers []string) string {
	if len(offers) == 0 || offers[0] == "" {
		return "00"
	}
	first, last := offers[0][0], offers[0][len(offers[0])-1]
	if alphanumeric(first) && alphanumeric(last) {
		return string([]byte{first, last})
	}
	digits := hex.EncodeToString([]byte{first, last})
	return digits[:1] + digits[3:]
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
