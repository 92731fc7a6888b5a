package judge

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// dnsQuestion is a DNS message that asks for the address of a name.
func dnsQuestion(t *testing.T, name string) []byte {
	t.Helper()
	n, err := dnsmessage.NewName(name + ".")
	if err != nil {
		t.Fatal(err)
	}
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: n, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNames(t *testing.T) {
	r := innocent(t)
	for _, q := range []flow.Query{
		{Name: "api.pantry.example", Type: "A", Via: "udp", Answers: []string{"192.0.2.1"}},
		{Name: "api.pantry.example", Type: "AAAA", Via: "udp"},
		{Name: "graph.facebook.com", Type: "A", Via: "tcp", Error: "NXDOMAIN"},
		{Name: "system.example", Type: "A", Via: "udp", UID: 1000},
	} {
		r.event(evidence.KindQuery, q)
	}
	dns := []flow.Header{{Name: "Content-Type", Value: "application/dns-message"}}
	r.ask(message{url: "https://dns.google/dns-query", headers: dns, body: dnsQuestion(t, "Hidden.example")}, nil)
	r.ask(message{method: "GET", url: "https://cloudflare-dns.com/dns-query?dns=" + base64.RawURLEncoding.EncodeToString(dnsQuestion(t, "got.example"))}, nil)
	r.ask(message{url: "https://x.example/", headers: dns, body: []byte("\x00no DNS at all")}, nil)
	question := dnsQuestion(t, "dot.example")
	stream := slices.Concat([]byte{0, byte(len(question))}, question)
	r.event(evidence.KindConnection, flow.Connection{Flow: "c1", Host: "9.9.9.9", Port: 853, Reason: flow.NoHTTP, Sent: 50, Up: flow.Body{Inline: stream, Size: int64(len(stream))}})
	r.event(evidence.KindConnection, flow.Connection{Flow: "c2", Host: "1.1.1.1", Port: 853, Reason: flow.Distrusted})
	r.event(evidence.KindConnection, flow.Connection{Flow: "c3", Host: "dns.quad9.net", Port: 443, Reason: flow.Distrusted})
	j := r.judge()
	var got []string
	for _, n := range j.Names {
		got = append(got, fmt.Sprintf("%s %d %v %v %s %v", n.Name, n.Times, n.Types, n.Via, n.Error, n.Read))
	}
	want := []string{
		"api.pantry.example 2 [A AAAA] [udp]  true",
		"dot.example 1 [A] [dot]  false",
		"got.example 1 [A] [doh]  false",
		"graph.facebook.com 1 [A] [tcp] NXDOMAIN false",
		"hidden.example 1 [A] [doh]  false",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	for _, says := range []string{
		"over HTTPS with dns.google (Google Public DNS, which resolves names). They were read",
		"over HTTPS with cloudflare-dns.com (Cloudflare DNS, which resolves names). They were read",
		"over TLS with 9.9.9.9 (Quad9, which resolves names). They were read",
		"Names may have been asked for over TLS with 1.1.1.1 (Cloudflare DNS, which resolves names), which was not read",
		"Names may have been asked for over HTTPS with dns.quad9.net (Quad9",
	} {
		if !strings.Contains(fmt.Sprint(j.BlindSpots), says) {
			t.Errorf("nothing says %q: %+v", says, j.BlindSpots)
		}
	}
}

// A name can be what carries an identifier; whoever answers for the rest of it is told.
func TestIdentifierInAName(t *testing.T) {
	r := innocent(t)
	r.rejected()
	r.event(evidence.KindQuery, flow.Query{Name: r.person.Value(canary.SSAID) + ".t.criteo.com", Type: "A", Via: "udp"})
	j := r.judge()
	f := j.claims(IdentifierSent)
	if len(f) != 1 || f[0].Host != "t.criteo.com" || f[0].Owner == "" || f[0].Proof[0].Surface != "host" || verdicts(j) != "-V-V--" {
		t.Errorf("%s %+v", verdicts(j), f)
	}
}
