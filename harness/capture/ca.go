package capture

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Validity of certificates. A device's clock may be off by days, and clients
// refuse leaf certificates that live longer than 398 days.
const (
	backdated    = 7 * 24 * time.Hour
	leafLifetime = 90 * 24 * time.Hour
	caLifetime   = 365 * 24 * time.Hour
)

// maxLeaves bounds the certificates that are kept: a hostile app may ask for any
// number of names.
const maxLeaves = 4096

// CA is a certificate authority that lives as long as the process: its key is
// never written anywhere. Its methods may be called from several goroutines.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	leaf *ecdsa.PrivateKey // of all leaf certificates

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// NewCA makes an authority. name is its common name, which a device shows in its
// list of trusted certificates.
func NewCA(name string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serialNumber(),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"unasked"}},
		NotBefore:             now.Add(-backdated),
		NotAfter:              now.Add(caLifetime - backdated),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make CA certificate %q: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make CA certificate %q: %w", name, err)
	}
	return &CA{cert: cert, key: key, leaf: leaf, leaves: map[string]*tls.Certificate{}}, nil
}

// PEM is the certificate, as a device or a client takes it.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
}

// Certificate is the certificate itself.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// SubjectHashOld names the certificate in Android's trust store: eight
// hexadecimal digits, the first four bytes of the subject's MD5 in little-endian
// order, as openssl x509 -subject_hash_old prints it.
func (ca *CA) SubjectHashOld() string {
	sum := md5.Sum(ca.cert.RawSubject)
	return fmt.Sprintf("%08x", binary.LittleEndian.Uint32(sum[:4]))
}

// certificate is a leaf for the names, the authority's own behind it.
func (ca *CA) certificate(names ...string) (*tls.Certificate, error) {
	var kept []string
	for _, n := range names {
		n = strings.TrimSuffix(strings.ToLower(n), ".")
		if n != "" && (len(kept) == 0 || kept[0] != n) {
			kept = append(kept, n)
		}
	}
	key := strings.Join(kept, "\n")
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if c, ok := ca.leaves[key]; ok {
		return c, nil
	}
	c, err := ca.sign(kept)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %q: %w", kept, err)
	}
	if len(ca.leaves) >= maxLeaves {
		clear(ca.leaves)
	}
	ca.leaves[key] = c
	return c, nil
}

func (ca *CA) sign(names []string) (*tls.Certificate, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serialNumber(),
		Subject:      pkix.Name{Organization: []string{"unasked"}},
		NotBefore:    now.Add(-backdated),
		NotAfter:     now.Add(leafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip, err := netip.ParseAddr(n); err == nil {
			template.IPAddresses = append(template.IPAddresses, ip.WithZone("").AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	if len(names) > 0 && len(names[0]) <= 64 { // the upper bound of a common name
		template.Subject.CommonName = names[0]
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, ca.leaf.Public(), ca.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, ca.cert.Raw}, PrivateKey: ca.leaf, Leaf: leaf}, nil
}

// serialNumber is 127 random bits, positive as RFC 5280 section 4.1.2.2 wants it.
func serialNumber() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[0] &= 0x7f
	b[15] |= 1
	return new(big.Int).SetBytes(b[:])
}
