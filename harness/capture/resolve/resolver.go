// Package resolve is the resolver that a device under audit asks: it records every
// name, answers, and remembers which address belongs to which name.
//
// [Start] answers on UDP and TCP (RFC 1035). Each question goes into the evidence as a
// [flow.Query] before its answer goes out. Records of the types SVCB and HTTPS (RFC
// 9460) are answered as if there were none: their hints lead to HTTP/3, which passes
// the proxy by, and their keys would hide the names that connections are for. The
// device then asks for addresses, as clients without these types do.
package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// Options says how a resolver is to work.
type Options struct {
	Listen string        // address and port, for UDP and TCP; empty for a free port of 127.0.0.1
	Log    *evidence.Log // where each question goes

	// Lookup finds the addresses of a name. The error should be a *net.DNSError where
	// the name is not known. Nil stands for asking the Upstream.
	Lookup func(ctx context.Context, name string) ([]netip.Addr, error)
	// Upstream are resolvers, host:port, that are asked one after the other; empty for the host's own.
	Upstream []string
	UID      int              // of the app, where only its questions come here; 0 where that is not known
	Now      func() time.Time // the time of questions; nil for time.Now
}

// ErrTaken says that another program has the port that was asked for.
var ErrTaken = errors.New("the port is taken")

// Bounds of what a device can make the resolver do.
const (
	patience     = 5 * time.Second // for an upstream to answer
	mostAtOnce   = 256             // questions that are looked up at once
	mostNames    = 1 << 16         // addresses whose names are remembered
	ttl          = 60              // seconds that the answers of Lookup may be kept
	largestReply = 1232            // bytes over UDP, for clients that name no limit (RFC 6891 has the numbers)
)

// Resolver is a running resolver.
type Resolver struct {
	o        Options
	address  netip.AddrPort
	servers  []*dns.Server
	upstream []string
	turn     chan struct{} // a place for each question that is looked up
	ctx      context.Context
	stop     context.CancelFunc
	work     sync.WaitGroup

	mu    sync.Mutex
	names map[netip.Addr]string
	err   error
}

// Start opens a resolver. ctx bounds the start only: Close ends it. The error wraps
// ErrTaken where another program has the port.
func Start(ctx context.Context, o Options) (*Resolver, error) {
	if o.Log == nil {
		return nil, errors.New("start resolver: it needs a log")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Resolver{o: o, upstream: o.Upstream, turn: make(chan struct{}, mostAtOnce), names: map[netip.Addr]string{}}
	if o.Lookup == nil && len(r.upstream) == 0 {
		var err error
		if r.upstream, err = hostResolvers(); err != nil {
			return nil, fmt.Errorf("start resolver: %w", err)
		}
	}
	tcp, udp, err := listen(ctx, o.Listen)
	if err != nil {
		return nil, fmt.Errorf("start resolver on %s: %w", o.Listen, err)
	}
	r.address = tcp.Addr().(*net.TCPAddr).AddrPort()
	r.ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, s := range []*dns.Server{{PacketConn: udp, UDPSize: dns.MaxMsgSize}, {Listener: tcp}} {
		s.Handler = dns.HandlerFunc(r.answer)
		s.MsgInvalidFunc = r.invalid
		r.servers = append(r.servers, s)
		begun := make(chan struct{})
		s.NotifyStartedFunc = func() { close(begun) }
		r.work.Go(func() {
			if err := s.ActivateAndServe(); err != nil && r.ctx.Err() == nil {
				r.fail(fmt.Errorf("resolver on %s: %w", r.address, err))
			}
		})
		<-begun
	}
	return r, nil
}

// listen opens the same port for TCP and UDP.
func listen(ctx context.Context, address string) (net.Listener, net.PacketConn, error) {
	var l net.ListenConfig
	for try := 0; ; try++ {
		tcp, err := l.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, nil, taken(err)
		}
		udp, err := l.ListenPacket(ctx, "udp", tcp.Addr().String())
		if err == nil {
			return tcp, udp, nil
		}
		_ = tcp.Close() // nothing was said on it
		if _, port, _ := net.SplitHostPort(address); port != "0" || try == 10 || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, taken(err)
		} // else another port is free for both
	}
}

func taken(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: end the program that listens there, or choose another port", ErrTaken)
	}
	return err
}

// hostResolvers are those that the host itself asks.
func hostResolvers() ([]string, error) {
	c, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil, fmt.Errorf("the host's resolvers: %w: name an upstream", err)
	}
	var list []string
	for _, s := range c.Servers {
		list = append(list, net.JoinHostPort(s, c.Port))
	}
	if len(list) == 0 {
		return nil, errors.New("the host has no resolvers in /etc/resolv.conf: name an upstream")
	}
	return list, nil
}

// Addr is where the resolver listens, for UDP and TCP.
func (r *Resolver) Addr() netip.AddrPort { return r.address }

// NameOf is the name that the device asked for last of those that an address was given for; "" for none.
func (r *Resolver) NameOf(a netip.Addr) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names[a.Unmap()]
}

// Err is the first thing that could not be recorded, or nil.
func (r *Resolver) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Resolver) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// Close takes no more questions, gives up those under way, and waits until all is
// recorded. The error is that of [Resolver.Err], or of closing the ports.
func (r *Resolver) Close(ctx context.Context) error {
	r.stop()
	var all []error
	for _, s := range r.servers {
		if err := s.ShutdownContext(ctx); err != nil {
			all = append(all, fmt.Errorf("close resolver on %s: %w", r.address, err))
		}
	}
	r.servers = nil
	r.work.Wait()
	return errors.Join(append(all, r.Err())...)
}

// answer records a question and answers it.
func (r *Resolver) answer(w dns.ResponseWriter, ask *dns.Msg) {
	if len(ask.Question) != 1 {
		r.reply(w, ask, failed(ask, dns.RcodeFormatError))
		return
	}
	q := ask.Question[0]
	record := flow.Query{
		At: r.o.Now(), Name: strings.TrimSuffix(q.Name, "."), Type: typeName(q.Qtype),
		Via: via(w), Client: w.RemoteAddr().String(), UID: r.o.UID,
	}
	at := r.o.Log.Where()
	var reply *dns.Msg
	switch {
	case q.Qtype == dns.TypeHTTPS || q.Qtype == dns.TypeSVCB:
		record.Refused = true
		reply = new(dns.Msg).SetReply(ask)
	default:
		reply = r.resolve(ask, &record)
	}
	for _, rr := range reply.Answer {
		record.Answers = append(record.Answers, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	if reply.Rcode != dns.RcodeSuccess && record.Error == "" {
		record.Error = dns.RcodeToString[reply.Rcode]
	}
	r.learn(record.Name, reply)
	if _, err := r.o.Log.AppendAt(at, evidence.KindQuery, record); err != nil {
		r.fail(err) // and nothing passes unrecorded
		reply = failed(ask, dns.RcodeServerFailure)
	}
	r.reply(w, ask, reply)
}

// resolve finds the answer, and says in the record why there is none.
func (r *Resolver) resolve(ask *dns.Msg, record *flow.Query) *dns.Msg {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	default:
		record.Error = fmt.Sprintf("more than %d questions at once", mostAtOnce)
		return failed(ask, dns.RcodeServerFailure)
	}
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	if r.o.Lookup != nil {
		return r.look(ctx, ask, record)
	}
	var all []error
	for _, server := range r.upstream {
		reply, err := exchange(ctx, ask, server)
		if err == nil {
			reply.Id = ask.Id
			return reply
		}
		all = append(all, err)
	}
	record.Error = errors.Join(all...).Error()
	return failed(ask, dns.RcodeServerFailure)
}

// exchange asks an upstream, again over TCP where the answer does not fit. It asks no
// more than was recorded: what else stands in the message, options and records beside
// the question, goes no further.
func exchange(ctx context.Context, ask *dns.Msg, server string) (*dns.Msg, error) {
	question := new(dns.Msg)
	question.Id, question.RecursionDesired, question.Question = dns.Id(), ask.RecursionDesired, ask.Question
	if o := ask.IsEdns0(); o != nil {
		question.SetEdns0(o.UDPSize(), o.Do())
	}
	reply, _, err := (&dns.Client{Net: "udp", UDPSize: dns.MaxMsgSize}).ExchangeContext(ctx, question, server)
	if err == nil && reply.Truncated {
		reply, _, err = (&dns.Client{Net: "tcp"}).ExchangeContext(ctx, question, server)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", server, err)
	}
	return reply, nil
}

// look answers from Lookup.
func (r *Resolver) look(ctx context.Context, ask *dns.Msg, record *flow.Query) *dns.Msg {
	q := ask.Question[0]
	reply := new(dns.Msg).SetReply(ask)
	reply.RecursionAvailable = true
	if q.Qtype != dns.TypeA && q.Qtype != dns.TypeAAAA {
		return reply
	}
	addresses, err := r.o.Lookup(ctx, strings.ToLower(record.Name))
	if err != nil {
		var unknown *net.DNSError
		if errors.As(err, &unknown) && unknown.IsNotFound {
			return failed(ask, dns.RcodeNameError)
		}
		record.Error = err.Error()
		return failed(ask, dns.RcodeServerFailure)
	}
	for _, a := range addresses {
		head := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: ttl}
		switch a = a.Unmap(); {
		case a.Is4() && q.Qtype == dns.TypeA:
			reply.Answer = append(reply.Answer, &dns.A{Hdr: head, A: a.AsSlice()})
		case a.Is6() && q.Qtype == dns.TypeAAAA:
			reply.Answer = append(reply.Answer, &dns.AAAA{Hdr: head, AAAA: a.AsSlice()})
		}
	}
	return reply
}

// learn remembers the addresses that a name was given.
func (r *Resolver) learn(name string, reply *dns.Msg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rr := range reply.Answer {
		var a netip.Addr
		switch rr := rr.(type) {
		case *dns.A:
			a, _ = netip.AddrFromSlice(rr.A)
		case *dns.AAAA:
			a, _ = netip.AddrFromSlice(rr.AAAA)
		}
		if !a.IsValid() {
			continue
		}
		if len(r.names) >= mostNames {
			clear(r.names)
		}
		r.names[a.Unmap()] = strings.ToLower(name)
	}
}

// reply sends an answer, cut to what the client can take.
func (r *Resolver) reply(w dns.ResponseWriter, ask, reply *dns.Msg) {
	if via(w) == "udp" {
		size := largestReply
		if o := ask.IsEdns0(); o != nil {
			size = max(size, int(o.UDPSize()))
		}
		reply.Truncate(size)
	}
	_ = w.WriteMsg(reply) // a client that went away asks again
}

// invalid records what came to the port and is no question. The library has answered it.
func (r *Resolver) invalid(_ []byte, err error) {
	if _, err := r.o.Log.Append(evidence.KindQuery, flow.Query{At: r.o.Now(), Via: "udp", UID: r.o.UID, Error: "no well-formed question: " + err.Error()}); err != nil {
		r.fail(err)
	}
}

func failed(ask *dns.Msg, code int) *dns.Msg { return new(dns.Msg).SetRcode(ask, code) }

func via(w dns.ResponseWriter) string {
	if strings.HasPrefix(w.RemoteAddr().Network(), "tcp") {
		return "tcp"
	}
	return "udp"
}

// typeName is a record type's name; one without a name is TYPE and its number (RFC 3597).
func typeName(t uint16) string {
	if name, ok := dns.TypeToString[t]; ok && !slices.Contains([]string{"None", "Reserved"}, name) {
		return name
	}
	return fmt.Sprintf("TYPE%d", t)
}
