package adb

import (
	"context"
	"fmt"
	"strings"
)

// ForwardSpec is one end of a forwarding, such as "tcp:8080" or
// "localabstract:webview_devtools_remote_4711". "tcp:0" lets the listening side choose a port.
type ForwardSpec = string

// Forwarding is a port that leads from one side to the other.
type Forwarding struct {
	Serial string      // of the device; empty or a name of the connection for a reverse
	Local  ForwardSpec // where it listens: this machine for a forward, the device for a reverse
	Remote ForwardSpec // where it leads
}

// Forward makes connections to local, on the adb server's machine, lead to
// remote on the device. It returns the port that was chosen for "tcp:0", else
// the one that was asked for, else "".
func (d *Device) Forward(ctx context.Context, local, remote ForwardSpec) (port string, err error) {
	c, err := d.host(ctx, "forward:"+local+";"+remote)
	if err == nil {
		defer c.Close()
		port, err = resolvedPort(c, local)
	}
	if err != nil {
		return "", fmt.Errorf("forward %s to %s of %s: %w", local, remote, d, err)
	}
	return port, nil
}

// Reverse makes connections to remote, on the device, lead to local on the adb
// server's machine. The port is as with [Device.Forward]. A reverse is lost when the
// device's adb daemon restarts.
func (d *Device) Reverse(ctx context.Context, remote, local ForwardSpec) (port string, err error) {
	c, err := d.open(ctx, "reverse:forward:"+remote+";"+local)
	if err == nil {
		defer c.Close()
		port, err = resolvedPort(c, remote)
	}
	if err != nil {
		return "", fmt.Errorf("reverse %s of %s to %s: %w", remote, d, local, err)
	}
	return port, nil
}

// resolvedPort reads the status of a forwarding, and the port where one is told.
func resolvedPort(c *conn, spec ForwardSpec) (string, error) {
	if err := c.status(); err != nil {
		return "", err
	}
	asked, isTCP := strings.CutPrefix(spec, "tcp:")
	if !isTCP {
		return "", nil
	}
	told, err := c.optionalString()
	if err != nil || len(told) > 0 {
		return string(told), err
	}
	if asked == "0" {
		return "", fmt.Errorf("no port was told for %s", spec)
	}
	return asked, nil
}

// ListForwards returns the forwards of this device.
func (d *Device) ListForwards(ctx context.Context) ([]Forwarding, error) {
	serial, err := d.Serial(ctx)
	if err != nil {
		return nil, fmt.Errorf("list forwards of %s: %w", d, err)
	}
	text, err := d.attribute(ctx, "list-forward")
	if err != nil {
		return nil, fmt.Errorf("list forwards of %s: %w", d, err)
	}
	// The server lists those of every device.
	var own []Forwarding
	for _, f := range parseForwardings(text) {
		if f.Serial == serial {
			own = append(own, f)
		}
	}
	return own, nil
}

// RemoveForward takes a forward back; local is where it listens.
func (d *Device) RemoveForward(ctx context.Context, local ForwardSpec) error {
	c, err := d.host(ctx, "killforward:"+local)
	if err == nil {
		defer c.Close()
		err = c.status()
	}
	if err != nil {
		return fmt.Errorf("remove forward %s of %s: %w", local, d, err)
	}
	return nil
}

// ListReverses returns the reverses of this device.
func (d *Device) ListReverses(ctx context.Context) ([]Forwarding, error) {
	c, err := d.open(ctx, "reverse:list-forward")
	if err != nil {
		return nil, fmt.Errorf("list reverses of %s: %w", d, err)
	}
	defer c.Close()
	text, err := c.optionalString()
	if err != nil {
		return nil, fmt.Errorf("list reverses of %s: %w", d, err)
	}
	return parseForwardings(string(text)), nil
}

// RemoveReverse takes a reverse back; remote is where it listens on the device.
func (d *Device) RemoveReverse(ctx context.Context, remote ForwardSpec) error {
	c, err := d.open(ctx, "reverse:killforward:"+remote)
	if err == nil {
		defer c.Close()
		err = c.status()
	}
	if err != nil {
		return fmt.Errorf("remove reverse %s of %s: %w", remote, d, err)
	}
	return nil
}

func parseForwardings(text string) []Forwarding {
	var list []Forwarding
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 3 {
			list = append(list, Forwarding{Serial: f[0], Local: f[1], Remote: f[2]})
		}
	}
	return list
}
