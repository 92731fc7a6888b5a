package audit

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/unasked-audit/unasked/harness/canary"
	"github.com/unasked-audit/unasked/harness/capture"
	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/harness/judge"
)

// closeDeadline is how long the proxy may wait for requests in flight.
const closeDeadline = 3 * time.Second

// prepare makes the device ready: root where it can be had, the proxy with its
// authority, and the canaries that need no app.
func (r *run) prepare(ctx context.Context) error {
	if err := r.becomeRoot(ctx); err != nil {
		return err
	}
	if err := r.intercept(ctx); err != nil {
		return err
	}
	r.undo.push("remove what was planted", r.dev.Unplant)
	for _, c := range r.identity.Canaries {
		if c.Kind == canary.SSAID {
			continue // an app has one of its own, once it is installed
		}
		if err := r.plant(ctx, c); err != nil {
			return err
		}
	}
	if !r.Protocol.Experiment() {
		return nil
	}
	return r.prepareArms(ctx)
}

// becomeRoot tries; without root the audit goes on and says what it can't see.
func (r *run) becomeRoot(ctx context.Context) error {
	err := r.act("root", r.lease.Serial(), func() error { return r.dev.Root(ctx) })
	if err == nil {
		r.device.Rooted = true
		return nil
	}
	if ctx.Err() != nil || r.gone(err) {
		return err
	}
	return r.blind(fmt.Sprintf("The device gives no root (%v): the app's private files can hardly be read, and its traffic can be read only if it trusts certificates that a user added.", err),
		"Use an emulator image without Play Store, which can be rooted.",
		judge.QuestionDeviceAccount)
}

// intercept starts the proxy and leads the device's traffic through it.
func (r *run) intercept(ctx context.Context) error {
	ca, err := capture.NewCA("unasked audit")
	if err != nil {
		return err
	}
	proxy, err := capture.Start(ctx, capture.Options{
		Log: r.log, CA: ca, Network: r.lease.Network(), PassAfter: int(r.Protocol.LetThroughAfter), Packets: true,
	})
	if err != nil {
		return err
	}
	r.proxy = proxy
	r.undo.push("stop the proxy", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, closeDeadline)
		defer cancel()
		return proxy.Close(ctx)
	})
	err = r.act("trust-ca", ca.SubjectHashOld()+".0", func() error {
		undo, err := r.dev.TrustCA(ctx, ca.PEM(), ca.SubjectHashOld())
		if undo != nil {
			r.undo.push("remove the audit's certificate authority", undo)
		}
		return err
	})
	if err != nil {
		if ctx.Err() != nil || r.gone(err) {
			return err
		}
		if err := r.blind(fmt.Sprintf("The device does not trust the audit's certificate authority (%v): encrypted traffic can't be read.", err),
			"Use a device that can be rooted."); err != nil {
			return err
		}
	}
	return r.leadThrough(ctx, proxy.Addr())
}

// leadThrough makes the device send its traffic to an address of this host, by
// way of a port of its own that adb carries here.
func (r *run) leadThrough(ctx context.Context, hostport string) error {
	_, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return fmt.Errorf("the proxy's address: %w", err)
	}
	here := "tcp:" + port
	if _, err := r.dev.ADB().Reverse(ctx, here, here); err != nil {
		return err
	}
	r.undo.push("end adb's reverse of port "+port, func(ctx context.Context) error {
		return r.dev.ADB().RemoveReverse(ctx, here)
	})
	// The setting is taken back even where setting it failed half-way.
	r.undo.push("take the proxy setting back", r.dev.ClearProxy)
	onDevice := net.JoinHostPort("127.0.0.1", port)
	return r.act("set-proxy", onDevice+" on the device, through adb reverse", func() error {
		return r.dev.SetProxy(ctx, onDevice)
	})
}

// plant puts one canary on the device. What the device refuses is recorded.
func (r *run) plant(ctx context.Context, c canary.Canary) error {
	planting := r.dev.Plant(ctx, c, r.app.Package)
	if err := ctx.Err(); err != nil {
		return err
	}
	if !planting.OK {
		r.arms.refuse(c.Kind, planting.Error)
	}
	return r.record(evidence.KindPlanting, planting)
}
