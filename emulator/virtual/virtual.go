// Package virtual is the embedded device: a simulation of an Android phone
// that the real adb program reaches, that installs real APK files, and that
// runs those whose behaviour is web assets in a real Chromium.
//
// [New] makes an [emulator.Provider]; each [Provider.Acquire] boots a device of
// its own, which listens for adb on a port of the host's loopback. Beside it
// stands a small internet of named origins, so that nothing leaves the machine.
// It is there to try an audit in a minute, to test the whole path, and to
// calibrate against a known truth. It is no Android, and says so wherever it
// is asked.
package virtual

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/emulator/virtual/apps"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/adbd"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/android"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/webview"
	"github.com/unasked-audit/unasked/emulator/virtual/internet"
)

// Options change what a Provider's devices are. The zero value is Android 14
// with the calibration apps' services around it.
type Options struct {
	// API is the Android API level where a Spec names none: 30 or 34, 0 for 34.
	API int
	// Internet is what the device's traffic goes to. It stays the caller's. For
	// nil each lease has one of its own with the services of the calibration apps.
	Internet *internet.Internet
	// Chromium is the browser that apps run in. When it is empty,
	// UNASKED_CHROMIUM names it, or else it is looked for on PATH, once an app is launched.
	Chromium string
	// Dir is where devices keep their files, each in a folder of its own that
	// Release removes; empty for the host's folder for temporary files.
	Dir string
	// Storage is how many bytes of apps a device takes; 0 for 8 GiB.
	Storage int64
}

// Provider lends embedded devices. It is safe for concurrent use.
type Provider struct {
	options Options
}

// New returns a provider. It starts nothing.
func New(o Options) *Provider { return &Provider{options: o} }

var _ emulator.Provider = (*Provider)(nil)

// Ready says what this host lacks to run apps, such as a browser, and how to get
// it. A device can be acquired all the same: apps install and are inspected.
func (p *Provider) Ready() error { return webview.Missing(p.options.Chromium) }

// Acquire boots a device and returns once adb can reach it. Release it in the
// end: it holds a port, a folder and, once an app runs, a browser.
func (p *Provider) Acquire(ctx context.Context, spec emulator.Spec) (_ emulator.Lease, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	api := spec.API
	if api == 0 {
		api = p.options.API
	}
	if _, err := android.ReleaseOf(api); err != nil {
		return nil, err
	}
	if spec.Locale != "" && strings.Trim(spec.Locale, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return nil, fmt.Errorf("the locale %q is no BCP 47 tag: give one such as en-US", spec.Locale)
	}
	l := &lease{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start the embedded device: %w", err), l.Release(context.WithoutCancel(ctx)))
		}
	}()
	if l.internet = p.options.Internet; l.internet == nil {
		if l.internet, err = internet.New(); err != nil {
			return nil, err
		}
		l.ownInternet = true
		for _, a := range apps.All() {
			if _, err := a.Serve(l.internet); err != nil {
				return nil, err
			}
		}
	}
	if l.dir, err = os.MkdirTemp(p.options.Dir, "unasked-device-"); err != nil {
		return nil, err
	}
	l.device, err = newDevice(build{api: api, locale: spec.Locale, internet: l.internet, chromium: p.options.Chromium, dir: l.dir, storage: p.options.Storage})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l.serial = listener.Addr().String()
	l.doors = newDoors(listener)
	l.device.onReboot = l.doors.closeConns
	serve, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.served = make(chan error, 1)
	go func() { l.served <- adbd.Serve(serve, l.doors, l.device) }()
	return l, nil
}
