package apkfile

import (
	"archive/zip"
	"bytes"
	"crypto"
	//lint:ignore SA1019 old apps are signed with it
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" // old APKs are digested with it
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"io"
	"math/big"
	"path"
	"slices"
	"strings"
)

// Scheme 1 is JAR signing: META-INF/MANIFEST.MF digests the entries, a .SF file
// digests the manifest, a PKCS #7 block (RFC 2315) beside it signs the .SF file.

const (
	jarManifest  = "META-INF/MANIFEST.MF"
	maxJARFile   = 32 << 20 // bytes
	maxSignature = 1 << 20
)

// verifyJAR returns the certificates of those who signed the whole archive. besides are
// the other schemes by which it is signed: the JAR signature says which there were.
func (f *File) verifyJAR(besides ...int) ([]*x509.Certificate, error) {
	if f.bundle != nil {
		f = f.bundle.whole
	}
	var blocks []string
	for n := range f.entries {
		dir, file := path.Split(n)
		if ext := strings.ToUpper(path.Ext(file)); dir == "META-INF/" && (ext == ".RSA" || ext == ".DSA" || ext == ".EC") {
			blocks = append(blocks, n)
		}
	}
	if len(blocks) == 0 {
		return nil, fault(ErrUnsigned, "file", -1, "it holds no signature of any scheme")
	}
	slices.Sort(blocks)
	if _, ok := f.entries[jarManifest]; !ok {
		return nil, fault(ErrBadSignature, jarManifest, -1, "scheme v1: the file is missing")
	}
	manifest, err := f.read(jarManifest, maxJARFile)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, name := range blocks {
		cert, err := f.verifySF(name, manifest, besides)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	return certs, f.verifyEntries(manifest)
}

// verifySF checks a signature block, the .SF file it signs, and the manifest that file digests.
func (f *File) verifySF(name string, manifest []byte, besides []int) (*x509.Certificate, error) {
	bad := func(part, format string, args ...any) error {
		e := fault(ErrBadSignature, part, -1, format, args...)
		e.What = "scheme v1: " + e.What
		return e
	}
	sfName := strings.TrimSuffix(name, path.Ext(name)) + ".SF"
	if _, ok := f.entries[sfName]; !ok {
		return nil, bad(name, "the file that it signs, %s, is missing", sfName)
	}
	der, err := f.read(name, maxSignature)
	if err != nil {
		return nil, err
	}
	sf, err := f.read(sfName, maxJARFile)
	if err != nil {
		return nil, err
	}
	cert, err := verifyPKCS7(der, sf)
	if err != nil {
		return nil, bad(name, "%v", err)
	}
	sections := jarSections(sf)
	if len(sections) == 0 {
		return nil, bad(sfName, "it is empty")
	}
	for id := range strings.SplitSeq(sections[0]["x-android-apk-signed"], ",") {
		id = strings.TrimSpace(id)
		if (id == "2" || id == "3" || len(besides) == 0 && id != "") && !slices.ContainsFunc(besides, func(n int) bool { return schemeName(n) == id }) {
			return nil, bad(sfName, "it says that the file was also signed by scheme %s, and that signature was taken away", printable(id))
		}
	}
	ok, known := digestMatches(sections[0], "-digest-manifest", manifest)
	if !known {
		return nil, bad(sfName, "it holds no digest of the manifest that can be checked here")
	}
	if !ok {
		return nil, bad(jarManifest, "it was changed after it was signed")
	}
	return cert, nil
}

// verifyEntries checks every entry of the archive against the manifest.
func (f *File) verifyEntries(manifest []byte) error {
	bad := func(name, what string) error {
		return fault(ErrBadSignature, "ZIP entry "+printable(name), -1, "scheme v1: %s", what)
	}
	named := map[string]map[string]string{}
	for _, s := range jarSections(manifest) {
		if n := s["name"]; n != "" {
			named[n] = s
		}
	}
	buffer := make([]byte, 64<<10)
	for _, name := range f.Names() {
		if jarOwn(name) {
			continue
		}
		section, ok := named[name]
		if !ok && strings.HasPrefix(name, "META-INF/") {
			continue // Android does not ask for one
		}
		if !ok {
			return bad(name, "the manifest does not list it: it was added after signing")
		}
		ok, known, err := f.entryMatches(f.entries[name], section, buffer)
		switch {
		case err != nil:
			return err
		case !known:
			return bad(name, "the manifest holds no digest of it that can be checked here")
		case !ok:
			return bad(name, "it was changed after signing")
		}
	}
	return nil
}

// jarOwn reports whether a name is of the signature's own files, which it does not sign.
func jarOwn(name string) bool {
	dir, file := path.Split(name)
	if dir != "META-INF/" {
		return false
	}
	file = strings.ToUpper(file)
	return file == "MANIFEST.MF" || strings.HasPrefix(file, "SIG-") ||
		slices.Contains([]string{".SF", ".RSA", ".DSA", ".EC"}, path.Ext(file))
}

func (f *File) entryMatches(e *zip.File, section map[string]string, buffer []byte) (ok, known bool, err error) {
	alg, h, want := jarDigest(section, "-digest")
	if alg == "" {
		return false, false, nil
	}
	if known, ok := f.summed(e.Name); ok && h == crypto.SHA256 {
		return bytes.Equal(known[:], want), true, nil
	}
	r, err := f.open(e)
	if err != nil {
		return false, false, err
	}
	defer r.Close()
	sum := h.New()
	if _, err := io.CopyBuffer(sum, r, buffer); err != nil {
		return false, false, err
	}
	return bytes.Equal(sum.Sum(nil), want), true, nil
}

func digestMatches(section map[string]string, suffix string, b []byte) (ok, known bool) {
	alg, h, want := jarDigest(section, suffix)
	if alg == "" {
		return false, false
	}
	sum := h.New()
	sum.Write(b)
	return bytes.Equal(sum.Sum(nil), want), true
}

// jarDigest is the strongest digest that a section holds.
func jarDigest(section map[string]string, suffix string) (string, crypto.Hash, []byte) {
	for _, d := range []struct {
		name string
		hash crypto.Hash
	}{{"sha-512", crypto.SHA512}, {"sha-384", crypto.SHA384}, {"sha-256", crypto.SHA256}, {"sha1", crypto.SHA1}, {"sha-1", crypto.SHA1}} {
		if s, ok := section[d.name+suffix]; ok {
			want, err := base64.StdEncoding.DecodeString(s)
			if err == nil {
				return d.name, d.hash, want
			}
		}
	}
	return "", 0, nil
}

// jarSections reads a manifest: sections of "Name: value" lines with an empty line
// between, where a line that begins with a space continues the one before. Keys are in lower case.
func jarSections(b []byte) []map[string]string {
	text := strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n", "\n"), "\r", "\n")
	text = strings.ReplaceAll(text, "\n ", "")
	var out []map[string]string
	var section map[string]string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			section = nil
			continue
		}
		key, val, ok := strings.Cut(line, ": ")
		if !ok {
			continue
		}
		if section == nil {
			section = map[string]string{}
			out = append(out, section)
		}
		section[strings.ToLower(key)] = val
	}
	return out
}

// The parts of a PKCS #7 SignedData that matter.
type pkcs7 struct {
	Type    asn1.ObjectIdentifier
	Content struct {
		Version      int
		Digests      asn1.RawValue
		Inner        asn1.RawValue
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []pkcs7Signer `asn1:"set"`
	} `asn1:"explicit,tag:0"`
}

type pkcs7Signer struct {
	Version int
	Issuer  struct {
		Name   asn1.RawValue
		Serial *big.Int
	}
	Digest     pkcs7Algorithm
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
	Signature  pkcs7Algorithm
	Value      []byte
}

type pkcs7Algorithm struct {
	ID         asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
)

var pkcs7Hashes = map[string]crypto.Hash{
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// words is a plain error: its caller says where.
type words string

func (w words) Error() string { return string(w) }

// verifyPKCS7 checks a detached signature and returns its signer's certificate.
func verifyPKCS7(der, content []byte) (*x509.Certificate, error) {
	var p pkcs7
	if _, err := asn1.Unmarshal(der, &p); err != nil {
		return nil, words("it is no PKCS #7 block: " + err.Error())
	}
	if !p.Type.Equal(oidSignedData) {
		return nil, words("it is a PKCS #7 block that holds no signature")
	}
	if len(p.Content.Signers) == 0 {
		return nil, words("it names no signer")
	}
	s := p.Content.Signers[0] // Android takes the first, too
	cert := s.certificate(p.Content.Certificates.Bytes)
	if cert == nil {
		return nil, words("it does not hold its signer's certificate")
	}
	h, ok := pkcs7Hashes[s.Digest.ID.String()]
	if !ok {
		return nil, words("digest algorithm " + s.Digest.ID.String() + " can't be checked here")
	}
	signed := content
	if len(s.Attributes.FullBytes) > 0 {
		if !s.attests(h, content) {
			return nil, words("its signed attributes are about another file")
		}
		signed = bytes.Clone(s.Attributes.FullBytes)
		signed[0] = 0x31 // they are signed as a SET, whatever tag they travel under
	}
	key, err := x509.ParsePKIXPublicKey(cert.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, words("its public key can't be read: " + err.Error())
	}
	sum := h.New()
	sum.Write(signed)
	switch k := key.(type) {
	case *rsa.PublicKey:
		ok = k.N.BitLen() <= maxRSA && rsa.VerifyPKCS1v15(k, h, sum.Sum(nil), s.Value) == nil
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(k, sum.Sum(nil), s.Value)
	case *dsa.PublicKey:
		ok = verifyDSA(k, sum.Sum(nil), s.Value)
	default:
		return nil, words("a signature of this kind of key can't be checked here")
	}
	if !ok {
		return nil, words("the signature is not the certificate holder's")
	}
	return cert, nil
}

// certificate finds the signer's own among the certificates, by issuer and serial number.
func (s *pkcs7Signer) certificate(certs []byte) *x509.Certificate {
	for len(certs) > 0 {
		var raw asn1.RawValue
		rest, err := asn1.Unmarshal(certs, &raw)
		if err != nil {
			return nil
		}
		certs = rest
		cert, err := parseCertificate(raw.FullBytes)
		if err != nil || !bytes.Equal(cert.RawIssuer, s.Issuer.Name.FullBytes) {
			continue
		}
		if cert.SerialNumber == nil || s.Issuer.Serial != nil && cert.SerialNumber.Cmp(s.Issuer.Serial) == 0 {
			return cert
		}
	}
	return nil
}

// attests reports whether the signed attributes hold the content's digest.
func (s *pkcs7Signer) attests(h crypto.Hash, content []byte) bool {
	sum := h.New()
	sum.Write(content)
	for rest := s.Attributes.Bytes; len(rest) > 0; {
		var attr struct {
			ID     asn1.ObjectIdentifier
			Values asn1.RawValue
		}
		var err error
		if rest, err = asn1.Unmarshal(rest, &attr); err != nil {
			return false
		}
		if attr.ID.Equal(oidMessageDigest) {
			var digest []byte
			_, err := asn1.Unmarshal(attr.Values.Bytes, &digest)
			return err == nil && bytes.Equal(digest, sum.Sum(nil))
		}
	}
	return false
}
