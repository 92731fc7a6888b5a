package capture

import (
	"net"
	"net/netip"
	"strings"
)

// serveTransparent sees to a connection that was redirected here, and knows nothing
// of a proxy: where it goes is told by the kernel, by TLS, or by its first request.
func (c *conn) serveTransparent() {
	c.to = c.original()
	if c.to.IsValid() {
		c.host, c.port = c.to.Addr().String(), int(c.to.Port())
		c.name = c.nameOf(c.host)
	}
	c.tunnel()
}

// nameOf is the name that the device asked for to get an address; "" where nobody knows.
func (c *conn) nameOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || c.p.o.NameOf == nil {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(c.p.o.NameOf(ip), "."))
}

// original is where the connection was going before it was redirected; not valid
// where nobody knows.
func (c *conn) original() netip.AddrPort {
	tcp := c.device.Conn
	to, ok := originalDestination(tcp)
	if !ok && c.p.o.Original != nil {
		to, ok = c.p.o.Original(tcp)
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if local, is := tcp.LocalAddr().(*net.TCPAddr); !ok || is && to == netip.AddrPortFrom(local.AddrPort().Addr().Unmap(), local.AddrPort().Port()) {
		return netip.AddrPort{} // it was opened to this very port
	}
	return to
}

// learn finds out where a redirected connection goes of which only the name is known:
// from TLS, or from the first request. It reports false where that fails.
func (c *conn) learn(https bool) bool {
	if c.port != 0 {
		return true
	}
	if https {
		c.host, c.port = c.hello.sni, 443
		return c.host != ""
	}
	if !c.device.speaksHTTP() {
		return false
	}
	raw, err := c.device.head()
	if err != nil {
		return false
	}
	h, err := parseHead(raw)
	if err != nil {
		return false
	}
	host, port, err := splitAuthority(h.get("Host"), 80)
	if err != nil {
		return false
	}
	c.host, c.port = host, port
	return true
}

// scheme is what the URLs of requests begin with.
func (c *conn) scheme() string {
	if c.tls != nil {
		return "https"
	}
	return "http"
}
