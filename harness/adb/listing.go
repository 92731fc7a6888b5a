package adb

import (
	"context"
	"strings"
)

// DeviceState is a device's state in the server's words.
type DeviceState string

// The states that a caller decides on; the server knows more, such as "recovery" and "sideload".
const (
	StateOnline       DeviceState = "device"
	StateOffline      DeviceState = "offline"
	StateUnauthorized DeviceState = "unauthorized"
	StateDisconnected DeviceState = "disconnect" // not attached
)

// DeviceInfo is one line of `adb devices -l`.
type DeviceInfo struct {
	Serial      string
	State       DeviceState
	Product     string // ro.product.name
	Model       string // ro.product.model, spaces as underscores
	DeviceInfo  string // ro.product.device
	Usb         string // the bus, for a device on USB
	TransportID string
}

// IsUsb reports whether the device is attached by USB.
func (d *DeviceInfo) IsUsb() bool { return d.Usb != "" }

// ListDevices returns every device that the server knows, whatever its state.
func (a *Adb) ListDevices(ctx context.Context) ([]*DeviceInfo, error) {
	reply, err := a.query(ctx, "host:devices-l")
	if err != nil {
		return nil, err
	}
	return parseDevices(string(reply)), nil
}

// ListDeviceSerials returns the serials of every device that the server knows.
func (a *Adb) ListDeviceSerials(ctx context.Context) ([]string, error) {
	devices, err := a.ListDevices(ctx)
	if err != nil {
		return nil, err
	}
	serials := make([]string, len(devices))
	for i, d := range devices {
		serials[i] = d.Serial
	}
	return serials, nil
}

// parseDevices reads the lines of host:devices and host:devices-l. A serial is
// padded with spaces in the long form and followed by a tab in the short one; the
// state may be of several words ("no permissions (user …)").
func parseDevices(text string) []*DeviceInfo {
	var devices []*DeviceInfo
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		serial, rest, ok := strings.Cut(line, "\t")
		if !ok {
			serial, rest, ok = strings.Cut(line, " ")
		}
		if !ok || serial == "" {
			continue
		}
		d := &DeviceInfo{Serial: serial}
		var state []string
		for _, word := range strings.Fields(rest) {
			key, value, pair := strings.Cut(word, ":")
			switch {
			case pair && key == "product":
				d.Product = value
			case pair && key == "model":
				d.Model = value
			case pair && key == "device":
				d.DeviceInfo = value
			case pair && key == "usb":
				d.Usb = value
			case pair && key == "transport_id":
				d.TransportID = value
			case d.Product == "" && d.TransportID == "":
				state = append(state, word)
			}
		}
		d.State = DeviceState(strings.Join(state, " "))
		devices = append(devices, d)
	}
	return devices
}
