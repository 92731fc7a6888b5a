package apkfile

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// signatures is what readSignatures found.
type signatures struct {
	certs   []*x509.Certificate
	schemes []int
}

// Signers verifies the file's signatures and returns the certificates of those who
// signed it, and the schemes that verified: 3, 2 (APK Signature Scheme v3 and v2, in
// the signing block) and 1 (JAR signing). Scheme 1 is only asked where neither
// of the others is there, as Android does. The certificates are those of the
// newest scheme; each is a signer's own, without its chain.
//
// A certificate that is too odd for crypto/x509 has only Raw and
// RawSubjectPublicKeyInfo set. The error is ErrUnsigned where there is no
// signature, ErrBadSignature where any that is there does not verify: a file
// that was changed after it was signed is nobody's. The whole file is read
// once, however often Signers is called.
func (f *File) Signers() (certs []*x509.Certificate, schemes []int, err error) {
	s, err := f.signatures()
	return slices.Clone(s.certs), slices.Clone(s.schemes), err
}

func (f *File) readSignatures() (signatures, error) {
	block, err := readSigningBlock(f.r, f.layout)
	if err != nil {
		return signatures{}, err
	}
	var out signatures
	if block != nil {
		for _, s := range []struct {
			scheme int
			id     uint32
		}{{3, blockV3}, {2, blockV2}} {
			v, ok := block.value(s.id)
			if !ok {
				continue
			}
			certs, err := block.verify(f.r, f.layout, s.scheme, v)
			if err != nil {
				return signatures{}, err
			}
			if out.certs == nil {
				out.certs = certs
			}
			out.schemes = append(out.schemes, s.scheme)
		}
	}
	if out.schemes != nil {
		return out, nil
	}
	certs, err := f.verifyJAR()
	if err != nil {
		return signatures{}, err
	}
	return signatures{certs: certs, schemes: []int{1}}, nil
}

// parseCertificate reads a certificate, content with less where crypto/x509 refuses it:
// Android takes certificates with negative serial numbers and other blemishes.
func parseCertificate(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err == nil {
		return cert, nil
	}
	var outer struct {
		TBS struct {
			Version    asn1.RawValue `asn1:"optional,explicit,tag:0"`
			Serial     asn1.RawValue
			Signature  asn1.RawValue
			Issuer     asn1.RawValue
			Validity   asn1.RawValue
			Subject    asn1.RawValue
			PublicKey  asn1.RawValue
			UniqueID   asn1.RawValue `asn1:"optional,tag:1"`
			SubjectID  asn1.RawValue `asn1:"optional,tag:2"`
			Extensions asn1.RawValue `asn1:"optional,explicit,tag:3"`
		}
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	rest, lax := asn1.Unmarshal(der, &outer)
	if lax != nil || len(rest) != 0 {
		return nil, err
	}
	return &x509.Certificate{
		Raw:                     bytes.Clone(der),
		RawSubject:              outer.TBS.Subject.FullBytes,
		RawIssuer:               outer.TBS.Issuer.FullBytes,
		RawSubjectPublicKeyInfo: outer.TBS.PublicKey.FullBytes,
	}, nil
}
