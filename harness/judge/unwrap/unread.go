package unwrap

import (
	"bytes"
	"math"

	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/judge/unwrap/coding"
)

// The fewest bytes of which can be said what they are.
const (
	shortestSealed = 256 // bytes from which on randomness can be told
	shortestValue  = 64  // of a value that is written as only bytes are
	shortestBinary = 16  // bytes that an identifier fits in: one block of AES
)

// evidence is how much speaks for it that bytes which no decoding explains are bytes, and
// no token or word that a decoding made something of.
type evidence int

const (
	asToken evidence = iota
	asValue          // a value that is written as only bytes are
	asBytes
)

// unread counts bytes that no decoding explains.
func (w *walk) unread(p *Part, as evidence) {
	// Two bytes that zlib begins with are a weak sign, and it could not be opened.
	if m := coding.Magic(p.Data); m != "" && m != "zlib" || w.closing {
		return
	}
	switch {
	case len(p.Data) >= shortestSealed && random(p.Data), as == asValue && len(p.Data) >= shortestValue && !signatureSized(p.Data) && random(p.Data):
		w.report.Sealed += int64(len(p.Data))
		if w.report.SealedAt == "" {
			w.report.SealedAt = p.Surface()
		}
	case as == asBytes && len(p.Data) >= shortestBinary && (p.root == flow.SurfaceBody || p.root == flow.SurfaceURL):
		w.report.Binary += int64(len(p.Data))
	}
}

// signatureSized reports whether bytes are as long as a digest, a signature or a key
// of the usual algorithms, which look as random as what is encrypted and hide nothing:
// SHA-512 and Ed25519 have 64 bytes, RSA has 128 and more, and ECDSA's begin with the
// tag and the length of a sequence (RFC 3279, section 2.2.3).
func signatureSized(data []byte) bool {
	switch len(data) {
	case 64, 65, 96, 128, 132:
		return true
	}
	return len(data) < 144 && data[0] == 0x30 && int(data[1]) == len(data)-2
}

// whole reports whether a part is a body as it is, or as its codings gave it.
func (p *Part) whole() bool { return p.root == flow.SurfaceBody && p.at == nil && p.Key == "" }

// binaryText reports whether a run of digits of base64 or hexadecimal is all that a text
// has, and no word: a word has no digit and no sign in it.
func binaryText(text, run []byte) bool {
	rest := bytes.Trim(text, "\"= \t\r\n")
	return len(rest) == len(run) && !uuid(run) && (bytes.ContainsAny(run, "0123456789+/") || bytes.ContainsRune(text, '='))
}

// uuid reports whether text is a UUID (RFC 9562, section 4).
func uuid(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && classes[c]&(digit|hexLower|hexUpper) == 0 {
			return false
		}
	}
	return true
}

// random reports whether bytes are as good as random: encrypted, or compressed in an unknown way.
func random(data []byte) bool {
	var count [256]int
	for _, c := range data {
		count[c]++
	}
	bits, size := 0.0, float64(len(data))
	for _, n := range count {
		if n > 0 {
			bits -= float64(n) / size * math.Log2(float64(n)/size)
		}
	}
	// A sample of n random bytes shows fewer than 8 bits a byte; 256 bytes show about 7.2.
	return bits > 7.75 || bits > math.Log2(float64(min(len(data), 256)))-1.05 && len(data) < 4096
}
