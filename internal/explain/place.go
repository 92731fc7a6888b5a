package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/judge"
	"github.com/unasked-audit/unasked/internal/inert"
)

// Surface says where in a message or on the device a place is, in words:
// "URL", "header Authorization", "body, at $.device.id", "file shared_prefs/session.xml".
func Surface(surface string) string {
	head, rest, has := strings.Cut(surface, ":")
	rest = inert.Middle(rest, longest)
	switch head {
	case "url":
		if has {
			return "URL, at " + rest
		}
		return "URL"
	case "header":
		return "header " + rest
	case "cookie":
		return "cookie " + rest
	case "body":
		if has {
			return "body, at " + rest
		}
		return "body"
	case "ws":
		return "WebSocket message " + rest
	case "host":
		return "host name"
	case "file":
		return "file " + rest
	case "device":
		return "device"
	}
	return inert.Middle(surface, longest)
}

var steps = map[string]string{
	"gzip": "gzip", "deflate": "deflate", "zlib": "zlib", "br": "Brotli", "brotli": "Brotli", "zstd": "Zstandard",
	"url": "URL encoding", "urlencode": "URL encoding", "percent": "URL encoding", "form": "form field",
	"json": "JSON", "multipart": "multipart", "xml": "XML", "cookie": "cookie", "query": "query parameter",
	"base64url": "base64 (URL alphabet)", "hex": "hexadecimal",
	"base32": "base32", "base58": "base58", "ascii85": "Ascii85", "quoted-printable": "quoted-printable", "html": "HTML entities",
	"unicode": "\\u escapes", "punycode": "Punycode", "lzstring": "LZString", "lz4": "LZ4", "snappy": "Snappy", "jwt": "JSON Web Token",
	"zip": "ZIP", "tar": "tar", "xor": "XOR", "rot13": "ROT13", "reversed": "reversed", "utf-16le": "UTF-16", "utf-16be": "UTF-16 (big-endian)",
	"raw": "raw bytes", "base64": "base64",
	"md5": "MD5", "sha1": "SHA-1", "sha-1": "SHA-1", "sha224": "SHA-224", "sha256": "SHA-256", "sha-256": "SHA-256", "sha384": "SHA-384",
	"sha512": "SHA-512", "sha3-256": "SHA3-256", "blake2b": "BLAKE2b", "ripemd160": "RIPEMD-160", "murmur3-128": "MurmurHash3 (128 bits)",
	"xxhash64": "xxHash64",
	"lower":    "lower case", "upper": "upper case",
}

// Step names one decoding or hash of a chain: "SHA-256". One that is not known is shown as it is.
func Step(step string) string {
	if name, ok := steps[strings.ToLower(step)]; ok {
		return name
	}
	return inert.Line(step, 40)
}

// hashes are how the names of hashes begin.
var hashes = []string{"md5", "sha", "hmac", "blake", "ripemd", "murmur", "xxh", "crc", "adler", "fnv"}

// Hash reports whether a step of a chain can't be undone: what was recognised is a fingerprint of the value.
func Hash(step string) bool {
	s := strings.ToLower(step)
	return slices.ContainsFunc(hashes, func(h string) bool { return strings.HasPrefix(s, h) })
}

// Chain says how the value stands at the place, from the outside to the value:
// "gzip → base64 → plain", "gzip → SHA-256 → hexadecimal".
func Chain(chain []string) string {
	names := make([]string, 0, len(chain)+1)
	hashed := false
	for _, s := range chain {
		names = append(names, Step(s))
		hashed = hashed || Hash(s)
	}
	if !hashed {
		names = append(names, "plain")
	}
	return strings.Join(names, " → ")
}

// Place says where a pointer points, so that a person finds it in the evidence:
// "event 214, flow f12, request body, at $.id (gzip → plain)".
func Place(p judge.Pointer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "event %d", p.Event)
	if p.Flow != "" {
		fmt.Fprintf(&b, ", flow %s", inert.Line(string(p.Flow), 40))
	}
	b.WriteString(", ")
	if p.Side != "" {
		b.WriteString(inert.Line(p.Side, 20) + " ")
	}
	b.WriteString(Surface(p.Surface))
	if len(p.Chain) > 0 {
		fmt.Fprintf(&b, " (%s)", Chain(p.Chain))
	}
	return b.String()
}

var roles = map[string]string{
	"asked":  "what the app asked for",
	"minted": "issued by the service",
	"stored": "kept by the app",
	"used":   "sent back by the app",
}

var uses = map[string]string{
	"basic":     "a name and password",
	"bearer":    "a bearer token",
	"body":      "a field of the body",
	"cookie":    "a cookie",
	"field":     "a field",
	"header":    "a header",
	"parameter": "a parameter",
	"path":      "part of a path",
}

// Use names what a value was sent back as: "a bearer token". One that is not known is shown as it is.
func Use(as string) string {
	if name, ok := uses[as]; ok {
		return name
	}
	return inert.Line(as, 60)
}

// Role says what a place of a proof shows: "issued by the service", "sent back by the app as a
// bearer token". It is empty for a pointer without one, and one that is not known is shown as it is.
func Role(role string) string {
	if name, ok := roles[role]; ok {
		return name
	}
	if use, ok := strings.CutPrefix(role, "used: "); ok {
		return roles["used"] + " as " + Use(use)
	}
	return inert.Line(role, 60)
}
