//go:build !linux

package capture

import (
	"net"
	"net/netip"
)

// originalDestination knows nothing: Options.Original may.
func originalDestination(net.Conn) (netip.AddrPort, bool) { return netip.AddrPort{}, false }
