package disguise

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // what apps use, not what we rely on
	"crypto/sha1" //nolint:gosec
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/murmur3"
	"golang.org/x/crypto/blake2b"
	//lint:ignore SA1019 what apps use, not what we rely on
	"golang.org/x/crypto/ripemd160" //nolint:gosec
)

// sum is a digest; its name is the one that stands in chains.
type sum struct {
	name string
	of   func([]byte) []byte
}

var sums = []sum{
	{"md5", func(b []byte) []byte { s := md5.Sum(b); return s[:] }},   //nolint:gosec
	{"sha1", func(b []byte) []byte { s := sha1.Sum(b); return s[:] }}, //nolint:gosec
	{"sha224", func(b []byte) []byte { s := sha256.Sum224(b); return s[:] }},
	{"sha256", func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }},
	{"sha384", func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }},
	{"sha512", func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }},
	{"sha3-256", func(b []byte) []byte { s := sha3.Sum256(b); return s[:] }},
	{"blake2b-512", func(b []byte) []byte { s := blake2b.Sum512(b); return s[:] }},
	{"blake2b-256", func(b []byte) []byte { s := blake2b.Sum256(b); return s[:] }},
	{"ripemd160", func(b []byte) []byte { h := ripemd160.New(); h.Write(b); return h.Sum(nil) }},
	{"murmur3-128", func(b []byte) []byte {
		hi, lo := murmur3.Sum128(b)
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, hi), lo)
	}},
	{"xxhash64", func(b []byte) []byte { return binary.BigEndian.AppendUint64(nil, xxhash.Sum64(b)) }},
}

// truncatedTo are the lengths that digests are cut to, in characters of hex.
var truncatedTo = []int{16, 20, 32}

func digests() []Disguise {
	var list []Disguise
	add := func(name, chain, form string, keyed bool, of func(v []byte, env *Env) []byte, write func([]byte) []byte) {
		list = append(list, Disguise{
			Name: name, Chain: []string{chain, form}, Digest: true, Canonical: !keyed, Binary: form == "raw", Keyed: keyed,
			Encode: func(v []byte, env *Env) []byte { return write(of(v, env)) },
		})
	}
	inHex := func(b []byte) []byte { return []byte(hex.EncodeToString(b)) }
	inUpper := func(b []byte) []byte { return []byte(strings.ToUpper(hex.EncodeToString(b))) }
	in64 := func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }
	inURL64 := func(b []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(b)) }
	asIs := func(b []byte) []byte { return b }
	for _, s := range sums {
		plain := func(v []byte, _ *Env) []byte { return s.of(v) }
		add(s.name+"/hex", s.name, "hex", false, plain, inHex)
		add(s.name+"/hex-upper", s.name, "hex", false, plain, inUpper)
		add(s.name+"/base64", s.name, "base64", false, plain, in64)
		add(s.name+"/base64-url", s.name, "base64", false, plain, inURL64)
		add(s.name+"/raw", s.name, "raw", false, plain, asIs)
	}
	for _, name := range []string{"md5", "sha1", "sha256"} {
		of := sums[slices.IndexFunc(sums, func(s sum) bool { return s.name == name })].of
		for _, n := range truncatedTo {
			if n < hex.EncodedLen(len(of(nil))) {
				add(name+"/cut-"+strconv.Itoa(n), name, "hex", false, func(v []byte, _ *Env) []byte { return of(v) },
					func(b []byte) []byte { return inHex(b)[:n] })
			}
		}
		add(name+"/salt-before", name, "hex", true, func(v []byte, env *Env) []byte { return of(slices.Concat(env.Salt, v)) }, inHex)
		add(name+"/salt-after", name, "hex", true, func(v []byte, env *Env) []byte { return of(slices.Concat(v, env.Salt)) }, inHex)
		add(name+"/salt-after-base64", name, "base64", true, func(v []byte, env *Env) []byte { return of(slices.Concat(v, env.Salt)) }, in64)
	}
	for _, h := range []struct {
		name string
		make func() hash.Hash
	}{{"hmac-md5", md5.New}, {"hmac-sha1", sha1.New}, {"hmac-sha256", sha256.New}, {"hmac-sha512", sha512.New}} {
		sum := func(v []byte, env *Env) []byte {
			m := hmac.New(h.make, env.Key)
			m.Write(v)
			return m.Sum(nil)
		}
		add(h.name+"/hex", h.name, "hex", true, sum, inHex)
		add(h.name+"/base64", h.name, "base64", true, sum, in64)
	}
	return list
}
