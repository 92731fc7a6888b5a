// Package loopback is the device's own 127.0.0.1: a table of its ports and
// abstract sockets, and where on the host each leads.
//
// A port of the device's is a name in the table, not a port of the host's, so
// two devices, or a device and its host, never clash. adb reverse makes
// entries with [Table.Listen]; programs of the device are entered with
// [Table.Bind]; who runs outside the table, as a browser does, finds the
// host's address with [Table.Lookup].
package loopback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// ErrInUse is wrapped by the error for a port or name that is taken.
var ErrInUse = errors.New("address already in use")

// ErrRefused is wrapped by the error for a port or name that nothing listens on.
var ErrRefused = errors.New("connection refused")

// DialFunc makes a connection to whatever an entry stands for.
type DialFunc func(ctx context.Context) (net.Conn, error)

// Table is one device's loopback. The zero value is not ready; use [New]. It
// is safe for concurrent use.
type Table struct {
	mu      sync.Mutex
	entries map[string]*entry // by "tcp:PORT" or "localabstract:NAME"
	next    int               // the next port to hand out
}

type entry struct {
	host string // host:port, where there is a listener on the host
	dial DialFunc
}

// New makes an empty table.
func New() *Table { return &Table{entries: map[string]*entry{}, next: 37000} }

// Bind enters a service that the host reaches by dial; hostAddr is its
// address on the host for [Table.Lookup], or "". The returned function takes it away again.
func (t *Table) Bind(service, hostAddr string, dial DialFunc) (remove func(), err error) {
	name, err := canonical(service)
	if err != nil {
		return nil, err
	}
	_, remove, err = t.enter(name, &entry{host: hostAddr, dial: dial})
	return remove, err
}

// BindAddr enters a service that listens on the host's hostAddr.
func (t *Table) BindAddr(service, hostAddr string) (remove func(), err error) {
	return t.Bind(service, hostAddr, func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", hostAddr)
	})
}

// Lookup is the host's address of what listens on a port of the device's loopback.
func (t *Table) Lookup(devicePort int) (hostAddr string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries["tcp:"+strconv.Itoa(devicePort)]
	if e == nil || e.host == "" {
		return "", false
	}
	return e.host, true
}

// Dial connects to "tcp:PORT" or "localabstract:NAME" of the device's.
func (t *Table) Dial(ctx context.Context, service string) (net.Conn, error) {
	name, err := canonical(service)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	e := t.entries[name]
	t.mu.Unlock()
	if e == nil {
		return nil, fmt.Errorf("connect to %s: %w", service, ErrRefused)
	}
	conn, err := e.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", service, err)
	}
	return conn, nil
}

// Listen makes the device listen on "tcp:PORT" or "localabstract:NAME", and
// calls dial for each connection that it accepts, as adb reverse does. Port 0
// asks for any. A listener on the host's loopback stands behind it, so that
// [Table.Lookup] finds it. stop takes the entry away, ends its connections and waits for them.
func (t *Table) Listen(service string, dial DialFunc) (actual string, stop func(), err error) {
	name, err := canonical(service)
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listen on %s of the device: %w", service, err)
	}
	e := &entry{host: l.Addr().String(), dial: dial}
	actual, remove, err := t.enter(name, e)
	if err != nil {
		l.Close()
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				far, err := dial(ctx)
				if err != nil {
					return
				}
				Join(ctx, conn, far)
			})
		}
	})
	var once sync.Once
	return actual, func() {
		once.Do(func() {
			remove()
			cancel()
			l.Close()
		})
		wg.Wait()
	}, nil
}

// enter adds an entry and gives it a port where it asks for any.
func (t *Table) enter(name string, e *entry) (actual string, remove func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name == "tcp:0" {
		for name = ""; name == ""; t.next++ {
			if t.next > 65000 {
				t.next = 37000
			}
			if candidate := "tcp:" + strconv.Itoa(t.next); t.entries[candidate] == nil {
				name = candidate
			}
		}
	}
	if t.entries[name] != nil {
		return "", nil, fmt.Errorf("cannot bind to %s: %w", name, ErrInUse)
	}
	t.entries[name] = e
	return name, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.entries[name] == e {
			delete(t.entries, name)
		}
	}, nil
}

// canonical checks a socket's name.
func canonical(service string) (string, error) {
	kind, rest, _ := strings.Cut(service, ":")
	switch kind {
	case "tcp":
		host, port, found := strings.Cut(rest, ":")
		if found { // adb's tcp:PORT:HOST
			host, port = port, host
			if host != "localhost" && host != "127.0.0.1" {
				return "", fmt.Errorf("connect to %s: the device reaches only its own loopback", service)
			}
		} else {
			port = rest
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", fmt.Errorf("%q is no port: a number from 0 to 65535 is", port)
		}
		return "tcp:" + strconv.FormatUint(n, 10), nil
	case "localabstract":
		if rest == "" || strings.ContainsRune(rest, 0) {
			return "", fmt.Errorf("%q is no name of a socket", rest)
		}
		return service, nil
	}
	return "", fmt.Errorf("%q is no socket of this device: it has tcp:PORT and localabstract:NAME", service)
}

// Join copies both ways between two connections until either ends or ctx is
// done, and closes both.
func Join(ctx context.Context, a, b net.Conn) {
	stop := context.AfterFunc(ctx, func() {
		a.Close()
		b.Close()
	})
	defer stop()
	var wg sync.WaitGroup
	pipe := func(dst, src net.Conn) {
		io.Copy(dst, src)
		if half, ok := dst.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
			return
		}
		dst.Close()
	}
	wg.Go(func() { pipe(a, b) })
	pipe(b, a)
	wg.Wait()
	a.Close()
	b.Close()
}
