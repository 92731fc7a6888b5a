package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// zone is a small world: a resolver that a host might have.
var zone = []string{
	"app.example. 60 IN A 192.0.2.7",
	"app.example. 60 IN AAAA 2001:db8::7",
	`app.example. 60 IN HTTPS 1 . alpn="h3,h2"`,
	"www.example. 60 IN CNAME app.example.",
	"long.example. 60 IN TXT " + strings.Repeat(`"`+strings.Repeat("x", 250)+`" `, 12),
}

// upstream answers from the zone, over UDP and TCP.
func upstream(t *testing.T) string {
	t.Helper()
	tcp, udp, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var records []dns.RR
	for _, line := range zone {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rr)
	}
	answer := func(w dns.ResponseWriter, ask *dns.Msg) {
		m := new(dns.Msg).SetReply(ask)
		name, known := ask.Question[0].Name, false
		for _, rr := range records {
			if !strings.EqualFold(rr.Header().Name, name) {
				continue
			}
			known = true
			if c, ok := rr.(*dns.CNAME); ok {
				m.Answer, name = append(m.Answer, rr), c.Target
				for _, rr := range records {
					if rr.Header().Name == name && rr.Header().Rrtype == ask.Question[0].Qtype {
						m.Answer = append(m.Answer, rr)
					}
				}
			} else if rr.Header().Rrtype == ask.Question[0].Qtype {
				m.Answer = append(m.Answer, rr)
			}
		}
		if !known {
			m.Rcode = dns.RcodeNameError
		}
		if via(w) == "udp" {
			m.Truncate(dns.MinMsgSize)
		}
		_ = w.WriteMsg(m)
	}
	for _, s := range []*dns.Server{{PacketConn: udp}, {Listener: tcp}} {
		s.Handler = dns.HandlerFunc(answer)
		done := make(chan struct{})
		go func() { defer close(done); _ = s.ActivateAndServe() }()
		t.Cleanup(func() {
			_ = s.Shutdown()
			if s.Listener != nil {
				_ = s.Listener.Close()
			}
			<-done
		})
	}
	return tcp.Addr().String()
}

// begin starts a resolver and a log for it; queries ends both and reads what was recorded.
func begin(t *testing.T, o Options) (r *Resolver, queries func() []flow.Query) {
	t.Helper()
	l, err := evidence.Create(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Log = l
	r, err = Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	return r, func() []flow.Query {
		t.Helper()
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.Seal(evidence.Manifest{}); err != nil {
			t.Fatal(err)
		}
		b, err := evidence.Open(l.Dir())
		if err != nil {
			t.Fatal(err)
		}
		list, err := flow.Queries(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
}

// client is Go's own resolver, asking ours.
func client(r *Resolver) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, r.Addr().String())
	}}
}

func find(list []flow.Query, name, kind string) *flow.Query {
	i := slices.IndexFunc(list, func(q flow.Query) bool { return q.Name == name && q.Type == kind })
	if i < 0 {
		return nil
	}
	return &list[i]
}

func TestEachNameIsRecorded(t *testing.T) {
	r, queries := begin(t, Options{Upstream: []string{upstream(t)}, UID: 10123})
	addresses, err := client(r).LookupHost(t.Context(), "WWW.example.")
	if err != nil || !slices.Contains(addresses, "192.0.2.7") || !slices.Contains(addresses, "2001:db8::7") {
		t.Fatal(addresses, err)
	}
	if got := r.NameOf(netip.MustParseAddr("::ffff:192.0.2.7")); got != "www.example" {
		t.Errorf("192.0.2.7 is %q", got)
	}
	var unknown *net.DNSError
	if _, err := client(r).LookupHost(t.Context(), "nobody.example."); !errors.As(err, &unknown) || !unknown.IsNotFound {
		t.Error(err)
	}
	texts, err := client(r).LookupTXT(t.Context(), "long.example.")
	if err != nil || len(strings.Join(texts, "")) != 3000 {
		t.Errorf("%d bytes of text, %v", len(strings.Join(texts, "")), err)
	}
	list := queries()
	a := find(list, "WWW.example", "A")
	if a == nil || !slices.Equal(a.Answers, []string{"app.example.", "192.0.2.7"}) || a.Via != "udp" || a.UID != 10123 || a.Error != "" || a.At.IsZero() {
		t.Errorf("%+v", a)
	}
	if q := find(list, "nobody.example", "A"); q == nil || q.Error != "NXDOMAIN" {
		t.Errorf("%+v", q)
	}
	var ways []string
	for _, q := range list {
		if q.Name == "long.example" {
			ways = append(ways, q.Via)
		}
	}
	if !slices.Equal(ways, []string{"udp", "tcp"}) {
		t.Errorf("the long answer came by %v", ways)
	}
}

// A name may carry data in its letters, small and large, and so they are kept; what
// else stands in a message goes no further, for only the question is recorded.
func TestNothingPassesBesideTheQuestion(t *testing.T) {
	seen := make(chan *dns.Msg, 1)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: udp, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, ask *dns.Msg) {
		seen <- ask
		_ = w.WriteMsg(new(dns.Msg).SetReply(ask))
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.ActivateAndServe() }()
	defer func() { _ = s.Shutdown(); <-done }()
	r, queries := begin(t, Options{Upstream: []string{udp.LocalAddr().String()}})
	const name = "YW5uYUBleGFtcGxlLm9yZw.App.example"
	ask := new(dns.Msg).SetQuestion(name+".", dns.TypeA)
	ask.SetEdns0(1400, true)
	ask.IsEdns0().Option = append(ask.IsEdns0().Option, &dns.EDNS0_LOCAL{Code: dns.EDNS0LOCALSTART, Data: []byte("anna@example.org")})
	beside, err := dns.NewRR(`x. 1 IN TXT "anna@example.org"`)
	if err != nil {
		t.Fatal(err)
	}
	ask.Extra, ask.Ns = append(ask.Extra, beside), []dns.RR{beside}
	if _, err := dns.Exchange(ask, r.Addr().String()); err != nil {
		t.Fatal(err)
	}
	got := <-seen
	if got.Question[0].Name != name+"." || strings.Contains(got.String(), "anna@") || len(got.Ns) > 0 || len(got.Extra) != 1 || len(got.IsEdns0().Option) != 0 || got.IsEdns0().UDPSize() != 1400 || !got.IsEdns0().Do() {
		t.Errorf("the upstream was asked %s", got)
	}
	if list := queries(); len(list) != 1 || list[0].Name != name {
		t.Errorf("%+v", list)
	}
}

// What would lead past the proxy is kept back, and the device falls back to addresses.
func TestHintsAtHTTP3AreKeptBack(t *testing.T) {
	r, queries := begin(t, Options{Upstream: []string{upstream(t)}})
	reply, err := dns.Exchange(new(dns.Msg).SetQuestion("app.example.", dns.TypeHTTPS), r.Addr().String())
	if err != nil || reply.Rcode != dns.RcodeSuccess || len(reply.Answer) != 0 {
		t.Fatal(reply, err)
	}
	if q := find(queries(), "app.example", "HTTPS"); q == nil || !q.Refused {
		t.Errorf("%+v", q)
	}
}

func TestDig(t *testing.T) {
	dig, err := exec.LookPath("dig")
	if err != nil {
		t.Skip("dig is not installed (Debian: bind9-dnsutils)")
	}
	r, queries := begin(t, Options{Upstream: []string{upstream(t)}})
	for _, way := range []string{"+notcp", "+tcp"} {
		out, err := exec.CommandContext(t.Context(), dig, "@"+r.Addr().Addr().String(), "-p", fmt.Sprint(r.Addr().Port()), way, "+short", "www.example", "AAAA").CombinedOutput()
		if err != nil || string(out) != "app.example.\n2001:db8::7\n" {
			t.Errorf("%s: %s, %v", way, out, err)
		}
	}
	if list := queries(); len(list) != 2 || list[0].Via != "udp" || list[1].Via != "tcp" {
		t.Errorf("%+v", list)
	}
}

func TestAWorldOfOnesOwn(t *testing.T) {
	broken := errors.New("the world is broken")
	r, queries := begin(t, Options{Lookup: func(_ context.Context, name string) ([]netip.Addr, error) {
		switch name {
		case "cliff.example":
			return []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8::1")}, nil
		case "broken.example":
			return nil, broken
		}
		return nil, &net.DNSError{Name: name, IsNotFound: true}
	}})
	ask := func(name string, kind uint16) *dns.Msg {
		t.Helper()
		reply, err := dns.Exchange(new(dns.Msg).SetQuestion(name, kind), r.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	if a := ask("cliff.example.", dns.TypeA).Answer; len(a) != 1 || !strings.HasSuffix(a[0].String(), "198.51.100.1") {
		t.Error(a)
	}
	if a := ask("cliff.example.", dns.TypeMX).Answer; len(a) != 0 {
		t.Error(a)
	}
	if c := ask("nobody.example.", dns.TypeA).Rcode; c != dns.RcodeNameError {
		t.Error(c)
	}
	if c := ask("broken.example.", dns.TypeA).Rcode; c != dns.RcodeServerFailure {
		t.Error(c)
	}
	if q := find(queries(), "broken.example", "A"); q == nil || q.Error != broken.Error() {
		t.Errorf("%+v", q)
	}
}

// An upstream that says nothing holds nobody up for long, and the next one is asked.
func TestUpstreamsThatAreGone(t *testing.T) {
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := gone.LocalAddr().String()
	_ = gone.Close() // so that it answers at once that nobody is there
	r, queries := begin(t, Options{Upstream: []string{address, upstream(t)}})
	if _, err := client(r).LookupHost(t.Context(), "app.example."); err != nil {
		t.Error(err)
	}
	queries()
	r, queries = begin(t, Options{Upstream: []string{address}})
	reply, err := dns.Exchange(new(dns.Msg).SetQuestion("app.example.", dns.TypeA), r.Addr().String())
	if err != nil || reply.Rcode != dns.RcodeServerFailure {
		t.Error(reply, err)
	}
	if q := find(queries(), "app.example", "A"); q == nil || !strings.Contains(q.Error, address) {
		t.Errorf("%+v", q)
	}
}

func TestWhatIsNoQuestion(t *testing.T) {
	r, queries := begin(t, Options{Upstream: []string{"127.0.0.1:1"}})
	c, err := net.Dial("udp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xffnonsense")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := c.Read(make([]byte, 512)); err != nil || n < 12 {
		t.Errorf("the answer: %d bytes, %v", n, err)
	}
	if list := queries(); len(list) != 1 || !strings.Contains(list[0].Error, "no well-formed question") {
		t.Errorf("%+v", list)
	}
}

func TestStartSaysWhy(t *testing.T) {
	r, _ := begin(t, Options{Upstream: []string{"127.0.0.1:1"}})
	if _, err := Start(t.Context(), Options{Log: r.o.Log, Listen: r.Addr().String(), Upstream: []string{"127.0.0.1:1"}}); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
	if _, err := Start(t.Context(), Options{}); err == nil {
		t.Error("it started without a log")
	}
}
