package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/unasked-audit/unasked/harness/adb"
)

const (
	systemCerts = "/system/etc/security/cacerts"
	// moduleCerts is what apps read from Android 14 (API 34) on; it is part of a
	// module that can't be written to, only mounted over.
	moduleCerts = "/apex/com.android.conscrypt/cacerts"
	caFile      = "/data/local/tmp/unasked-ca.pem"
	caCopies    = "/data/local/tmp/unasked-cacerts"
)

var hashName = regexp.MustCompile(`^[0-9a-f]{8}$`)

// TrustCA makes every app of the device trust a certificate authority as it
// trusts the system's own. hash is the old subject hash of its name, eight
// hexadecimal digits. Nothing is written to the system partition: a file system in
// memory is mounted over the folder, and undo unmounts it. It needs root.
//
// From API 34 on apps see the certificates in a mount namespace of their own, so
// the folder is mounted in that of each zygote and of each app that runs. The
// certificate is read back where the next app will look for it.
func (d *Device) TrustCA(ctx context.Context, pem []byte, hash string) (undo func(context.Context) error, err error) {
	fail := func(err error) (func(context.Context) error, error) {
		return nil, fmt.Errorf("make %s trust the certificate: %w", d, err)
	}
	hash = strings.TrimSuffix(hash, ".0")
	if !hashName.MatchString(hash) {
		return fail(fmt.Errorf("%q is no file name for it: eight lower-case hexadecimal digits are", hash))
	}
	api, err := d.apiLevel(ctx)
	if err != nil {
		return fail(err)
	}
	t := &trust{device: d, file: hash + ".0", folder: systemCerts}
	if api >= 34 {
		if res, err := d.ask(ctx, "[ -d "+moduleCerts+" ]"); err != nil {
			return fail(err)
		} else if res.ExitCode == 0 {
			t.folder = moduleCerts
		}
	}
	if err := d.adb.Push(ctx, bytes.NewReader(pem), caFile, 0o644); err != nil {
		return fail(err)
	}
	if err := t.set(ctx, pem); err != nil {
		// What was mounted up to here goes again, whatever ended this.
		if left := t.undo(context.WithoutCancel(ctx)); left != nil {
			err = fmt.Errorf("%w (and it could not be taken back: %w)", err, left)
		}
		return fail(err)
	}
	return t.undo, nil
}

// trust is one certificate that the device was made to trust.
type trust struct {
	device  *Device
	file    string // name of the certificate's file
	folder  string // where apps look
	mounted int    // how many of the mounts were made: the memory's, then the module's
}

func (t *trust) set(ctx context.Context, pem []byte) error {
	steps := []struct{ what, script string }{
		{"copy the certificates aside", "rm -rf " + caCopies + " && mkdir -p " + caCopies + " && for f in " + t.folder + `/*; do if [ -f "$f" ]; then cp "$f" ` + caCopies + "/ || exit 1; fi; done"},
		{"mount over " + systemCerts, "mount -t tmpfs tmpfs " + systemCerts},
		{"copy the certificates back", "for f in " + caCopies + `/*; do if [ -f "$f" ]; then cp "$f" ` + systemCerts + "/ || exit 1; fi; done; cp " + caFile + " " + systemCerts + "/" + t.file},
		{"give them to the system", "chown root:root " + systemCerts + "/* && chmod 644 " + systemCerts + "/* && chmod 755 " + systemCerts},
		// Without its label SELinux hides the file; a device without SELinux has no chcon to fail by.
		{"label them", "if [ -e /sys/fs/selinux/enforce ]; then chcon u:object_r:system_file:s0 " + systemCerts + " " + systemCerts + "/*; fi"},
		{"tidy up", "rm -rf " + caCopies + " " + caFile},
	}
	for i, s := range steps {
		if _, err := t.run(ctx, s.script); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		if i == 1 {
			t.mounted = 1
		}
	}
	if t.folder == moduleCerts {
		if _, err := t.run(ctx, "mount --bind "+systemCerts+" "+moduleCerts); err != nil {
			return fmt.Errorf("mount over %s: %w", moduleCerts, err)
		}
		t.mounted = 2
		if err := t.everywhere(ctx, "/bin/mount --bind "+systemCerts+" "+moduleCerts); err != nil {
			return err
		}
	}
	return t.check(ctx, pem)
}

// run runs a script as root in the mount namespace of the whole device: su
// programs give each of their scripts one of its own.
func (t *trust) run(ctx context.Context, script string) (string, error) {
	if t.device.rootWay() != asItIs {
		script = enter("1", "sh -c "+adb.Quote(script))
	}
	return t.device.rootShell(ctx, script)
}

// everywhere runs a command in the mount namespace of each zygote and of each app.
func (t *trust) everywhere(ctx context.Context, command string) error {
	zygotes, apps, err := t.device.zygotes(ctx)
	if err != nil {
		return err
	}
	if len(zygotes) == 0 {
		return errors.New("the device has no process named zygote or zygote64, so no app can be reached")
	}
	for _, pid := range append(zygotes, apps...) {
		if _, err := t.device.rootShell(ctx, enter(pid, command)); err != nil {
			if res, gone := t.device.adb.Shell(ctx, "[ -d /proc/"+pid+" ]"); gone == nil && res.ExitCode != 0 {
				continue // the app has ended meanwhile
			}
			return fmt.Errorf("in the namespace of process %s: %w", pid, err)
		}
	}
	return nil
}

func enter(pid, command string) string {
	return "nsenter --mount=/proc/" + pid + "/ns/mnt -- " + command
}

// check reads the certificate back where the next app will look for it.
func (t *trust) check(ctx context.Context, pem []byte) error {
	look := "cat " + t.folder + "/" + t.file
	if t.folder == moduleCerts {
		zygotes, _, err := t.device.zygotes(ctx)
		if err != nil {
			return err
		}
		for _, pid := range zygotes {
			if err := t.compare(ctx, enter(pid, look), pem); err != nil {
				return err
			}
		}
	}
	return t.compare(ctx, look, pem)
}

func (t *trust) compare(ctx context.Context, script string, pem []byte) error {
	got, err := t.device.rootShell(ctx, script)
	if err != nil {
		return fmt.Errorf("read it back: %w", err)
	}
	if !bytes.Equal(bytes.TrimSpace([]byte(got)), bytes.TrimSpace(pem)) {
		return fmt.Errorf("read it back from %s/%s: it is another certificate there", t.folder, t.file)
	}
	return nil
}

// undo unmounts. A device that was restarted meanwhile has nothing left to unmount.
func (t *trust) undo(ctx context.Context) error {
	fail := func(err error) error {
		return fmt.Errorf("take the certificate back from %s: %w", t.device, err)
	}
	if t.mounted == 0 {
		return nil
	}
	if res, err := t.device.adb.Shell(ctx, "[ -e "+systemCerts+"/"+t.file+" ]"); err != nil {
		return fail(err)
	} else if res.ExitCode != 0 {
		t.mounted = 0
		return nil
	}
	if t.mounted == 2 {
		// A process that never had the mount has nothing to take back.
		if err := t.everywhere(ctx, "/bin/umount "+moduleCerts+" || true"); err != nil {
			return fail(err)
		}
		t.run(ctx, "umount "+moduleCerts)
	}
	if _, err := t.run(ctx, "umount "+systemCerts); err != nil {
		return fail(err)
	}
	for _, folder := range []string{systemCerts, t.folder} {
		res, err := t.device.adb.Shell(ctx, "[ -e "+folder+"/"+t.file+" ]")
		if err != nil {
			return fail(err)
		}
		if res.ExitCode == 0 {
			return fail(fmt.Errorf("it is still in %s: restart the device", folder))
		}
	}
	t.mounted = 0
	return nil
}

// zygotes are the processes that apps are forked from, and the apps.
func (d *Device) zygotes(ctx context.Context) (zygotes, apps []string, err error) {
	out, err := d.run(ctx, "ps", "-A", "-o", "PID,PPID,NAME")
	if err != nil {
		return nil, nil, fmt.Errorf("list processes: %w", err)
	}
	zygotes, apps = parseZygotes(out)
	return zygotes, apps, nil
}

func parseZygotes(out string) (zygotes, apps []string) {
	type process struct{ pid, parent string }
	var all []process
	is := map[string]bool{}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 3 || strings.Trim(f[0], "0123456789") != "" {
			continue
		}
		if f[2] == "zygote" || f[2] == "zygote64" {
			is[f[0]] = true
			zygotes = append(zygotes, f[0])
		}
		all = append(all, process{f[0], f[1]})
	}
	for _, p := range all {
		if is[p.parent] && !is[p.pid] {
			apps = append(apps, p.pid)
		}
	}
	return zygotes, apps
}
