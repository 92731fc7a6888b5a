package apkfile

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// forger signs as scheme v2 or v3 asks, with algorithms that apksigner never chooses and with faults that it never makes.
type forger struct {
	scheme    int
	algorithm uint32
	key       crypto.Signer
	digest    func([]byte) []byte   // changes the digest
	signature func([]byte) []byte   // changes the signature
	publicKey []byte                // in place of the right one
	outer     [2]uint32             // v3's range outside the signed data, where it differs
	twice     func(uint32) uint32   // the algorithm that the signature says
	block     func(b []byte) []byte // changes the whole block
}

func field(parts ...[]byte) []byte {
	b := bytes.Join(parts, nil)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func u32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

// forge puts a signing block into an unsigned archive.
func (g forger) forge(t *testing.T, apk []byte) []byte {
	t.Helper()
	l, err := readLayout(bytes.NewReader(apk), int64(len(apk)))
	if err != nil {
		t.Fatal(err)
	}
	a := algorithms[g.algorithm]
	content := contentDigests{r: bytes.NewReader(apk), l: l, block: l.directory}
	digest, err := content.get(a)
	if err != nil {
		t.Fatal(err)
	}
	if g.digest != nil {
		digest = g.digest(digest)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "forged"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, g.key.Public(), g.key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(g.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if g.publicKey != nil {
		spki = g.publicKey
	}

	levels := append(u32(24), u32(0x7fffffff)...)
	signed := [][]byte{field(field(u32(g.algorithm), field(digest))), field(field(cert))}
	if g.scheme == 3 {
		signed = append(signed, levels)
	}
	data := bytes.Join(append(signed, field()), nil)

	h := a.hash.New()
	h.Write(data)
	var options crypto.SignerOpts = a.hash
	if a.padding == padPSS {
		options = &rsa.PSSOptions{SaltLength: a.hash.Size(), Hash: a.hash}
	}
	sig, err := g.key.Sign(rand.Reader, h.Sum(nil), options)
	if err != nil {
		t.Fatal(err)
	}
	if g.signature != nil {
		sig = g.signature(sig)
	}
	said := g.algorithm
	if g.twice != nil {
		said = g.twice(said)
	}
	one := [][]byte{field(data)}
	if g.scheme == 3 {
		if g.outer != [2]uint32{} {
			levels = append(u32(g.outer[0]), u32(g.outer[1])...)
		}
		one = append(one, levels)
	}
	one = append(one, field(field(u32(said), field(sig))), field(spki))
	value := field(field(one...))

	id := uint32(blockV2)
	if g.scheme == 3 {
		id = blockV3
	}
	pair := append(u32(id), value...)
	pairs := append(binary.LittleEndian.AppendUint64(nil, uint64(len(pair))), pair...)
	size := binary.LittleEndian.AppendUint64(nil, uint64(len(pairs)+blockFooter))
	block := slices.Concat(size, pairs, size, blockMagic)
	if g.block != nil {
		block = g.block(block)
	}
	out := slices.Concat(apk[:l.directory], block, apk[l.directory:])
	binary.LittleEndian.PutUint32(out[len(block)+int(l.end)+16:], uint32(l.directory)+uint32(len(block)))
	return out
}

// bare is the least that is an APK.
func bare(t testing.TB) []byte {
	t.Helper()
	return archive(t, entry{name: manifestName, content: manifestOf(t, "clipshare")})
}

func TestForged(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := x509.MarshalPKIXPublicKey(ecKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	apk := bare(t)
	for id, a := range algorithms {
		key := crypto.Signer(rsaKey)
		if a.padding == padECDSA {
			key = ecKey
		}
		if a.padding == padDSA {
			continue
		}
		for _, scheme := range []int{2, 3} {
			schemes, err := signersOf(t, forger{scheme: scheme, algorithm: id, key: key}.forge(t, apk))
			if err != nil || !slices.Equal(schemes, []int{scheme}) {
				t.Errorf("%s, scheme %d: %v %v", a.name, scheme, schemes, err)
			}
		}
	}

	flip := func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }
	for _, c := range []struct {
		name string
		g    forger
		says string
	}{
		{"wrong digest", forger{digest: flip}, "changed after it was signed"},
		{"wrong signature", forger{signature: flip}, "not the certificate holder's"},
		{"somebody else's key", forger{publicKey: otherKey}, "not that of the certificate"},
		{"two algorithms", forger{twice: func(uint32) uint32 { return 0x0101 }}, "its signature of 0x0101"},
		{"RSA, said to be DSA", forger{algorithm: 0x0301}, "not the certificate holder's"},
		{"two ranges", forger{scheme: 3, outer: [2]uint32{1, 2}}, "API levels"},
		{"two sizes", forger{block: func(b []byte) []byte { b[0]++; return b }}, "size fields differ"},
		{"a pair beyond the block", forger{block: func(b []byte) []byte { b[9]++; return b }}, "bytes are left"},
		{"too large a size", forger{block: func(b []byte) []byte { b[len(b)-18] = 0x7f; return b }}, "in front of it lie"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.g.scheme == 0 {
				c.g.scheme = 2
			}
			if c.g.algorithm == 0 {
				c.g.algorithm = 0x0103
			}
			c.g.key = rsaKey
			_, err := signersOf(t, c.g.forge(t, apk))
			if !errors.Is(err, ErrBadSignature) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want one that says %q", err, c.says)
			}
		})
	}
}
