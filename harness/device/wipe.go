package device

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/adb"
	"github.com/unasked-audit/unasked/harness/canary"
)

// StopBackup turns the device's backup service off, so that nothing of an app is kept
// elsewhere and brought back when it is installed again (Auto Backup). undo turns it on
// again; it is nil where it was off already.
func (d *Device) StopBackup(ctx context.Context) (undo func(context.Context) error, err error) {
	on, err := d.backsUp(ctx)
	if err != nil || !on {
		return nil, err
	}
	if _, err := d.shell(ctx, "bmgr enable false"); err != nil {
		return nil, fmt.Errorf("turn backups of %s off: %w", d, err)
	}
	undo = func(ctx context.Context) error {
		if _, err := d.shell(ctx, "bmgr enable true"); err != nil {
			return fmt.Errorf("turn backups of %s on again: %w", d, err)
		}
		return nil
	}
	if on, err = d.backsUp(ctx); err == nil && on {
		err = fmt.Errorf("turn backups of %s off: the device took it, and they are on", d)
	}
	return undo, err
}

// backsUp reports whether the backup service is on.
func (d *Device) backsUp(ctx context.Context) (bool, error) {
	out, err := d.shell(ctx, "bmgr enabled")
	switch {
	case err != nil:
		return false, fmt.Errorf("ask whether %s makes backups: %w", d, err)
	case strings.Contains(out, "currently enabled"):
		return true, nil
	case strings.Contains(out, "currently disabled"):
		return false, nil
	}
	return false, fmt.Errorf("ask whether %s makes backups: the device says %q", d, clip(out))
}

// shared is where Android keeps what apps share with each other and with the person.
const shared = "/sdcard/"

// mostShared is how many shared files are looked at.
const mostShared = 200_000

// SharedFiles lists the files in shared storage, each with its size and the time of its
// last change, as the device prints them. They outlive the app that made them.
func (d *Device) SharedFiles(ctx context.Context) (map[string]string, error) {
	// find says so where it may not look into a folder, which other apps' are.
	res, err := d.ask(ctx, "find "+shared+" -type f -exec stat -c '%s %Y %n' {} + 2>/dev/null")
	if err != nil {
		return nil, fmt.Errorf("list the shared files of %s: %w", d, err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(res.Stdout)) {
		size, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		changed, name, ok := strings.Cut(rest, " ")
		if !ok || !strings.HasPrefix(name, shared) || slices.Contains(strings.Split(name, "/"), "..") {
			continue
		}
		if len(files) == mostShared {
			return nil, fmt.Errorf("list the shared files of %s: there are more than %d", d, mostShared)
		}
		files[name] = size + " " + changed
	}
	return files, nil
}

// removeAtOnce is how many files one command removes.
const removeAtOnce = 200

// WipeShared removes every file from shared storage that is not among those that were
// there before, and no other. It returns what it removed, and what was there before and
// is not as it was, which it leaves alone. The error says so where something stayed.
func (d *Device) WipeShared(ctx context.Context, before map[string]string) (removed, changed []string, err error) {
	now, err := d.SharedFiles(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if was, there := before[name]; !there {
			removed = append(removed, name)
		} else if was != now[name] {
			changed = append(changed, name)
		}
	}
	if len(removed) == 0 {
		return nil, changed, nil
	}
	for names := range slices.Chunk(removed, removeAtOnce) {
		script := "rm -f --"
		for _, name := range names {
			script += " " + adb.Quote(name)
		}
		if _, err := d.shell(ctx, script); err != nil {
			return removed, changed, fmt.Errorf("wipe the shared files of %s: %w", d, err)
		}
	}
	left, err := d.SharedFiles(ctx)
	if err != nil {
		return removed, changed, err
	}
	for name := range left {
		if _, there := before[name]; !there {
			return removed, changed, fmt.Errorf("wipe the shared files of %s: %q stayed", d, name)
		}
	}
	return removed, changed, nil
}

// Withdraw takes back what was planted of some kinds, the last first, and leaves all else
// that was planted. What can't be taken back is said of each.
func (d *Device) Withdraw(ctx context.Context, kinds ...canary.Kind) error {
	d.mu.Lock()
	var todo []takeup
	d.undoing = slices.DeleteFunc(d.undoing, func(t takeup) bool {
		if t.kind == "" || !slices.Contains(kinds, t.kind) {
			return false
		}
		todo = append(todo, t)
		return true
	})
	d.mu.Unlock()
	var all []error
	for _, t := range slices.Backward(todo) {
		if err := t.do(ctx); err != nil {
			all = append(all, fmt.Errorf("take %s back from %s: %w", t.what, d, err))
		}
	}
	return errors.Join(all...)
}
