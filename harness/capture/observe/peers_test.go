package observe

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/unasked-audit/unasked/harness/flow"
)

// watched is a client's connection whose bytes are observed as they pass.
type watched struct {
	net.Conn
	c *Conn
}

func (w *watched) Write(b []byte) (int, error) {
	if err := w.c.Sent(b); err != nil && !errors.Is(err, ErrClosed) {
		return 0, err
	}
	return w.Conn.Write(b)
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		if err := w.c.Received(b[:n]); err != nil && !errors.Is(err, ErrClosed) {
			return 0, err
		}
	}
	if errors.Is(err, io.EOF) {
		_ = w.c.ReceivedAll(nil)
	}
	return n, err
}

// eye makes watched connections to one address, all with one Recorder.
type eye struct {
	t       testing.TB
	address string
	o       Options

	mu    sync.Mutex
	m     *memory
	conns []*Conn
}

// shared makes one Recorder out of that for several connections.
type shared struct {
	mu *sync.Mutex
	*memory
}

func (s shared) NextID() flow.ID { s.mu.Lock(); defer s.mu.Unlock(); return s.memory.NextID() }
func (s shared) Body() Body {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &sharedBody{s.mu, s.memory.Body()}
}
func (s shared) Request(r flow.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.Request(r)
}
func (s shared) Response(r flow.Response) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.Response(r)
}
func (s shared) Message(r flow.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.Message(r)
}
func (s shared) Connection(r flow.Connection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.Connection(r)
}

type sharedBody struct {
	mu *sync.Mutex
	b  Body
}

func (s *sharedBody) Write(p []byte) (int, error) { return s.b.Write(p) }
func (s *sharedBody) End(cut string) flow.Body    { s.mu.Lock(); defer s.mu.Unlock(); return s.b.End(cut) }

func newEye(t testing.TB, address string, o Options) *eye {
	e := &eye{t: t, address: address, o: o, m: &memory{t: t}}
	return e
}

func (e *eye) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	o := e.o
	o.Recorder = shared{&e.mu, e.m}
	c := New(o)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conns = append(e.conns, c)
	return &watched{Conn: conn, c: c}, nil
}

// flows ends all connections and joins requests with responses.
func (e *eye) flows() (requests []flow.Request, responses map[flow.ID]flow.Response, messages []flow.Message, rest []flow.Connection) {
	e.t.Helper()
	for _, c := range e.conns {
		if err := c.Close("the test is over"); err != nil {
			e.t.Error(err)
		}
	}
	e.m.check()
	responses = map[flow.ID]flow.Response{}
	for _, r := range e.m.log {
		switch r := r.(type) {
		case flow.Request:
			requests = append(requests, r)
		case flow.Response:
			responses[r.Flow] = r
		case flow.Message:
			messages = append(messages, r)
		case flow.Connection:
			rest = append(rest, r)
		}
	}
	return requests, responses, messages, rest
}

// What is recorded is what net/http's server read and its client got.
func TestAsNetHTTPReadsIt(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprint("h2=", h2), func(t *testing.T) {
			type seen struct {
				method, target, host string
				body                 []byte
				header, trailer      http.Header
			}
			var mu sync.Mutex
			served := map[string]seen{}
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				body, err := io.ReadAll(q.Body)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				served[q.Header.Get("X-N")] = seen{q.Method, q.RequestURI, q.Host, body, q.Header, q.Trailer}
				mu.Unlock()
				w.Header().Set("Trailer", "X-End")
				if len(body)%3 == 0 {
					w.Header().Set("Link", "</x>")
					w.WriteHeader(103)
				}
				if len(body)%2 == 0 {
					w.WriteHeader(201)
				}
				for part := body; len(part) > 0; {
					n := min(len(part), 1+len(body)/3)
					_, _ = w.Write(part[:n])
					_ = http.NewResponseController(w).Flush()
					part = part[n:]
				}
				w.Header().Set("X-End", fmt.Sprint(len(body)))
			}))
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetHTTP1(true)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Start()
			defer s.Close()
			e := newEye(t, s.Listener.Addr().String(), Options{H2: h2, Scheme: "http", Target: "api.example:80"})
			tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx) }, Protocols: new(http.Protocols), DisableCompression: true}
			tr.Protocols.SetHTTP1(!h2)
			tr.Protocols.SetUnencryptedHTTP2(h2)
			random := rand.New(rand.NewPCG(1, 2))
			type answer struct {
				status  int
				body    []byte
				header  http.Header
				trailer http.Header
			}
			answers := map[string]answer{}
			var group sync.WaitGroup
			for n := range 60 {
				body := make([]byte, random.IntN(100_000)>>random.IntN(16))
				for i := range body {
					body[i] = byte(random.Uint32())
				}
				group.Go(func() {
					var r io.Reader = bytes.NewReader(body)
					if n%2 == 0 {
						r = struct{ io.Reader }{r} // of a length that is not told
					}
					q, err := http.NewRequest([]string{"POST", "PUT", "PATCH"}[n%3], fmt.Sprintf("http://api.example/%d?x=%%41", n), r)
					if err != nil {
						t.Error(err)
						return
					}
					q.Header.Set("X-N", fmt.Sprint(n))
					if n%2 == 0 {
						q.Trailer = http.Header{"X-Sum": {fmt.Sprint(len(body))}}
					}
					resp, err := tr.RoundTrip(q)
					if err != nil {
						t.Error(err)
						return
					}
					text, err := io.ReadAll(resp.Body)
					if err != nil || !bytes.Equal(text, body) {
						t.Errorf("%d: %d bytes, %v", n, len(text), err)
					}
					_ = resp.Body.Close()
					mu.Lock()
					defer mu.Unlock()
					answers[fmt.Sprint(n)] = answer{resp.StatusCode, text, resp.Header, resp.Trailer}
				})
			}
			group.Wait()
			tr.CloseIdleConnections()
			requests, responses, _, rest := e.flows()
			if len(requests) != 60 || len(rest) != 0 {
				t.Errorf("%d requests, %v", len(requests), rest)
			}
			for _, q := range requests {
				h := flow.HTTPHeader(q.Headers)
				n := h.Get("X-N")
				want, got := served[n], responses[q.Flow]
				if q.Method != want.method || q.URL != "http://"+want.host+want.target || !bytes.Equal(q.Body.Inline, want.body) || q.Body.Cut != "" {
					t.Errorf("request %s: %s", n, line(q))
				}
				if trailers := flow.HTTPHeader(q.Trailers); trailers.Get("X-Sum") != want.trailer.Get("X-Sum") {
					t.Errorf("request %s has the trailers %v", n, trailers)
				}
				for name, values := range want.header {
					if fmt.Sprint(h[name]) != fmt.Sprint(values) {
						t.Errorf("request %s: %s is %q, want %q", n, name, h[name], values)
					}
				}
				a := answers[n]
				if got.Status != a.status || !bytes.Equal(got.Body.Inline, a.body) || got.Body.Cut != "" || fmt.Sprint(flow.HTTPHeader(got.Trailers)) != fmt.Sprint(a.trailer) {
					t.Errorf("response %s: %s, want %d %v", n, line(got), a.status, a.trailer)
				}
				if (len(a.body)%3 == 0) != (len(got.Interim) == 1) {
					t.Errorf("response %s of %d bytes: %v", n, len(a.body), got.Interim)
				}
				if q.Size <= q.Body.Size || got.Size <= got.Body.Size || got.Started.Before(q.Started) && len(a.body) == 0 || got.Ended.Before(got.Started) {
					t.Errorf("%s: sizes %d and %d, times %v %v %v", n, q.Size, got.Size, q.Started, got.Started, got.Ended)
				}
			}
		})
	}
}

// echo is a gRPC service of the four kinds of call.
var echo = grpc.ServiceDesc{
	ServiceName: "test.Echo", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var in wrapperspb.StringValue
		if err := decode(&in); err != nil {
			return nil, err
		}
		if in.Value == "fail" {
			return nil, status.Error(codes.PermissionDenied, "not you")
		}
		_ = grpc.SetTrailer(ctx, metadata.Pairs("x-end", "unary"))
		return wrapperspb.String(strings.ToUpper(in.Value)), nil
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Stream", ClientStreams: true, ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
		s.SetTrailer(metadata.Pairs("x-end", "stream"))
		for {
			var in wrapperspb.StringValue
			if err := s.RecvMsg(&in); err != nil {
				return nil
			}
			if in.Value == "enough" {
				return nil
			}
			for range 3 {
				if err := s.SendMsg(wrapperspb.String(strings.ToUpper(in.Value))); err != nil {
					return err
				}
			}
		}
	}}},
}

func TestGRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	s.RegisterService(&echo, nil)
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	e := newEye(t, l.Addr().String(), Options{H2: true, Scheme: "http"})
	c, err := grpc.NewClient("passthrough:///grpc.example:50051", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return e.dial(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"anna", "fail"} {
		var out wrapperspb.StringValue
		err := c.Invoke(t.Context(), "/test.Echo/Unary", wrapperspb.String(text), &out)
		if (text == "fail") != (status.Code(err) == codes.PermissionDenied) {
			t.Error(text, err)
		}
	}
	for _, last := range []string{"", "enough"} {
		stream, err := c.NewStream(t.Context(), &echo.Streams[0], "/test.Echo/Stream")
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"berta", strings.Repeat("clara", 20_000)} {
			if err := stream.SendMsg(wrapperspb.String(text)); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				var out wrapperspb.StringValue
				if err := stream.RecvMsg(&out); err != nil || out.Value != strings.ToUpper(text) {
					t.Fatal(err)
				}
			}
		}
		if last != "" {
			_ = stream.SendMsg(wrapperspb.String(last))
		} else {
			_ = stream.CloseSend()
		}
		if err := stream.RecvMsg(new(wrapperspb.StringValue)); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
	_ = c.Close()
	s.Stop()
	<-served
	requests, responses, _, rest := e.flows()
	if len(requests) != 4 || len(rest) != 1 || string(rest[0].Up.Inline) != "client transport shutdown" { // which is how it says goodbye
		t.Fatalf("%d requests, %v", len(requests), rest)
	}
	for i, q := range requests {
		a := responses[q.Flow]
		end := flow.HTTPHeader(append(a.Headers, a.Trailers...))
		if a.Status != 200 || end.Get("Grpc-Status") != []string{"0", "7", "0", "0"}[i] || a.Body.Cut != "" || flow.HTTPHeader(q.Headers).Get("Te") != "trailers" {
			t.Errorf("%s\n%s", line(q), line(a))
		}
		if want := []string{"unary", "", "stream", "stream"}[i]; end.Get("X-End") != want {
			t.Errorf("trailers %v", end)
		}
		if i == 0 && (string(q.Body.Inline) != "\x00\x00\x00\x00\x06\n\x04anna" || string(a.Body.Inline) != "\x00\x00\x00\x00\x06\n\x04ANNA" || q.URL != "http://grpc.example:50051/test.Echo/Unary") {
			t.Errorf("%s\n%s", line(q), line(a))
		}
		if i >= 2 && (!bytes.Contains(q.Body.Inline, []byte("berta")) || q.Body.Size < 100_000 || a.Body.Size < 300_000) {
			t.Errorf("%s\n%s", line(q), line(a))
		}
		if i == 2 && q.Body.Cut != "" {
			t.Errorf("the request is cut: %s", q.Body.Cut)
		}
	}
}

func TestRealWebSockets(t *testing.T) {
	for _, mode := range []websocket.CompressionMode{websocket.CompressionDisabled, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				c, err := websocket.Accept(w, q, &websocket.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1})
				if err != nil {
					t.Error(err)
					return
				}
				defer c.CloseNow()
				c.SetReadLimit(1 << 22)
				for {
					kind, text, err := c.Read(q.Context())
					if err != nil || c.Write(q.Context(), kind, bytes.ToUpper(text)) != nil {
						return
					}
				}
			}))
			defer s.Close()
			e := newEye(t, s.Listener.Addr().String(), Options{Scheme: "https", Target: "ws.example:443"})
			client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx) }}}
			c, _, err := websocket.Dial(t.Context(), "ws://ws.example/s", &websocket.DialOptions{HTTPClient: client, CompressionMode: mode, CompressionThreshold: 1})
			if err != nil {
				t.Fatal(err)
			}
			c.SetReadLimit(1 << 22)
			texts := []string{"anna", "anna again", strings.Repeat("berta and anna ", 50_000), "anna", ""}
			for i, text := range texts {
				kind := []websocket.MessageType{websocket.MessageText, websocket.MessageBinary}[i%2]
				if err := c.Write(t.Context(), kind, []byte(text)); err != nil {
					t.Fatal(err)
				}
				if _, got, err := c.Read(t.Context()); err != nil || string(got) != strings.ToUpper(text) {
					t.Fatal(len(got), err)
				}
			}
			_ = c.Close(websocket.StatusNormalClosure, "")
			requests, _, messages, rest := e.flows()
			if len(requests) != 1 || len(rest) != 1 || rest[0].Reason != flow.Upgraded || rest[0].Up.Size == 0 || rest[0].Down.Size == 0 || len(messages) != 2*len(texts) {
				t.Fatalf("%d requests, %d messages, %v", len(requests), len(messages), rest)
			}
			for i, m := range messages {
				want := texts[i/2]
				if i%2 == 1 {
					want = strings.ToUpper(want)
				}
				if m.Index != i || m.Sent != (i%2 == 0) || m.Binary != (i/2%2 == 1) || string(m.Body.Inline) != want || m.Body.Cut != "" || m.Flow != requests[0].Flow {
					t.Errorf("message %s", line(m))
				}
			}
		})
	}
}

// What is recorded stays as it was sent: codings are the reader's affair.
func TestCodingsStay(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte("text"))
	_ = z.Close()
	m := play(t, Options{Scheme: "https", Target: "x.example:443"}, []step{sent("GET / HTTP/1.1\r\nHost: x.example\r\n\r\n"),
		received(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", b.Len(), b.String()))}, "", whole)
	if r := m.log[1].(flow.Response); !bytes.Equal(r.Body.Inline, b.Bytes()) {
		t.Errorf("the body is %q", r.Body.Inline)
	}
}
