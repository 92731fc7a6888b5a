//go:build unix

package capture

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// clients is how many ask at once.
const clients = 8

// BenchmarkProxy measures exchanges with TLS on both sides, all of it recorded, beside
// the same load without a proxy: what counts is the ratio. Client, proxy and origin are
// one process. On a machine that does other things besides, the ratio of the processor's
// time (cpu-µs/op) says more than that of req/s.
func BenchmarkProxy(b *testing.B) {
	for _, body := range []struct {
		name string
		size int
	}{{"1KB", 1 << 10}, {"1MB", 1 << 20}} {
		for _, h2 := range []bool{false, true} {
			for _, way := range []string{"direct", "proxy", "proxy+packets"} {
				b.Run(fmt.Sprintf("%s/h2=%v/%s", body.name, h2, way), func(b *testing.B) {
					measure(b, body.size, h2, way)
				})
			}
		}
	}
}

// measure sends and gets a body of a size with each request: a short one is sent and
// comes back, a long one is only got.
func measure(b *testing.B, size int, h2 bool, way string) {
	r := newRigWith(b, func(o *Options) { o.Packets = way == "proxy+packets" })
	payload := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		_, _ = w.Write(payload)
	}))
	s.EnableHTTP2 = h2
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return r.web.certificate("api.example") }}
	s.StartTLS()
	s.TLS.Certificates = nil
	defer s.Close()
	r.world.put("api.example:443", s.Listener.Addr().String())

	config := r.trust()
	config.RootCAs.AddCert(r.web.Certificate())
	t := &http.Transport{TLSClientConfig: config, DisableCompression: true, ForceAttemptHTTP2: h2, MaxIdleConnsPerHost: clients}
	if way == "direct" {
		t.DialContext = r.world.dial
	} else {
		t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: r.proxy.Addr()})
	}
	defer t.CloseIdleConnections()
	c := &http.Client{Transport: t}
	ask := payload
	if size > 64<<10 {
		ask = nil
	}
	b.SetBytes(int64(len(ask) + size))
	before := processorTime(b)
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, clients)
	for range clients {
		go func() {
			for left.Add(-1) >= 0 {
				resp, err := c.Post("https://api.example/", "text/plain", bytes.NewReader(ask))
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
