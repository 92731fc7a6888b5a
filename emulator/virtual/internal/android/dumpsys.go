package android

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// dumps are the services that dumpsys can ask, by name.
func (s *System) dumps() map[string]func(args []string) (string, error) {
	plain := func(f func() string) func([]string) (string, error) {
		return func([]string) (string, error) { return f(), nil }
	}
	return map[string]func(args []string) (string, error){
		"account":  plain(func() string { return s.accounts.dump(s.release, s.zone(), s.authenticators()) }),
		"location": plain(func() string { return s.locations.dump(s.now()) }),
		"window":   plain(s.dumpWindow),
		"package": func(args []string) (string, error) {
			if len(args) == 0 {
				return "", refusal("unasked's embedded device dumps one package at a time: dumpsys package NAME")
			}
			return s.dumpPackage(args[0]), nil
		},
		"activity": func(args []string) (string, error) {
			what := strings.Join(args, " ")
			switch what {
			case "", "activities", "a":
				return s.dumpActivities(), nil
			case "top":
				return s.dumpTop(), nil
			case "processes", "p":
				return s.dumpProcesses(), nil
			}
			return "", refusef("unasked's embedded device does not model \"dumpsys activity %s\"", what)
		},
		"netstats": func(args []string) (string, error) {
			if slices.Contains(args, "--poll") {
				return "Forced poll\n", nil
			}
			return dumpNetstats(s.counters(), slices.Contains(args, "detail") || slices.Contains(args, "--full") || slices.Contains(args, "--uid"), s.now()), nil
		},
		"settings": plain(func() string {
			var b strings.Builder
			for _, n := range []string{settingsGlobal, settingsSecure, settingsSystem} {
				fmt.Fprintf(&b, "%s SETTINGS (user 0)\n%s\n", strings.ToUpper(n), s.settings.list(n))
			}
			return b.String()
		}),
	}
}

// dumpsys prints what a service knows. A service that this device does not
// model is refused, never made up.
func (s *System) dumpsys(_ context.Context, c *shell.Call) int {
	args := c.Args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-l":
			c.Printf("Currently running services:\n")
			for _, n := range slices.Sorted(maps.Keys(s.dumps())) {
				c.Printf("  %s\n", n)
			}
			return 0
		case "-t", "-T", "--priority":
			if len(args) < 2 {
				return c.Errorf("%s needs a value", args[0])
			}
			args = args[2:]
		default:
			args = args[1:]
		}
	}
	if len(args) == 0 {
		return c.Errorf("unasked's embedded device dumps one service at a time: dumpsys SERVICE; dumpsys -l lists them")
	}
	dump, ok := s.dumps()[args[0]]
	if !ok {
		fmt.Fprintf(c.Stderr, "Can't find service: %s (unasked's embedded device does not model it)\n", args[0])
		return 1
	}
	text, err := dump(args[1:])
	if err != nil {
		return complain(c, err)
	}
	if _, err := io.WriteString(c.Stdout, text); err != nil {
		return 1
	}
	return 0
}

// dumpProcesses is "dumpsys activity processes".
func (s *System) dumpProcesses() string {
	var b strings.Builder
	b.WriteString("ACTIVITY MANAGER RUNNING PROCESSES (dumpsys activity processes)\n  All known processes:\n")
	for _, p := range s.activities.running() {
		fmt.Fprintf(&b, "  *APP* UID %d ProcessRecord{%s %d:%s/u0a%d}\n    user #0 uid=%d gids={}\n    dir=%s publicDir=%s data=/data/user/0/%s\n    packageList={%s}\n",
			p.app.UID, p.record, p.pid, p.app.Name, p.app.UID-10000, p.app.UID, p.app.Base, p.app.Base, p.app.Name, p.app.Name)
	}
	return b.String()
}
