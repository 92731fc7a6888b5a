package android

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// appops are the app operations that somebody set by hand or that were noted.
type appops struct {
	mu    sync.Mutex
	now   func() time.Time
	modes map[string]map[string]string    // package, operation
	noted map[string]map[string]time.Time // last access
}

func newAppops(now func() time.Time) *appops {
	return &appops{now: now, modes: map[string]map[string]string{}, noted: map[string]map[string]time.Time{}}
}

// operations are the app operations behind the permissions that the bridge guards.
var operations = map[string]string{
	"android.permission.ACCESS_FINE_LOCATION":   "FINE_LOCATION",
	"android.permission.ACCESS_COARSE_LOCATION": "COARSE_LOCATION",
	"android.permission.CAMERA":                 "CAMERA",
	"android.permission.RECORD_AUDIO":           "RECORD_AUDIO",
	"android.permission.READ_CONTACTS":          "READ_CONTACTS",
	"android.permission.WRITE_CONTACTS":         "WRITE_CONTACTS",
	"android.permission.READ_CALENDAR":          "READ_CALENDAR",
	"android.permission.WRITE_CALENDAR":         "WRITE_CALENDAR",
	"android.permission.GET_ACCOUNTS":           "GET_ACCOUNTS",
	"android.permission.READ_PHONE_STATE":       "READ_PHONE_STATE",
	"android.permission.READ_PHONE_NUMBERS":     "READ_PHONE_NUMBERS",
	"android.permission.POST_NOTIFICATIONS":     "POST_NOTIFICATION",
	"android.permission.READ_MEDIA_IMAGES":      "READ_MEDIA_IMAGES",
	"android.permission.READ_MEDIA_VIDEO":       "READ_MEDIA_VIDEO",
	"android.permission.READ_MEDIA_AUDIO":       "READ_MEDIA_AUDIO",
}

// otherOperations can be set and read; nothing on this device asks for them.
var otherOperations = []string{"READ_CLIPBOARD", "WRITE_CLIPBOARD", "RUN_IN_BACKGROUND", "RUN_ANY_IN_BACKGROUND", "MOCK_LOCATION",
	"SYSTEM_ALERT_WINDOW", "WRITE_SETTINGS", "GET_USAGE_STATS", "REQUEST_INSTALL_PACKAGES", "VIBRATE", "WAKE_LOCK", "START_FOREGROUND",
	"MANAGE_EXTERNAL_STORAGE", "READ_EXTERNAL_STORAGE", "WRITE_EXTERNAL_STORAGE", "TOAST_WINDOW", "PROJECT_MEDIA", "SCHEDULE_EXACT_ALARM"}

// operation is an operation's name in the form that appops prints, or "".
func operation(s string) string {
	name := strings.ToUpper(strings.TrimPrefix(s, "android:"))
	if slices.Contains(otherOperations, name) || slices.Contains(slices.Collect(maps.Values(operations)), name) {
		return name
	}
	return ""
}

// The modes of an operation.
var opModes = []string{"allow", "deny", "ignore", "default", "foreground"}

func (o *appops) set(pkg, op, mode string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if mode == "default" {
		delete(o.modes[pkg], op)
		return
	}
	if o.modes[pkg] == nil {
		o.modes[pkg] = map[string]string{}
	}
	o.modes[pkg][op] = mode
}

// blocked reports whether an operation was taken away from an app.
func (o *appops) blocked(pkg, op string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	mode := o.modes[pkg][op]
	return mode == "deny" || mode == "ignore"
}

// note remembers that an app did something.
func (o *appops) note(pkg, op string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.noted[pkg] == nil {
		o.noted[pkg] = map[string]time.Time{}
	}
	o.noted[pkg][op] = o.now()
}

func (o *appops) forget(pkg string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.modes, pkg)
	delete(o.noted, pkg)
}

// reset takes back what was set, for one package or, with "", for all.
func (o *appops) reset(pkg string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if pkg == "" {
		clear(o.modes)
		return
	}
	delete(o.modes, pkg)
}

// dump is "cmd appops get"; only narrows to one operation, fallback is its mode where none was set.
func (o *appops) dump(pkg, only, fallback string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	ops := map[string]bool{}
	for op := range o.modes[pkg] {
		ops[op] = true
	}
	for op := range o.noted[pkg] {
		ops[op] = true
	}
	var b strings.Builder
	for _, op := range slices.Sorted(maps.Keys(ops)) {
		if only != "" && op != only {
			continue
		}
		mode := o.modes[pkg][op]
		if mode == "" {
			mode = "allow"
		}
		fmt.Fprintf(&b, "%s: %s", op, mode)
		if at, ok := o.noted[pkg][op]; ok {
			fmt.Fprintf(&b, "; time=+%s ago", ago(o.now().Sub(at)))
		}
		b.WriteByte('\n')
	}
	if b.Len() == 0 {
		if only == "" {
			return "No operations.\n"
		}
		return "No operations.\nDefault mode: " + fallback + "\n"
	}
	return b.String()
}

// ago is a time span as TimeUtils.formatDuration prints it: 1h2m3s4ms.
func ago(d time.Duration) string {
	ms := max(d, 0).Milliseconds()
	var b strings.Builder
	for _, u := range []struct {
		n    int64
		name string
	}{{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}} {
		if ms >= u.n || b.Len() > 0 || u.n == 1 {
			fmt.Fprintf(&b, "%d%s", ms/u.n, u.name)
			ms %= u.n
		}
	}
	return b.String()
}
