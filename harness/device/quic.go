package device

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The packet filters of IPv4 and IPv6.
var packetFilters = []string{"iptables", "ip6tables"}

// quicRule refuses what an app sends to UDP port 443, where HTTP/3 is (RFC 9114
// section 3.1). The refusal comes at once, so that a client falls back to TCP.
func quicRule(uid int) string {
	return fmt.Sprintf("OUTPUT -p udp --dport 443 -m owner --uid-owner %d -j REJECT", uid)
}

// RefuseQUIC makes the device refuse an app's HTTP/3, which passes every proxy by, over
// IPv4 and IPv6. It needs root. undo takes it back; it is not nil where anything was
// set, also with an error.
func (d *Device) RefuseQUIC(ctx context.Context, uid int) (undo func(context.Context) error, err error) {
	var set []string
	for _, filter := range packetFilters {
		if _, err = d.filter(ctx, filter, "-w -I "+quicRule(uid)); err != nil {
			err = fmt.Errorf("refuse QUIC of uid %d on %s: %w", uid, d, err)
			break
		}
		set = append(set, filter)
	}
	if len(set) == 0 {
		return nil, err
	}
	return func(ctx context.Context) error {
		var all []error
		for _, filter := range set {
			if _, err := d.filter(ctx, filter, "-w -D "+quicRule(uid)); err != nil {
				all = append(all, fmt.Errorf("let QUIC of uid %d on %s pass again: %w", uid, d, err))
			}
		}
		return errors.Join(all...)
	}, err
}

// QUICRefused counts what RefuseQUIC has refused since it was called.
func (d *Device) QUICRefused(ctx context.Context, uid int) (packets, bytes uint64, err error) {
	for _, filter := range packetFilters {
		out, err := d.filter(ctx, filter, "-w -nvxL OUTPUT")
		if err != nil {
			return 0, 0, fmt.Errorf("count the refused QUIC of uid %d on %s: %w", uid, d, err)
		}
		p, b := parseRefused(out, uid)
		packets, bytes = packets+p, bytes+b
	}
	return packets, bytes, nil
}

// filter runs a packet filter's program as root.
func (d *Device) filter(ctx context.Context, program, args string) (string, error) {
	script, err := d.asRoot(program + " " + args)
	if err != nil {
		return "", err
	}
	return d.shell(ctx, script)
}

// parseRefused adds up the counters of a uid's QUIC rule in what "iptables -nvxL"
// prints: packets, bytes, target, protocol, and at the end what is matched.
func parseRefused(out string, uid int) (packets, bytes uint64) {
	owner := "owner UID match " + strconv.Itoa(uid) + " "
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 4 || f[2] != "REJECT" || !strings.Contains(line, " udp dpt:443 ") || !strings.Contains(line, owner) {
			continue
		}
		p, err1 := strconv.ParseUint(f[0], 10, 64)
		b, err2 := strconv.ParseUint(f[1], 10, 64)
		if err1 == nil && err2 == nil {
			packets, bytes = packets+p, bytes+b
		}
	}
	return packets, bytes
}
