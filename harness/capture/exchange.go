package capture

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"strings"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// exchange is one request on its way to its origin, and what comes back.
type exchange struct {
	p      *Proxy
	land   func() // nobody need wait for this exchange any more
	at     evidence.Stamp
	scheme string
	host   string // host or host:port that the request is for
	round  http.RoundTripper

	in     *http.Request
	target string // as the client wrote it, from the path on
	up     *tap
	down   *tap

	mu       sync.Mutex
	request  flow.Request
	asked    bool // the request is recorded
	response *flow.Response
	answered bool // the response is recorded
	upgrade  *upgraded
	err      error // why there is no response
	dialled  bool  // a connection to the origin was had
	givenUp  bool  // the rest of the request's body is not wanted any more
	server   string
	first    time.Time // of the response's bytes
}

// serveInner answers requests that came through CONNECT.
func (p *Proxy) serveInner(w http.ResponseWriter, r *http.Request) {
	l := linkOf(r.Context())
	l.served.Add(1)
	host := r.Host
	if host == "" { // HTTP/1.0
		host = net.JoinHostPort(l.host, fmt.Sprint(l.port))
	}
	p.exchange(w, r, l, l.scheme, host, l.round)
}

// exchange records a request, sends it on, and does the same with the answer.
func (p *Proxy) exchange(w http.ResponseWriter, r *http.Request, l *link, scheme, host string, round http.RoundTripper) {
	land, ok := p.begin()
	if !ok {
		panic(http.ErrAbortHandler) // the capture has ended: net/http closes the connection
	}
	defer p.work.Done()
	defer land()
	x := &exchange{p: p, land: land, at: p.o.Log.Where(), scheme: scheme, host: host, round: round, in: r, up: p.newTap(), down: p.newTap()}
	x.target = targetOf(r)
	x.request = flow.Request{
		Flow: p.nextID(), Started: p.o.Now(), Method: r.Method, URL: scheme + "://" + withoutDefaultPort(scheme, host) + escapeRaw(x.target),
		Proto: r.Proto, Headers: requestHeaders(r), Client: l.client, TLS: l.tls,
	}
	if l.host != "" && !sameTarget(scheme, host, l) {
		x.request.Target = net.JoinHostPort(l.host, fmt.Sprint(l.port))
	}
	if r.ProtoMajor == 1 {
		// An origin may answer, or refuse, before it has read everything.
		_ = http.NewResponseController(w).EnableFullDuplex() // it is there with HTTP/1
	}
	defer x.finish()
	err := p.Err()
	if err == nil && r.ContentLength == 0 {
		err = x.endRequest(nil)
	}
	if err != nil {
		http.Error(w, "unasked can't record this request: "+err.Error(), http.StatusBadGateway)
		return
	}
	if r.ContentLength != 0 {
		r.Body = &tapped{ReadCloser: r.Body, tap: x.up, whole: x.allSent, ended: x.endRequest}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: x.rewrite, Transport: x, ErrorHandler: x.unanswered,
		FlushInterval: -1, // server-sent events, and whatever else waits
		ErrorLog:      p.front.ErrorLog,
	}
	proxy.ServeHTTP(&plainWriter{ResponseWriter: w}, x.passed())
}

// passed is the request as the reverse proxy is to see it. An upgrade to HTTP/2
// is declined by not passing it on (RFC 9113 section 3.1 retires it): what
// follows would be out of sight.
func (x *exchange) passed() *http.Request {
	if !strings.EqualFold(x.in.Header.Get("Upgrade"), "h2c") {
		return x.in
	}
	r := x.in.Clone(x.in.Context())
	r.Body = x.in.Body
	r.Header.Del("Upgrade")
	r.Header.Del("Http2-Settings")
	return r
}

// allSent reports whether the body has the length that the request announced,
// and nothing can follow it.
func (x *exchange) allSent() bool {
	x.up.mu.Lock()
	defer x.up.mu.Unlock()
	return x.in.ContentLength >= 0 && x.up.size == x.in.ContentLength && len(x.in.Trailer) == 0
}

// rewrite makes the outgoing request what came in, except for hop-by-hop headers.
func (x *exchange) rewrite(r *httputil.ProxyRequest) {
	out := r.Out
	out.URL.Scheme, out.URL.Host, out.Host = x.scheme, x.host, r.In.Host
	out.URL.RawQuery = r.In.URL.RawQuery
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := r.In.Header[name]; ok {
			out.Header[name] = v
		}
	}
	if r.In.ProtoMajor == 2 && out.Body != nil {
		out.Body = &abandoned{r.In.Body, x}
	}
	out.Trailer = r.In.Trailer // the same map: it is filled at the body's end
	if path, _, _ := strings.Cut(x.target, "?"); r.In.RequestURI != "*" && out.URL.EscapedPath() != path && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
		out.URL.Opaque = path // as it was written
	}
}

// RoundTrip implements http.RoundTripper for the reverse proxy.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.server, x.dialled = addressOf(i.Conn), true
		},
		GotFirstResponseByte: func() {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.first = x.p.o.Now()
		},
	}
	resp, err := x.round.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	x.response = &flow.Response{
		Flow: x.request.Flow, Started: x.first, Status: resp.StatusCode, Proto: resp.Proto,
		Headers: responseHeaders(resp), Server: x.server,
	}
	if resp.TLS != nil {
		x.response.TLS = describeTLS(*resp.TLS)
	}
	x.mu.Unlock()
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		if err := x.endResponse(nil, nil); err != nil {
			return nil, err
		}
		resp.Body = x.upgraded(resp.Body)
	case resp.Body == http.NoBody:
		if err := x.endResponse(nil, nil); err != nil {
			return nil, err
		}
	default:
		resp.Body = &tapped{ReadCloser: resp.Body, tap: x.down, whole: func() bool { return false },
			ended: func(err error) error { return x.endResponse(resp, err) }}
	}
	return resp, nil
}

// endRequest records the request. err is why its body ends early; nil if it is whole.
func (x *exchange) endRequest(err error) error {
	cut := ""
	if err != nil {
		if x.isGivenUp() {
			return nil // it is not the client that ends it: finish knows why
		}
		cut = x.p.describe(x.in.Context(), "the client", err)
	}
	return x.recordRequest(cut)
}

func (x *exchange) recordRequest(cut string) error {
	body := x.up.end(cut)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.asked {
		return nil
	}
	x.asked = true
	x.request.Body = body
	if body.Cut == "" {
		x.request.Trailers = fields(x.in.Trailer, x.in.ProtoMajor)
	}
	return x.p.record(x.at, evidence.KindRequest, x.request)
}

// endResponse records the response, unless its request is still on its way: then
// that comes first.
func (x *exchange) endResponse(resp *http.Response, err error) error {
	cut := ""
	if err != nil {
		cut = x.p.describe(x.in.Context(), "the origin", err)
		if x.in.Context().Err() != nil {
			cut = x.p.whyCut("the client hung up")
		}
	}
	body := x.down.end(cut)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.response.Body, x.response.Ended = body, x.p.o.Now()
	if resp != nil && cut == "" {
		x.response.Trailers = fields(resp.Trailer, resp.ProtoMajor)
	}
	if !x.asked {
		return nil // finish will
	}
	x.answered = true
	return x.p.record(x.at, evidence.KindResponse, x.response)
}

// finish records whatever is not recorded yet. The request and its answer are over.
func (x *exchange) finish() {
	gone := x.in.Context().Err() != nil
	x.mu.Lock()
	response, failure, up := x.response, x.err, x.upgrade
	x.mu.Unlock()
	switch {
	case gone:
		_ = x.recordRequest(x.p.whyCut("the client hung up"))
	case response != nil:
		_ = x.recordRequest(x.p.whyCut("the origin answered before all of it was sent"))
	default:
		_ = x.recordRequest(x.p.whyCut("it could not be sent on"))
	}
	if up != nil {
		up.finish(x)
	}
	if response == nil {
		response = &flow.Response{Flow: x.request.Flow, Started: x.p.o.Now(), Error: x.p.whyCut("the client hung up before an answer came")}
		if failure != nil && !gone {
			response.Error = failure.Error()
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.answered {
		return
	}
	x.answered = true
	if response.Ended.IsZero() {
		response.Ended = x.p.o.Now()
		if response.Status != 0 {
			response.Body = x.down.end(x.p.whyCut("the client hung up"))
		}
	}
	_ = x.p.record(x.at, evidence.KindResponse, response)
	if failure != nil && !gone && unreachable(failure) {
		_ = x.p.record(x.at, evidence.KindConnection, x.connection(flow.NoOrigin, failure.Error()))
	}
}
