package internet

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Recorder keeps what the origins of an internet saw. The zero value is ready
// for use, and safe for concurrent use. A nil Recorder records nothing.
type Recorder struct {
	// MaxBody is how much of a request's body is kept; 0 for 1 MiB. The digest
	// and the size are always those of the whole.
	MaxBody int

	mu       sync.Mutex
	requests []*Request
	dials    []Dialled
	changed  chan struct{} // closed and replaced at each change
}

// Request is one request as its origin received it.
type Request struct {
	At     time.Time
	Host   string // without port, in lower case
	Port   uint16
	Secure bool   // over TLS
	Proto  string // "HTTP/1.1", "HTTP/2.0"
	Method string
	URI    string // path and query
	Header http.Header
	Body   []byte // up to Recorder.MaxBody
	Size   int64
	SHA256 [32]byte
	Done   bool // the body came to its end
}

// Dialled is one connection that was asked for.
type Dialled struct {
	At      time.Time
	Address string // host:port, as it was asked for
	Err     error  // why there was none
}

// Requests returns a copy of all requests so far, oldest first.
func (r *Recorder) Requests() []Request {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Request, len(r.requests))
	for i, q := range r.requests {
		out[i] = q.clone()
	}
	return out
}

func (q *Request) clone() Request {
	c := *q
	c.Header = q.Header.Clone()
	c.Body = slices.Clone(q.Body)
	return c
}

// Dials returns a copy of all connections that were asked for, oldest first.
func (r *Recorder) Dials() []Dialled {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.dials)
}

// Wait returns the first request, past or to come, that matches. Match sees a
// request when it comes and again whenever more of its body was read.
func (r *Recorder) Wait(ctx context.Context, match func(Request) bool) (Request, error) {
	for {
		r.mu.Lock()
		changed := r.change()
		for _, q := range r.requests {
			if c := q.clone(); match(c) {
				r.mu.Unlock()
				return c, nil
			}
		}
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return Request{}, ctx.Err()
		}
	}
}

// change returns what is closed at the next change; r.mu is held.
func (r *Recorder) change() chan struct{} {
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// notify tells those who wait; r.mu is held.
func (r *Recorder) notify() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

func (r *Recorder) dialled(address string, err error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dials = append(r.dials, Dialled{At: time.Now(), Address: address, Err: err})
	r.notify()
}

// record notes a request and lets its body be noted while the origin reads it.
// finish notes what the origin left unread; it is called when the origin has answered.
func (r *Recorder) record(q *http.Request, host string, ep *endpoint) (finish func()) {
	if r == nil {
		return func() {}
	}
	rec := &Request{
		At: time.Now(), Host: host, Port: ep.port, Secure: ep.secure,
		Proto: q.Proto, Method: q.Method, URI: q.RequestURI, Header: q.Header.Clone(),
		SHA256: sha256.Sum256(nil), Done: q.ContentLength == 0,
	}
	finish = func() {}
	if !rec.Done {
		body := &recordedBody{ReadCloser: q.Body, recorder: r, request: rec, hash: sha256.New()}
		q.Body = body
		finish = func() { io.Copy(io.Discard, io.LimitReader(body, maxUnread)) }
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, rec)
	r.notify()
	return finish
}

// maxUnread bounds how much of a body is read that its origin did not want.
const maxUnread = 16 << 20

type recordedBody struct {
	io.ReadCloser
	recorder *Recorder
	request  *Request
	hash     hash.Hash
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.hash.Write(p[:n])
	b.recorder.mu.Lock()
	defer b.recorder.mu.Unlock()
	limit := b.recorder.MaxBody
	if limit == 0 {
		limit = 1 << 20
	}
	if room := limit - len(b.request.Body); room > 0 {
		b.request.Body = append(b.request.Body, p[:min(n, room)]...)
	}
	b.request.Size += int64(n)
	b.hash.Sum(b.request.SHA256[:0])
	b.request.Done = b.request.Done || err == io.EOF
	if n > 0 || err != nil {
		b.recorder.notify()
	}
	return n, err
}
