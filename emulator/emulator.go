// Package emulator says where a device comes from; it knows nothing of auditing.
//
// A [Provider] hands out devices, each as a [Lease]. The embedded device is
// provided by package emulator/virtual.
package emulator

import (
	"context"
	"crypto/x509"
	"net"
)

// Spec says what kind of device is wanted. The zero value means "any".
type Spec struct {
	API    int    // Android API level, such as 34; 0 for the provider's default
	Locale string // BCP 47 tag, such as "en-US"; empty for the provider's default
}

// Provider is a source of devices.
type Provider interface {
	// Acquire makes a device ready and lends it out. It returns when the
	// device can be reached by adb, or with an error that says what to do.
	Acquire(ctx context.Context, spec Spec) (Lease, error)
}

// Lease is one device, lent until Release.
type Lease interface {
	// Serial is the name that the adb server knows the device by, once it is connected.
	Serial() string
	// ConnectTo is the host:port to give to the adb server's connect service
	// before Serial is known to it; empty where the server finds the device by itself.
	ConnectTo() string
	// Simulated reports whether this is no real Android. Every report made on it says so.
	Simulated() bool
	// Network is the world that the device's traffic goes to.
	Network() Network
	// Reset brings the device back to the state it had when it was acquired.
	Reset(ctx context.Context) error
	// Release stops the device and frees what it holds. A second call does nothing.
	Release(ctx context.Context) error
}

// Network is what a proxy on the host must use to reach the origins that the device talks to.
type Network struct {
	// Dial connects to an origin by host name. Its signature is that of net.Dialer.DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Roots are the certificate authorities that origins are checked against; nil for the host's own.
	Roots *x509.CertPool
}
