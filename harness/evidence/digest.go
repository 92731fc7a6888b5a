package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// digestLen is the number of characters of a Digest.
const digestLen = sha256.Size * 2

// DigestOf is the digest of some bytes.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest(hex.EncodeToString(sum[:]))
}

// Valid reports whether d is 64 lower-case hexadecimal digits.
func (d Digest) Valid() bool {
	if len(d) != digestLen {
		return false
	}
	for i := range len(d) {
		if c := d[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// digestSum is the digest that a hash has come to.
func digestSum(h hash.Hash) Digest {
	return Digest(hex.EncodeToString(h.Sum(nil)))
}

// digestReader reads r to its end.
func digestReader(r io.Reader) (Digest, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return digestSum(h), n, err
}
