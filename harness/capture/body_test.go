package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

func get(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// The request must be in the log when its origin answers, not only afterwards.
func TestTheRequestIsRecordedFirst(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprint("h2=", h2), func(t *testing.T) {
			r := newRig(t)
			r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				if _, err := io.ReadAll(q.Body); err != nil {
					t.Error(err)
				}
				fmt.Fprint(w, r.count(evidence.KindRequest), r.count(evidence.KindResponse))
			}))
			resp, err := r.client(h2).Post("https://api.example/", "text/plain", strings.NewReader("who I am"))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "1 0" {
				t.Errorf("at the origin the log had %q requests and responses, want 1 and 0; %v", text, err)
			}
			if n := r.count(evidence.KindResponse); n != 1 {
				t.Errorf("the client has the whole response and the log has %d", n)
			}
		})
	}
}

// endless yields pseudo-random bytes, n of them.
type endless struct {
	n    int64
	seed uint64
	sum  hash.Hash
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > e.n {
		p = p[:e.n]
	}
	for i := range p {
		e.seed = e.seed*6364136223846793005 + 1442695040888963407
		p[i] = byte(e.seed >> 56)
	}
	e.n -= int64(len(p))
	e.sum.Write(p)
	return len(p), nil
}

func TestLargeBodiesTakeNoMemory(t *testing.T) {
	const size = 32 << 20
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprint("h2=", h2), func(t *testing.T) {
			r := newRig(t)
			down := &endless{n: size, seed: 2, sum: sha256.New()}
			r.origin("api.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				sum := sha256.New()
				if _, err := io.Copy(sum, q.Body); err != nil {
					t.Error(err)
				}
				w.Header().Set("X-Sum", hex.EncodeToString(sum.Sum(nil)))
				_, _ = io.Copy(w, down)
			}))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			up := &endless{n: size, seed: 1, sum: sha256.New()}
			resp, err := r.client(h2).Post("https://api.example/", "video/mp4", up)
			if err != nil {
				t.Fatal(err)
			}
			got := sha256.New()
			if _, err := io.Copy(got, resp.Body); err != nil {
				t.Error(err)
			}
			_ = resp.Body.Close()
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > size/2 {
				t.Errorf("the heap grew by %d MB for two bodies of %d MB", grown>>20, size>>20)
			}
			f, _ := r.one()
			sent := hex.EncodeToString(up.sum.Sum(nil))
			if resp.Header.Get("X-Sum") != sent || string(f.Request.Body.Blob) != sent || f.Request.Body.Size != size {
				t.Error("the upload was changed on the way, or recorded otherwise")
			}
			if sum := hex.EncodeToString(got.Sum(nil)); string(f.Response.Body.Blob) != sum || f.Response.Body.Size != size {
				t.Error("the download was recorded otherwise")
			}
		})
	}
}

func TestABodyThatBreaksOffIsRecordedAsCut(t *testing.T) {
	gone := map[bool]string{false: "client hung up", true: "client reset the stream"}
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprint("h2=", h2), func(t *testing.T) {
			r := newRig(t)
			half := make(chan struct{})
			r.origin("up.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				if _, err := io.ReadFull(q.Body, make([]byte, 15)); err != nil {
					t.Error(err)
				}
				close(half)
				if _, err := io.Copy(io.Discard, q.Body); err != nil {
					panic(http.ErrAbortHandler) // there is nobody to answer
				}
			}))
			r.origin("down.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				_, _ = io.WriteString(w, "half of an answ")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}))
			ctx, cancel := context.WithCancel(t.Context())
			body, pen := io.Pipe()
			q, err := http.NewRequestWithContext(ctx, "POST", "https://up.example/", body)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() {
				resp, err := r.client(h2).Do(q)
				if err == nil {
					_ = resp.Body.Close()
				}
				done <- err
			}()
			_, _ = io.WriteString(pen, "half of a quest")
			<-half
			cancel()
			_ = pen.CloseWithError(errors.New("gone"))
			if err := <-done; err == nil {
				t.Error("the request that was given up has an answer")
			}
			resp, err := r.client(h2).Get("https://down.example/")
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("the client took %q for a whole answer", text)
			}
			_ = resp.Body.Close()
			rec := r.sealed()
			for _, f := range rec.flows {
				switch f.Request.Host() {
				case "up.example":
					if f.Request.Body.Cut == "" || rec.body(t, f.Request.Body) != "half of a quest" {
						t.Errorf("the request's body %+v", f.Request.Body)
					}
					if f.Response == nil || f.Response.Status != 0 || !strings.Contains(f.Response.Error, gone[h2]) {
						t.Errorf("its response %+v", f.Response)
					}
				case "down.example":
					if f.Response.Body.Cut == "" || rec.body(t, f.Response.Body) != "half of an answ" {
						t.Errorf("the response's body %+v", f.Response.Body)
					}
				}
			}
			if len(rec.flows) != 2 {
				t.Errorf("%d flows", len(rec.flows))
			}
		})
	}
}

// waitUntil looks again until something holds.
func waitUntil(t testing.TB, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("waited 20 s in vain")
		}
		<-tick.C
	}
}

// An answer that comes, and ends, before its request does is recorded after it.
func TestAnAnswerNeverStandsBeforeItsRequest(t *testing.T) {
	both(t, func(t *testing.T, h2 bool) {
		r := newRig(t)
		r.origin("early.example", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex()
			if _, err := io.ReadFull(q.Body, make([]byte, 5)); err != nil {
				t.Error(err)
			}
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			_, _ = io.WriteString(w, "enough")
		}))
		body, pen := io.Pipe()
		go func() { _, _ = io.WriteString(pen, "a long upload, of which this is the beginning") }()
		resp, err := r.client(h2).Post("https://early.example/", "video/mp4", body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || string(text) != "enough" || resp.StatusCode != 413 {
			t.Errorf("the client got %d %q, %v", resp.StatusCode, text, err)
		}
		_ = resp.Body.Close()
		f, rec := r.one()
		_ = pen.Close()
		if f.RequestEvent == 0 || f.RequestEvent > f.ResponseEvent || f.Response.Status != 413 || rec.body(t, f.Response.Body) != "enough" {
			t.Errorf("events %d and %d: %+v", f.RequestEvent, f.ResponseEvent, f.Response)
		}
		if got := rec.body(t, f.Request.Body); f.Request.Body.Cut == "" || !strings.HasPrefix(got, "a lon") {
			t.Errorf("the request's body is %q, %+v", got, f.Request.Body)
		}
	})
}

// Nothing passes that could not be recorded.
func TestWithoutALogNothingPasses(t *testing.T) {
	r := newRig(t)
	r.origin("api.example", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it passed") }))
	if err := r.log.Seal(evidence.Manifest{}); err != nil {
		t.Fatal(err)
	}
	c := r.client(false)
	for _, body := range []io.Reader{http.NoBody, bytes.NewReader([]byte("x"))} {
		resp, err := c.Post("https://api.example/", "text/plain", body)
		if err != nil {
			continue // a broken connection is an answer too
		}
		if resp.StatusCode != http.StatusBadGateway {
			t.Errorf("the client got %s", resp.Status)
		}
		_ = resp.Body.Close()
	}
	select {
	case <-r.proxy.Failed():
	default:
		t.Error("the proxy does not say that it failed")
	}
	if err := r.proxy.Close(t.Context()); !errors.Is(err, evidence.ErrSealed) {
		t.Errorf("Close = %v, want why nothing was recorded", err)
	}
	r.once.Do(func() {})
}

// A request whose head has passed before there was no room for its body is recorded as
// far as it came, and nothing follows it.
func TestWhatHasPassedBeforeTheDiskIsFull(t *testing.T) {
	r := newRig(t)
	var passed atomic.Int64
	begun := make(chan struct{})
	r.plain("api.example", http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		close(begun)
		n, _ := io.Copy(io.Discard, q.Body)
		passed.Add(n)
	}))
	partial := filepath.Join(r.dir, "partial") // where blobs begin
	if err := os.RemoveAll(partial); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(partial, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := r.connect("api.example:80")
	_, _ = io.WriteString(c, "POST /?imei=1 HTTP/1.1\r\nHost: api.example\r\nContent-Length: 100000\r\n\r\n")
	<-begun
	_, _ = c.Write(make([]byte, 100000))
	_, _ = io.Copy(io.Discard, c)
	<-r.proxy.Failed()
	if err := r.proxy.Close(t.Context()); err == nil {
		t.Error("Close knows of no failure")
	}
	r.once.Do(func() {})
	text, err := os.ReadFile(filepath.Join(r.dir, "log.jsonl"))
	if err != nil || !bytes.Contains(text, []byte("http://api.example/?imei=1")) || !bytes.Contains(text, []byte("it could not be recorded")) {
		t.Errorf("the log is %v %s", err, text)
	}
	if passed.Load() > flow.MaxInline {
		t.Errorf("%d bytes passed that are not recorded", passed.Load())
	}
}
