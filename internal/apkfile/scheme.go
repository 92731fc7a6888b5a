package apkfile

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
)

// Scheme is what one signature scheme says of a file.
type Scheme struct {
	Name string // "1", "2", "3", "3.1" or "4"
	// Err says why the signature does not verify; nil where it does.
	Err     error
	Signers []Signer
}

// Signer is who signed by one scheme.
type Signer struct {
	Certificate *x509.Certificate // as [File.Signers] returns it
	Algorithms  []string          // in words, those that were checked
	// MinSDK and MaxSDK bound the releases that look at this signer, for schemes 3 and 3.1; 0 otherwise.
	MinSDK, MaxSDK int
	Lineage        []Ancestor // the keys that this one came from, oldest first, itself last; empty without a rotation
}

// Ancestor is one key of a proof of rotation, verified up to the present one.
type Ancestor struct {
	Certificate *x509.Certificate
	// Capabilities that the present key leaves to it, as Android's SigningDetails has them:
	// 1 installed data, 2 shared user id, 4 permission, 8 rollback, 16 authenticator.
	Capabilities uint32
}

func schemeName(n int) string {
	if n == scheme31 {
		return "3.1"
	}
	return string(rune('0' + n))
}

// Schemes verifies every signature that the file carries, oldest scheme first, each for
// itself, unlike [File.Signers], which asks what a device would. A file without any gives none.
// blocks are the ids of the pairs in the signing block, in order. The error is one of
// reading, or of a signing block that can't be taken apart.
func (f *File) Schemes() (schemes []Scheme, blocks []uint32, err error) {
	b, err := readSigningBlock(f.r, f.layout)
	if err != nil {
		return nil, nil, err
	}
	var newer []Scheme
	var numbers []int
	if b != nil {
		content := &contentDigests{r: f.r, l: f.layout, block: b.start}
		for _, p := range b.pairs {
			blocks = append(blocks, p.id)
		}
		for _, s := range []struct {
			number int
			id     uint32
		}{{scheme2, blockV2}, {scheme3, blockV3}, {scheme31, blockV31}} {
			v, ok := b.value(s.id)
			if !ok {
				continue
			}
			numbers = append(numbers, s.number)
			signers, err := b.signers(content, s.number, v)
			out := Scheme{Name: schemeName(s.number)}
			for _, one := range signers {
				described, lineageErr := one.describe(s.number)
				if err == nil {
					err = lineageErr
				}
				out.Signers = append(out.Signers, described)
			}
			var fault *Error
			if err != nil && !errors.As(err, &fault) {
				return nil, nil, err
			}
			if out.Err = err; err != nil {
				out.Signers = nil
			}
			newer = append(newer, out)
		}
	}
	certs, err := f.verifyJAR(numbers...)
	var fault *Error
	switch {
	case errors.Is(err, ErrUnsigned):
	case err != nil && !errors.As(err, &fault):
		return nil, nil, err
	default:
		jar := Scheme{Name: "1", Err: err}
		if err == nil {
			for _, c := range certs {
				jar.Signers = append(jar.Signers, Signer{Certificate: c})
			}
		}
		schemes = append(schemes, jar)
	}
	return append(schemes, newer...), blocks, nil
}

func (s verified) describe(scheme int) (Signer, error) {
	out := Signer{Certificate: s.cert}
	for _, sig := range s.signatures {
		if a, ok := algorithms[sig.algorithm]; ok {
			out.Algorithms = append(out.Algorithms, a.name)
		}
	}
	if scheme < scheme3 {
		return out, nil
	}
	out.MinSDK, out.MaxSDK = int(s.minSDK), int(s.maxSDK)
	if s.lineage.len() == 0 {
		return out, nil
	}
	var err error
	out.Lineage, err = s.proof(scheme)
	return out, err
}

// maxLineage bounds the keys of a proof of rotation.
const maxLineage = 64

// proof reads a proof of rotation, whose every node but the first is signed by the key of
// the one before ("Proof-of-rotation attribute" in the documentation of scheme v3).
func (s verified) proof(scheme int) ([]Ancestor, error) {
	v := s.lineage
	version, err := v.u32(0)
	if err != nil {
		return nil, err
	}
	if version != 1 {
		return nil, s.fail(scheme, "a proof of rotation of version %d", version)
	}
	if v, err = v.from(4); err != nil {
		return nil, err
	}
	var out []Ancestor
	var algorithmBefore uint32
	for v.len() > 0 {
		node, err := v.prefixed()
		if err != nil {
			return nil, err
		}
		signed, err := node.prefixed()
		if err != nil {
			return nil, err
		}
		data := signed.b
		der, err := signed.prefixed()
		if err != nil {
			return nil, err
		}
		said, err := signed.u32(0) // the algorithm by which the parent signed this node
		if err != nil {
			return nil, err
		}
		flags, _ := node.u32(0)
		next, err := node.u32(4)
		if err != nil {
			return nil, err
		}
		rest, err := node.from(8)
		if err != nil {
			return nil, err
		}
		sig, err := rest.prefixed()
		if err != nil {
			return nil, err
		}
		cert, err := parseCertificate(der.b)
		if err != nil {
			return nil, s.fail(scheme, "a certificate in the proof of rotation can't be read: %v", err)
		}
		if len(out) > 0 {
			if said != algorithmBefore {
				return nil, s.fail(scheme, "the proof of rotation names two algorithms for one signature")
			}
			a, ok := algorithms[said]
			key, err := x509.ParsePKIXPublicKey(out[len(out)-1].Certificate.RawSubjectPublicKeyInfo)
			if err != nil || !ok || !a.matches(key, data, sig.b) {
				return nil, s.fail(scheme, "key %d of the proof of rotation was not signed by the one before it", len(out)+1)
			}
		}
		algorithmBefore = next
		if out = append(out, Ancestor{cert, flags}); len(out) > maxLineage {
			return nil, s.fail(scheme, "more than %d keys in the proof of rotation", maxLineage)
		}
	}
	if len(out) == 0 || !bytes.Equal(out[len(out)-1].Certificate.Raw, s.cert.Raw) {
		return nil, s.fail(scheme, "the proof of rotation does not end with the signer's own key")
	}
	return out, nil
}

// digestsSigned are the content digests that schemes 2 and 3 have signed, one of which
// scheme 4 names.
func (f *File) digestsSigned() ([][]byte, error) {
	b, err := readSigningBlock(f.r, f.layout)
	if err != nil || b == nil {
		return nil, err
	}
	var out [][]byte
	for _, s := range []struct {
		number int
		id     uint32
	}{{scheme31, blockV31}, {scheme3, blockV3}, {scheme2, blockV2}} {
		v, ok := b.value(s.id)
		if !ok {
			continue
		}
		signers, err := parseSigners(v, s.number)
		if err != nil {
			return nil, err
		}
		for _, one := range signers {
			for _, d := range one.digests {
				if !slices.ContainsFunc(out, func(o []byte) bool { return bytes.Equal(o, d.value) }) {
					out = append(out, d.value)
				}
			}
		}
	}
	return out, nil
}
