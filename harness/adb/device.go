package adb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Device is a handle on one device. It is safe for concurrent use.
type Device struct {
	adb        *Adb
	descriptor DeviceDescriptor

	mu       sync.Mutex
	features []string // what a device with a serial offers; nil until asked
}

// String is the device's serial, or the words that it was asked for by.
func (d *Device) String() string { return d.descriptor.String() }

// Adb is the client that the handle came from.
func (d *Device) Adb() *Adb { return d.adb }

// Serial asks the server for the device's serial.
func (d *Device) Serial(ctx context.Context) (string, error) {
	if d.descriptor.kind == withSerial {
		return d.descriptor.serial, nil
	}
	return d.attribute(ctx, "get-serialno")
}

// State asks for the device's state. A device that isn't attached is
// [StateDisconnected], one that can't be used is its state; neither is an error.
func (d *Device) State(ctx context.Context) (DeviceState, error) {
	state, err := d.attribute(ctx, "get-state")
	switch {
	case errors.Is(err, ErrNoDevice):
		return StateDisconnected, nil
	case errors.Is(err, ErrUnauthorized):
		return StateUnauthorized, nil
	case errors.Is(err, ErrOffline):
		return StateOffline, nil
	}
	return DeviceState(state), err
}

// Features returns what the device offers, such as "shell_v2", "cmd", "stat_v2".
func (d *Device) Features(ctx context.Context) ([]string, error) {
	d.mu.Lock()
	known := d.features
	d.mu.Unlock()
	if known != nil {
		return slices.Clone(known), nil
	}
	list, err := d.attribute(ctx, "features")
	if err != nil {
		return nil, fmt.Errorf("features of %s: %w", d, err)
	}
	features := strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
	if d.descriptor.kind == withSerial {
		d.mu.Lock()
		d.features = append([]string{}, features...)
		d.mu.Unlock()
	}
	return features, nil
}

func (d *Device) has(ctx context.Context, feature string) (bool, error) {
	features, err := d.Features(ctx)
	return slices.Contains(features, feature), err
}

// attribute asks one of the server's services about the device.
func (d *Device) attribute(ctx context.Context, name string) (string, error) {
	c, err := d.host(ctx, name)
	if err != nil {
		return "", err
	}
	defer c.Close()
	text, err := c.readString()
	return string(text), err
}

// host opens a service of the server that concerns the device.
func (d *Device) host(ctx context.Context, name string) (*conn, error) {
	c, err := d.adb.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.serial = d.name()
	if err := c.request(d.descriptor.hostService(name)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// open opens a service of the device itself.
func (d *Device) open(ctx context.Context, service string) (*conn, error) {
	c, err := d.adb.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.serial = d.name()
	if err := c.request(d.descriptor.transport()); err != nil {
		c.Close()
		return nil, err
	}
	c.onDevice = true
	if err := c.request(service); err != nil {
		c.Close()
		return nil, d.explain(ctx, service, err)
	}
	return c, nil
}

// explain tells a device that lacks a service from one that has gone.
func (d *Device) explain(ctx context.Context, service string, err error) error {
	if !errors.Is(err, ErrRefused) {
		return err
	}
	if !d.present(ctx) {
		return gone(d.name(), nil)
	}
	name, _, _ := strings.Cut(service, ":")
	return &statement{fmt.Sprintf("%s does not offer %q: it may be too old for it", named(d.name()), name), []error{ErrRefused}}
}

// present reports whether the device can be used now.
func (d *Device) present(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	state, err := d.State(ctx)
	return err == nil && state != StateDisconnected && state != StateOffline
}

// name is the serial where it is known, for errors.
func (d *Device) name() string {
	if d.descriptor.kind == withSerial {
		return d.descriptor.serial
	}
	return ""
}

// WaitFor returns when the device has the state: [StateOnline],
// [StateDisconnected], "recovery", "sideload" or "bootloader". It waits as long as the context lets it.
func (d *Device) WaitFor(ctx context.Context, state DeviceState) error {
	c, err := d.host(ctx, "wait-for-"+d.descriptor.transportType()+"-"+string(state))
	if err != nil {
		return fmt.Errorf("wait for %s: %w", d, err)
	}
	defer c.Close()
	// The first OKAY says that the server understood, the second that it came about.
	if err := c.status(); err != nil {
		return fmt.Errorf("wait for %s to be %q: %w", d, state, err)
	}
	return nil
}
