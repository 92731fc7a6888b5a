package android

import (
	"fmt"
	"image"
	"strconv"
)

// Release is an Android release that the device can pose as. What the
// framework prints follows the release where releases differ.
type Release struct {
	API           int    // such as 34
	Version       string // such as "14"
	BuildID       string
	SecurityPatch string // YYYY-MM-DD
	// TargetFloor is the lowest targetSdkVersion that the package manager installs; 0 for none.
	TargetFloor int
	// UserFlags are the flags of user 0 in hexadecimal, as UserInfo prints them.
	UserFlags string
	// ApexCertificates reports whether apps trust the conscrypt module's
	// certificates rather than those of /system.
	ApexCertificates bool
}

// DefaultAPI is the release that a device poses as unless told otherwise.
const DefaultAPI = 34

// ReleaseOf returns the release of an API level; 0 stands for DefaultAPI.
func ReleaseOf(api int) (Release, error) {
	switch api {
	case 30:
		return Release{API: 30, Version: "11", BuildID: "UNASKED.30", SecurityPatch: "2021-12-05", UserFlags: "c13"}, nil
	case 0, 34:
		return Release{API: 34, Version: "14", BuildID: "UNASKED.34", SecurityPatch: "2024-03-05", TargetFloor: 23, UserFlags: "c13", ApexCertificates: true}, nil
	}
	return Release{}, fmt.Errorf("the embedded device has no Android of API level %d: ask for 30 (Android 11) or 34 (Android 14)", api)
}

// Fingerprint is ro.build.fingerprint. It names this device, so that nobody
// takes what was seen here for what a product of that release did.
func (r Release) Fingerprint() string {
	return fmt.Sprintf("unasked/unasked_embedded/embedded:%s/%s/1:userdebug/test-keys", r.Version, r.BuildID)
}

// UserAgent is what the WebView of the release sends.
func (r Release) UserAgent() string {
	return fmt.Sprintf("Mozilla/5.0 (Linux; Android %s; unasked embedded device Build/%s; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/113.0.5672.136 Mobile Safari/537.36", r.Version, r.BuildID)
}

// cacerts is the folder whose certificates apps trust.
func (r Release) cacerts() string {
	if r.ApexCertificates {
		return "/apex/com.android.conscrypt/cacerts"
	}
	return "/system/etc/security/cacerts"
}

// The screen, in pixels and dots an inch.
var (
	screenSize = image.Pt(1080, 2400)
	screenDPI  = 420
)

// properties are the values of getprop at boot.
func (r Release) properties(serial string) map[string]string {
	p := map[string]string{
		"ro.unasked.simulated":                      "1",
		"ro.build.characteristics":                  "emulator,simulated",
		"ro.build.display.id":                       r.BuildID + " (unasked's embedded device, a simulation)",
		"ro.build.id":                               r.BuildID,
		"ro.build.fingerprint":                      r.Fingerprint(),
		"ro.build.description":                      "unasked_embedded-userdebug " + r.Version + " " + r.BuildID + " 1 test-keys",
		"ro.build.product":                          "embedded",
		"ro.build.tags":                             "test-keys",
		"ro.build.type":                             "userdebug",
		"ro.build.user":                             "unasked",
		"ro.build.host":                             "localhost",
		"ro.build.version.codename":                 "REL",
		"ro.build.version.incremental":              "1",
		"ro.build.version.release":                  r.Version,
		"ro.build.version.release_or_codename":      r.Version,
		"ro.build.version.sdk":                      strconv.Itoa(r.API),
		"ro.build.version.security_patch":           r.SecurityPatch,
		"ro.build.version.min_supported_target_sdk": strconv.Itoa(max(r.TargetFloor, 23)),
		"ro.product.brand":                          "unasked",
		"ro.product.manufacturer":                   "unasked",
		"ro.product.model":                          "unasked embedded device",
		"ro.product.name":                           "unasked_embedded",
		"ro.product.device":                         "embedded",
		"ro.product.board":                          "embedded",
		"ro.product.cpu.abi":                        "x86_64",
		"ro.product.cpu.abilist":                    "x86_64,arm64-v8a",
		"ro.product.cpu.abilist32":                  "",
		"ro.product.cpu.abilist64":                  "x86_64,arm64-v8a",
		"ro.product.first_api_level":                strconv.Itoa(r.API),
		"ro.product.locale":                         "en-US",
		"persist.sys.locale":                        "en-US",
		"persist.sys.timezone":                      "Europe/Berlin",
		"persist.sys.boot.reason.history":           "reboot,factory_reset",
		"ro.kernel.qemu":                            "1",
		"ro.boot.qemu":                              "1",
		"ro.boot.qemu.avd_name":                     "unasked",
		"ro.hardware":                               "ranchu",
		"ro.dalvik.vm.native.bridge":                "libndk_translation.so",
		"ro.zygote":                                 "zygote64",
		"ro.debuggable":                             "1",
		"ro.secure":                                 "1",
		"ro.adb.secure":                             "0",
		"ro.serialno":                               serial,
		"ro.boot.serialno":                          serial,
		"ro.bootmode":                               "unknown",
		"ro.bootloader":                             "unknown",
		"ro.sf.lcd_density":                         strconv.Itoa(screenDPI),
		"ro.crypto.state":                           "encrypted",
		"ro.crypto.type":                            "file",
		"ro.config.low_ram":                         "false",
		"gsm.sim.state":                             "LOADED",
		"gsm.operator.alpha":                        "unasked",
		"gsm.operator.iso-country":                  "us",
		"gsm.operator.numeric":                      "00101",
		"net.bt.name":                               "Android",
		"service.adb.root":                          "0",
		"init.svc.adbd":                             "running",
		"init.svc.bootanim":                         "stopped",
		"init.svc.zygote":                           "running",
		"dev.bootcomplete":                          "1",
		"sys.boot_completed":                        "1",
		"sys.boot.reason":                           "reboot",
		"service.bootanim.exit":                     "1",
	}
	return p
}
