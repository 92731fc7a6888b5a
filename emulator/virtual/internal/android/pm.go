package android

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// packageCommand is "pm", or "cmd package".
func (s *System) packageCommand(ctx context.Context, c *shell.Call) int {
	args := newArgv(c.Args[1:])
	verb, ok := args.next()
	if !ok {
		verb = "help"
	}
	run, ok := map[string]func(context.Context, *shell.Call, *argv) int{
		"install": s.pmInstall, "install-create": s.pmInstallCreate, "install-write": s.pmInstallWrite,
		"install-commit": s.pmInstallCommit, "install-abandon": s.pmInstallAbandon,
		"uninstall": s.pmUninstall, "clear": s.pmClear, "path": s.pmPath, "list": s.pmList,
		"grant": s.pmGrant, "revoke": s.pmGrant, "reset-permissions": s.pmResetPermissions,
		"enable": s.pmEnable, "disable": s.pmEnable, "disable-user": s.pmEnable, "default-state": s.pmEnable,
		"resolve-activity": s.pmResolve, "query-activities": s.pmResolve, "dump": s.pmDump, "has-feature": s.pmHasFeature,
		"get-max-users": func(_ context.Context, c *shell.Call, _ *argv) int {
			c.Printf("Maximum supported users: 1\n")
			return 0
		},
		"help": func(_ context.Context, c *shell.Call, _ *argv) int {
			c.Printf("Package manager (package) commands that unasked's embedded device has:\n" +
				"  install, install-create, install-write, install-commit, install-abandon, uninstall, clear, path, list,\n" +
				"  grant, revoke, reset-permissions, enable, disable, disable-user, default-state, resolve-activity,\n" +
				"  query-activities, dump, has-feature, get-max-users\n")
			return 0
		},
	}[verb]
	if !ok {
		return unknown(c, verb)
	}
	// An option's name may be glued to nothing here: the verb is known by its place.
	call := *c
	call.Args = append([]string{verb}, args.list...)
	return run(ctx, &call, args)
}

func (s *System) pmUninstall(ctx context.Context, c *shell.Call, args *argv) int {
	keep := false
	for {
		opt, ok := args.option()
		if !ok {
			break
		}
		switch opt {
		case "-k":
			keep = true
		case "--user", "--versionCode":
			args.next()
		default:
			fmt.Fprintf(c.Stderr, "Error: Unknown option: %s\n", opt)
			return 1
		}
	}
	name, ok := args.next()
	if !ok {
		fmt.Fprint(c.Stderr, "Error: package name not specified\n")
		return 1
	}
	if err := s.uninstall(ctx, name, keep); err != nil {
		c.Printf("Failure [%s]\n", oneLine(err.Error()))
		return 1
	}
	c.Printf("Success\n")
	return 0
}

// userOptions skips the options that name a user; there is only one.
func userOptions(args *argv) {
	for {
		opt, ok := args.option()
		if !ok {
			return
		}
		if opt == "--user" {
			args.next()
		}
	}
}

func (s *System) pmClear(ctx context.Context, c *shell.Call, args *argv) int {
	userOptions(args)
	name, ok := args.next()
	if !ok {
		fmt.Fprint(c.Stderr, "Error: no package specified\n")
		return 1
	}
	if err := s.clear(ctx, name); err != nil {
		c.Printf("Failed\n")
		return 1
	}
	c.Printf("Success\n")
	return 0
}

func (s *System) pmPath(_ context.Context, c *shell.Call, args *argv) int {
	userOptions(args)
	name, ok := args.next()
	if !ok {
		fmt.Fprint(c.Stderr, "Error: no package specified\n")
		return 1
	}
	a, ok := s.registry.get(name)
	if !ok {
		return 1
	}
	for _, p := range append([]string{a.Base}, a.Splits...) {
		c.Printf("package:%s\n", p)
	}
	return 0
}

// pmGrant is "pm grant" and "pm revoke".
func (s *System) pmGrant(ctx context.Context, c *shell.Call, args *argv) int {
	verb := c.Args[0]
	userOptions(args)
	name, ok1 := args.next()
	permission, ok2 := args.next()
	if !ok1 {
		fmt.Fprint(c.Stderr, "Error: no package specified\n")
		return 1
	}
	if !ok2 {
		fmt.Fprint(c.Stderr, "Error: no permission specified\n")
		return 1
	}
	if err := s.grant(name, permission, verb == "grant"); err != nil {
		return thrown(c, verb, err)
	}
	if verb == "revoke" {
		// Android kills an app that loses a permission.
		if err := s.stop(ctx, name, "permission revoked"); err != nil {
			return complain(c, err)
		}
	}
	return 0
}

// grant gives an app a permission or takes it away.
func (s *System) grant(name, permission string, on bool) error {
	a, ok := s.registry.get(name)
	if !ok {
		return illegalArgument("Unknown package: %s", name)
	}
	known, ok := s.known[permission]
	if !ok {
		return illegalArgument("Unknown permission: %s", permission)
	}
	if !a.asks(s.release.API, permission) {
		return securityException("Package %s has not requested permission %s", name, permission)
	}
	if !known.Changeable() {
		return securityException("Permission %s requested by %s is not a changeable permission type", permission, name)
	}
	s.registry.change(name, func(a *app) { a.Grants[permission] = grant{Granted: on} })
	return nil
}

func (s *System) pmResetPermissions(_ context.Context, _ *shell.Call, _ *argv) int {
	for _, a := range s.registry.all() {
		s.registry.change(a.Name, func(a *app) {
			for p := range a.Grants {
				if s.known[p].Runtime() {
					a.Grants[p] = grant{}
				}
			}
		})
	}
	return 0
}

func (s *System) pmEnable(ctx context.Context, c *shell.Call, args *argv) int {
	userOptions(args)
	name, ok := args.next()
	if !ok {
		fmt.Fprint(c.Stderr, "Error: no package or component specified\n")
		return 1
	}
	if strings.Contains(name, "/") {
		return c.Errorf("unasked's embedded device does not model switching single components")
	}
	states := map[string]string{"enable": "enabled", "disable": "disabled", "disable-user": "disabled-user", "default-state": "default"}
	state := states[c.Args[0]]
	off := strings.HasPrefix(state, "disabled")
	a, ok := s.registry.get(name)
	if !ok {
		return thrown(c, c.Args[0], illegalArgument("Unknown package: %s", name))
	}
	if a.System && off {
		return thrown(c, c.Args[0], securityException("Cannot disable a protected package: %s", name))
	}
	s.registry.change(name, func(a *app) { a.Disabled = off })
	if off {
		if err := s.stop(ctx, name, "disabled"); err != nil {
			return complain(c, err)
		}
	}
	c.Printf("Package %s new state: %s\n", name, state)
	return 0
}

// pmResolve is "resolve-activity" and "query-activities", for the home screen's question.
func (s *System) pmResolve(_ context.Context, c *shell.Call, args *argv) int {
	brief := slices.Contains(args.list, "--brief") || slices.Contains(args.list, "--components")
	in, err := parseIntent(args)
	if err != nil {
		return thrown(c, c.Args[0], err)
	}
	found := 0
	for _, a := range s.registry.all() {
		if a.Kept || a.Disabled || in.Package != "" && in.Package != a.Name {
			continue
		}
		l, ok := a.launcher()
		if !ok || in.Action != "" && in.Action != actionMain || in.Component != "" && in.Component != flatten(a.Name, l.Name) && in.Component != a.Name+"/"+l.Name {
			continue
		}
		if found++; found > 1 && c.Args[0] == "resolve-activity" {
			break
		}
		if brief {
			c.Printf("priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=false\n%s\n", flatten(a.Name, l.Name))
		} else {
			c.Printf("priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=false\nActivityInfo:\n  name=%s\n  packageName=%s\n  enabled=true exported=%t directBootAware=false\n  ApplicationInfo:\n    packageName=%s\n    uid=%d sourceDir=%s\n",
				l.Name, a.Name, l.Exported, a.Name, a.UID, a.Base)
		}
	}
	if found == 0 {
		if c.Args[0] == "query-activities" {
			c.Printf("No activities found\n")
		} else {
			c.Printf("No activity found\n")
		}
	}
	return 0
}

func (s *System) pmHasFeature(_ context.Context, c *shell.Call, args *argv) int {
	name, _ := args.next()
	has := slices.Contains(deviceFeatures, name)
	c.Printf("%s\n", strconv.FormatBool(has))
	if !has {
		return 1
	}
	return 0
}

// deviceFeatures are what the device models.
var deviceFeatures = []string{
	"android.hardware.camera", "android.hardware.camera.any", "android.hardware.location", "android.hardware.location.gps",
	"android.hardware.location.network", "android.hardware.touchscreen", "android.hardware.wifi", "android.software.webview",
}
