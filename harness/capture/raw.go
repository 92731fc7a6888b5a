package capture

import (
	"errors"
	"io"
	"net"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/flow"
)

// raw passes bytes both ways, and keeps them, until both sides are done.
func (p *Proxy) raw(device, origin *wire, why string) {
	l := device.link
	if !p.keep(origin) {
		_ = origin.Close() // nothing was passed to it
		return
	}
	defer p.drop(origin)
	up, down := p.newTap(), p.newTap()
	done := make(chan struct{})
	p.work.Go(func() {
		defer close(done)
		if device.peeking != nil {
			<-device.peeking // its reader is somebody else's until then
		}
		pump(origin, device, up)
	})
	pump(device, origin, down)
	<-done
	c := p.connection(l, flow.NoHTTP)
	c.Detail = why
	c.Up, c.Down = up.end(p.whyCut("")), down.end(p.whyCut(""))
	c.Sent, c.Received = c.Up.Size, c.Down.Size
	_ = p.record(l.at, evidence.KindConnection, c)
}

// pump passes bytes on, into the evidence first. When the source ends, the
// destination is told so; when either fails, both are closed.
func pump(to, from *wire, t *tap) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if t.write(buf[:n]) != nil {
				break
			}
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if errors.Is(err, io.EOF) {
			if to.CloseWrite() == nil {
				return
			}
			break
		}
		if err != nil {
			break
		}
	}
	_ = errors.Join(to.Close(), from.Close()) // the other direction must not wait
}

var _ net.Conn = (*wire)(nil)
