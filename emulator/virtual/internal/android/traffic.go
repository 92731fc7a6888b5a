package android

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// bytesOf are what one uid sent and received.
type bytesOf struct{ Sent, Received uint64 }

// traffic counts each uid's bytes since boot, as the kernel does.
type traffic struct {
	mu    sync.Mutex
	ended map[int]bytesOf // by uid: processes that have ended
}

func newTraffic() *traffic { return &traffic{ended: map[int]bytesOf{}} }

// add counts what a process that has ended sent and received.
func (t *traffic) add(uid int, b bytesOf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.ended[uid]
	sum.Sent += b.Sent
	sum.Received += b.Received
	t.ended[uid] = sum
}

// clear forgets everything, as a reboot does.
func (t *traffic) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.ended)
}

// counters are the bytes of every uid, those of running apps included.
func (s *System) counters() map[int]bytesOf {
	s.traffic.mu.Lock()
	sums := maps.Clone(s.traffic.ended)
	s.traffic.mu.Unlock()
	for _, p := range s.activities.running() {
		sum := sums[p.app.UID]
		sent, received := p.run.Traffic()
		sum.Sent += sent
		sum.Received += received
		sums[p.app.UID] = sum
	}
	return sums
}

// packets is a plausible number of packets for a number of bytes: the browser
// counts none.
func packets(n uint64) uint64 { return (n + 1399) / 1400 }

// dumpNetstats is "dumpsys netstats"; detail adds the history of each uid.
// Bytes are counted where apps meet the network, packets are reckoned from them.
func dumpNetstats(sums map[int]bytesOf, detail bool, now time.Time) string {
	uids := slices.Sorted(maps.Keys(sums))
	ident := `ident=[{type=1, ratType=COMBINED, wifiNetworkKey="unasked", metered=false, defaultNetwork=true, oemManaged=OEM_NONE, subId=-1}]`
	var b strings.Builder
	b.WriteString("Active interfaces:\n")
	fmt.Fprintf(&b, "  iface=wlan0 %s\n", ident)
	b.WriteString("Active UID interfaces:\n")
	fmt.Fprintf(&b, "  iface=wlan0 %s\n", ident)
	b.WriteString("BPF map content:\n  mAppUidStatsMap:\n    uid rxBytes rxPackets txBytes txPackets\n")
	for _, uid := range uids {
		s := sums[uid]
		fmt.Fprintf(&b, "    %d %d %d %d %d\n", uid, s.Received, packets(s.Received), s.Sent, packets(s.Sent))
	}
	b.WriteString("  mStatsMapA:\n    ifaceIndex ifaceName tag_hex uid_int cnt_set rxBytes rxPackets txBytes txPackets\n")
	for _, uid := range uids {
		s := sums[uid]
		fmt.Fprintf(&b, "    7 wlan0 0x0 %d 1 %d %d %d %d\n", uid, s.Received, packets(s.Received), s.Sent, packets(s.Sent))
	}
	if !detail {
		return b.String()
	}
	const bucket = 7200
	b.WriteString("UID stats:\n  Pending bytes: 0\n  History since boot:\n")
	for _, uid := range uids {
		s := sums[uid]
		fmt.Fprintf(&b, "  %s uid=%d set=FOREGROUND tag=0x0\n    NetworkStatsHistory: bucketDuration=%d\n", ident, uid, bucket)
		fmt.Fprintf(&b, "      st=%d rb=%d rp=%d tb=%d tp=%d op=0\n", now.Unix()/bucket*bucket, s.Received, packets(s.Received), s.Sent, packets(s.Sent))
	}
	return b.String()
}

// qtaguid is /proc/net/xt_qtaguid/stats, which kernels had until Android 10
// and this device keeps for tools that still read it.
func qtaguid(sums map[int]bytesOf) []byte {
	var b strings.Builder
	b.WriteString("idx iface acct_tag_hex uid_tag_int cnt_set rx_bytes rx_packets tx_bytes tx_packets rx_tcp_bytes rx_tcp_packets rx_udp_bytes rx_udp_packets rx_other_bytes rx_other_packets tx_tcp_bytes tx_tcp_packets tx_udp_bytes tx_udp_packets tx_other_bytes tx_other_packets\n")
	for i, uid := range slices.Sorted(maps.Keys(sums)) {
		s := sums[uid]
		rp, tp := packets(s.Received), packets(s.Sent)
		fmt.Fprintf(&b, "%d wlan0 0x0 %d 1 %d %d %d %d %d %d 0 0 0 0 %d %d 0 0 0 0\n", i+2, uid, s.Received, rp, s.Sent, tp, s.Received, rp, s.Sent, tp)
	}
	return []byte(b.String())
}
