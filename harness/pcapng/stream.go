package pcapng

import (
	"net"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/unasked-audit/unasked/harness/flow"
)

// segment is the most bytes that one packet carries: what IP's length allows, rounded down.
const segment = 60_000

// stream writes a connection as packets.
type stream struct {
	out            *pcapgo.NgWriter
	wire           *flow.Wire
	device, proxy  netip.AddrPort
	sent, received uint32 // the next sequence number of each side
	last           time.Time
	packets        int
	buffer         gopacket.SerializeBuffer
	fragments      uint16 // IPv4's identification
}

// newStream begins connection n of a file.
func newStream(out *pcapgo.NgWriter, x *flow.Wire, n int) *stream {
	// Sequence numbers begin where nothing could be mistaken for anything else, and alike in each run.
	s := &stream{
		out: out, wire: x, sent: 1_000_000, received: 2_000_000, last: x.Started, buffer: gopacket.NewSerializeBuffer(),
		// Ends that the evidence does not say are addresses for documentation (RFC 5737), each with a port of its own.
		device: end(x.Client, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(1024+n%60000))),
		proxy:  end(x.Proxy, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 2}), 8080)),
	}
	if s.device.Addr().Is4() != s.proxy.Addr().Is4() {
		s.device = netip.AddrPortFrom(netip.AddrFrom16(s.device.Addr().As16()), s.device.Port())
		s.proxy = netip.AddrPortFrom(netip.AddrFrom16(s.proxy.Addr().As16()), s.proxy.Port())
	}
	return s
}

// end reads one end of a connection.
func end(text string, unknown netip.AddrPort) netip.AddrPort {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
	}
	return unknown
}

// open writes the handshake; the comment stands with its first packet.
func (s *stream) open(comment string) error {
	options := []layers.TCPOption{
		{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{segment >> 8, segment & 0xff}},
		{OptionType: layers.TCPOptionKindNop}, {OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{14}},
	}
	at := s.last
	err := s.write(at, true, layers.TCP{SYN: true, Options: options}, nil, comment)
	s.sent++
	if err == nil {
		err = s.write(at, false, layers.TCP{SYN: true, ACK: true, Options: options}, nil, "")
		s.received++
	}
	if err == nil {
		err = s.write(at, true, layers.TCP{ACK: true}, nil, "")
	}
	return err
}

// data writes what passed at once.
func (s *stream) data(p flow.Packet) error {
	for rest := p.Data; len(rest) > 0; {
		piece := rest[:min(segment, len(rest))]
		rest = rest[len(piece):]
		if err := s.write(p.At, p.Sent, layers.TCP{ACK: true, PSH: len(rest) == 0}, piece, ""); err != nil {
			return err
		}
		if p.Sent {
			s.sent += uint32(len(piece))
		} else {
			s.received += uint32(len(piece))
		}
	}
	return nil
}

// shut writes the end.
func (s *stream) shut() error {
	at := s.last
	if s.wire.Ended.After(at) {
		at = s.wire.Ended
	}
	err := s.write(at, true, layers.TCP{FIN: true, ACK: true}, nil, "")
	s.sent++
	if err == nil {
		err = s.write(at, false, layers.TCP{FIN: true, ACK: true}, nil, "")
		s.received++
	}
	if err == nil {
		err = s.write(at, true, layers.TCP{ACK: true}, nil, "")
	}
	return err
}

// write writes one packet; its addresses and numbers are filled in.
func (s *stream) write(at time.Time, sent bool, tcp layers.TCP, data []byte, comment string) error {
	from, to := s.device, s.proxy
	tcp.Seq, tcp.Ack = s.sent, s.received
	if !sent {
		from, to = to, from
		tcp.Seq, tcp.Ack = tcp.Ack, tcp.Seq
	}
	if !tcp.ACK {
		tcp.Ack = 0
	}
	tcp.SrcPort, tcp.DstPort, tcp.Window = layers.TCPPort(from.Port()), layers.TCPPort(to.Port()), 65535
	ip := s.ip(from.Addr(), to.Addr())
	if err := tcp.SetNetworkLayerForChecksum(ip.(gopacket.NetworkLayer)); err != nil {
		return err
	}
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(s.buffer, options, ip, &tcp, gopacket.Payload(data)); err != nil {
		return err
	}
	if at.Before(s.last) {
		at = s.last // time does not run backwards within a connection
	}
	s.last = at
	if at.UnixNano() < 0 {
		at = time.Unix(0, 0) // a time that the format can't hold
	}
	packet := s.buffer.Bytes()
	more := pcapgo.NgPacketOptions{}
	if comment != "" {
		more.Comments = []string{comment}
	}
	s.packets++
	return s.out.WritePacketWithOptions(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(packet), Length: len(packet)}, packet, more)
}

func (s *stream) ip(from, to netip.Addr) gopacket.SerializableLayer {
	if from.Is4() {
		s.fragments++
		return &layers.IPv4{
			Version: 4, IHL: 5, TTL: 64, Id: s.fragments, Flags: layers.IPv4DontFragment, Protocol: layers.IPProtocolTCP,
			SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice()),
		}
	}
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice())}
}
