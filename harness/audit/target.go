package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/unasked-audit/unasked/emulator"
	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/device"
)

// target is the device under audit.
type target struct {
	lease emulator.Lease
	dev   *device.Device
}

// acquire leases a device, connects to it and asks what it is.
func (r *run) acquire(ctx context.Context) error {
	lease, err := r.Provider.Acquire(ctx, r.Spec)
	if err != nil {
		return err
	}
	r.lease = lease
	r.undo.push("release the device", lease.Release)
	if at := lease.ConnectTo(); at != "" {
		if err := r.Adb.Connect(ctx, at); err != nil {
			return err
		}
		r.undo.push("disconnect adb from "+at, func(ctx context.Context) error { return r.Adb.Disconnect(ctx, at) })
	}
	// A device that is not there, offline or unauthorized says so at the first question.
	r.dev = device.New(r.Adb.Device(adb.DeviceWithSerial(lease.Serial())))
	if r.device, err = r.dev.Info(ctx); err != nil {
		return err
	}
	r.device.Simulated = lease.Simulated()
	free, err := r.dev.Claim(ctx, "unasked-"+strconv.Itoa(os.Getpid()))
	if err != nil {
		return err
	}
	r.undo.push("free the device for other audits", free)
	uid, err := r.dev.UID(ctx, r.app.Package)
	switch {
	case err == nil:
		return fmt.Errorf("%s is installed on %s already (uid %d); an audit begins with an app that is not there. Remove it with: adb -s %s uninstall %s",
			r.app.Package, lease.Serial(), uid, lease.Serial(), r.app.Package)
	case !errors.Is(err, device.ErrNotInstalled):
		return err
	}
	return nil
}

// gone reports whether an error means that the device can't be reached any more.
func (r *run) gone(err error) bool {
	return errors.Is(err, adb.ErrDeviceGone) || errors.Is(err, adb.ErrOffline) || errors.Is(err, adb.ErrNoDevice) || errors.Is(err, device.ErrMute)
}
