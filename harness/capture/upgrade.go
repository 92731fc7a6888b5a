package capture

import (
	"io"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// upgraded is a connection that has left HTTP behind. Its bytes are kept as they
// pass, and not read.
type upgraded struct {
	io.ReadWriteCloser
	up, down *tap
}

// upgraded puts itself around the connection to an origin.
func (x *exchange) upgraded(body io.ReadCloser) io.ReadCloser {
	conn, ok := body.(io.ReadWriteCloser)
	if !ok {
		return body // the reverse proxy refuses it
	}
	x.land()
	u := &upgraded{conn, x.p.newTap(), x.p.newTap()}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.upgrade = u
	return u
}

// Read implements io.Reader: what comes from the origin.
func (u *upgraded) Read(p []byte) (int, error) {
	n, err := u.ReadWriteCloser.Read(p)
	if n > 0 {
		if failed := u.down.write(p[:n]); failed != nil {
			return 0, failed
		}
	}
	return n, err
}

// Write implements io.Writer: what goes to the origin.
func (u *upgraded) Write(p []byte) (int, error) {
	if err := u.up.write(p); err != nil {
		return 0, err
	}
	return u.ReadWriteCloser.Write(p)
}

// finish records the connection.
func (u *upgraded) finish(x *exchange) {
	c := x.connection(flow.Upgraded, "the connection went over to "+x.in.Header.Get("Upgrade")+", which is kept and not read")
	c.Up, c.Down = u.up.end(x.p.whyCut("")), u.down.end(x.p.whyCut(""))
	c.Sent, c.Received = c.Up.Size, c.Down.Size
	_ = x.p.record(x.at, evidence.KindConnection, c)
}
