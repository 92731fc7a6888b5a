package recognise

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // what apps use, not what we rely on
	"crypto/sha1" //nolint:gosec
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"math/bits"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/murmur3"
	"golang.org/x/crypto/blake2b"
	//lint:ignore SA1019 what apps use, not what we rely on
	"golang.org/x/crypto/ripemd160" //nolint:staticcheck
)

// sum is a digest that an app may make of a value.
type sum struct {
	name string // as the knowledge and chains have it
	size int    // bytes
	of   func(to, data []byte) []byte
	// keyed is the hash for an HMAC (RFC 2104); nil where nobody makes one.
	keyed func() hash.Hash
}

// slow digests are salted in the first few spellings of a value and in the most frequent
// ways only: SHA-3, which no
// processor has instructions for.
func (s *sum) slow() bool { return s.name == "sha3-256" }

// slowness is how many other digests a slow one takes the time of.
const slowness = 6

// sums are all digests of 64 bits and more. Those that stand twice are written in
// two orders of bytes.
var sums = []sum{
	{"sha256", 32, func(to, b []byte) []byte { s := sha256.Sum256(b); return append(to, s[:]...) }, sha256.New},
	{"md5", 16, func(to, b []byte) []byte { s := md5.Sum(b); return append(to, s[:]...) }, md5.New},    //nolint:gosec
	{"sha1", 20, func(to, b []byte) []byte { s := sha1.Sum(b); return append(to, s[:]...) }, sha1.New}, //nolint:gosec
	{"sha512", 64, func(to, b []byte) []byte { s := sha512.Sum512(b); return append(to, s[:]...) }, sha512.New},
	{"sha224", 28, func(to, b []byte) []byte { s := sha256.Sum224(b); return append(to, s[:]...) }, sha256.New224},
	{"sha384", 48, func(to, b []byte) []byte { s := sha512.Sum384(b); return append(to, s[:]...) }, sha512.New384},
	{"sha3-256", 32, func(to, b []byte) []byte { s := sha3.Sum256(b); return append(to, s[:]...) }, func() hash.Hash { return sha3.New256() }},
	{"blake2b-256", 32, func(to, b []byte) []byte { s := blake2b.Sum256(b); return append(to, s[:]...) }, nil},
	{"blake2b-512", 64, func(to, b []byte) []byte { s := blake2b.Sum512(b); return append(to, s[:]...) }, nil},
	{"ripemd160", 20, func(to, b []byte) []byte { h := ripemd160.New(); h.Write(b); return h.Sum(to) }, nil}, //nolint:gosec
	{"murmur3-128", 16, func(to, b []byte) []byte {
		h1, h2 := murmur3.Sum128(b)
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(to, h1), h2)
	}, nil},
	{"murmur3-128", 16, func(to, b []byte) []byte {
		h1, h2 := murmur3.Sum128(b)
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(to, h1), h2)
	}, nil},
	{"xxhash64", 8, func(to, b []byte) []byte { return binary.BigEndian.AppendUint64(to, xxhash.Sum64(b)) }, nil},
	{"xxhash64", 8, func(to, b []byte) []byte { return binary.LittleEndian.AppendUint64(to, xxhash.Sum64(b)) }, nil},
}

// weakSums have 32 bits.
var weakSums = []struct {
	name string
	of   func([]byte) uint32
}{
	{"crc32", crc32.ChecksumIEEE},
	{"murmur3-32", murmur3.Sum32},
	{"xxhash32", xxh32},
}

// sumNamed lists the digests of a name.
func sumNamed(name string) []int {
	var out []int
	for i := range sums {
		if sums[i].name == name {
			out = append(out, i)
		}
	}
	return out
}

// isSum reports whether a link of a chain is a digest.
func isSum(name string) bool {
	for i := range sums {
		if sums[i].name == name || hmacOf+sums[i].name == name {
			return true
		}
	}
	for i := range weakSums {
		if weakSums[i].name == name {
			return true
		}
	}
	return false
}

// hmacOf begins the name of a keyed digest in a chain.
const hmacOf = "hmac-"

// keyedSum is the HMAC (RFC 2104) of data.
func (s *sum) keyedSum(to, key, data []byte) []byte {
	h := hmac.New(s.keyed, key)
	h.Write(data)
	return h.Sum(to)
}

// xxh32 is xxHash's digest of 32 bits with seed 0 (github.com/Cyan4973/xxHash,
// doc/xxhash_spec.md, XXH32).
func xxh32(b []byte) uint32 {
	const p1, p2, p3, p4, p5 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1
	acc := uint32(p5)
	length := uint32(len(b)) //nolint:gosec // the digest is of the length, cut to 32 bits
	if len(b) >= 16 {
		one, two := uint32(p1), uint32(p2)
		lanes := [4]uint32{one + two, two, 0, -one}
		for ; len(b) >= 16; b = b[16:] {
			for i := range lanes {
				lanes[i] = bits.RotateLeft32(lanes[i]+binary.LittleEndian.Uint32(b[4*i:])*p2, 13) * p1
			}
		}
		acc = bits.RotateLeft32(lanes[0], 1) + bits.RotateLeft32(lanes[1], 7) + bits.RotateLeft32(lanes[2], 12) + bits.RotateLeft32(lanes[3], 18)
	}
	acc += length
	for ; len(b) >= 4; b = b[4:] {
		acc = bits.RotateLeft32(acc+binary.LittleEndian.Uint32(b)*p3, 17) * p4
	}
	for _, c := range b {
		acc = bits.RotateLeft32(acc+uint32(c)*p5, 11) * p1
	}
	acc = (acc ^ acc>>15) * p2
	acc = (acc ^ acc>>13) * p3
	return acc ^ acc>>16
}

// chosenSums are the digests that the knowledge names, as indices.
func chosenSums(names []string, file string) ([]int, error) {
	var out []int
	for _, name := range names {
		list := sumNamed(name)
		if list == nil {
			return nil, fmt.Errorf("%s: no digest is named %q", file, name)
		}
		out = append(out, list...)
	}
	return out, nil
}
