package apkfile

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"io"
	"slices"
)

// Scheme 4 is a file of its own beside the APK, NAME.apk.idsig, as documented at
// source.android.com ("APK Signature Scheme v4"): the root of a Merkle tree over the APK,
// signed together with the content digest of scheme 2 or 3.

const (
	maxIDSigPart = 1 << 20 // bytes; the tree that follows is not read
	idsigPart    = "idsig"
)

// VerifyIDSig checks a scheme 4 signature of the file, read from r to the end of what it
// signs. The result's Name is "4"; the error is one of reading.
func (f *File) VerifyIDSig(r io.Reader) (Scheme, error) {
	out := Scheme{Name: "4"}
	b, err := io.ReadAll(io.LimitReader(r, 2*maxIDSigPart))
	if err != nil {
		return out, err
	}
	sig, err := parseIDSig(b)
	if err != nil {
		out.Err = err
		return out, nil
	}
	root, err := verityRoot(io.NewSectionReader(f.r, 0, f.layout.size), f.layout.size, sig.salt)
	if err != nil {
		return out, err
	}
	digests, err := f.digestsSigned()
	if err != nil {
		out.Err = err
		return out, nil
	}
	if len(digests) == 0 { // signed by scheme 1 alone, which leaves an empty digest
		digests = [][]byte{nil}
	}
	signer, err := sig.verify(f.layout.size, root, digests)
	if out.Err = err; err == nil {
		out.Signers = []Signer{signer}
	}
	return out, nil
}

// idsig is the signed part of a .idsig file.
type idsig struct {
	at                            view
	hash                          uint32
	logBlock                      uint8
	salt, root                    []byte
	digest, cert, additional, key []byte
	algorithm                     uint32
	signature                     []byte
}

func parseIDSig(b []byte) (*idsig, error) {
	v := view{b: b, part: idsigPart, kind: ErrBadSignature}
	version, err := v.u32(0)
	if err != nil {
		return nil, err
	}
	if version != 2 {
		return nil, v.fail(0, "scheme v4 of version %d", version)
	}
	if v, err = v.from(4); err != nil {
		return nil, err
	}
	hashing, err := v.prefixed()
	if err != nil {
		return nil, err
	}
	signing, err := v.prefixed()
	if err != nil {
		return nil, err
	}
	s := &idsig{at: signing}
	s.hash, _ = hashing.u32(0)
	if s.logBlock, err = hashing.u8(4); err != nil {
		return nil, err
	}
	if hashing, err = hashing.from(5); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		from *view
		into *[]byte
	}{{&hashing, &s.salt}, {&hashing, &s.root}, {&signing, &s.digest}, {&signing, &s.cert}, {&signing, &s.additional}, {&signing, &s.key}} {
		p, err := part.from.prefixed()
		if err != nil {
			return nil, err
		}
		*part.into = p.b
	}
	if s.algorithm, err = signing.u32(0); err != nil {
		return nil, err
	}
	if signing, err = signing.from(4); err != nil {
		return nil, err
	}
	sig, err := signing.prefixed()
	s.signature = sig.b
	return s, err
}

// verify checks the signature over a file of a size, whose tree has the root given and
// whose other schemes signed one of the digests.
func (s *idsig) verify(size int64, root []byte, digests [][]byte) (Signer, error) {
	fail := func(format string, args ...any) (Signer, error) {
		e := fault(ErrBadSignature, idsigPart, s.at.at, format, args...)
		e.What = "scheme v4: " + e.What
		return Signer{}, e
	}
	if s.hash != 1 || s.logBlock != 12 {
		return fail("a tree of hash %d over pages of 2^%d bytes, which Android does not know", s.hash, s.logBlock)
	}
	cert, err := parseCertificate(s.cert)
	if err != nil {
		return fail("the certificate can't be read: %v", err)
	}
	if !bytes.Equal(cert.RawSubjectPublicKeyInfo, s.key) {
		return fail("the public key is not that of the certificate")
	}
	key, err := x509.ParsePKIXPublicKey(s.key)
	if err != nil {
		return fail("the public key can't be read: %v", err)
	}
	a, ok := algorithms[s.algorithm]
	if !ok {
		return fail("its signature is of a kind that can't be checked here")
	}
	if !a.matches(key, s.signed(size), s.signature) {
		return fail("the signature (%s) is not the certificate holder's", a.name)
	}
	if !bytes.Equal(root, s.root) {
		return fail("the file was changed after it was signed: its tree has another root")
	}
	if !slices.ContainsFunc(digests, func(d []byte) bool { return bytes.Equal(d, s.digest) }) {
		return fail("it was made for a file with another signature of scheme v2 or v3")
	}
	return Signer{Certificate: cert, Algorithms: []string{a.name}}, nil
}

// signed is what scheme 4 signs.
func (s *idsig) signed(size int64) []byte {
	le := binary.LittleEndian
	var b []byte
	b = le.AppendUint64(b, uint64(size))
	b = le.AppendUint32(b, s.hash)
	b = append(b, s.logBlock)
	for _, part := range [][]byte{s.salt, s.root, s.digest, s.cert, s.additional} {
		b = append(le.AppendUint32(b, uint32(len(part))), part...)
	}
	return append(le.AppendUint32(nil, uint32(len(b)+4)), b...)
}
