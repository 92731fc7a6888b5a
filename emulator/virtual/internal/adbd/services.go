package adbd

import (
	"context"
	"io"
	"net"
	"strings"
	"time"
)

// open runs the service that a stream was opened for. The stream is closed
// when it returns; one that was not accepted before is refused by that.
func (c *conn) open(s *stream, service string) {
	d := c.server.device
	name, rest, _ := strings.Cut(service, ":")
	kind, _, _ := strings.Cut(name, ",")
	switch kind {
	case "shell":
		c.shell(s, name, rest)
	case "exec":
		c.rawShell(s, rest, false)
	case "sync":
		if s.accept() == nil {
			c.sync(s)
		}
	case "tcp", "localabstract", "localreserved", "localfilesystem", "dev", "jdwp":
		c.connectSocket(s, service)
	case "reverse":
		c.reverse(s, rest)
	case "root", "unroot":
		message, restart := d.Root(kind == "root")
		c.say(s, message)
		if restart {
			c.hangUp(s)
		}
	case "remount":
		c.say(s, d.Remount())
	case "reboot":
		if s.accept() != nil {
			return
		}
		if err := d.Reboot(c.ctx, rest); err != nil {
			io.WriteString(s, err.Error()+"\n")
			s.flush()
			return
		}
		c.hangUp(s)
	}
}

// say accepts a stream, and writes a message on it.
func (c *conn) say(s *stream, message string) {
	if s.accept() != nil {
		return
	}
	if !strings.HasSuffix(message, "\n") {
		message += "\n"
	}
	io.WriteString(s, message)
	s.flush()
}

// hangUpPatience is how long a peer may take to see its stream closed before
// the connection is dropped under it.
const hangUpPatience = 500 * time.Millisecond

// hangUp closes a stream, gives the peer time to see it, and drops every connection.
func (c *conn) hangUp(s *stream) {
	peer := s.peer()
	c.send(packet{command: cmdClose, arg0: s.local, arg1: peer})
	timer := time.NewTimer(hangUpPatience)
	defer timer.Stop()
	select {
	case <-s.ctx.Done(): // the peer's own CLSE
	case <-timer.C:
	}
	c.server.restart()
}

// connectSocket joins a stream to a socket of the device's.
func (c *conn) connectSocket(s *stream, service string) {
	far, err := c.server.device.Dial(c.ctx, service)
	if err != nil {
		return
	}
	if s.accept() != nil {
		far.Close()
		return
	}
	join(s.ctx, s, far)
}

// join copies both ways between a stream and a socket until either ends. What
// the socket sent before is delivered.
func join(ctx context.Context, s *stream, far net.Conn) {
	stop := context.AfterFunc(ctx, func() { far.Close() })
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(far, s)
		far.Close()
	}()
	io.Copy(s, far)
	s.flush()
	s.Close()
	far.Close()
	<-done
}
