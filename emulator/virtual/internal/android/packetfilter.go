package android

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// packetFilter is the kernel's, as far as audits use it: rules of the chain OUTPUT in
// the table filter that name a protocol, a port and an owner, and reject or drop.
type packetFilter struct {
	mu    sync.Mutex
	rules map[string][]*filterRule // by program: iptables, ip6tables
}

// filterRule is one rule with its counters.
type filterRule struct {
	protocol string // tcp, udp, or "" for all
	port     int    // 0 for any
	owner    int    // uid, or -1 for anybody
	target   string // REJECT, DROP or ACCEPT

	packets, bytes uint64
}

func newPacketFilter() *packetFilter { return &packetFilter{rules: map[string][]*filterRule{}} }

// clear forgets all rules, as a reboot does.
func (f *packetFilter) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.rules)
}

// judge counts a packet over IPv4 and reports the target of the first rule that it meets.
func (f *packetFilter) judge(protocol string, port, uid int, size uint64) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules["iptables"] {
		if (r.protocol == "" || r.protocol == protocol) && (r.port == 0 || r.port == port) && (r.owner < 0 || r.owner == uid) {
			r.packets++
			r.bytes += size
			return r.target
		}
	}
	return "ACCEPT"
}

func (r *filterRule) same(o *filterRule) bool {
	return r.protocol == o.protocol && r.port == o.port && r.owner == o.owner && r.target == o.target
}

// list is a row of "iptables -L -v -n -x".
func (r *filterRule) list(anywhere string) string {
	protocol := r.protocol
	if protocol == "" {
		protocol = "all"
	}
	var match []string
	if r.port != 0 {
		match = append(match, fmt.Sprintf("%s dpt:%d", r.protocol, r.port))
	}
	if r.owner >= 0 {
		match = append(match, fmt.Sprintf("owner UID match %d", r.owner))
	}
	if r.target == "REJECT" {
		with := "icmp-port-unreachable"
		if anywhere == "::/0" {
			with = "icmp6-port-unreachable"
		}
		match = append(match, "reject-with "+with)
	}
	return fmt.Sprintf("%8d %8d %-9s  %-4s --  *      *       %-20s %-20s %s\n", r.packets, r.bytes, r.target, protocol, anywhere, anywhere, strings.Join(match, " "))
}

// filterCommand is what a run of iptables asks for.
type filterCommand struct {
	verb  byte // 'A', 'I', 'D', 'C', 'L', 'F'
	at    int  // for 'I', from 1
	rule  filterRule
	exact bool // with counters, as they are
}

// parseFilter reads iptables' arguments. What this device does not model is an error.
func parseFilter(args []string) (c filterCommand, err error) {
	c.rule.owner, c.at = -1, 1
	next := func(i *int) string {
		if *i+1 < len(args) {
			*i++
			return args[*i]
		}
		err = fmt.Errorf("option %q requires an argument", args[*i])
		return ""
	}
	number := func(text string) int {
		n, bad := strconv.Atoi(text)
		if bad != nil && err == nil {
			err = fmt.Errorf("%q is no number, and names are not modelled", text)
		}
		return n
	}
	for i := 0; i < len(args) && err == nil; i++ {
		switch arg := args[i]; arg {
		case "-w", "--wait":
			if i+1 < len(args) && args[i+1] != "" && args[i+1][0] >= '0' && args[i+1][0] <= '9' {
				i++
			}
		case "-t", "--table":
			if table := next(&i); table != "filter" && err == nil {
				err = fmt.Errorf("unasked's embedded device does not model the table %q", table)
			}
		case "-A", "-I", "-D", "-C", "-F", "-L", "-nvxL", "-vnL", "-nvL", "-nL", "-vL":
			c.verb = arg[len(arg)-1]
			c.exact = strings.Contains(arg, "x")
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				if chain := next(&i); chain != "OUTPUT" {
					err = fmt.Errorf("unasked's embedded device does not model the chain %q", chain)
				}
			}
			if c.verb == 'I' && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				c.at = number(next(&i))
			}
		case "-n", "-v", "--numeric", "--verbose":
		case "-x", "--exact":
			c.exact = true
		case "-m", "--match":
			if m := next(&i); !slices.Contains([]string{"owner", "udp", "tcp"}, m) && err == nil {
				err = fmt.Errorf("unasked's embedded device does not model the match %q", m)
			}
		case "-p", "--protocol":
			c.rule.protocol = next(&i)
		case "--dport":
			c.rule.port = number(next(&i))
		case "--uid-owner":
			c.rule.owner = number(next(&i))
		case "-j", "--jump":
			if c.rule.target = next(&i); !slices.Contains([]string{"REJECT", "DROP", "ACCEPT"}, c.rule.target) && err == nil {
				err = fmt.Errorf("unasked's embedded device does not model the target %q", c.rule.target)
			}
		case "--reject-with":
			next(&i)
		default:
			err = fmt.Errorf("unasked's embedded device does not model %q", arg)
		}
	}
	if c.verb == 0 && err == nil {
		err = fmt.Errorf("no command specified")
	}
	return c, err
}

// packetFilterCommand is iptables and ip6tables.
func (s *System) packetFilterCommand(_ context.Context, c *shell.Call) int {
	program := c.Args[0][strings.LastIndexByte(c.Args[0], '/')+1:]
	if c.UID != 0 {
		fmt.Fprintf(c.Stderr, "%s v1.8.10 (legacy): can't initialize %s table `filter': Permission denied (you must be root)\n", program, program)
		return 3
	}
	asked, err := parseFilter(c.Args[1:])
	if err != nil {
		fmt.Fprintf(c.Stderr, "%s v1.8.10 (legacy): %v\n", program, err)
		return 2
	}
	f := s.filter
	f.mu.Lock()
	defer f.mu.Unlock()
	rules := f.rules[program]
	at := slices.IndexFunc(rules, func(r *filterRule) bool { return r.same(&asked.rule) })
	switch asked.verb {
	case 'A':
		f.rules[program] = append(rules, &asked.rule)
	case 'I':
		if asked.at < 1 || asked.at > len(rules)+1 {
			fmt.Fprintf(c.Stderr, "%s: Index of insertion too big.\n", program)
			return 1
		}
		f.rules[program] = slices.Insert(rules, asked.at-1, &asked.rule)
	case 'D', 'C':
		if at < 0 {
			fmt.Fprintf(c.Stderr, "%s: Bad rule (does a matching rule exist in that chain?).\n", program)
			return 1
		}
		if asked.verb == 'D' {
			f.rules[program] = slices.Delete(rules, at, at+1)
		}
	case 'F':
		delete(f.rules, program)
	case 'L':
		anywhere := "0.0.0.0/0"
		if program == "ip6tables" {
			anywhere = "::/0"
		}
		c.Printf("Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)\n%8s %8s target     prot opt in     out     source               destination         \n", "pkts", "bytes")
		for _, r := range rules {
			c.Printf("%s", r.list(anywhere))
		}
	}
	return 0
}

// headersOfUDP are the bytes of an IPv4 and a UDP header.
const headersOfUDP = 28

// sendDatagram is a native socket of the app's, past every proxy. There is no network
// behind it: what the packet filter lets through is counted, and gone.
func (b *bridge) sendDatagram(_ context.Context, a *app, args arguments) (any, error) {
	port, err := args.number(1)
	if err != nil {
		return nil, err
	}
	text, err := args.text(2)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, illegalArgument("bad base-64")
	}
	if !a.Grants["android.permission.INTERNET"].Granted {
		return nil, refusal("java.net.SocketException: socket failed: EPERM (Operation not permitted)")
	}
	size := uint64(len(data) + headersOfUDP)
	switch b.system.filter.judge("udp", port, a.UID, size) {
	case "REJECT":
		return nil, refusal("java.net.PortUnreachableException: ICMP Port Unreachable")
	case "ACCEPT":
		b.system.traffic.add(a.UID, bytesOf{Sent: size})
	}
	return nil, nil
}
