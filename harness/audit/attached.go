package audit

import (
	"context"

	"github.com/unasked-audit/unasked/emulator"
)

// Attached lends out a device that the adb server knows already: a phone, or an
// emulator that somebody started. It is neither reset nor stopped. Its value is
// the serial, as `adb devices` lists it.
type Attached string

// Acquire implements emulator.Provider.
func (a Attached) Acquire(context.Context, emulator.Spec) (emulator.Lease, error) {
	return attachedLease(a), nil
}

type attachedLease string

func (l attachedLease) Serial() string                { return string(l) }
func (l attachedLease) ConnectTo() string             { return "" }
func (l attachedLease) Simulated() bool               { return false }
func (l attachedLease) Network() emulator.Network     { return emulator.Network{} }
func (l attachedLease) Reset(context.Context) error   { return nil }
func (l attachedLease) Release(context.Context) error { return nil }
