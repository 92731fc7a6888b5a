package adbd

import (
	"context"
	"net"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/rootfs"
	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// Device is what the daemon serves. Its methods are called concurrently.
type Device interface {
	// Banner is what the device says of itself on connection; see [Banner].
	Banner() string
	// UID is who the daemon runs as: 0 after root, else 2000.
	UID() int
	// Shell runs a script; an empty one means that commands come from the session's standard input.
	Shell(ctx context.Context, s shell.Session, script string) int
	// FS is the tree that push and pull work on, as UID.
	FS() *rootfs.FS
	// Root turns root on or off, and returns what adb prints. With restart, every connection is
	// dropped after the message, as when the daemon starts anew.
	Root(on bool) (message string, restart bool)
	// Remount makes /system writable, and returns what adb prints.
	Remount() (message string)
	// Reboot starts the device anew; every connection is dropped when it returns. The target is
	// "", "bootloader", "recovery" and so on. An error is printed, and nothing is dropped.
	Reboot(ctx context.Context, target string) error
	// Dial connects to a socket of the device's: "tcp:PORT" on its loopback, or "localabstract:NAME".
	Dial(ctx context.Context, service string) (net.Conn, error)
	// Reverse makes the device listen on "tcp:PORT" or "localabstract:NAME" and calls dial for each
	// connection that it accepts. Port 0 asks for any; actual is the name that it got. stop ends it,
	// and waits for its connections.
	Reverse(listen string, dial func(context.Context) (net.Conn, error)) (actual string, stop func(), err error)
}

// Features are what this daemon offers to adb.
const Features = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,apex"

// Banner is a device's banner for the properties ro.product.name,
// ro.product.model and ro.product.device.
func Banner(product, model, device string) string {
	return "device::ro.product.name=" + product + ";ro.product.model=" + model +
		";ro.product.device=" + device + ";features=" + Features
}
