package adbd

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
)

// reverse is one socket that the device listens on for its host.
type reverse struct {
	listen, host string
	stop         func()
}

// reverse runs the service reverse:COMMAND.
func (c *conn) reverse(s *stream, command string) {
	if s.accept() != nil {
		return
	}
	reply := c.reverseCommand(command)
	io.WriteString(s, reply)
	s.flush()
}

func (c *conn) reverseCommand(command string) string {
	verb, rest, _ := strings.Cut(command, ":")
	switch verb {
	case "list-forward":
		return lengthPrefixed(c.listReverses())
	case "killforward-all":
		c.mu.Lock()
		all := c.reverses
		c.reverses = map[string]*reverse{}
		c.mu.Unlock()
		for _, r := range all {
			r.stop()
		}
		return "OKAY"
	case "killforward":
		c.mu.Lock()
		r := c.reverses[rest]
		delete(c.reverses, rest)
		c.mu.Unlock()
		if r == nil {
			return "FAIL" + lengthPrefixed(fmt.Sprintf("listener '%s' not found", rest))
		}
		r.stop()
		return "OKAY"
	case "forward":
		rest, noRebind := strings.CutPrefix(rest, "norebind:")
		listen, host, ok := strings.Cut(rest, ";")
		if !ok || listen == "" || host == "" {
			return "FAIL" + lengthPrefixed("bad forward: "+rest)
		}
		actual, err := c.addReverse(listen, host, noRebind)
		if err != nil {
			return "FAIL" + lengthPrefixed(err.Error())
		}
		if port, ok := strings.CutPrefix(actual, "tcp:"); ok && listen == "tcp:0" {
			return "OKAY" + lengthPrefixed(port)
		}
		return "OKAY"
	}
	return "FAIL" + lengthPrefixed("unknown reverse service "+verb)
}

func (c *conn) addReverse(listen, host string, noRebind bool) (actual string, err error) {
	c.mu.Lock()
	old := c.reverses[listen]
	if old != nil && !noRebind {
		delete(c.reverses, listen)
	}
	c.mu.Unlock()
	if old != nil {
		if noRebind {
			return "", fmt.Errorf("cannot rebind existing socket")
		}
		old.stop()
	}
	actual, stop, err := c.server.device.Reverse(listen, func(ctx context.Context) (net.Conn, error) { return c.dial(ctx, host) })
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	alive := c.ctx.Err() == nil
	if alive {
		c.reverses[actual] = &reverse{listen: actual, host: host, stop: stop}
	}
	c.mu.Unlock()
	if !alive {
		stop()
		return "", net.ErrClosed
	}
	return actual, nil
}

// listReverses is a line for each, as adb reverse --list prints them.
func (c *conn) listReverses() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.reverses)) {
		fmt.Fprintf(&b, "host-%d %s %s\n", c.number, c.reverses[name].listen, c.reverses[name].host)
	}
	return b.String()
}

// lengthPrefixed is a string of adb's text protocol: four hex digits of length before it.
func lengthPrefixed(text string) string {
	text = text[:min(len(text), 0xffff)]
	return fmt.Sprintf("%04x%s", len(text), text)
}
