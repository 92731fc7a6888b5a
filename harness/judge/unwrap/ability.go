package unwrap

import (
	"slices"

	"github.com/unasked-audit/unasked/harness/judge/unwrap/container"
)

// ability is a set of encodings that an opener takes off.
type ability uint64

const (
	canURL ability = 1 << iota
	canHTML
	canUnicode
	canBase64
	canBase32
	canBase58
	canASCII85
	canHex
	canQuoted
	canPunycode
	canUTF16
	canReversed
	canROT13
	canLZString
	canXOR
	canGzip
	canZlib
	canDeflate
	canBrotli
	canZstd
	canLZ4
	canSnappy
	canJSON
	canForm
	canMultipart
	canJWT
)

// abilities are the names that the knowledge and chains use.
var abilities = map[string]ability{
	"url": canURL, "html": canHTML, "unicode": canUnicode, "base64": canBase64, "base32": canBase32, "base58": canBase58,
	"ascii85": canASCII85, "hex": canHex, "quoted-printable": canQuoted, "punycode": canPunycode, "utf-16": canUTF16,
	"reversed": canReversed, "rot13": canROT13, "lzstring": canLZString, "xor": canXOR,
	"gzip": canGzip, "zlib": canZlib, "deflate": canDeflate, "brotli": canBrotli, "zstd": canZstd, "lz4": canLZ4, "snappy": canSnappy,
	"json": canJSON, "form": canForm, "multipart": canMultipart, "jwt": canJWT,
}

// Containers lists the containers and encodings that can be opened, by the names that the
// knowledge uses: those that only structure, those that stand in a chain, and those
// that nothing announces.
func Containers() []string {
	names := []string{"url", "json", "form", "multipart", "jwt"}
	for _, f := range container.Formats() {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return append(names,
		"gzip", "zlib", "deflate", "brotli", "zstd", "lz4", "snappy",
		"base64", "hex", "base32", "base58", "ascii85", "quoted-printable", "html", "unicode", "punycode", "utf-16",
		"lzstring", "reversed", "rot13", "xor",
	)
}

// has reports whether all of a set are taken off.
func (w *walk) has(a ability) bool { return w.o.can&a == a }
