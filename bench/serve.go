package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/elazarl/goproxy"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/capture"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// site is what a proxy in a process of its own is told.
type site struct {
	dir    string         // where it records
	origin string         // host:port
	roots  *x509.CertPool // that the origin's certificate is checked with
}

// serve runs a proxy until its standard input ends, and prints its address.
func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	dir := flags.String("dir", "", "where to record")
	origin := flags.String("origin", "", "the origin's address")
	ca := flags.String("ca", "", "the file of the origin's certificate")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*ca)
	if err != nil {
		return err
	}
	s := site{dir: *dir, origin: *origin, roots: x509.NewCertPool()}
	if !s.roots.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate", *ca)
	}
	kinds := map[string]func(site) (addr string, stop func() error, err error){
		"unasked": serveUnasked,
		"goproxy": serveGoproxy, "goproxy-tuned": serveTunedGoproxy, "bare": serveBare,
	}
	kind, ok := kinds[flags.Arg(0)]
	if !ok {
		return fmt.Errorf("no proxy is named %q", flags.Arg(0))
	}
	addr, stop, err := kind(s)
	if err != nil {
		return err
	}
	fmt.Println(addr)
	_, _ = io.Copy(io.Discard, os.Stdin) // until whoever started it ends it
	return stop()
}

// serveUnasked is the proxy of an audit, with a log on disk.
func serveUnasked(s site) (string, func() error, error) {
	evidenceDir := filepath.Join(s.dir, "evidence")
	recorded, err := evidence.Create(evidenceDir, nil)
	if err != nil {
		return "", nil, err
	}
	ca, err := capture.NewCA("unasked bench")
	if err != nil {
		return "", nil, err
	}
	recorded.Position("A", "untouched", evidence.Untouched)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.origin)
	}
	p, err := capture.Start(context.Background(), capture.Options{Log: recorded, CA: ca, Network: emulator.Network{Dial: dial, Roots: s.roots}})
	if err != nil {
		return "", nil, err
	}
	return p.Addr(), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(p.Close(ctx), p.Err())
	}, nil
}

// serveGoproxy is goproxy as it comes, made to intercept and to read every body.
func serveGoproxy(s site) (string, func() error, error) {
	p := newGoproxy()
	p.Tr.TLSClientConfig = &tls.Config{RootCAs: s.roots}
	return listen(p, nil)
}

// serveTunedGoproxy is the same with what its defaults leave out: connections to the
// origin are kept for all clients, and certificates are signed once.
func serveTunedGoproxy(s site) (string, func() error, error) {
	p := newGoproxy()
	p.Tr = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}, MaxIdleConnsPerHost: clients}
	p.CertStore = &certificates{known: map[string]*tls.Certificate{}}
	return listen(p, nil)
}

func newGoproxy() *goproxy.ProxyHttpServer {
	p := goproxy.NewProxyHttpServer()
	p.Logger = log.New(io.Discard, "", 0)
	p.OnRequest().HandleConnect(goproxy.AlwaysMitm)
	p.OnRequest().DoFunc(func(q *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		q.Body = readWhole(q.Body)
		return q, nil
	})
	p.OnResponse().DoFunc(func(a *http.Response, _ *goproxy.ProxyCtx) *http.Response {
		if a != nil {
			a.Body = readWhole(a.Body)
		}
		return a
	})
	return p
}

// certificates keeps what goproxy signed.
type certificates struct {
	mu    sync.Mutex
	known map[string]*tls.Certificate
}

func (c *certificates) Fetch(host string, sign func() (*tls.Certificate, error)) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cert := c.known[host]; cert != nil {
		return cert, nil
	}
	cert, err := sign()
	c.known[host] = cert
	return cert, err
}

func readWhole(body io.ReadCloser) io.ReadCloser {
	if body == nil {
		return nil
	}
	data, err := io.ReadAll(body)
	_ = body.Close() // it was read
	if err != nil {
		return io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{err}))
	}
	return io.NopCloser(bytes.NewReader(data))
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// serveBare is the least that a recording proxy in Go can do: the standard library's
// server and reverse proxy, with bodies written to one file. It intercepts nothing
// and indexes nothing; clients talk to it as if it were the origin.
func serveBare(s site) (string, func() error, error) {
	file, err := os.Create(filepath.Join(s.dir, "bodies"))
	if err != nil {
		return "", nil, err
	}
	var mu sync.Mutex
	record := func(body io.ReadCloser) io.ReadCloser {
		return &teed{ReadCloser: body, mu: &mu, file: file}
	}
	p := &httputil.ReverseProxy{
		Rewrite: func(q *httputil.ProxyRequest) {
			q.SetURL(&url.URL{Scheme: "https", Host: s.origin})
			q.Out.Body = record(q.Out.Body)
		},
		ModifyResponse: func(a *http.Response) error {
			a.Body = record(a.Body)
			return nil
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}, MaxIdleConnsPerHost: clients},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	cert, _, err := selfSigned()
	if err != nil {
		return "", nil, err
	}
	addr, stop, err := listen(p, cert)
	return addr, func() error { return errors.Join(stop(), file.Close()) }, err
}

// teed writes what is read to a file that several share. What has ended is not read
// again: the transport asks a request's body once more behind its last byte, and by then
// the server may have answered and closed it, which would break the answer off.
type teed struct {
	io.ReadCloser
	mu    *sync.Mutex
	file  *os.File
	ended bool
}

func (t *teed) Read(b []byte) (int, error) {
	if t.ended {
		return 0, io.EOF
	}
	n, err := t.ReadCloser.Read(b)
	t.ended = errors.Is(err, io.EOF)
	if n > 0 {
		t.mu.Lock()
		defer t.mu.Unlock()
		if _, err := t.file.Write(b[:n]); err != nil {
			return n, err
		}
	}
	return n, err
}

// listen serves on a free port, with TLS where there is a certificate.
func listen(h http.Handler, cert *tls.Certificate) (string, func() error, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	var group sync.WaitGroup
	group.Go(func() {
		if cert == nil {
			_ = server.Serve(l) // until it is closed
			return
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}
		_ = server.ServeTLS(l, "", "")
	})
	return l.Addr().String(), func() error {
		err := server.Close()
		group.Wait()
		return err
	}, nil
}

// moduleVersion is the version of a module that this program was built with.
func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "of an unknown version"
}
