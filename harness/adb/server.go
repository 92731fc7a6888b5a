package adb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dial connects to the server, and starts it first if nothing listens on this machine.
func (a *Adb) dial(ctx context.Context) (*conn, error) {
	c, err := a.dialRunning(ctx)
	if err == nil || !errors.Is(err, syscall.ECONNREFUSED) {
		return c, err
	}
	if !a.config.local() {
		return nil, fmt.Errorf("%w; it is on another machine, so start it there (adb -a nodaemon server)", err)
	}
	if err := a.StartServer(ctx); err != nil {
		return nil, err
	}
	return a.dialRunning(ctx)
}

// dialRunning connects to the server and starts nothing.
func (a *Adb) dialRunning(ctx context.Context) (*conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", a.config.address())
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	}
	return newConn(ctx, nc), nil
}

// StartServer runs `adb start-server` for this client's port. It returns when
// the server answers; one that runs already is no error.
func (a *Adb) StartServer(ctx context.Context) error {
	program, err := a.program()
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "-P", strconv.Itoa(a.config.Port), "start-server")
	// The server takes its port from -P; an address in the environment would make adb refuse to start one.
	cmd.Env = append(withoutVariables(os.Environ(), "ANDROID_ADB_SERVER_ADDRESS", "ANDROID_ADB_SERVER_PORT", "ADB_SERVER_SOCKET"),
		"ANDROID_ADB_SERVER_PORT="+strconv.Itoa(a.config.Port))
	cmd.Stdout, cmd.Stderr = &said, &said
	// The daemon that adb leaves behind may keep its copy of our pipe.
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("start adb server on port %d with %s: %w: %s", a.config.Port, program, err, clip(strings.TrimSpace(said.String())))
	}
	return nil
}

// program finds the adb program: the configured one, PATH's, the SDK's.
func (a *Adb) program() (string, error) {
	name := a.config.PathToAdb
	if name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrAdbMissing, err)
		}
		return path, nil
	}
	if path, err := exec.LookPath("adb"); err == nil {
		return path, nil
	}
	for _, v := range []string{"ANDROID_HOME", "ANDROID_SDK_ROOT"} {
		if sdk := os.Getenv(v); sdk != "" {
			if path, err := exec.LookPath(filepath.Join(sdk, "platform-tools", "adb")); err == nil {
				return path, nil
			}
		}
	}
	return "", ErrAdbMissing
}

func withoutVariables(env []string, names ...string) []string {
	var kept []string
next:
	for _, e := range env {
		for _, n := range names {
			if strings.HasPrefix(e, n+"=") {
				continue next
			}
		}
		kept = append(kept, e)
	}
	return kept
}
