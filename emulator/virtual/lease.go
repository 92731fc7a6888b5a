package virtual

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

// lease is one embedded device, lent out.
type lease struct {
	serial      string
	dir         string
	internet    *internet.Internet
	ownInternet bool
	device      *device
	doors       *doors
	stop        context.CancelFunc // ends the daemon
	served      chan error         // gets what the daemon ended with

	once     sync.Once
	released error
}

// Serial implements emulator.Lease.
func (l *lease) Serial() string { return l.serial }

// ConnectTo implements emulator.Lease.
func (l *lease) ConnectTo() string { return l.serial }

// Simulated implements emulator.Lease: it is.
func (l *lease) Simulated() bool { return true }

// Network implements emulator.Lease.
func (l *lease) Network() emulator.Network {
	return emulator.Network{Dial: l.internet.Dial, Roots: l.internet.Roots()}
}

// Reset implements emulator.Lease: every app is stopped, and the device is as
// it was when it was acquired, its identifiers and its adb port included. What
// adb reverse set up is gone, root is off, and the services on the internet
// keep what they know.
func (l *lease) Reset(ctx context.Context) error {
	if err := l.device.reset(ctx); err != nil {
		return fmt.Errorf("reset the embedded device %s: %w", l.serial, err)
	}
	return nil
}

// Release implements emulator.Lease.
func (l *lease) Release(ctx context.Context) error {
	l.once.Do(func() { l.released = l.release(ctx) })
	return l.released
}

func (l *lease) release(ctx context.Context) error {
	var errs []error
	if l.device != nil {
		errs = append(errs, l.device.close(ctx))
	}
	if l.stop != nil {
		l.stop()
		errs = append(errs, l.doors.Close())
		l.doors.closeConns()
		if err := <-l.served; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if l.ownInternet && l.internet != nil {
		errs = append(errs, l.internet.Close())
	}
	if l.dir != "" {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("release the embedded device %s: %w", l.serial, err)
	}
	return nil
}

// doors is a listener that remembers who came in, so that all can be sent away
// when the device restarts.
type doors struct {
	net.Listener

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newDoors(l net.Listener) *doors { return &doors{Listener: l, conns: map[net.Conn]bool{}} }

// Accept implements net.Listener.
func (d *doors) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	v := &visitor{Conn: c, doors: d}
	d.conns[v] = true
	return v, nil
}

// Close implements net.Listener; a second call does nothing.
func (d *doors) Close() error {
	if err := d.Listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// closeConns ends every connection that is open.
func (d *doors) closeConns() {
	d.mu.Lock()
	var list []net.Conn
	for c := range d.conns {
		list = append(list, c)
	}
	d.mu.Unlock()
	for _, c := range list {
		_ = c.Close() // the one behind it may have gone already
	}
}

// visitor is a connection that signs out when it ends.
type visitor struct {
	net.Conn
	doors *doors
}

func (v *visitor) Close() error {
	v.doors.mu.Lock()
	delete(v.doors.conns, v)
	v.doors.mu.Unlock()
	return v.Conn.Close()
}
