// Package device has the Android verbs that an audit needs: install, launch,
// tap, read the screen, plant a canary, trust a certificate, read private files.
//
// It drives a device by commands of Android's own shell, over [adb.Device]; it
// leaves no agent on it. Make one with [New]. What is changed for an audit can
// be taken back: the proxy by [Device.ClearProxy], a trusted certificate by the function
// that [Device.TrustCA] returns, plantings by [Device.Unplant].
package device

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/unasked-audit/unasked/harness/adb"
)

// ErrNotRooted says that something needs root and the device gives none.
var ErrNotRooted = errors.New("the device gives no root: use an emulator image of the kind google_apis or default, or a phone with su")

// Device is an Android device under audit. It is safe for concurrent use.
type Device struct {
	adb *adb.Device

	mu      sync.Mutex
	su      string   // how a script becomes root's, "" for none known
	proxy   *string  // what http_proxy was before SetProxy
	api     int      // 0 until asked
	cards   []card   // the contacts that were planted
	undoing []takeup // how to take plantings back, in order of planting
}

// New makes a Device of an adb device. It asks nothing of it.
func New(d *adb.Device) *Device { return &Device{adb: d} }

// ADB is the device as adb sees it.
func (d *Device) ADB() *adb.Device { return d.adb }

// String is the device's serial.
func (d *Device) String() string { return d.adb.String() }

// ErrMute says that the device took a command and never came back from it.
var ErrMute = errors.New("the device does not answer")

// patience is how long a command may take that isn't watched while it runs.
// Installing and reading files are not among them.
const patience = 2 * time.Minute

// ask runs a script and gives up with [ErrMute] when nothing comes back.
func (d *Device) ask(ctx context.Context, script string) (adb.Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrMute)
	defer cancel()
	return d.adb.Shell(ctx, script)
}

// shell runs a script and returns its stdout; another exit code than 0 is an [*adb.ExitError].
func (d *Device) shell(ctx context.Context, script string) (string, error) {
	res, err := d.ask(ctx, script)
	if err != nil {
		return "", err
	}
	return string(res.Stdout), res.Check(script)
}

// run runs a command, its arguments quoted.
func (d *Device) run(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrMute)
	defer cancel()
	return d.adb.RunCommand(ctx, args[0], args[1:]...)
}

// asRoot wraps a script so that root runs it. It fails with [ErrNotRooted] before Root has succeeded.
func (d *Device) asRoot(script string) (string, error) {
	way := d.rootWay()
	if way == "" {
		return "", ErrNotRooted
	}
	return through(way, script), nil
}

// rootWay is how a script becomes root's; "" for none known.
func (d *Device) rootWay() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.su
}

// through puts a script into a command that runs one, at the word SCRIPT.
func through(way, script string) string {
	if way == asItIs {
		return script
	}
	return strings.ReplaceAll(way, "SCRIPT", adb.Quote(script))
}

// rootShell runs a script as root.
func (d *Device) rootShell(ctx context.Context, script string) (string, error) {
	wrapped, err := d.asRoot(script)
	if err != nil {
		return "", err
	}
	return d.shell(ctx, wrapped)
}

// asItIs is the way to root where the adb daemon itself runs as root.
const asItIs = "SCRIPT"

// suWays are the ways in which su programs take a script; there is no common one.
var suWays = []string{"su -c SCRIPT", "su root sh -c SCRIPT", "su 0 sh -c SCRIPT"}

// rootTime is how long a restart of the adb daemon, or a question on the screen of a su program, may take.
const rootTime = 60 * time.Second

// Root gets root: by the adb daemon, else by a su program. Forwards and reverses
// may be lost on the way. The error wraps [ErrNotRooted] where there is no way.
func (d *Device) Root(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rootTime)
	defer cancel()
	set := func(way string) {
		d.mu.Lock()
		d.su = way
		d.mu.Unlock()
	}
	if d.isRoot(ctx, asItIs) {
		set(asItIs)
		return nil
	}
	adbErr := d.adb.Root(ctx)
	if adbErr == nil {
		set(asItIs)
		return nil
	}
	if !errors.Is(adbErr, adb.ErrNotRootable) && !errors.Is(adbErr, adb.ErrRefused) {
		return adbErr
	}
	for _, way := range suWays {
		if d.isRoot(ctx, way) {
			set(way)
			return nil
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("root %s: %w", d, context.Cause(ctx))
	}
	return fmt.Errorf("%s: %w", d, ErrNotRooted)
}

// Rooted reports whether Root has succeeded.
func (d *Device) Rooted() bool { return d.rootWay() != "" }

// isRoot tries a way. An exit code alone is no proof: some su programs end with 0 having done nothing.
func (d *Device) isRoot(ctx context.Context, way string) bool {
	word := rand.Text()
	script := "echo " + word + "-$(id -u)"
	res, err := d.ask(ctx, through(way, script))
	return err == nil && strings.Contains(string(res.Stdout), word+"-0\n")
}

// said is what a command answered, on either stream, for an error message.
func said(res adb.Result) string {
	text := strings.TrimSpace(string(res.Stderr) + "\n" + string(res.Stdout))
	if len(text) > 500 {
		text = text[:500] + "…"
	}
	return text
}
