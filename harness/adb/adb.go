// Package adb is a client of the adb server, in goadb's vocabulary.
//
// It speaks the server's "smart socket" protocol (Android's
// packages/modules/adb, SERVICES.TXT and SYNC.TXT) and needs the adb program
// only to start a server where none runs. Begin with [New], take a [Device] from
// [Adb.Device], and call its methods; every one of them takes a context and
// ends when the context does.
//
//	client, err := adb.New(ctx)
//	dev := client.Device(adb.AnyDevice())
//	out, err := dev.RunCommand(ctx, "getprop", "ro.build.version.sdk")
//
// Commands run over shell v2 where the device has it, so that stdout, stderr
// and the exit code stay apart; older devices get the same through an echoed
// exit code.
package adb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// DefaultPort is the port that an adb server listens on unless told otherwise.
const DefaultPort = 5037

// ServerConfig says which adb server to talk to. What is left zero comes from
// the environment, as the adb program reads it, and then from adb's defaults.
type ServerConfig struct {
	Host      string // the server's address; else ANDROID_ADB_SERVER_ADDRESS, else loopback
	Port      int    // the server's port; else ANDROID_ADB_SERVER_PORT, else DefaultPort
	PathToAdb string // the adb program, to start a server with; else it is looked for
	Serial    string // the device that AnyDevice means; else ANDROID_SERIAL, else the only one
}

// Adb talks to one adb server. It holds no connection: each request opens its
// own, as the protocol wants it, so an Adb needs no closing.
type Adb struct {
	config ServerConfig
}

// New connects to the adb server that the environment names, and starts it if need be.
func New(ctx context.Context) (*Adb, error) {
	return NewWithConfig(ctx, ServerConfig{})
}

// NewWithConfig connects to an adb server, and starts it if it is on this
// machine and not running. The error wraps [ErrAdbMissing] where the adb
// program would be needed and isn't there, [ErrServer] where the server can't be reached.
func NewWithConfig(ctx context.Context, config ServerConfig) (*Adb, error) {
	config, err := config.completed()
	if err != nil {
		return nil, err
	}
	a := &Adb{config: config}
	if _, err := a.ServerVersion(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

func (c ServerConfig) completed() (ServerConfig, error) {
	if c.Host == "" {
		c.Host = os.Getenv("ANDROID_ADB_SERVER_ADDRESS")
	}
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	if c.Port == 0 {
		c.Port = DefaultPort
		if v := os.Getenv("ANDROID_ADB_SERVER_PORT"); v != "" {
			p, err := strconv.Atoi(v)
			if err != nil || p < 1 || p > 65535 {
				return c, fmt.Errorf("ANDROID_ADB_SERVER_PORT is %q: give it a port from 1 to 65535, or unset it", v)
			}
			c.Port = p
		}
	}
	if c.Serial == "" {
		c.Serial = os.Getenv("ANDROID_SERIAL")
	}
	return c, nil
}

func (c ServerConfig) address() string {
	return net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
}

// local reports whether the server is on this machine, so that it can be started here.
func (c ServerConfig) local() bool {
	if c.Host == "localhost" {
		return true
	}
	ip := net.ParseIP(c.Host)
	return ip != nil && ip.IsLoopback()
}

// Device returns a handle on a device. It doesn't ask whether the device is there.
func (a *Adb) Device(descriptor DeviceDescriptor) *Device {
	if descriptor.kind == anyDevice && a.config.Serial != "" {
		descriptor = DeviceWithSerial(a.config.Serial)
	}
	return &Device{adb: a, descriptor: descriptor}
}

// ServerVersion asks for the server's protocol version, 41 for every server since 2018.
func (a *Adb) ServerVersion(ctx context.Context) (int, error) {
	reply, err := a.query(ctx, "host:version")
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseInt(string(reply), 16, 32)
	if err != nil {
		return 0, fmt.Errorf("adb server at %s gave %q for its version, which is no number: is something else listening there?", a.config.address(), clip(string(reply)))
	}
	return int(v), nil
}

// Address is the host:port of the server that is talked to.
func (a *Adb) Address() string { return a.config.address() }

// KillServer ends the server, for every user of it. A server that isn't running is no error.
func (a *Adb) KillServer(ctx context.Context) error {
	c, err := a.dialRunning(ctx)
	if errors.Is(err, ErrServer) {
		return nil
	}
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.request("host:kill"); err != nil && !errors.Is(err, errServerClosed) {
		return fmt.Errorf("kill adb server at %s: %w", a.config.address(), err)
	}
	return nil
}

// Connect makes the server connect to a device by TCP, at HOST:PORT. One that
// is connected already is no error. The error wraps [ErrUnauthorized] where the
// device has not agreed to be debugged from this machine.
func (a *Adb) Connect(ctx context.Context, hostport string) error {
	reply, err := a.query(ctx, "host:connect:"+hostport)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", hostport, err)
	}
	text := strings.TrimSpace(string(reply))
	// The server answers OKAY whatever happened; its words alone tell.
	if strings.HasPrefix(text, "connected to ") || strings.HasPrefix(text, "already connected to ") {
		return nil
	}
	if strings.HasPrefix(text, "failed to authenticate") {
		return fmt.Errorf("connect to %s: %w", hostport, failure(hostport, "device unauthorized"))
	}
	return fmt.Errorf("connect to %s: adb says %q: is a device listening there, with network debugging on?", hostport, clip(text))
}

// Disconnect makes the server forget a device that it reached by TCP. One that isn't connected is no error.
func (a *Adb) Disconnect(ctx context.Context, hostport string) error {
	_, err := a.query(ctx, "host:disconnect:"+hostport)
	if err != nil && !strings.Contains(err.Error(), "no such device") {
		return fmt.Errorf("disconnect from %s: %w", hostport, err)
	}
	return nil
}

// query asks a host service that answers with one length-prefixed string.
func (a *Adb) query(ctx context.Context, service string) ([]byte, error) {
	c, err := a.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.request(service); err != nil {
		return nil, err
	}
	return c.readString()
}
