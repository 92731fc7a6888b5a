package capture

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/flow"
)

// both runs a test for HTTP/1.1 and for HTTP/2 on the device's side.
func both(t *testing.T, test func(*testing.T, bool)) {
	t.Helper()
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP/2", func(t *testing.T) { test(t, true) })
}

// With HTTP/2, net/http's server keeps Expect to itself: there the proxy says
// continue as soon as it has a place for the body, be it in time or not.
func TestContinueComesFromTheOrigin(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRig(t)
		var read atomic.Bool
		r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path == "/no" {
				w.WriteHeader(http.StatusExpectationFailed)
				return
			}
			if !h2 && q.Header.Get("Expect") != "100-continue" {
				t.Errorf("the origin saw %v", q.Header)
			}
			_, _ = io.Copy(io.Discard, q.Body)
			read.Store(true)
		}))
		for _, path := range []string{"/yes", "/no"} {
			continued := false
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { continued = true }})
			q, err := http.NewRequestWithContext(ctx, "POST", "https://api.example"+path, strings.NewReader("a long upload"))
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Expect", "100-continue")
			resp, err := r.client(h2).Do(q)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if want := path == "/yes"; continued != want && !(h2 && continued) {
				t.Errorf("%s: the client was told to continue: %v, want %v", path, continued, want)
			}
		}
		rec := r.sealed()
		if len(rec.flows) != 2 || rec.body(t, rec.flows[0].Request.Body) != "a long upload" || !read.Load() {
			t.Errorf("flows %+v", rec.flows)
		}
		if b := rec.flows[1].Request.Body; !h2 && (b.Size != 0 || b.Cut == "") {
			t.Errorf("a body that was never sent is recorded as %+v", b)
		}
	})
}

func TestInformationalResponsesPass(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRig(t)
		r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Link", "</a.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			_, _ = io.WriteString(w, "page")
		}))
		hints := ""
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints = fmt.Sprint(code, h.Get("Link"))
			return nil
		}})
		q, err := http.NewRequestWithContext(ctx, "GET", "https://api.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := r.client(h2).Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "page" || hints != "103</a.css>; rel=preload" || resp.Header.Get("Link") != "" {
			t.Errorf("the client got %q, %q, %v, %v", hints, text, resp.Header, err)
		}
	})
}

func TestTrailersPassAndAreRecorded(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRig(t)
		r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if _, err := io.ReadAll(q.Body); err != nil {
				t.Error(err)
			}
			if q.Trailer.Get("X-Checksum") != "abc" {
				t.Errorf("the origin saw the trailers %v", q.Trailer)
			}
			w.Header().Set("Trailer", "X-Announced")
			_, _ = io.WriteString(w, "text")
			w.Header().Set("X-Announced", "one")
			w.Header().Set(http.TrailerPrefix+"X-Surprise", "two")
		}))
		body, pen := io.Pipe()
		q, err := http.NewRequest("POST", "https://api.example/", body)
		if err != nil {
			t.Fatal(err)
		}
		q.Trailer = http.Header{"X-Checksum": nil}
		go func() {
			_, _ = io.WriteString(pen, "data")
			q.Trailer.Set("X-Checksum", "abc")
			_ = pen.Close()
		}()
		resp, err := r.client(h2).Do(q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Error(err)
		}
		_ = resp.Body.Close()
		if resp.Trailer.Get("X-Announced") != "one" || resp.Trailer.Get("X-Surprise") != "two" {
			t.Errorf("the client got the trailers %v", resp.Trailer)
		}
		f, _ := r.one()
		if header(f.Request.Trailers, "X-Checksum") != "abc" || header(f.Response.Trailers, "X-Announced") != "one" || header(f.Response.Trailers, "X-Surprise") != "two" {
			t.Errorf("trailers %v, %v", f.Request.Trailers, f.Response.Trailers)
		}
	})
}

func TestResponsesWithoutABody(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRig(t)
		r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			switch q.URL.Path {
			case "/head":
				w.Header().Set("Content-Length", "1234")
				w.Header().Set("Content-Type", "video/mp4")
			case "/204":
				w.WriteHeader(http.StatusNoContent)
			case "/304":
				w.Header().Set("Etag", `"x"`)
				w.WriteHeader(http.StatusNotModified)
			case "/empty":
			}
		}))
		c := r.client(h2)
		for _, test := range []struct{ method, path string }{{"HEAD", "/head"}, {"GET", "/204"}, {"GET", "/304"}, {"DELETE", "/empty"}} {
			q, err := http.NewRequest(test.method, "https://api.example"+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(resp.Body); err != nil || len(text) > 0 {
				t.Errorf("%s: %q, %v", test.path, text, err)
			}
			_ = resp.Body.Close()
			if test.path == "/head" && resp.ContentLength != 1234 {
				t.Errorf("HEAD's length is %d", resp.ContentLength)
			}
		}
		rec := r.sealed()
		if len(rec.flows) != 4 {
			t.Fatalf("%d flows", len(rec.flows))
		}
		for _, f := range rec.flows {
			if f.Response == nil || f.Response.Status == 0 || f.Response.Body.Size != 0 || f.Request.Body.Size != 0 {
				t.Errorf("%s: %+v", f.Request.URL, f.Response)
			}
		}
	})
}

func TestARangeAndACodingStayAsTheyAre(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRig(t)
		r.origin("cdn.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if got := q.Header.Get("Accept-Encoding"); got != "br, weird" {
				t.Errorf("Accept-Encoding is %q", got)
			}
			w.Header().Set("Content-Encoding", "gzip") // and it is not: nobody may look
			http.ServeContent(w, q, "clip.bin", time.Time{}, strings.NewReader("0123456789"))
		}))
		q, err := http.NewRequest("GET", "https://cdn.example/clip.bin", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Accept-Encoding", "br, weird")
		q.Header.Set("Range", "bytes=3-5")
		resp, err := r.client(h2).Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "345" || resp.StatusCode != 206 || resp.Header.Get("Content-Range") != "bytes 3-5/10" || resp.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("the client got %d %v %q, %v", resp.StatusCode, resp.Header, text, err)
		}
		if f, rec := r.one(); f.Response.Status != 206 || rec.body(t, f.Response.Body) != "345" || header(f.Request.Headers, "Range") != "bytes=3-5" {
			t.Errorf("flow %+v, %+v", f.Request, f.Response)
		}
	})
}

func TestNothingIsAddedToAnAnswer(t *testing.T) {
	r := newRig(t)
	r.tcp("old.example:80", func(c net.Conn) {
		q, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		if _, there := q.Header["User-Agent"]; there || len(q.Header) != 0 {
			t.Errorf("the origin saw %v", q.Header)
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 Fine\r\nX-Only: this\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")
	})
	c, err := net.Dial("tcp", r.proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET http://old.example HTTP/1.1\r\nHost: old.example\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
	if fmt.Sprint(resp.Header) != "map[Content-Length:[6] X-Only:[this]]" {
		t.Errorf("the client got %v", resp.Header)
	}
	f, _ := r.one()
	if f.Request.URL != "http://old.example/" || f.Request.TLS != nil || fmt.Sprint(f.Request.Headers) != "[{Host old.example}]" {
		t.Errorf("request %+v", f.Request)
	}
	if fmt.Sprint(f.Response.Headers) != "[{X-Only this} {Content-Length 6} {Connection close}]" {
		t.Errorf("response %+v", f.Response)
	}
}

// HTTP/2 without TLS, with prior knowledge, inside a tunnel: gRPC in the clear.
func TestHTTP2WithoutTLS(t *testing.T) {
	r := newRig(t)
	s := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		fmt.Fprintf(w, "%s %s", q.Proto, q.Host)
	})}
	s.Protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	defer func() {
		_ = s.Close()
		<-served
	}()
	r.world.put("h2c.example:8080", l.Addr().String())
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.DialContext = func(_ context.Context, _, address string) (net.Conn, error) { return r.connect(address), nil }
	if text := get(t, &http.Client{Transport: tr}, "http://h2c.example:8080/x"); text != "HTTP/2.0 h2c.example:8080" {
		t.Errorf("the client got %q", text)
	}
	tr.CloseIdleConnections()
	if f, _ := r.one(); f.Request.URL != "http://h2c.example:8080/x" || f.Request.Proto != "HTTP/2.0" || f.Response.Proto != "HTTP/2.0" {
		t.Errorf("flow %+v, %+v", f.Request, f.Response)
	}
}

func TestManyAtOnce(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRig(t)
		r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			body, _ := io.ReadAll(q.Body)
			fmt.Fprintf(w, "%s:%s", q.URL.Path, body)
		}))
		c := r.client(h2)
		const n = 200
		failed := make(chan string, n)
		for i := range n {
			go func() {
				resp, err := c.Post(fmt.Sprintf("https://api.example/%d", i), "text/plain", strings.NewReader(fmt.Sprint("body ", i)))
				if err != nil {
					failed <- err.Error()
					return
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if want := fmt.Sprintf("/%d:body %d", i, i); err != nil || string(text) != want {
					failed <- fmt.Sprintf("%q, want %q, %v", text, want, err)
					return
				}
				failed <- ""
			}()
		}
		for range n {
			if f := <-failed; f != "" {
				t.Error(f)
			}
		}
		rec := r.sealed()
		if len(rec.flows) != n {
			t.Fatalf("%d flows, want %d", len(rec.flows), n)
		}
		ids := map[flow.ID]bool{}
		for _, f := range rec.flows {
			ids[f.Request.Flow] = true
			path := strings.TrimPrefix(f.Request.URL, "https://api.example")
			if want := path + ":body " + path[1:]; rec.body(t, f.Response.Body) != want {
				t.Errorf("%s is joined with %q", path, rec.body(t, f.Response.Body))
			}
		}
		if len(ids) != n {
			t.Errorf("%d flows share %d ids", n, len(ids))
		}
	})
}

// What clients write that no library would is passed on as it was written.
func TestATargetPassesAsItWasWritten(t *testing.T) {
	r := newRig(t)
	var got []string
	r.plain("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { got = append(got, q.RequestURI) }))
	targets := []string{`/a|b/"c"/%7E~?x=[1]&y={"z":"|"}&s=a;b#c`, "//double//slash?q", "/%2e%2E/x", "/caf\xe9?n=\xfc", "/"}
	for _, target := range targets {
		c := r.connect("api.example:80")
		_, _ = io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n")
		if _, err := io.ReadAll(c); err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", targets) {
		t.Errorf("the origin got\n%q, want\n%q", got, targets)
	}
	rec := r.sealed()
	for i, f := range rec.flows {
		want := "http://api.example" + strings.NewReplacer("#", "%23", "\xe9", "%E9", "\xfc", "%FC").Replace(targets[i])
		if f.Request.URL != want {
			t.Errorf("%q is recorded, want %q", f.Request.URL, want)
		}
	}
	if len(rec.flows) != len(targets) {
		t.Errorf("%d flows", len(rec.flows))
	}
}
