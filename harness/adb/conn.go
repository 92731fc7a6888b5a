package adb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// conn is one connection to the server. It fails as soon as its context ends.
type conn struct {
	net.Conn
	ctx      context.Context
	stop     func() bool
	serial   string // of the device that is meant, for errors; may be empty
	onDevice bool   // what is read and written is the device's, no longer the server's
}

// longAgo is a deadline that ends every read and write at once.
var longAgo = time.Unix(1, 0)

func newConn(ctx context.Context, nc net.Conn) *conn {
	c := &conn{Conn: nc, ctx: ctx}
	c.stop = context.AfterFunc(ctx, func() { nc.SetDeadline(longAgo) })
	return c
}

// Close ends the connection and the watch on its context.
func (c *conn) Close() error {
	c.stop()
	return c.Conn.Close()
}

// cause gives a failed read or write its reason: the context's end, or the device's.
func (c *conn) cause(err error) error {
	if err == nil {
		return nil
	}
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	if c.onDevice {
		return gone(c.serial, err)
	}
	return fmt.Errorf("%w: %w", errServerClosed, err)
}

// request asks for a service and reads the server's OKAY.
func (c *conn) request(service string) error {
	if len(service) > 0xffff {
		return fmt.Errorf("request of %d bytes to adb is longer than its protocol allows (65535)", len(service))
	}
	if _, err := fmt.Fprintf(c.Conn, "%04x%s", len(service), service); err != nil {
		return c.cause(err)
	}
	return c.status()
}

// status reads OKAY, or FAIL with its reason.
func (c *conn) status() error {
	var word [4]byte
	if _, err := io.ReadFull(c.Conn, word[:]); err != nil {
		return c.cause(err)
	}
	switch string(word[:]) {
	case "OKAY":
		return nil
	case "FAIL":
		text, err := c.readString()
		if err != nil {
			return err
		}
		return failure(c.serial, string(text))
	}
	return fmt.Errorf("adb server at %s answered %q where its protocol has OKAY or FAIL: is something else listening there?", c.RemoteAddr(), word[:])
}

// readString reads four hexadecimal digits and that many bytes.
func (c *conn) readString() ([]byte, error) {
	var digits [4]byte
	if _, err := io.ReadFull(c.Conn, digits[:]); err != nil {
		return nil, c.cause(err)
	}
	return c.readSized(digits)
}

func (c *conn) readSized(digits [4]byte) ([]byte, error) {
	n, err := strconv.ParseUint(string(digits[:]), 16, 16)
	if err != nil {
		return nil, fmt.Errorf("adb server gave %q for a length, which is no hexadecimal number", digits[:])
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.Conn, b); err != nil {
		return nil, c.cause(err)
	}
	return b, nil
}

// optionalString reads a length-prefixed string, or nothing where the stream ends first.
func (c *conn) optionalString() ([]byte, error) {
	var digits [4]byte
	if _, err := io.ReadFull(c.Conn, digits[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, c.cause(err)
	}
	return c.readSized(digits)
}

// clip shortens what a device or server said, for an error message.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
