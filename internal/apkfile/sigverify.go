package apkfile

import (
	"bytes"
	"crypto"
	//lint:ignore SA1019 old apps are signed with it
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"hash"
	"io"
	"math/big"
)

// algorithm is one of the signature algorithms of schemes v2 and v3.
type algorithm struct {
	hash    crypto.Hash
	padding int
	// verity marks content digests made as a Merkle tree over 4 KiB pages.
	verity bool
	name   string
}

const (
	padPKCS1 = iota
	padPSS
	padECDSA
	padDSA
)

// algorithms are those of "Signature algorithm IDs" in the documentation of scheme v2.
var algorithms = map[uint32]algorithm{
	0x0101: {crypto.SHA256, padPSS, false, "RSA-PSS with SHA-256"},
	0x0102: {crypto.SHA512, padPSS, false, "RSA-PSS with SHA-512"},
	0x0103: {crypto.SHA256, padPKCS1, false, "RSA with SHA-256"},
	0x0104: {crypto.SHA512, padPKCS1, false, "RSA with SHA-512"},
	0x0201: {crypto.SHA256, padECDSA, false, "ECDSA with SHA-256"},
	0x0202: {crypto.SHA512, padECDSA, false, "ECDSA with SHA-512"},
	0x0301: {crypto.SHA256, padDSA, false, "DSA with SHA-256"},
	0x0421: {crypto.SHA256, padPKCS1, true, "RSA with SHA-256 over a Merkle tree"},
	0x0423: {crypto.SHA256, padECDSA, true, "ECDSA with SHA-256 over a Merkle tree"},
	0x0425: {crypto.SHA256, padDSA, true, "DSA with SHA-256 over a Merkle tree"},
}

// verify checks every signer of one scheme's pair and returns their certificates.
func (b *block) verify(r io.ReaderAt, l layout, scheme int, v view) ([]*x509.Certificate, error) {
	signers, err := b.signers(&contentDigests{r: r, l: l, block: b.start}, scheme, v)
	var certs []*x509.Certificate
	for _, s := range signers {
		certs = append(certs, s.cert)
	}
	return certs, err
}

// verified is a signer whose signature holds.
type verified struct {
	signer
	cert *x509.Certificate
}

// signers checks every signer of one scheme's pair.
func (b *block) signers(content *contentDigests, scheme int, v view) ([]verified, error) {
	signers, err := parseSigners(v, scheme)
	if err != nil {
		return nil, err
	}
	var out []verified
	for _, s := range signers {
		if _, ok := b.value(blockV3); s.needsV3 && !ok {
			return nil, s.fail(scheme, "it says that the file was also signed by scheme v3, and that signature was taken away")
		}
		if _, ok := b.value(blockV31); s.rotatedAt != 0 && !ok {
			return nil, s.fail(scheme, "it says that the file was also signed by scheme v3.1, and that signature was taken away")
		}
		cert, err := s.verify(scheme, content)
		if err != nil {
			return nil, err
		}
		out = append(out, verified{s, cert})
	}
	return out, nil
}

func (s *signer) fail(scheme int, format string, args ...any) error {
	e := fault(ErrBadSignature, signingBlock, s.at.at, format, args...)
	e.What = "scheme v" + schemeName(scheme) + ": " + e.What
	return e
}

// verify follows "Verification" in the documentation of scheme v2: the signatures
// over the signed data, the algorithms' agreement, the digests, the certificate's key.
func (s *signer) verify(scheme int, content *contentDigests) (*x509.Certificate, error) {
	if len(s.certs) == 0 {
		return nil, s.fail(scheme, "a signer without a certificate")
	}
	cert, err := parseCertificate(s.certs[0])
	if err != nil {
		return nil, s.fail(scheme, "the certificate can't be read: %v", err)
	}
	if !bytes.Equal(cert.RawSubjectPublicKeyInfo, s.publicKey) {
		return nil, s.fail(scheme, "the public key is not that of the certificate")
	}
	key, err := x509.ParsePKIXPublicKey(s.publicKey)
	if err != nil {
		return nil, s.fail(scheme, "the public key can't be read: %v", err)
	}
	if len(s.digests) != len(s.signatures) {
		return nil, s.fail(scheme, "%d digests and %d signatures", len(s.digests), len(s.signatures))
	}
	checked := 0
	for i, sig := range s.signatures {
		if s.digests[i].algorithm != sig.algorithm {
			return nil, s.fail(scheme, "digest %d is of algorithm 0x%04x, its signature of 0x%04x", i, s.digests[i].algorithm, sig.algorithm)
		}
		a, ok := algorithms[sig.algorithm]
		if !ok {
			continue // Android steps over what it does not know, too
		}
		if !a.matches(key, s.signed, sig.value) {
			return nil, s.fail(scheme, "the signature (%s) is not the certificate holder's", a.name)
		}
		want, err := content.get(a)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(want, s.digests[i].value) {
			return nil, s.fail(scheme, "the file was changed after it was signed: its content has another digest (%s)", a.name)
		}
		checked++
	}
	if checked == 0 {
		return nil, s.fail(scheme, "none of its %d signatures is of a kind that can be checked here", len(s.signatures))
	}
	return cert, nil
}

// matches checks one signature.
func (a algorithm) matches(key any, signed, sig []byte) bool {
	h := a.hash.New()
	h.Write(signed)
	sum := h.Sum(nil)
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() > maxRSA {
			return false
		}
		switch a.padding {
		case padPKCS1:
			return rsa.VerifyPKCS1v15(k, a.hash, sum, sig) == nil
		case padPSS:
			return rsa.VerifyPSS(k, a.hash, sum, sig, &rsa.PSSOptions{SaltLength: a.hash.Size(), Hash: a.hash}) == nil
		}
	case *ecdsa.PublicKey:
		return a.padding == padECDSA && ecdsa.VerifyASN1(k, sum, sig)
	case *dsa.PublicKey:
		return a.padding == padDSA && verifyDSA(k, sum, sig)
	}
	return false
}

// maxRSA bounds the modulus of an RSA key in bits: one of megabytes would cost hours.
const maxRSA = 16384

// maxDSA bounds the modulus of a DSA key in bits: FIPS 186-4 has 3072 at most, and a
// hostile one would cost hours.
const maxDSA = 4096

// verifyDSA checks a signature in ASN.1, of a sum cut to the length of the group's order.
func verifyDSA(k *dsa.PublicKey, sum, sig []byte) bool {
	var s struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(sig, &s); err != nil || len(rest) != 0 || k.P.BitLen() > maxDSA || k.Q.BitLen() > 512 || k.Q.Sign() <= 0 {
		return false
	}
	return dsa.Verify(k, sum[:min(len(sum), (k.Q.BitLen()+7)/8)], s.R, s.S)
}

// contentDigests computes the digests of a file's content, each kind once.
type contentDigests struct {
	r     io.ReaderAt
	l     layout
	block int64 // where the signing block begins
	done  map[algorithm][]byte
}

func (c *contentDigests) get(a algorithm) ([]byte, error) {
	key := algorithm{hash: a.hash, verity: a.verity}
	if d, ok := c.done[key]; ok {
		return d, nil
	}
	var d []byte
	var err error
	if a.verity {
		d, err = c.verity()
	} else {
		d, err = c.chunked(a.hash)
	}
	if err == nil {
		if c.done == nil {
			c.done = map[algorithm][]byte{}
		}
		c.done[key] = d
	}
	return d, err
}

// sections are what is digested: the entries, the directory, and its end record as it
// was before the signing block came between.
func (c *contentDigests) sections() ([]*io.SectionReader, error) {
	end := make([]byte, c.l.size-c.l.end)
	if err := readAt(c.r, end, c.l.end); err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(end[16:], uint32(c.block))
	return []*io.SectionReader{
		io.NewSectionReader(c.r, 0, c.block),
		io.NewSectionReader(c.r, c.l.directory, c.l.end-c.l.directory),
		io.NewSectionReader(bytes.NewReader(end), 0, int64(len(end))),
	}, nil
}

const (
	digestChunk = 1 << 20
	page        = 4096 // bytes of a tree's leaf
)

// chunked is the digest over 1 MiB chunks.
func (c *contentDigests) chunked(h crypto.Hash) ([]byte, error) {
	sections, err := c.sections()
	if err != nil {
		return nil, err
	}
	var count uint32
	for _, s := range sections {
		count += uint32((s.Size() + digestChunk - 1) / digestChunk)
	}
	top := h.New()
	top.Write(binary.LittleEndian.AppendUint32([]byte{0x5a}, count))
	one := h.New()
	for _, s := range sections {
		for left := s.Size(); left > 0; {
			n := min(left, digestChunk)
			one.Reset()
			one.Write(binary.LittleEndian.AppendUint32([]byte{0xa5}, uint32(n)))
			if err := copyN(one, s, n); err != nil {
				return nil, err
			}
			top.Write(one.Sum(nil))
			left -= n
		}
	}
	return top.Sum(nil), nil
}

// verity is the root of a Merkle tree over 4 KiB pages, SHA-256 salted with eight zero bytes,
// followed by the content's length, as in fs-verity's first layout.
func (c *contentDigests) verity() ([]byte, error) {
	sections, err := c.sections()
	if err != nil {
		return nil, err
	}
	var total int64
	readers := make([]io.Reader, len(sections))
	for i, s := range sections {
		readers[i], total = s, total+s.Size()
	}
	root, err := verityRoot(io.MultiReader(readers...), total, make([]byte, 8))
	if err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint64(root, uint64(total)), nil
}

// verityRoot is the root of the tree over total bytes, every page with a salt in front.
func verityRoot(r io.Reader, total int64, salt []byte) ([]byte, error) {
	level, err := verityLevel(r, total, salt)
	if err != nil {
		return nil, err
	}
	for len(level) > page {
		if level, err = verityLevel(bytes.NewReader(level), int64(len(level)), salt); err != nil {
			return nil, err
		}
	}
	root := sha256.New()
	root.Write(salt)
	root.Write(level)
	root.Write(make([]byte, page-len(level)))
	return root.Sum(nil), nil
}

// verityLevel hashes each page of what r yields, the last padded with zeros.
func verityLevel(r io.Reader, total int64, salt []byte) ([]byte, error) {
	out := make([]byte, 0, (total+page-1)/page*sha256.Size)
	h := sha256.New()
	for left := total; left > 0; left -= page {
		n := min(left, page)
		h.Reset()
		h.Write(salt)
		if err := copyN(h, r, n); err != nil {
			return nil, err
		}
		h.Write(make([]byte, page-n))
		out = h.Sum(out)
	}
	return out, nil
}

func copyN(h hash.Hash, r io.Reader, n int64) error {
	if got, err := io.CopyN(h, r, n); err == io.EOF {
		return fault(ErrTruncated, "file", -1, "%d bytes are missing", n-got)
	} else if err != nil {
		return err
	}
	return nil
}

// linked in so that crypto.SHA256 and crypto.SHA512 are available.
var _, _ = sha256.New, sha512.New
