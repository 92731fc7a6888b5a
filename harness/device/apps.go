package device

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/harness/adb"
)

// ErrNotInstalled says that the device has no app of that package name.
var ErrNotInstalled = errors.New("the app is not installed")

// LaunchError says why an app did not start, in the device's words.
type LaunchError struct {
	Package string
	Said    string
}

func (e *LaunchError) Error() string {
	return fmt.Sprintf("launch %s: %s", e.Package, e.Said)
}

// Install installs an APK, or a base APK with its splits; args are the package
// manager's own, such as "-r". The error wraps an [*adb.InstallError] where the device refuses it.
func (d *Device) Install(ctx context.Context, apks []string, args ...string) error {
	var parts []adb.APK
	for _, name := range apks {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("install: %w", err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return fmt.Errorf("install: %w", err)
		}
		parts = append(parts, adb.APK{Name: filepath.Base(name), Size: info.Size(), Body: f})
	}
	if len(parts) == 1 {
		if err := d.adb.Install(ctx, parts[0].Body, parts[0].Size, args...); err != nil {
			return fmt.Errorf("install %s: %w", apks[0], err)
		}
		return nil
	}
	return d.adb.InstallMultiple(ctx, parts, args...)
}

// Uninstall removes an app and its data. The error wraps [ErrNotInstalled] where it isn't there.
func (d *Device) Uninstall(ctx context.Context, pkg string) error {
	res, err := d.ask(ctx, "pm uninstall "+adb.Quote(pkg))
	if err != nil {
		return fmt.Errorf("uninstall %s: %w", pkg, err)
	}
	if strings.Contains(string(res.Stdout), "Success") {
		return nil
	}
	if _, err := d.UID(ctx, pkg); errors.Is(err, ErrNotInstalled) {
		return fmt.Errorf("uninstall %s: %w", pkg, ErrNotInstalled)
	}
	return fmt.Errorf("uninstall %s: the device says %q", pkg, said(res))
}

// UID returns the uid that an app runs as. The error wraps [ErrNotInstalled] where it isn't there.
func (d *Device) UID(ctx context.Context, pkg string) (int, error) {
	// The filter matches parts of names; the exact one is picked here.
	out, err := d.run(ctx, "pm", "list", "packages", "-U", pkg)
	if err != nil {
		return 0, fmt.Errorf("uid of %s: %w", pkg, err)
	}
	uid, ok := parseUID(out, pkg)
	if !ok {
		return 0, fmt.Errorf("uid of %s: %w", pkg, ErrNotInstalled)
	}
	return uid, nil
}

// parseUID reads "package:NAME uid:N[,N]"; the first uid is user 0's.
func parseUID(out, pkg string) (int, bool) {
	for line := range strings.Lines(out) {
		name, uids, ok := strings.Cut(strings.TrimSpace(line), " uid:")
		if !ok || name != "package:"+pkg {
			continue
		}
		first, _, _ := strings.Cut(uids, ",")
		uid, err := strconv.Atoi(first)
		return uid, err == nil
	}
	return 0, false
}

// Launch starts an app as a tap on its icon would, and returns when its first
// screen is there. The error is a [*LaunchError] where the device can't.
func (d *Device) Launch(ctx context.Context, pkg string) error {
	component, err := d.launcher(ctx, pkg)
	if err != nil {
		return err
	}
	res, err := d.ask(ctx, "am start -W -a android.intent.action.MAIN -c android.intent.category.LAUNCHER -n "+adb.Quote(component))
	if err != nil {
		return fmt.Errorf("launch %s: %w", pkg, err)
	}
	if why := launchFault(res); why != "" {
		return &LaunchError{Package: pkg, Said: why}
	}
	return nil
}

// launcher is the component that the app's icon starts.
func (d *Device) launcher(ctx context.Context, pkg string) (string, error) {
	res, err := d.ask(ctx, "cmd package resolve-activity --brief -a android.intent.action.MAIN -c android.intent.category.LAUNCHER "+adb.Quote(pkg))
	if err != nil {
		return "", fmt.Errorf("launch %s: %w", pkg, err)
	}
	for line := range strings.Lines(string(res.Stdout)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, pkg+"/") {
			return line, nil
		}
	}
	if _, err := d.UID(ctx, pkg); err != nil {
		return "", fmt.Errorf("launch %s: %w", pkg, err)
	}
	return "", &LaunchError{Package: pkg, Said: "the app has no icon in the launcher, so there is nothing to start it by"}
}

// launchFault is what am start complains of. Its exit code was 0 for years whatever happened.
func launchFault(res adb.Result) string {
	for _, text := range []string{string(res.Stderr), string(res.Stdout)} {
		var fault []string
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "Error") || strings.Contains(line, "Exception") || len(fault) > 0 && line != "" && len(fault) < 4 {
				fault = append(fault, line)
			}
		}
		if len(fault) > 0 {
			return strings.Join(fault, " ")
		}
	}
	if res.ExitCode != 0 {
		return fmt.Sprintf("am start ended with code %d: %s", res.ExitCode, said(res))
	}
	return ""
}

// Running reports whether the app has a process.
func (d *Device) Running(ctx context.Context, pkg string) (bool, error) {
	res, err := d.ask(ctx, "pidof "+adb.Quote(pkg))
	if err != nil {
		return false, fmt.Errorf("is %s running: %w", pkg, err)
	}
	return res.ExitCode == 0 && strings.TrimSpace(string(res.Stdout)) != "", nil
}

// ForceStop ends the app's processes.
func (d *Device) ForceStop(ctx context.Context, pkg string) error {
	if _, err := d.run(ctx, "am", "force-stop", pkg); err != nil {
		return fmt.Errorf("stop %s: %w", pkg, err)
	}
	return nil
}

// Clear deletes the app's data and takes its permissions back, as "Clear storage" does.
func (d *Device) Clear(ctx context.Context, pkg string) error {
	res, err := d.ask(ctx, "pm clear "+adb.Quote(pkg))
	if err != nil {
		return fmt.Errorf("clear %s: %w", pkg, err)
	}
	if !strings.Contains(string(res.Stdout), "Success") {
		return fmt.Errorf("clear %s: the device says %q", pkg, said(res))
	}
	return nil
}

// ErrNotGrantable says that a permission is no person's to give or to take: it
// comes with the installation, belongs to the system, or the device does not know it.
var ErrNotGrantable = errors.New("the permission is no person's to give")

// notGrantable is what Android says of such permissions.
var notGrantable = []string{"not a changeable permission type", "has not requested permission", "Unknown permission", "managed by role"}

// Grant gives the app a permission. The error wraps [ErrNotGrantable] where that is nobody's to do.
func (d *Device) Grant(ctx context.Context, pkg, permission string) error {
	return d.permission(ctx, "grant", pkg, permission)
}

// Revoke takes a permission from the app.
func (d *Device) Revoke(ctx context.Context, pkg, permission string) error {
	return d.permission(ctx, "revoke", pkg, permission)
}

func (d *Device) permission(ctx context.Context, verb, pkg, permission string) error {
	_, err := d.run(ctx, "pm", verb, pkg, permission)
	if err == nil {
		return nil
	}
	for _, text := range notGrantable {
		if strings.Contains(err.Error(), text) {
			return fmt.Errorf("%s %s to %s: %w", verb, permission, pkg, ErrNotGrantable)
		}
	}
	return fmt.Errorf("%s %s to %s: %w", verb, permission, pkg, err)
}
