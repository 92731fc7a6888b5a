package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/unasked-audit/unasked/harness/adb"
)

// ErrNoPrivateFiles says that an app's private files can't be read.
var ErrNoPrivateFiles = errors.New("the app's private files can't be read without root, unless the app is debuggable")

// ErrNoCameraFeed says that what the device's camera sees can't be chosen.
var ErrNoCameraFeed = errors.New("the device has no way to choose what its camera sees")

var packageName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$`)

// PrivateFiles streams a tar of the app's private files, both of the
// credential-protected storage (names begin with data/data/PACKAGE/) and of the
// device-protected (data/user_de/0/PACKAGE/). It reads them as root, else with
// run-as; then the names are the same. The error wraps [ErrNoPrivateFiles] where
// neither works. The caller closes the stream.
func (d *Device) PrivateFiles(ctx context.Context, pkg string) (io.ReadCloser, error) {
	fail := func(err error) (io.ReadCloser, error) {
		return nil, fmt.Errorf("private files of %s: %w", pkg, err)
	}
	if !packageName.MatchString(pkg) {
		return fail(fmt.Errorf("%q is no package name", pkg))
	}
	way := "run-as " + pkg + " sh -c SCRIPT"
	if d.Rooted() {
		way = d.rootWay()
	}
	res, err := d.ask(ctx, through(way, "cd / && for p in data/data/"+pkg+" data/user_de/0/"+pkg+`; do if [ -d "$p" ]; then echo "$p"; fi; done`))
	if err != nil {
		return fail(err)
	}
	folders := strings.Fields(string(res.Stdout))
	if res.ExitCode != 0 || len(folders) == 0 {
		if _, err := d.UID(ctx, pkg); err != nil {
			return fail(err)
		}
		return fail(fmt.Errorf("%w; the device says %q", ErrNoPrivateFiles, said(res)))
	}
	// Files that change or go away while they are read are no reason to lose the rest.
	r, err := d.adb.Exec(ctx, through(way, "cd / && tar -c -f - "+strings.Join(folders, " ")+" 2>/dev/null"))
	if err != nil {
		return fail(err)
	}
	return r, nil
}

// Logcat streams what the device's log holds now. The caller closes the stream.
func (d *Device) Logcat(ctx context.Context) (io.ReadCloser, error) {
	r, err := d.adb.Exec(ctx, "logcat -d -v threadtime")
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", d, err)
	}
	return r, nil
}

// feedFolder is where a camera's feed is put on the device.
const feedFolder = "/data/local/tmp/"

var feedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$`)

// CameraFeed makes the device's camera see a recording of size bytes; name is
// its file's. [Device.Unplant] takes it back. The error wraps [ErrNoCameraFeed] on a device without that, as phones are.
func (d *Device) CameraFeed(ctx context.Context, name string, r io.Reader, size int64) error {
	if !feedName.MatchString(name) {
		return fmt.Errorf("camera feed: %q is no plain file name", name)
	}
	file := feedFolder + name
	if err := d.adb.Push(ctx, io.LimitReader(r, size), file, 0o644); err != nil {
		return fmt.Errorf("camera feed of %s: %w", d, err)
	}
	res, err := d.ask(ctx, "cmd media.camera feed "+adb.Quote(file))
	if err != nil {
		return fmt.Errorf("camera feed of %s: %w", d, err)
	}
	if res.ExitCode != 0 {
		d.ask(ctx, "rm -f "+adb.Quote(file))
		return fmt.Errorf("camera feed of %s: %w (%s)", d, ErrNoCameraFeed, said(res))
	}
	d.onUnplant("the camera's feed", func(ctx context.Context) error {
		_, err := d.shell(ctx, "cmd media.camera feed none && rm -f "+adb.Quote(file))
		return err
	})
	return nil
}
