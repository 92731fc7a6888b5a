package recording

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
	"github.com/unasked-audit/unasked/harness/tshark"
)

// Packets imports a packet capture, pcapng or pcap, through tshark: HTTP/1 and HTTP/2,
// in the clear or under TLS whose secrets are in the capture or in o.Keys, and what
// upgraded from them. What can't be read is a connection with the reason. Requests are
// counted as entries, one connection after the other. A request has the time at which
// its connection began, for nothing says when within it.
func Packets(ctx context.Context, in io.Reader, o Options) (*Recording, error) {
	if o.Keys != "" {
		if info, err := os.Stat(o.Keys); err != nil || info.IsDir() {
			return nil, fmt.Errorf("the TLS secrets: %w", cmp.Or(err, fmt.Errorf("%s is a folder", o.Keys)))
		}
	}
	im, err := begin(o, in)
	if err != nil {
		return nil, err
	}
	err = im.capture(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", o.Name, err), im.close())
	}
	return im.end("")
}

// capture reads the whole capture. The program reads it more than once, so it must be a file.
func (im *importer) capture(ctx context.Context) (err error) {
	file, err := os.CreateTemp("", "unasked-scan-*.pcapng")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	if _, err := io.Copy(file, im.read); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	c, err := tshark.Open(ctx, file.Name(), im.options.Keys)
	if err != nil {
		return err
	}
	for s, err := range c.Follow(ctx) {
		if err == nil {
			err = im.stream(s)
		}
		if err != nil {
			return err
		}
	}
	return im.others(c)
}

// others appends what is no TCP.
func (im *importer) others(c *tshark.Capture) error {
	for _, q := range c.Queries {
		if err := im.add(evidence.KindQuery, q.At, flow.Query{At: q.At, Name: q.Name, Type: q.Type, Via: "udp", Client: q.Client}); err != nil {
			return err
		}
	}
	var packets, bytes int64
	for _, d := range c.Datagrams {
		if !d.QUIC {
			packets++
			bytes += d.Sent
			continue
		}
		err := im.opaque(flow.Connection{
			Started: d.Started, Ended: d.Ended, Reason: flow.QUIC, Detail: "HTTP/3 is not read from captures", Sent: d.Sent, Received: d.Received,
		}, d.Server)
		if err != nil {
			return err
		}
	}
	if packets > 0 && bytes > 0 {
		im.notes = append(im.notes, Note{Hides: true, What: fmt.Sprintf("UDP between %d pairs of ends, %d bytes sent, is of no protocol that is read.", packets, bytes)})
	}
	return nil
}

// next is the flow that the next entry is.
func (im *importer) next() flow.ID {
	im.entries++
	return idOf(im.entries - 1)
}

// opaque appends a connection that can't be read.
func (im *importer) opaque(c flow.Connection, server string) error {
	host, port, err := net.SplitHostPort(server)
	if err == nil {
		c.Host = cmp.Or(c.Host, host)
		c.Port, _ = strconv.Atoi(port)
	}
	c.Flow, c.Server = im.next(), server
	return im.add(evidence.KindConnection, c.Ended, c)
}

// stream appends what one connection carried.
func (im *importer) stream(s *tshark.Stream) error {
	if s.Sent+s.Received == 0 {
		return nil // a connection that nothing was said on
	}
	if im.began.IsZero() {
		im.began = s.Started
	}
	if !s.Clear {
		why := "its TLS secrets are neither in the capture nor in the key log"
		if !s.TLS {
			why = "its bytes could not be put together"
		}
		return im.opaque(flow.Connection{Started: s.Started, Ended: s.Ended, SNI: s.SNI, Host: s.SNI, Reason: flow.Broken, Detail: why, Sent: s.Sent, Received: s.Received}, s.Server)
	}
	l := &line{importer: im, s: s, scheme: "http", host: s.Server}
	if s.TLS {
		l.scheme, l.host = "https", cmp.Or(s.SNI, s.Server)
	}
	if s.Cut {
		im.notes = append(im.notes, Note{Hides: true, What: fmt.Sprintf("The connection from %s to %s carried more than is read of one; its end was left out.", s.Client, s.Server)})
	}
	switch {
	case bytes.HasPrefix(s.Up, []byte(preface)):
		return l.http2()
	case isRequest(s.Up):
		return l.http1(s.Up, s.Down)
	}
	return l.raw(flow.NoHTTP, "", s.Up, s.Down)
}

// line is a connection while it is read.
type line struct {
	*importer
	s            *tshark.Stream
	scheme, host string
}

// tls says how the connection was protected; nil for not at all.
func (l *line) tls() *flow.TLS {
	if !l.s.TLS {
		return nil
	}
	return &flow.TLS{SNI: l.s.SNI}
}

// raw appends bytes that are no HTTP; id is the flow that went over to them, "" for none.
func (l *line) raw(reason string, id flow.ID, up, down []byte) error {
	if id == "" {
		id = l.next()
	}
	c := flow.Connection{
		Flow: id, Started: l.s.Started, Ended: l.s.Ended, SNI: l.s.SNI, Server: l.s.Server, Reason: reason, Sent: int64(len(up)), Received: int64(len(down)),
	}
	if _, port, err := net.SplitHostPort(l.s.Server); err == nil {
		c.Port, _ = strconv.Atoi(port)
	}
	c.Host = l.host
	if host, _, err := net.SplitHostPort(l.host); err == nil {
		c.Host = host
	}
	var err error
	if c.Up, err = l.body(up, ""); err != nil {
		return err
	}
	if c.Down, err = l.body(down, ""); err != nil {
		return err
	}
	return l.add(evidence.KindConnection, l.s.Ended, c)
}

// exchange is one request with its response, as it was on the wire.
type exchange struct {
	request  flow.Request
	response flow.Response
	sent     []byte
	received []byte
	answered bool
}

// put appends an exchange and says which flow it is.
func (l *line) put(x *exchange) (flow.ID, error) {
	var err error
	id := l.next()
	q, p := &x.request, &x.response
	q.Flow, q.Started, q.Client, q.TLS = id, l.s.Started, l.s.Client, l.tls()
	if q.Body, err = l.body(x.sent, q.Body.Cut); err != nil {
		return id, err
	}
	if err := l.add(evidence.KindRequest, q.Started, *q); err != nil || !x.answered {
		return id, err
	}
	p.Flow, p.Started, p.Ended, p.Server, p.TLS = id, l.s.Started, later(l.s.Started, l.s.Ended), l.s.Server, l.tls()
	if p.Body, err = l.body(x.received, p.Body.Cut); err != nil {
		return id, err
	}
	return id, l.add(evidence.KindResponse, p.Ended, *p)
}

func later(a, b time.Time) time.Time {
	if b.Before(a) {
		return a
	}
	return b
}
