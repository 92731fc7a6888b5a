package capture

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// originalDst is SO_ORIGINAL_DST of linux/netfilter_ipv4.h, and IP6T_SO_ORIGINAL_DST.
const originalDst = 80

// originalDestination asks the kernel where a connection was going before its own
// rules redirected it (iptables' REDIRECT and DNAT).
func originalDestination(c net.Conn) (netip.AddrPort, bool) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return netip.AddrPort{}, false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, false
	}
	var to netip.AddrPort
	asked := raw.Control(func(fd uintptr) {
		// Both structures are large enough for the address that is asked for, and
		// begin with it: sockaddr_in in 16 bytes, sockaddr_in6 in 28.
		if v4, err := unix.GetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IP, originalDst); err == nil {
			b := v4.Multiaddr
			to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), uint16(b[2])<<8|uint16(b[3]))
		} else if v6, err := unix.GetsockoptIPv6MTUInfo(int(fd), unix.IPPROTO_IPV6, originalDst); err == nil {
			var port [2]byte // in network order, whatever the machine's
			binary.NativeEndian.PutUint16(port[:], v6.Addr.Port)
			to = netip.AddrPortFrom(netip.AddrFrom16(v6.Addr.Addr), binary.BigEndian.Uint16(port[:]))
		}
	})
	return to, asked == nil && to.IsValid()
}
