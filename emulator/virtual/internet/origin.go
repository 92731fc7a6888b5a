package internet

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// origin is what the options of Handle ask for.
type origin struct {
	port  uint16
	plain bool
	tls   *tls.Config
}

// Plain lets the origin answer over plain HTTP on port 80 too.
func Plain() OriginOption { return func(o *origin) { o.plain = true } }

// Port moves the origin from port 443 to another one.
func Port(port uint16) OriginOption { return func(o *origin) { o.port = port } }

// TLS gives the origin a configuration of its own, for one that is set up
// badly: with an expired certificate, another name's, or none that a root
// vouches for. NextProtos must name the protocols that it is to speak.
func TLS(config *tls.Config) OriginOption { return func(o *origin) { o.tls = config } }

// endpoint is a service on one port of one site.
type endpoint struct {
	site    *site
	port    uint16
	secure  bool
	tls     *tls.Config // nil for the internet's own
	handler http.Handler
	raw     func(net.Conn)
}

// Endpoint names a service.
type Endpoint struct {
	Host string // a DNS name, or "*." and a DNS name
	Port uint16
	Addr netip.Addr // what a resolver answers for the host
}

// Endpoints lists every service, by name and port, wildcards after the names
// that they would match.
func (in *Internet) Endpoints() []Endpoint {
	in.mu.RLock()
	defer in.mu.RUnlock()
	var out []Endpoint
	for _, s := range in.sites {
		for port := range s.ports {
			out = append(out, Endpoint{Host: s.pattern, Port: port, Addr: s.addr})
		}
	}
	slices.SortFunc(out, func(a, b Endpoint) int {
		if c := compareSpecific(a.Host, b.Host); c != 0 {
			return c
		}
		return int(a.Port) - int(b.Port)
	})
	return out
}

// compareSpecific orders exact names before wildcards and longer wildcards
// before shorter ones.
func compareSpecific(a, b string) int {
	wa, wb := strings.HasPrefix(a, "*."), strings.HasPrefix(b, "*.")
	switch {
	case wa != wb && wb:
		return -1
	case wa != wb:
		return 1
	case wa && len(a) != len(b):
		return len(b) - len(a)
	}
	return strings.Compare(a, b)
}

// lookup finds the site that answers for a clean name.
func (in *Internet) lookup(host string) *site {
	in.mu.RLock()
	defer in.mu.RUnlock()
	if strings.HasPrefix(host, "*.") {
		return nil
	}
	if s := in.sites[host]; s != nil {
		return s
	}
	for rest := host; ; {
		_, parent, ok := strings.Cut(rest, ".")
		if !ok {
			return nil
		}
		if s := in.sites["*."+parent]; s != nil {
			return s
		}
		rest = parent
	}
}

// port finds a site's service.
func (in *Internet) port(s *site, port uint16) *endpoint {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return s.ports[port]
}

func splitHostPort(hostport string) (string, uint16, error) {
	host, p, err := net.SplitHostPort(hostport)
	if err != nil {
		return "", 0, fmt.Errorf("%q is no host and port: %w", hostport, err)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%q: the port must be a number from 1 to 65535", hostport)
	}
	return host, uint16(n), nil
}

// cleanPattern checks a name or a wildcard and writes it the one way.
func cleanPattern(pattern string) (string, error) {
	name, wild := strings.CutPrefix(pattern, "*.")
	name, err := cleanName(name)
	if err != nil {
		return "", err
	}
	if wild {
		name = "*." + name
	}
	return name, nil
}

// cleanName checks a DNS name (RFC 1035, section 2.3, and underscores, which
// the web has) and writes it in lower case without the dot of the root.
func cleanName(name string) (string, error) {
	clean := strings.ToLower(strings.TrimSuffix(name, "."))
	if _, err := netip.ParseAddr(clean); err == nil {
		return "", fmt.Errorf("%q is an address: an origin has a name", name)
	}
	if clean == "" || len(clean) > 253 {
		return "", fmt.Errorf("%q is no host name: it must have 1 to 253 characters", name)
	}
	for label := range strings.SplitSeq(clean, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", fmt.Errorf("%q is no host name: the label %q is not allowed", name, label)
		}
		for _, c := range label {
			if c != '-' && c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return "", fmt.Errorf("%q is no host name: the character %q is not allowed", name, c)
			}
		}
	}
	return clean, nil
}
