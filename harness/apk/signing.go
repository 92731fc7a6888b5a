package apk

import (
	"context"
	//lint:ignore SA1019 old apps are signed with it
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// knownBlocks are those of signatures; of the others the ids are told.
var knownBlocks = map[uint32]bool{0x7109871a: true, 0xf05368c0: true, 0x1b93ad61: true, 0x42726577: true} // v2, v3, v3.1, padding

// sign verifies the signatures of every part. The signers are those of the base.
func (d *Description) sign(ctx context.Context, parts []*part, bundle bool) error {
	for i, p := range parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if bundle && i > 0 {
			break // a bundle is signed once
		}
		schemes, blocks, err := p.f.Schemes()
		if err != nil {
			d.problem(p, err)
			continue
		}
		fourth, err := beside(p)
		if err != nil {
			return err
		}
		schemes = append(schemes, fourth...)
		for _, s := range schemes {
			d.Signatures = append(d.Signatures, signature(p.Name, s))
		}
		if i == 0 {
			d.signers(schemes)
			for _, id := range blocks {
				if !knownBlocks[id] {
					d.Stamps = append(d.Stamps, fmt.Sprintf("0x%08x", id))
				}
			}
			continue
		}
		d.sameSigner(p, schemes)
	}
	return nil
}

// beside verifies the scheme 4 signature beside a file, if there is one.
func beside(p *part) ([]apkfile.Scheme, error) {
	if p.idsig == "" {
		return nil, nil
	}
	r, err := os.Open(p.idsig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	s, err := p.f.VerifyIDSig(r)
	return []apkfile.Scheme{s}, err
}

// newest is the newest scheme of the file itself: what a present device asks. Where that
// one does not verify it has no signers, even though an older one may.
func newest(schemes []apkfile.Scheme) *apkfile.Scheme {
	var out *apkfile.Scheme
	for i := range schemes {
		if schemes[i].Name != "4" {
			out = &schemes[i]
		}
	}
	return out
}

func (d *Description) signers(schemes []apkfile.Scheme) {
	for _, s := range schemes {
		if s.Err == nil {
			d.Schemes = append(d.Schemes, "v"+s.Name)
		}
	}
	if s := newest(schemes); s != nil {
		for _, one := range s.Signers {
			d.Signers = append(d.Signers, signer(one.Certificate))
		}
	}
}

// sameSigner says where a split has another signer than the base, which Android refuses.
func (d *Description) sameSigner(p *part, schemes []apkfile.Scheme) {
	var have, want []string
	if s := newest(schemes); s != nil {
		for _, one := range s.Signers {
			have = append(have, string(sha256Hex(one.Certificate.Raw)))
		}
	}
	for _, s := range d.Signers {
		want = append(want, string(s.SHA256))
	}
	if !slices.Equal(have, want) {
		d.problem(p, errors.New("it has another signer than the base"))
	}
}

func signature(file string, s apkfile.Scheme) Signature {
	out := Signature{File: file, Scheme: "v" + s.Name, Verified: s.Err == nil, Signers: []SchemeSignature{}}
	if s.Err != nil {
		out.Error = s.Err.Error()
	}
	for _, one := range s.Signers {
		sig := SchemeSignature{SHA256: sha256Hex(one.Certificate.Raw), Algorithms: one.Algorithms, MinSDK: one.MinSDK, MaxSDK: one.MaxSDK}
		for _, a := range one.Lineage {
			sig.Lineage = append(sig.Lineage, Ancestor{sha256Hex(a.Certificate.Raw), capabilities(a.Capabilities)})
		}
		out.Signers = append(out.Signers, sig)
	}
	return out
}

// capabilities are those of android.content.pm.SigningDetails.CertCapabilities.
func capabilities(flags uint32) []string {
	out := []string{}
	for i, name := range []string{"installed-data", "shared-user-id", "permission", "rollback", "authenticator"} {
		if flags&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

func sha256Hex(b []byte) evidence.Digest {
	sum := sha256.Sum256(b)
	return evidence.Digest(hex.EncodeToString(sum[:]))
}

func signer(c *x509.Certificate) Signer {
	old := sha1.Sum(c.Raw)
	out := Signer{SHA256: sha256Hex(c.Raw), SHA1: hex.EncodeToString(old[:]), Key: keyOf(c)}
	if c.SerialNumber == nil {
		return out // too odd to be read further
	}
	out.Subject, out.Issuer, out.Serial = c.Subject.String(), c.Issuer.String(), c.SerialNumber.String()
	out.NotBefore, out.NotAfter = c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339)
	out.Debug = c.Subject.CommonName == "Android Debug" || strings.EqualFold(c.Subject.CommonName, "Android") && slices.Contains(c.Subject.OrganizationalUnit, "Android")
	return out
}

// keyOf is a certificate's key in words.
func keyOf(c *x509.Certificate) string {
	key, err := x509.ParsePKIXPublicKey(c.RawSubjectPublicKeyInfo)
	if err != nil {
		return "unknown"
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("EC %d", k.Curve.Params().BitSize)
	case *dsa.PublicKey:
		return fmt.Sprintf("DSA %d", k.P.BitLen())
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown"
}
