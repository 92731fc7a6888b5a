package adb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// ErrNotRootable says that a device's adb daemon can't run as root.
var ErrNotRootable = errors.New("the device's adb daemon can't run as root")

// Root restarts the device's adb daemon as root and returns when it answers
// again. Forwards and reverses are lost on the way. The error wraps
// [ErrNotRootable] for a production build.
func (d *Device) Root(ctx context.Context) error { return d.restart(ctx, "root:", true) }

// Unroot restarts the device's adb daemon as the shell user and returns when it answers again.
func (d *Device) Unroot(ctx context.Context) error { return d.restart(ctx, "unroot:", false) }

// restartTime is how long a daemon that has said that it restarts may take to hang up.
const restartTime = 5 * time.Second

func (d *Device) restart(ctx context.Context, service string, root bool) error {
	// A stream that nothing ends but the daemon's own end: the old daemon may
	// still answer after it has said that it restarts.
	witness, err := d.open(ctx, "exec:cat")
	if err != nil && !errors.Is(err, ErrRefused) {
		return fmt.Errorf("adb %s %s: %w", strings.TrimSuffix(service, ":"), d, err)
	}
	if witness != nil {
		defer witness.Close()
	}
	text, err := d.readAll(ctx, service)
	if err != nil && !errors.Is(err, ErrDeviceGone) {
		return fmt.Errorf("adb %s %s: %w", strings.TrimSuffix(service, ":"), d, err)
	}
	said := strings.TrimSpace(string(text))
	if strings.Contains(said, "cannot run as root") || strings.Contains(said, "not supported") {
		return &statement{fmt.Sprintf("%s can't be rooted by adb (%s): use an image of the kind google_apis or default, not google_apis_playstore", d, clip(said)), []error{ErrNotRootable}}
	}
	if witness != nil && strings.HasPrefix(said, "restarting") {
		witness.SetReadDeadline(time.Now().Add(restartTime))
		if ctx.Err() == nil {
			io.Copy(io.Discard, witness.Conn)
		}
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		res, err := d.Shell(ctx, "id -u")
		if err == nil && (strings.TrimSpace(string(res.Stdout)) == "0") == root {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("adb %s %s: it said %q and did not come back as asked: %w", strings.TrimSuffix(service, ":"), d, clip(said), context.Cause(ctx))
		}
		if errors.Is(err, ErrNoDevice) && strings.Contains(d.name(), ":") {
			// A device on TCP is the server's to reconnect; asking again does no harm.
			d.adb.Connect(ctx, d.name())
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

// readAll opens a service and reads what it says until it closes.
func (d *Device) readAll(ctx context.Context, service string) ([]byte, error) {
	c, err := d.open(ctx, service)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	b, err := io.ReadAll(io.LimitReader(c.Conn, maxOutput))
	return b, c.cause(err)
}
