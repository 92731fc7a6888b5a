package adb

import (
	"fmt"
	"regexp"
	"strings"
)

// InstallError says why a device refused an APK.
type InstallError struct {
	Code   string // such as "INSTALL_FAILED_NO_MATCHING_ABIS"; empty where the device gave none
	Detail string // the device's own words behind the code
	Device string
}

func (e *InstallError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("%s refused the app: %s", e.Device, e.Detail)
	}
	text := fmt.Sprintf("%s refused the app: %s (%s", e.Device, e.Explain(), e.Code)
	if e.Detail != "" {
		text += ": " + clip(e.Detail)
	}
	return text + ")"
}

// Explain says in words what the code means and what can be done.
func (e *InstallError) Explain() string {
	if s, ok := installCodes[strings.TrimPrefix(e.Code, "INSTALL_FAILED_")]; ok && strings.HasPrefix(e.Code, "INSTALL_FAILED_") {
		return s
	}
	if s, ok := parseCodes[strings.TrimPrefix(e.Code, "INSTALL_PARSE_FAILED_")]; ok && strings.HasPrefix(e.Code, "INSTALL_PARSE_FAILED_") {
		return s
	}
	return "the package manager gave a reason that is not known here"
}

var failureLine = regexp.MustCompile(`(?m)Failure \[(?:([A-Z][A-Z0-9_]+)(?:: ?)?)?(.*?)\]?\s*$`)

// installVerdict reads the package manager's answer. Its exit code says nothing reliable; its words do.
func installVerdict(d *Device, out []byte) error {
	text := strings.TrimSpace(strings.ReplaceAll(string(out), "\r\n", "\n"))
	if m := failureLine.FindStringSubmatch(text); m != nil {
		return &InstallError{Code: m[1], Detail: strings.TrimSpace(m[2]), Device: d.String()}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Success") {
			return nil
		}
	}
	return &InstallError{Detail: fmt.Sprintf("it said neither Success nor Failure but %q", clip(text)), Device: d.String()}
}

// installCodes explains PackageManager's INSTALL_FAILED_ codes.
var installCodes = map[string]string{
	"ABORTED":                     "the installation was called off, by the device or on its screen",
	"ALREADY_EXISTS":              "the app is installed already; uninstall it, or install over it with -r",
	"BAD_DEX_METADATA":            "the metadata that comes with the app's code is broken",
	"BAD_SIGNATURE":               "the signature is not the one that the installation asked for",
	"CONFLICTING_PROVIDER":        "another installed app has a content provider of the same name; uninstall that one",
	"CONTAINER_ERROR":             "the device could not make the container for the app on its storage",
	"CPU_ABI_INCOMPATIBLE":        "the app's native code is for another processor than the device's",
	"DEPRECATED_SDK_VERSION":      "the app targets an Android so old that this one refuses it; use an older device, or install with --bypass-low-target-sdk-block",
	"DEXOPT":                      "the device could not prepare the app's code, for want of space or because the code is broken",
	"DUPLICATE_PACKAGE":           "a package of that name is there already",
	"DUPLICATE_PERMISSION":        "the app defines a permission that an installed app defines too",
	"INSTANT_APP_INVALID":         "the app can't be installed as an instant app",
	"INSUFFICIENT_STORAGE":        "the device has too little free space; make room, or give the emulator a larger data partition",
	"INTERNAL_ERROR":              "the device's package manager failed of itself; restart the device and try again",
	"INVALID_APK":                 "the file is no valid APK",
	"INVALID_INSTALL_LOCATION":    "the app can't be installed in the place that it asks for",
	"INVALID_URI":                 "the device could not open the file that it was given",
	"MEDIA_UNAVAILABLE":           "the storage for the app is not mounted",
	"MISSING_FEATURE":             "the app needs a hardware or software feature that the device lacks",
	"MISSING_SHARED_LIBRARY":      "the app needs a shared library that the device lacks",
	"MISSING_SPLIT":               "the app comes in several APKs and not all of them were given; install the base together with its splits",
	"MULTIPACKAGE_INCONSISTENCY":  "the packages that were installed together do not fit each other",
	"NEWER_SDK":                   "the app is only for Androids older than this device's",
	"NO_MATCHING_ABIS":            "the app has native code, and none of it for the device's processor; use an APK or a device for the same one",
	"NO_SHARED_USER":              "the shared user that the app asks for does not exist",
	"OLDER_SDK":                   "the app needs a newer Android than the device's",
	"PACKAGE_CHANGED":             "the package changed while it was being installed",
	"PERMISSION_MODEL_DOWNGRADE":  "the installed version asks for permissions at run time and this one would not; uninstall the installed one",
	"PROCESS_NOT_DEFINED":         "a component of the app names a process that its manifest does not define",
	"REPLACE_COULDNT_DELETE":      "the device could not remove the version that is installed; uninstall it",
	"SANDBOX_VERSION_DOWNGRADE":   "the installed version has a newer sandbox than this one; uninstall the installed one",
	"SESSION_INVALID":             "the installation session has gone; try again",
	"SHARED_USER_INCOMPATIBLE":    "the app shares a user with apps that are signed by somebody else",
	"TEST_ONLY":                   "the app is marked as for tests only; install with -t",
	"UID_CHANGED":                 "the app's old data belongs to another user id; clear it away first",
	"UPDATE_INCOMPATIBLE":         "the app is installed already and signed by somebody else; uninstall it first",
	"USER_RESTRICTED":             "the device's user may not install apps, or adb may not; allow it in its settings",
	"VERIFICATION_FAILURE":        "the device's package verifier refused the app; turn the verification of apps over USB off",
	"VERIFICATION_TIMEOUT":        "the device's package verifier did not answer in time",
	"VERSION_DOWNGRADE":           "a newer version is installed; uninstall it, or install with -d",
	"WRONG_INSTALLED_VERSION":     "the installed version is not the one that this update is for",
	"BAD_PERMISSION_GROUP":        "the app defines a permission in a group that it may not use",
	"PRE_APPROVAL_NOT_AVAILABLE":  "the device can't ask its user for approval now",
	"MISSING_USES_SDK_EXTENSIONS": "the app needs an extension of the SDK that the device lacks",
	"SHARED_LIBRARY_BAD_CERTS":    "the app needs a shared library that is signed by somebody else than on the device",
}

// parseCodes explains PackageManager's INSTALL_PARSE_FAILED_ codes.
var parseCodes = map[string]string{
	"BAD_MANIFEST":              "the APK's manifest can't be read",
	"BAD_PACKAGE_NAME":          "the manifest's package name is missing or not allowed",
	"BAD_SHARED_USER_ID":        "the manifest's shared user id is not allowed",
	"CERTIFICATE_ENCODING":      "a certificate in the APK can't be read",
	"INCONSISTENT_CERTIFICATES": "the files of the app are signed by different people",
	"MANIFEST_EMPTY":            "the manifest has nothing to install",
	"MANIFEST_MALFORMED":        "the manifest is malformed",
	"NO_CERTIFICATES":           "the APK is not signed, or its signature does not fit its content",
	"NOT_APK":                   "the file is no APK",
	"RESOURCES_ARSC_COMPRESSED": "the APK's resource table is compressed or not aligned, which Androids from 11 on refuse",
	"SKIPPED":                   "the package was skipped, for instance because it is for another Android",
	"UNEXPECTED_EXCEPTION":      "the device failed while it read the APK",
}
