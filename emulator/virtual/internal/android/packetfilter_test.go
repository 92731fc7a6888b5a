package android

import (
	"regexp"
	"strings"
	"testing"
)

// What is expected was printed by iptables 1.8.9 on Linux, up to the column prot, which
// Android's prints as a name.
func TestThePacketFilterRefusesAndCounts(t *testing.T) {
	s := newStage(t)
	p := s.launchedApp(webAPK("org.example.app", "android.permission.INTERNET"))
	const rule = " OUTPUT -p udp --dport 443 -m owner --uid-owner 10100 -j REJECT"
	send := func(port int) error {
		_, err := p.call(t, "sendDatagram", "h3.example", port, "AAAA")
		return err
	}
	root := func(script string) result { return s.runAs(0, nil, script) }
	if err := send(443); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"iptables", "ip6tables"} {
		if r := root(program + " -w -I" + rule); r.code != 0 {
			t.Fatalf("%s: %+v", program, r)
		}
	}
	for range 2 {
		if err := send(443); err == nil || !strings.Contains(err.Error(), "java.net.PortUnreachableException") {
			t.Errorf("a refused datagram: %v", err)
		}
	}
	if err := send(444); err != nil {
		t.Errorf("another port: %v", err)
	}
	rows := regexp.MustCompile(`(?m)^ +2 +62 REJECT +udp +-- +\* +\* +0\.0\.0\.0/0 +0\.0\.0\.0/0 +udp dpt:443 owner UID match 10100 reject-with icmp-port-unreachable$`)
	if r := root("iptables -w -nvxL OUTPUT"); r.code != 0 || !rows.MatchString(r.out) || !strings.HasPrefix(r.out, "Chain OUTPUT (policy ACCEPT") {
		t.Errorf("%+v", r)
	}
	if got := s.want("dumpsys netstats"); !strings.Contains(got, "    10100 0 0 62 1\n") {
		t.Errorf("what was refused was counted as sent: %s", got)
	}
	if r := root("iptables -w -C" + rule); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if r := root("iptables -w -D" + rule); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if r := root("iptables -w -D" + rule); r.code != 1 || r.err != "iptables: Bad rule (does a matching rule exist in that chain?).\n" {
		t.Errorf("%+v", r)
	}
	if err := send(443); err != nil {
		t.Errorf("after the rule was taken back: %v", err)
	}
	for script, want := range map[string]string{
		"iptables -t nat -L": "does not model the table", "iptables -A INPUT -j DROP": "does not model the chain", "iptables -w": "no command specified",
		"iptables -A OUTPUT -m string -j DROP": "does not model the match", "iptables -A OUTPUT -p": "requires an argument",
	} {
		if r := root(script); r.code != 2 || !strings.Contains(r.err, want) {
			t.Errorf("%s: %+v", script, r)
		}
	}
	if r := s.sh("iptables -w -nvxL OUTPUT"); r.code != 3 || !strings.Contains(r.err, "you must be root") {
		t.Errorf("without root: %+v", r)
	}
	quiet := s.launchedApp(webAPK("org.example.quiet"))
	if _, err := quiet.call(t, "sendDatagram", "h3.example", 443, "AAAA"); err == nil || !strings.Contains(err.Error(), "EPERM") {
		t.Errorf("without the permission: %v", err)
	}
}
