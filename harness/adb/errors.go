package adb

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// What can be wrong with a server or a device. Errors of this package wrap
// these, and their text is a sentence that says what to do.
var (
	// ErrAdbMissing: there is no adb program to start a server with.
	ErrAdbMissing = errors.New("adb is not installed: install it (Debian: apt-get install adb) or put the SDK's platform-tools on PATH")
	// ErrServer: nothing answers at the server's address.
	ErrServer = errors.New("the adb server can't be reached")
	// ErrNoDevice: no device is attached, or not the one that was named.
	ErrNoDevice = errors.New("no device is attached")
	// ErrManyDevices: several devices are attached and none was chosen.
	ErrManyDevices = errors.New("more than one device is attached")
	// ErrUnauthorized: the device has not agreed to be debugged from this machine.
	ErrUnauthorized = errors.New("the device is unauthorized")
	// ErrOffline: the device is attached and doesn't answer.
	ErrOffline = errors.New("the device is offline")
	// ErrNoPermission: this machine doesn't let adb open the USB device.
	ErrNoPermission = errors.New("adb may not open the device")
	// ErrDeviceGone: the device went away while something was going on.
	ErrDeviceGone = errors.New("the device went away")
	// ErrRefused: the device is there and doesn't offer the service that was asked for.
	ErrRefused = errors.New("the device refused the service")
)

// errServerClosed: the server hung up in the middle of an answer.
var errServerClosed = errors.New("the adb server hung up")

// statement is a sentence that wraps a sentinel without repeating its text.
type statement struct {
	text string
	is   []error
}

func (s *statement) Error() string   { return s.text }
func (s *statement) Unwrap() []error { return s.is }

// gone says that a device went away in the middle.
func gone(serial string, err error) error {
	is := []error{ErrDeviceGone}
	if err != nil && !errors.Is(err, io.EOF) {
		is = append(is, err)
	}
	return &statement{named(serial) + " went away in the middle: check its cable or network, and run again", is}
}

// named is how a device is called in a sentence.
func named(serial string) string {
	if serial == "" {
		return "the device"
	}
	return "device " + serial
}

// failure turns the server's FAIL into an error that a caller can decide on.
func failure(serial, text string) error {
	text = strings.TrimSpace(text)
	named := named(serial)
	say := func(sentinel error, format string, args ...any) error {
		return &statement{fmt.Sprintf(format, args...), []error{sentinel}}
	}
	// The words are those of the server's transport.cpp; they have not changed since 2016.
	switch {
	case strings.HasPrefix(text, "no devices"):
		return say(ErrNoDevice, "no device is attached: plug one in with USB debugging on, or start an emulator")
	case strings.HasPrefix(text, "device ") && strings.HasSuffix(text, "not found"), strings.HasPrefix(text, "no device with"),
		strings.HasPrefix(text, "unknown device"):
		return say(ErrNoDevice, "%s is not attached: adb devices lists those that are", named)
	case strings.HasPrefix(text, "more than one"):
		return say(ErrManyDevices, "more than one device is attached: name one by its serial, for instance in ANDROID_SERIAL; adb devices lists them")
	case strings.HasPrefix(text, "device unauthorized"), strings.HasPrefix(text, "device still authorizing"):
		return say(ErrUnauthorized, "%s is unauthorized: unlock it and allow USB debugging from this computer", named)
	case strings.HasPrefix(text, "device offline"), strings.HasPrefix(text, "device still connecting"):
		return say(ErrOffline, "%s is offline: reconnect it, or restart adb with adb kill-server", named)
	case strings.Contains(text, "insufficient permissions"), strings.Contains(text, "no permissions"):
		return say(ErrNoPermission, "adb may not open %s: add your user to the group plugdev, or install udev rules for it", named)
	case text == "closed":
		return say(ErrRefused, "%s closed the connection at once", named)
	}
	return fmt.Errorf("adb: %s", clip(text))
}
