package android

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// pmList is "pm list".
func (s *System) pmList(_ context.Context, c *shell.Call, args *argv) int {
	what, _ := args.next()
	switch what {
	case "package", "packages":
		return s.listPackages(c, args)
	case "permissions":
		return s.listPermissions(c, args)
	case "permission-groups":
		for _, g := range slices.Sorted(maps.Keys(permissionGroups(s.known))) {
			if g != "" {
				c.Printf("permission group:%s\n", g)
			}
		}
		return 0
	case "features":
		for _, f := range deviceFeatures {
			c.Printf("feature:%s\n", f)
		}
		return 0
	case "users":
		c.Printf("Users:\n\tUserInfo{0:Owner:%s} running\n", s.release.UserFlags)
		return 0
	case "libraries", "instrumentation":
		return 0
	}
	fmt.Fprintf(c.Stderr, "Error: unknown list type '%s'\n", what)
	return 255
}

func (s *System) listPackages(c *shell.Call, args *argv) int {
	var file, third, system, disabled, enabled, uninstalled, uids, versions, installers bool
	onlyUID := -1
	for {
		opt, ok := args.option()
		if !ok {
			break
		}
		switch opt {
		case "-f":
			file = true
		case "-3":
			third = true
		case "-s":
			system = true
		case "-d":
			disabled = true
		case "-e":
			enabled = true
		case "-u", "-a":
			uninstalled = true
		case "-U":
			uids = true
		case "-i":
			installers = true
		case "--show-versioncode":
			versions = true
		case "-l", "--factory-only", "--apex-only":
		case "--user":
			args.next()
		case "--uid":
			n, err := args.number(opt)
			if err != nil {
				return thrown(c, "list", err)
			}
			onlyUID, uids = int(n), true
		default:
			fmt.Fprintf(c.Stderr, "Error: Unknown option: %s\n", opt)
			return 255
		}
	}
	filter, _ := args.next()
	for _, a := range s.registry.all() {
		if a.Kept && !uninstalled || third && a.System || system && !a.System || disabled && !a.Disabled || enabled && a.Disabled ||
			onlyUID >= 0 && a.UID != onlyUID || !strings.Contains(a.Name, filter) {
			continue
		}
		c.Printf("package:")
		if file {
			c.Printf("%s=", a.Base)
		}
		c.Printf("%s", a.Name)
		if versions {
			c.Printf(" versionCode:%d", a.VersionCode)
		}
		if installers {
			c.Printf("  installer=%s", orNull(a.Installer))
		}
		if uids {
			c.Printf(" uid:%d", a.UID)
		}
		c.Printf("\n")
	}
	return 0
}

func (s *System) listPermissions(c *shell.Call, args *argv) int {
	var grouped, dangerous, full, summary bool
	for {
		opt, ok := args.option()
		if !ok {
			break
		}
		switch opt {
		case "-g":
			grouped = true
		case "-u", "-d":
			// -u: those a person grants; -d: the dangerous ones. Here they are the same.
			dangerous = true
		case "-f":
			full = true
		case "-s":
			summary = true
		case "--user":
			args.next()
		default:
			fmt.Fprintf(c.Stderr, "Error: Unknown option: %s\n", opt)
			return 1
		}
	}
	only, narrowed := args.next()
	if dangerous {
		c.Printf("Dangerous Permissions:\n\n")
	} else {
		c.Printf("All Permissions:\n\n")
	}
	groups := permissionGroups(s.known)
	print := func(indent, name string) {
		p := s.known[name]
		if dangerous && !p.Runtime() {
			return
		}
		c.Printf("%spermission:%s\n", indent, name)
		if full {
			c.Printf("%s  package:android\n%s  protectionLevel:%s\n", indent, indent, p.Protection)
		}
	}
	if !grouped && !summary {
		for _, name := range slices.Sorted(maps.Keys(s.known)) {
			if !narrowed || s.known[name].Group == only {
				print("", name)
			}
		}
		return 0
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		if g == "" || narrowed && g != only {
			continue
		}
		c.Printf("group:%s\n", g)
		for _, name := range groups[g] {
			print("  ", name)
		}
		c.Printf("\n")
	}
	if !narrowed {
		c.Printf("ungrouped:\n")
		for _, name := range groups[""] {
			print("  ", name)
		}
	}
	return 0
}

func (s *System) pmDump(_ context.Context, c *shell.Call, args *argv) int {
	name, ok := args.next()
	if !ok {
		fmt.Fprint(c.Stderr, "Error: no package specified\n")
		return 1
	}
	c.Printf("DUMP OF SERVICE package:\n%s", s.dumpPackage(name))
	return 0
}

// dumpPackage is "dumpsys package NAME" (com.android.server.pm.Settings.dumpPackageLPr).
func (s *System) dumpPackage(name string) string {
	a, ok := s.registry.kept(name)
	if !ok {
		return fmt.Sprintf("Unable to find package: %s\n", name)
	}
	sig := a.signature()
	object := hex.EncodeToString(sig[:4])[:7]
	var b strings.Builder
	if l, ok := a.launcher(); ok && !a.Kept {
		fmt.Fprintf(&b, "Activity Resolver Table:\n  Non-Data Actions:\n      %s:\n        %s %s filter %s\n          Action: \"%s\"\n          Category: \"%s\"\n\n",
			actionMain, object, flatten(a.Name, l.Name), object, actionMain, categoryLauncher)
	}
	id := "appId"
	if s.release.API < 34 {
		id = "userId"
	}
	fmt.Fprintf(&b, "Packages:\n  Package [%s] (%s):\n    %s=%d\n    pkg=Package{%s %s}\n", a.Name, object, id, a.UID, object, a.Name)
	fmt.Fprintf(&b, "    codePath=%s\n    resourcePath=%s\n    primaryCpuAbi=%s\n", a.Dir, a.Dir, orNull(a.primaryABI()))
	fmt.Fprintf(&b, "    versionCode=%d minSdk=%d targetSdk=%d\n    versionName=%s\n", a.VersionCode, a.MinSDK, a.TargetSDK, orNull(oneLine(a.VersionName)))
	splits := []string{"base"}
	for _, p := range a.Splits {
		splits = append(splits, strings.TrimSuffix(strings.TrimPrefix(p[strings.LastIndexByte(p, '/')+1:], "split_"), ".apk"))
	}
	fmt.Fprintf(&b, "    splits=[%s]\n    apkSigningVersion=%d\n    flags=[ %s ]\n", strings.Join(splits, ", "), newest(a.Schemes), strings.Join(a.flags(), " "))
	fmt.Fprintf(&b, "    dataDir=/data/user/0/%s\n", a.Name)
	stamp := func(t time.Time) string { return t.In(s.zone()).Format(time.DateTime) }
	fmt.Fprintf(&b, "    timeStamp=%s\n    lastUpdateTime=%s\n    installerPackageName=%s\n", stamp(a.Updated), stamp(a.Updated), orNull(oneLine(a.Installer)))
	fmt.Fprintf(&b, "    signatures=PackageSignatures{%s version:%d, signatures:[%s], past signatures:[]}\n", object, newest(a.Schemes), hex.EncodeToString(sig[:4]))
	var install, runtime []string
	b.WriteString("    requested permissions:\n")
	for _, p := range a.requested(s.release.API) {
		fmt.Fprintf(&b, "      %s\n", oneLine(p))
		known, ok := s.known[p]
		switch {
		case ok && known.Runtime():
			runtime = append(runtime, p)
		case a.Grants[p].Granted:
			install = append(install, p)
		}
	}
	slices.Sort(install)
	slices.Sort(runtime)
	b.WriteString("    install permissions:\n")
	for _, p := range install {
		fmt.Fprintf(&b, "      %s: granted=true\n", p)
	}
	enabled := 0
	if a.Disabled {
		enabled = 2
	}
	fmt.Fprintf(&b, "    User 0: ceDataInode=0 installed=%t hidden=false suspended=false distractionFlags=0 stopped=%t notLaunched=%t enabled=%d instant=false virtual=false\n", !a.Kept, a.Stopped, a.Stopped, enabled)
	fmt.Fprintf(&b, "      installReason=0\n      firstInstallTime=%s\n      runtime permissions:\n", stamp(a.Installed))
	for _, p := range runtime {
		g := a.Grants[p]
		fmt.Fprintf(&b, "        %s: granted=%t, flags=%s\n", p, g.Granted, g.flags())
	}
	return b.String()
}

func newest(schemes []int) int {
	n := 0
	for _, s := range schemes {
		n = max(n, s)
	}
	return n
}

// primaryABI is the instruction set that the app's native code runs in.
func (a *app) primaryABI() string {
	for _, abi := range []string{"x86_64", "arm64-v8a"} {
		if slices.Contains(a.ABIs, abi) {
			return abi
		}
	}
	return ""
}

// flags are the package's flags as dumpsys prints them.
func (a *app) flags() []string {
	var f []string
	if a.System {
		f = append(f, "SYSTEM")
	}
	if a.Debuggable {
		f = append(f, "DEBUGGABLE")
	}
	if a.Manifest == nil || a.Manifest.HasCode {
		f = append(f, "HAS_CODE")
	}
	f = append(f, "ALLOW_CLEAR_USER_DATA")
	if a.TestOnly {
		f = append(f, "TEST_ONLY")
	}
	if a.Manifest != nil && a.Manifest.AllowBackup {
		f = append(f, "ALLOW_BACKUP")
	}
	return f
}
