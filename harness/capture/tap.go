package capture

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// tap writes what passes into a blob. Its methods may be called from several
// goroutines; after end, nothing more is written.
type tap struct {
	p *Proxy

	mu   sync.Mutex
	blob *evidence.BlobWriter // nil until the first byte
	size int64
	over bool
	body flow.Body // once over
	err  error
}

func (p *Proxy) newTap() *tap { return &tap{p: p} }

// errOver: somebody reads on although the flow is over.
var errOver = errors.New("the flow is over")

// write adds bytes. An error means that they could not be recorded, and so must not pass.
func (t *tap) write(b []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return errOver
	}
	if t.err == nil && t.blob == nil && len(b) > 0 {
		t.blob, t.err = t.p.o.Log.NewBlob()
	}
	if t.err == nil && len(b) > 0 {
		_, t.err = t.blob.Write(b)
	}
	if t.err != nil {
		t.p.fail(t.err)
		return t.err
	}
	t.size += int64(len(b))
	return nil
}

// end closes the blob and says what the body is. cut says why it is not whole.
// Later calls say the same as the first.
func (t *tap) end(cut string) flow.Body {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return t.body
	}
	t.over = true
	t.body = flow.Body{Cut: cut}
	if t.err != nil {
		t.body.Cut = "it could not be recorded: " + t.err.Error()
	}
	if t.blob == nil {
		return t.body
	}
	d, size, err := t.blob.Commit()
	if err != nil {
		t.p.fail(err)
		t.body.Cut = "it could not be recorded: " + err.Error()
		return t.body
	}
	t.body.Blob, t.body.Size = d, size
	return t.body
}

// tapped is a body that is recorded while it is read.
type tapped struct {
	io.ReadCloser
	tap   *tap
	whole func() bool       // the body is known to be whole with the bytes so far
	ended func(error) error // called once all is read, with nil, or reading failed
	once  sync.Once
	err   error
}

// Read implements io.Reader. The end is recorded before the last byte is handed on.
func (t *tapped) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if n > 0 {
		if failed := t.tap.write(p[:n]); failed != nil {
			return 0, failed
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		if failed := t.end(nil); failed != nil {
			return 0, failed
		}
	case err != nil:
		_ = t.end(err) // the reading's own error says more
	case t.whole():
		if failed := t.end(nil); failed != nil {
			return 0, failed
		}
	}
	return n, err
}

func (t *tapped) end(err error) error {
	t.once.Do(func() { t.err = t.ended(err) })
	return t.err
}

// whyCut says why a flow ends before its end: because the capture does, or for
// the reason given.
func (p *Proxy) whyCut(reason string) string {
	switch {
	case p.Err() != nil:
		return "it could not be recorded any further"
	case p.isCutting():
		return "the capture ended"
	}
	return reason
}

// describe is an error of a body, in words.
func (p *Proxy) describe(ctx context.Context, who string, err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), ctx.Err() != nil:
		return p.whyCut(who + " hung up")
	}
	return p.whyCut(who + " broke off: " + err.Error())
}
