// Package adbtest gives a test an adb server of its own, so that tests neither
// see each other's devices nor a developer's.
package adbtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// Server starts nothing yet: it returns the environment that makes adb programs and
// clients use a server of their own, and a function that ends that server. dir is
// a folder for the server's keys and log.
//
// adb scans loopback ports 5555 to 5585 for emulators when a server starts; the
// environment keeps it from that, so that tests that run side by side don't
// meet.
func Server(dir string) (env []string, stop func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("find a port for adb: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, ".android"), 0o700); err != nil {
		return nil, nil, err
	}
	env = []string{
		fmt.Sprintf("ANDROID_ADB_SERVER_PORT=%d", port),
		"HOME=" + dir,
		"TMPDIR=" + dir, // adb's log
		"ADB_LOCAL_TRANSPORT_MAX_PORT=5553",
	}
	stop = func() error {
		kill := exec.Command("adb", "kill-server")
		kill.Env = append(os.Environ(), env...)
		if out, err := kill.CombinedOutput(); err != nil {
			return fmt.Errorf("end adb's server on port %d: %w: %s", port, err, out)
		}
		return nil
	}
	return env, stop, nil
}
