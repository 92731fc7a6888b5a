package apk

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// NetworkSecurity is whom the app trusts on the network: its network security
// configuration (developer.android.com, "Network security configuration"), with Android's
// defaults for its target where it says nothing.
type NetworkSecurity struct {
	Config      string        `json:"config,omitempty"` // path of the configuration; empty where there is none
	Cleartext   bool          `json:"cleartext"`        // HTTP without TLS is permitted to any host that Domains does not name
	CleartextBy string        `json:"cleartextBy"`      // what says so: config, manifest, or default
	Trusts      []TrustAnchor `json:"trusts"`           // certificate authorities
	TrustsBy    string        `json:"trustsBy"`         // config or default
	DebugTrusts []TrustAnchor `json:"debugTrusts"`      // in a debuggable build, as well
	Domains     []Domain      `json:"domains"`
}

// TrustAnchor is a set of certificate authorities.
type TrustAnchor struct {
	Source       string            `json:"source"`         // system, user, or file
	Path         string            `json:"path,omitempty"` // of a file
	SHA256       []evidence.Digest `json:"sha256,omitempty"`
	OverridePins bool              `json:"overridePins,omitempty"`
}

// Domain is what holds for some hosts.
type Domain struct {
	Hosts      []DomainHost  `json:"hosts"`
	Cleartext  bool          `json:"cleartext"`
	Trusts     []TrustAnchor `json:"trusts"`
	Pins       []Pin         `json:"pins"`
	PinsExpire string        `json:"pinsExpire,omitempty"` // a date, as it is written
}

// DomainHost is a host name.
type DomainHost struct {
	Name       string `json:"name"`
	Subdomains bool   `json:"includeSubdomains"`
}

// Pin is a public key that a host must have.
type Pin struct {
	Digest string `json:"digest"` // SHA-256
	Value  string `json:"value"`  // base64
}

// API levels at which Android's defaults changed, by what an app targets.
const (
	targetNoUserCAs   = 24 // Android 7: a person's own authorities are no longer trusted
	targetNoCleartext = 28 // Android 9: cleartext is no longer permitted
)

func (d *Description) network(f *apkfile.File) {
	m := f.Manifest()
	n := &d.NetworkSecurity
	n.Config, n.Cleartext, n.CleartextBy, n.TrustsBy = m.NetworkSecurity, m.TargetSDK < targetNoCleartext, "default", "default"
	n.Trusts, n.DebugTrusts, n.Domains = []TrustAnchor{{Source: "system"}}, []TrustAnchor{}, []Domain{}
	if m.TargetSDK < targetNoUserCAs {
		n.Trusts = append(n.Trusts, TrustAnchor{Source: "user"})
	}
	if m.NetworkSecurity == "" {
		if m.Cleartext != nil {
			n.Cleartext, n.CleartextBy = *m.Cleartext, "manifest"
		}
		return
	}
	root, err := f.XML(m.NetworkSecurity)
	if err != nil {
		d.Problems = append(d.Problems, fmt.Sprintf("the network security configuration can't be read: %v", err))
		return
	}
	r := networkReader{f: f}
	top := Domain{Cleartext: n.Cleartext, Trusts: n.Trusts}
	for _, el := range root.Children {
		switch el.Name {
		case "base-config":
			if _, ok := f.Value(el, 0, "cleartextTrafficPermitted"); ok {
				n.CleartextBy = "config"
			}
			if r.has(el, "trust-anchors") {
				n.TrustsBy = "config"
			}
			top = r.inherit(el, top)
		case "debug-overrides":
			n.DebugTrusts = append(n.DebugTrusts, r.inherit(el, Domain{}).Trusts...)
		}
	}
	n.Cleartext, n.Trusts = top.Cleartext, top.Trusts
	for _, el := range root.Children {
		if el.Name == "domain-config" {
			n.Domains = r.domains(el, top, n.Domains, 0)
		}
	}
}

type networkReader struct{ f *apkfile.File }

func (r networkReader) has(el *apkfile.Element, name string) bool {
	return slices.ContainsFunc(el.Children, func(c *apkfile.Element) bool { return c.Name == name })
}

// inherit is what a config says, and for the rest what it stands in.
func (r networkReader) inherit(el *apkfile.Element, from Domain) Domain {
	out := Domain{Cleartext: from.Cleartext, Trusts: from.Trusts, Pins: from.Pins, PinsExpire: from.PinsExpire}
	if s, ok := r.f.Value(el, 0, "cleartextTrafficPermitted"); ok {
		out.Cleartext = s == "true"
	}
	for _, c := range el.Children {
		switch c.Name {
		case "trust-anchors":
			out.Trusts = []TrustAnchor{}
			for _, e := range c.Children {
				if e.Name == "certificates" {
					out.Trusts = append(out.Trusts, r.anchor(e))
				}
			}
		case "pin-set":
			out.Pins = []Pin{}
			out.PinsExpire, _ = r.f.Value(c, 0, "expiration")
			for _, e := range c.Children {
				if e.Name == "pin" {
					digest, _ := r.f.Value(e, 0, "digest")
					out.Pins = append(out.Pins, Pin{digest, strings.TrimSpace(e.Text)})
				}
			}
		case "domain":
			_, sub := r.f.Value(c, 0, "includeSubdomains")
			if sub {
				s, _ := r.f.Value(c, 0, "includeSubdomains")
				sub = s == "true"
			}
			out.Hosts = append(out.Hosts, DomainHost{strings.ToLower(strings.TrimSpace(c.Text)), sub})
		}
	}
	return out
}

const maxDomainDepth = 32

// domains reads a domain-config and those within it.
func (r networkReader) domains(el *apkfile.Element, from Domain, out []Domain, depth int) []Domain {
	d := r.inherit(el, from)
	if len(d.Hosts) > 0 {
		one := d
		one.Trusts, one.Pins = append([]TrustAnchor{}, d.Trusts...), append([]Pin{}, d.Pins...)
		out = append(out, one)
	}
	for _, c := range el.Children {
		if c.Name == "domain-config" && depth < maxDomainDepth {
			out = r.domains(c, d, out, depth+1)
		}
	}
	return out
}

func (r networkReader) anchor(el *apkfile.Element) TrustAnchor {
	src, _ := r.f.Value(el, 0, "src")
	pins, _ := r.f.Value(el, 0, "overridePins")
	out := TrustAnchor{Source: src, OverridePins: pins == "true"}
	if src == "system" || src == "user" {
		return out
	}
	out.Source, out.Path = "file", src
	out.SHA256 = r.certificates(src)
	return out
}

const maxCertificates = 1 << 20 // bytes

// certificates are those of a file in PEM or DER; none where it can't be read.
func (r networkReader) certificates(name string) []evidence.Digest {
	in, err := r.f.Open(name)
	if err != nil {
		return nil
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxCertificates))
	if err != nil {
		return nil
	}
	var out []evidence.Digest
	if !bytes.Contains(b, []byte("-----BEGIN")) {
		certs, _ := x509.ParseCertificates(b)
		for _, c := range certs {
			out = append(out, sha256Hex(c.Raw))
		}
		return out
	}
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			return out
		}
		if block.Type == "CERTIFICATE" {
			out = append(out, sha256Hex(block.Bytes))
		}
	}
}
