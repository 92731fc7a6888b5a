package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// clients is how many send at once, each on a connection that it keeps.
const clients = 8

// origin answers every request, once it has read its body, with a body of the same size.
type origin struct {
	server *http.Server
	addr   string
	pem    []byte // of its certificate
	group  sync.WaitGroup
}

func startOrigin() (*origin, error) {
	cert, text, err := selfSigned()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &origin{addr: l.Addr().String(), pem: text}
	o.server = &http.Server{
		Handler:   http.HandlerFunc(answer),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12},
		ErrorLog:  log.New(io.Discard, "", 0),
		Protocols: new(http.Protocols),
	}
	o.server.Protocols.SetHTTP1(true) // for every contender alike; goproxy speaks no other
	o.group.Go(func() { _ = o.server.ServeTLS(l, "", "") })
	return o, nil
}

func (o *origin) close() {
	_ = o.server.Close() // it is at its end
	o.group.Wait()
}

var copies = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// answer reads the request and sends as much back. What it sends differs each time,
// so that nobody can store it once.
func answer(w http.ResponseWriter, r *http.Request) {
	buffer := copies.Get().(*[]byte)
	defer copies.Put(buffer)
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r.Body}, *buffer)
	if err != nil {
		return
	}
	if r.Header.Get("X-Answer") == "none" {
		n = 2
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", fmt.Sprint(n))
	_, _ = io.Copy(w, newBody(n)) // a client that went away is no matter
}

// filler is bytes that don't compress.
var filler = func() []byte {
	b := make([]byte, 1<<20)
	source := mathrand.NewChaCha8([32]byte{1})
	_, _ = source.Read(b) // it never fails
	return b
}()

var bodies atomic.Uint64

// newBody is a body of n bytes like no other.
func newBody(n int64) io.Reader {
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], bodies.Add(1))
	first := head[:min(n, 8)]
	readers := []io.Reader{bytes.NewReader(first)}
	for rest := n - int64(len(first)); rest > 0; rest -= int64(len(filler)) {
		readers = append(readers, bytes.NewReader(filler[:min(rest, int64(len(filler)))]))
	}
	return io.MultiReader(readers...)
}

// sender is a client of its own connection.
type sender struct {
	client *http.Client
	url    string
	size   int64
	buffer []byte
}

// newSender sends through a proxy, or straight to the origin where proxy is "".
func newSender(target, proxy string, size int64) *sender {
	t := &http.Transport{
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // each contender has a CA of its own
		MaxIdleConns:       1,
		MaxConnsPerHost:    1,
		DisableCompression: true,
		WriteBufferSize:    64 << 10,
		ReadBufferSize:     64 << 10,
		TLSNextProto:       map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if proxy != "" {
		t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})
	}
	return &sender{client: &http.Client{Transport: t}, url: target, size: size, buffer: make([]byte, 256<<10)}
}

func (s *sender) send(ctx context.Context) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, newBody(s.size))
	if err != nil {
		return err
	}
	q.ContentLength = s.size
	q.Header.Set("Content-Type", "application/octet-stream")
	a, err := s.client.Do(q)
	if err != nil {
		return err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{a.Body}, s.buffer)
	if err := errors.Join(err, a.Body.Close()); err != nil {
		return err
	}
	if a.StatusCode != http.StatusOK || n != s.size {
		return fmt.Errorf("the answer is %s with %d bytes, want %d", a.Status, n, s.size)
	}
	return nil
}

func (s *sender) close() { s.client.CloseIdleConnections() }

// round has all clients send for a while and returns the requests in a second.
func round(ctx context.Context, senders []*sender, length time.Duration) (float64, error) {
	var (
		group sync.WaitGroup
		done  atomic.Int64
		mu    sync.Mutex
		errs  []error
	)
	began := time.Now()
	for _, s := range senders {
		group.Go(func() {
			for time.Since(began) < length {
				if err := s.send(ctx); err != nil {
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, err)
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}

// selfSigned is a certificate for 127.0.0.1, and itself as PEM.
func selfSigned() (*tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "bench origin"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
