package virtual

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"sync"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/adbd"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// device is what adb reaches: a machine that can be exchanged for a new one
// under the same port.
type device struct {
	build    build
	onReboot func() // drops adb's connections

	mu       sync.Mutex
	machine  *machine
	root     bool
	reverses map[int]func() // what stops each
	next     int
}

var _ adbd.Device = (*device)(nil)

func newDevice(b build) (*device, error) {
	if _, err := rand.Read(b.seed[:]); err != nil {
		return nil, err
	}
	m, err := newMachine(b)
	if err != nil {
		return nil, err
	}
	d := &device{build: b, machine: m, reverses: map[int]func(){}}
	d.equip(m)
	return d, nil
}

// equip registers the commands that act on the device as a whole.
func (d *device) equip(m *machine) {
	m.shell.Register("reboot", func(ctx context.Context, c *shell.Call) int {
		target := ""
		if len(c.Args) > 1 {
			target = c.Args[1]
		}
		if err := d.Reboot(ctx, target); err != nil {
			return c.Errorf("%v", err)
		}
		if d.onReboot != nil {
			d.onReboot()
		}
		return 0
	})
}

// now is the machine of the moment.
func (d *device) now() *machine {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.machine
}

// reset exchanges the machine for one that has just booted.
func (d *device) reset(ctx context.Context) error {
	fresh, err := newMachine(d.build)
	if err != nil {
		return err
	}
	d.equip(fresh)
	d.stopReverses()
	d.mu.Lock()
	old := d.machine
	d.machine, d.root = fresh, false
	d.mu.Unlock()
	return old.close(ctx)
}

// close ends the device.
func (d *device) close(ctx context.Context) error {
	d.stopReverses()
	return d.now().close(ctx)
}

func (d *device) stopReverses() {
	d.mu.Lock()
	var list []func()
	for _, stop := range d.reverses {
		list = append(list, stop)
	}
	clear(d.reverses)
	d.mu.Unlock()
	for _, stop := range list {
		stop()
	}
}

// Banner implements adbd.Device.
func (d *device) Banner() string {
	s := d.now().system
	return adbd.Banner(s.Property("ro.product.name"), s.Property("ro.product.model"), s.Property("ro.product.device"))
}

// UID implements adbd.Device.
func (d *device) UID() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root {
		return rootfs.Root
	}
	return rootfs.Shell
}

// Shell implements adbd.Device.
func (d *device) Shell(ctx context.Context, s shell.Session, script string) int {
	return d.now().shell.Run(ctx, s, script)
}

// FS implements adbd.Device.
func (d *device) FS() *rootfs.FS { return d.now().tree }

// Root implements adbd.Device.
func (d *device) Root(on bool) (message string, restart bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on == d.root {
		if on {
			return "adbd is already running as root\n", false
		}
		return "adbd not running as root\n", false
	}
	d.root = on
	value, message := "0", "restarting adbd as non root\n"
	if on {
		value, message = "1", "restarting adbd as root\n"
	}
	d.machine.system.SetProperty("service.adb.root", value)
	return message, true
}

// Remount implements adbd.Device.
func (d *device) Remount() string {
	if d.UID() != rootfs.Root {
		return "Not running as root. Try \"adb root\" first.\n"
	}
	view := d.now().tree.Image()
	for _, point := range []string{"/", "/vendor", "/product", "/system_ext"} {
		if err := view.Remount(point, false); err != nil {
			return "remount failed: " + err.Error() + "\n"
		}
	}
	return "remount succeeded\n"
}

// Reboot implements adbd.Device.
func (d *device) Reboot(ctx context.Context, target string) error {
	if target != "" && !strings.HasPrefix(target, "userrequested") {
		return errors.New("unasked's embedded device has no " + target + " to boot into")
	}
	m := d.now()
	if err := m.system.Reboot(ctx); err != nil {
		return err
	}
	d.stopReverses()
	m.unmount()
	d.mu.Lock()
	d.root = false
	d.mu.Unlock()
	m.system.SetProperty("service.adb.root", "0")
	return nil
}

// Dial implements adbd.Device.
func (d *device) Dial(ctx context.Context, service string) (net.Conn, error) {
	return d.now().loopback.Dial(ctx, service)
}

// Reverse implements adbd.Device.
func (d *device) Reverse(listen string, dial func(context.Context) (net.Conn, error)) (actual string, stop func(), err error) {
	actual, end, err := d.now().loopback.Listen(listen, dial)
	if err != nil {
		return "", nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	id := d.next
	d.next++
	d.reverses[id] = end
	return actual, func() {
		d.mu.Lock()
		delete(d.reverses, id)
		d.mu.Unlock()
		end()
	}, nil
}
