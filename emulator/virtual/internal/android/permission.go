package android

import (
	_ "embed"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// permission is what the platform knows of one of its permissions.
type permission struct {
	Name       string
	Protection string // normal, dangerous, appop, or signature with flags after bars
	Group      string // full name of the permission group; "" for none
	Since      int    // API level
}

// Runtime reports whether a person is asked for it.
func (p permission) Runtime() bool { return p.Protection == "dangerous" }

// Install reports whether every app that asks for it gets it.
func (p permission) Install() bool { return p.Protection == "normal" }

// Changeable reports whether pm grant may grant it: runtime permissions, and
// those that a developer's shell may hand out.
func (p permission) Changeable() bool {
	return p.Runtime() || slices.Contains(strings.Split(p.Protection, "|"), "development")
}

//go:embed permissions.tsv
var permissionTable string

// readPermissions are the platform's permissions at an API level, by name.
func readPermissions(api int) map[string]permission {
	table := map[string]permission{}
	for line := range strings.Lines(permissionTable) {
		line = strings.TrimSpace(line)
		fields := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || len(fields) != 4 {
			continue
		}
		p := permission{Name: fields[0], Protection: fields[1]}
		if !strings.Contains(p.Name, ".") {
			p.Name = "android.permission." + p.Name
		}
		if fields[2] != "-" {
			p.Group = "android.permission-group." + fields[2]
		}
		p.Since, _ = strconv.Atoi(fields[3])
		if p.Since <= api {
			table[p.Name] = p
		}
	}
	return table
}

// permissionGroups are the permissions of a table by group; the key "" holds those without one.
func permissionGroups(table map[string]permission) map[string][]string {
	groups := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		groups[table[name].Group] = append(groups[table[name].Group], name)
	}
	return groups
}

// grant is what an app has been told about one permission that it asks for.
type grant struct {
	Granted bool
	// UserSet: a person decided. UserFixed: and the app may not ask again.
	UserSet, UserFixed bool
	// OneTime: granted until the app's process ends.
	OneTime bool
}

// flags are the grant's flags as dumpsys package prints them.
func (g grant) flags() string {
	var f []string
	if g.UserSet {
		f = append(f, "USER_SET")
	}
	if g.UserFixed {
		f = append(f, "USER_FIXED")
	}
	f = append(f, "USER_SENSITIVE_WHEN_GRANTED", "USER_SENSITIVE_WHEN_DENIED")
	if g.OneTime {
		f = append(f, "ONE_TIME")
	}
	return "[ " + strings.Join(f, "|") + "]"
}
