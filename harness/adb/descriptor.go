package adb

import "fmt"

type descriptorKind int

const (
	anyDevice descriptorKind = iota
	anyUsb
	anyLocal
	withSerial
)

// DeviceDescriptor says which device is meant.
type DeviceDescriptor struct {
	kind   descriptorKind
	serial string
}

// AnyDevice means ANDROID_SERIAL's device, or the only one that is attached.
func AnyDevice() DeviceDescriptor { return DeviceDescriptor{kind: anyDevice} }

// AnyUsbDevice means the only device that is attached by USB.
func AnyUsbDevice() DeviceDescriptor { return DeviceDescriptor{kind: anyUsb} }

// AnyLocalDevice means the only emulator or device that is attached by TCP.
func AnyLocalDevice() DeviceDescriptor { return DeviceDescriptor{kind: anyLocal} }

// DeviceWithSerial means the device of that serial, as `adb devices` prints it.
func DeviceWithSerial(serial string) DeviceDescriptor {
	return DeviceDescriptor{kind: withSerial, serial: serial}
}

// String is how the descriptor reads in a sentence.
func (d DeviceDescriptor) String() string {
	switch d.kind {
	case anyUsb:
		return "the USB device"
	case anyLocal:
		return "the emulator or network device"
	case withSerial:
		return d.serial
	}
	return "the only device"
}

// hostService is a service of the server that concerns the device.
func (d DeviceDescriptor) hostService(name string) string {
	switch d.kind {
	case anyUsb:
		return "host-usb:" + name
	case anyLocal:
		return "host-local:" + name
	case withSerial:
		return fmt.Sprintf("host-serial:%s:%s", d.serial, name)
	}
	return "host:" + name
}

// transport is the service that hands the connection over to the device.
func (d DeviceDescriptor) transport() string {
	switch d.kind {
	case anyUsb:
		return "host:transport-usb"
	case anyLocal:
		return "host:transport-local"
	case withSerial:
		return "host:transport:" + d.serial
	}
	return "host:transport-any"
}

// transportType is how wait-for names the kind of connection.
func (d DeviceDescriptor) transportType() string {
	switch d.kind {
	case anyUsb:
		return "usb"
	case anyLocal:
		return "local"
	}
	return "any"
}
