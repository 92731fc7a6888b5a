package device

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/evidence"
)

// simulatedProperty is what a device says that is no real Android.
const simulatedProperty = "ro.unasked.simulated"

// Info says what the device is.
func (d *Device) Info(ctx context.Context) (evidence.Device, error) {
	text, err := d.run(ctx, "getprop")
	if err != nil {
		return evidence.Device{}, fmt.Errorf("ask %s what it is: %w", d, err)
	}
	p := parseProperties(text)
	api, err := strconv.Atoi(p["ro.build.version.sdk"])
	if err != nil {
		return evidence.Device{}, fmt.Errorf("ask %s what it is: its API level is %q, which is no number: is Android running on it?", d, p["ro.build.version.sdk"])
	}
	serial, err := d.adb.Serial(ctx)
	if err != nil {
		return evidence.Device{}, fmt.Errorf("ask %s what it is: %w", d, err)
	}
	info := evidence.Device{
		Serial:      serial,
		Simulated:   p[simulatedProperty] == "1",
		Model:       p["ro.product.model"],
		Release:     p["ro.build.version.release"],
		API:         api,
		Fingerprint: p["ro.build.fingerprint"],
		Rooted:      d.Rooted() || d.isRoot(ctx, asItIs),
		Properties:  map[string]string{},
	}
	for name, value := range p {
		if telling(name) {
			info.Properties[name] = value
		}
	}
	return info, nil
}

// telling picks the properties that say under which conditions an audit ran.
// The rest is of no use to a reader, or the owner's own business.
func telling(name string) bool {
	for _, prefix := range []string{"ro.build.", "ro.product.", "ro.boot.qemu", "ro.kernel.qemu", "ro.hardware", "ro.debuggable",
		"ro.zygote", "ro.dalvik.vm.native.bridge", "ro.sf.lcd_density", "persist.sys.locale", "persist.sys.timezone", simulatedProperty} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// parseProperties reads getprop's "[name]: [value]". A value may go over several lines.
func parseProperties(text string) map[string]string {
	p := map[string]string{}
	var name, value string
	open := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if open {
			value += "\n" + line
		} else {
			var ok bool
			if name, value, ok = strings.Cut(line, "]: ["); !ok || !strings.HasPrefix(name, "[") {
				continue
			}
			name = name[1:]
		}
		if v, whole := strings.CutSuffix(value, "]"); whole {
			p[name], open = v, false
		} else {
			open = true
		}
	}
	return p
}

// Property returns a system property; "" for one that isn't set.
func (d *Device) Property(ctx context.Context, name string) (string, error) {
	text, err := d.run(ctx, "getprop", name)
	return strings.TrimRight(text, "\r\n"), err
}

// apiLevel is the device's API level, asked once.
func (d *Device) apiLevel(ctx context.Context) (int, error) {
	d.mu.Lock()
	known := d.api
	d.mu.Unlock()
	if known > 0 {
		return known, nil
	}
	text, err := d.Property(ctx, "ro.build.version.sdk")
	if err != nil {
		return 0, err
	}
	api, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("the API level of %s is %q, which is no number", d, text)
	}
	d.mu.Lock()
	d.api = api
	d.mu.Unlock()
	return api, nil
}

// WaitBooted waits until Android has started and its package manager answers.
func (d *Device) WaitBooted(ctx context.Context) error {
	ask := func() (adb.Result, error) {
		// A device that is just starting may take a question and never answer it.
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return d.ask(ctx, "getprop sys.boot_completed; getprop init.svc.bootanim; pm path android")
	}
	for {
		res, err := ask()
		if err == nil {
			f := strings.Fields(string(res.Stdout))
			if len(f) >= 3 && f[0] == "1" && f[1] == "stopped" && strings.HasPrefix(f[2], "package:") {
				return nil
			}
			err = fmt.Errorf("it says %q", said(res))
		}
		if wait(ctx, 500*time.Millisecond) != nil {
			return fmt.Errorf("wait for Android to start on %s: %w (%w)", d, context.Cause(ctx), err)
		}
	}
}

// wait lets time pass between two questions to a device.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
