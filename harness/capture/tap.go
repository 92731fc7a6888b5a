package capture

import (
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// tap keeps a body while it passes: a short one in memory, for the log, and a longer
// one in a blob.
type tap struct {
	p     *Proxy
	short []byte               // until there is a blob
	blob  *evidence.BlobWriter // nil while the body is short
	size  int64
	err   error
}

// Write implements observe.Body. An error means that the bytes could not be recorded,
// and so must not pass.
func (t *tap) Write(b []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	if t.blob == nil && len(t.short)+len(b) <= flow.MaxInline {
		t.short = append(t.short, b...)
		t.size += int64(len(b))
		return len(b), nil
	}
	if t.blob == nil {
		t.blob, t.err = t.p.o.Log.NewBlob()
		if t.err == nil && len(t.short) > 0 {
			_, t.err = t.blob.Write(t.short)
		}
		t.short = nil
	}
	if t.err == nil {
		_, t.err = t.blob.Write(b)
	}
	if t.err != nil {
		t.p.fail(t.err)
		return 0, t.err
	}
	t.size += int64(len(b))
	return len(b), nil
}

// End implements observe.Body.
func (t *tap) End(cut string) flow.Body {
	body := flow.Body{Cut: cut}
	if t.err != nil {
		body.Cut = "it could not be recorded: " + t.err.Error()
	}
	if t.blob == nil {
		if t.err == nil {
			body.Inline, body.Size = t.short, t.size
		}
		return body
	}
	d, size, err := t.blob.Commit()
	if err != nil {
		t.p.fail(err)
		body.Cut = "it could not be recorded: " + err.Error()
		return body
	}
	body.Blob, body.Size = d, size
	return body
}
