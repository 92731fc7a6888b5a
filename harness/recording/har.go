package recording

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/har"
)

// HAR imports an HTTP archive. What of it could not be read is in the notes.
func HAR(ctx context.Context, in io.Reader, o Options) (*Recording, error) {
	im, err := begin(o, in)
	if err != nil {
		return nil, err
	}
	r := har.NewReader(im.read)
	for e, err := range r.Entries(ctx) {
		if err == nil {
			err = im.entry(e)
		} else {
			err = fmt.Errorf("%s: %w", o.Name, err)
		}
		if err != nil {
			return nil, errors.Join(err, im.close())
		}
	}
	for _, n := range r.Notes() {
		im.notes = append(im.notes, Note{What: n.String(), Hides: n.Lost != har.LostNothing})
	}
	return im.end(r.Creator())
}

// entry appends the events of one entry.
func (im *importer) entry(e *har.Entry) error {
	im.entries++
	id := idOf(e.Index)
	if e.Connection != nil {
		return im.connection(e)
	}
	if im.began.IsZero() {
		im.began = e.Request.Started
	}
	var err error
	q := e.Request
	q.Flow = id
	if q.Body, err = im.body(e.RequestBody, q.Body.Cut); err != nil {
		return err
	}
	if err := im.add(evidence.KindRequest, q.Started, q); err != nil {
		return err
	}
	if e.Response != nil {
		p := *e.Response
		p.Flow = id
		if p.Body, err = im.body(e.ResponseBody, p.Body.Cut); err != nil {
			return err
		}
		if err := im.add(evidence.KindResponse, p.Ended, p); err != nil {
			return err
		}
	}
	for i := range e.Messages {
		m := e.Messages[i].Message
		m.Flow = id
		if m.Body, err = im.body(e.Messages[i].Data, m.Body.Cut); err != nil {
			return err
		}
		if err := im.add(evidence.KindMessage, m.At, m); err != nil {
			return err
		}
	}
	return nil
}

// connection appends a connection without readable HTTP.
func (im *importer) connection(e *har.Entry) error {
	var err error
	c := *e.Connection
	c.Flow = idOf(e.Index)
	if e.Of >= 0 {
		c.Flow = idOf(e.Of)
	}
	if c.Up, err = im.body(e.Up, c.Up.Cut); err != nil {
		return err
	}
	if c.Down, err = im.body(e.Down, c.Down.Cut); err != nil {
		return err
	}
	return im.add(evidence.KindConnection, c.Ended, c)
}
