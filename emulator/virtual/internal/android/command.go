package android

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// register makes the framework's commands programs of the device.
func (s *System) register(sh *shell.Shell) {
	for name, run := range map[string]shell.Command{
		"cmd": s.cmd, "pm": s.service("package"), "am": s.service("activity"), "settings": s.service("settings"),
		"wm": s.service("window"), "input": s.service("input"), "appops": s.service("appops"), "content": s.contentCommand,
		"monkey": s.monkey, "dumpsys": s.dumpsys, "getprop": s.getprop, "setprop": s.setprop, "logcat": s.logcat, "log": s.logCommand,
		"screencap": s.screencap, "uiautomator": s.uiautomator, "run-as": s.runAs, "svc": s.svc, "service": s.serviceList,
		"iptables": s.packetFilterCommand, "ip6tables": s.packetFilterCommand, "screenrecord": notModelled("recording the screen"),
		"tcpdump": notModelled("packets of its network"), "bugreport": notModelled("bug reports"), "bmgr": s.bmgr, "ime": notModelled("input methods"),
	} {
		sh.Register(name, run)
	}
	for _, p := range []shell.Process{
		{PID: 1, UID: 0, Name: "init"}, {PID: 2, UID: 0, Name: "[kthreadd]"}, {PID: 180, PPID: 1, UID: 1036, Name: "logd"},
		{PID: 182, PPID: 1, UID: 1000, Name: "servicemanager"}, {PID: zygotePID, PPID: 1, UID: 0, Name: "zygote64"},
		{PID: 331, PPID: 1, UID: 2000, Name: "adbd"}, {PID: systemServerPID, PPID: zygotePID, UID: 1000, Name: "system_server"},
		{PID: 912, PPID: zygotePID, UID: homeUID, Name: homePackage},
	} {
		p.Args, p.Started = []string{p.Name}, s.booted
		sh.Processes().Add(p)
	}
	_ = s.fs.Generate("/proc/net/xt_qtaguid/stats", func() []byte { return qtaguid(s.counters()) }) // a device without the file still works
}

// The numbers of processes that are always there.
const (
	zygotePID       = 320
	systemServerPID = 560
)

// services are what "cmd" reaches, by name.
func (s *System) services() map[string]shell.Command {
	return map[string]shell.Command{
		"package": s.packageCommand, "activity": s.activityCommand, "settings": s.settingsCommand, "window": s.windowCommand,
		"input": s.inputCommand, "appops": s.appopsCommand, "account": s.accountCommand, "location": s.locationCommand,
		"clipboard": s.clipboardCommand, "media.camera": s.cameraCommand, "phone": s.phoneCommand, "statusbar": s.statusbarCommand,
	}
}

// service is the short name of a service's command, as pm is of "cmd package".
func (s *System) service(name string) shell.Command {
	return func(ctx context.Context, c *shell.Call) int { return s.services()[name](ctx, c) }
}

// exitNoService is cmd's exit code for a service that is not there.
const exitNoService = 20

// cmd runs a service's shell command.
func (s *System) cmd(ctx context.Context, c *shell.Call) int {
	if len(c.Args) < 2 {
		fmt.Fprint(c.Stderr, "cmd: No service specified; use -l to list all running services. Use -w to start and wait for a service.\n")
		return exitNoService
	}
	name := c.Args[1]
	if name == "-l" {
		c.Printf("Currently running services:\n")
		for _, n := range slices.Sorted(maps.Keys(s.services())) {
			c.Printf("  %s\n", n)
		}
		return 0
	}
	run, ok := s.services()[name]
	if !ok {
		fmt.Fprintf(c.Stderr, "cmd: Can't find service: %s\n", name)
		return exitNoService
	}
	call := *c
	call.Args = c.Args[1:]
	return run(ctx, &call)
}

// svc switches what people switch by hand; this device has none of it.
func (s *System) svc(_ context.Context, c *shell.Call) int {
	return c.Errorf("unasked's embedded device does not model switching %s", strings.Join(c.Args[1:], " "))
}

// serviceList is "service list" and "service check".
func (s *System) serviceList(_ context.Context, c *shell.Call) int {
	names := slices.Sorted(maps.Keys(s.services()))
	if len(c.Args) == 2 && c.Args[1] == "list" {
		c.Printf("Found %d services:\n", len(names))
		for i, n := range names {
			c.Printf("%d\t%s: []\n", i, n)
		}
		return 0
	}
	if len(c.Args) == 3 && c.Args[1] == "check" {
		state := "not found"
		if slices.Contains(names, c.Args[2]) {
			state = "found"
		}
		c.Printf("Service %s: %s\n", c.Args[2], state)
		return 0
	}
	return c.Errorf("unasked's embedded device does not model binder calls; use the service's own command")
}

// notModelled is a program that real devices have and this one only names.
func notModelled(what string) shell.Command {
	return func(_ context.Context, c *shell.Call) int {
		return c.Errorf("unasked's embedded device does not model %s", what)
	}
}

// unknown is what Android's services say of a command that they don't know.
func unknown(c *shell.Call, name string) int {
	c.Printf("Unknown command: %s\n", name)
	return 255
}

// thrown prints an exception as Android's ShellCommand does, without a stack:
// there is none to show.
func thrown(c *shell.Call, command string, err error) int {
	fmt.Fprintf(c.Stderr, "\nException occurred while executing '%s':\n%v\n", command, err)
	return 255
}

// complain prints a refusal as it is, and anything else with what it was about.
func complain(c *shell.Call, err error) int {
	var r refusal
	if errors.As(err, &r) {
		fmt.Fprintf(c.Stderr, "%s\n", string(r))
		return 1
	}
	return c.Errorf("%v", err)
}

func (s *System) getprop(_ context.Context, c *shell.Call) int {
	switch len(c.Args) {
	case 1:
		c.Printf("%s", s.props.list())
	case 2:
		c.Printf("%s\n", s.props.get(c.Args[1]))
	default:
		v := s.props.get(c.Args[1])
		if v == "" {
			v = c.Args[2]
		}
		c.Printf("%s\n", v)
	}
	return 0
}

func (s *System) setprop(_ context.Context, c *shell.Call) int {
	if len(c.Args) != 3 {
		fmt.Fprint(c.Stderr, "usage: setprop NAME VALUE\n")
		return 1
	}
	if err := s.props.set(c.Args[1], c.Args[2]); err != nil {
		return complain(c, err)
	}
	return 0
}

// settingsCommand is "settings".
func (s *System) settingsCommand(_ context.Context, c *shell.Call) int {
	args := newArgv(c.Args[1:])
	verb, _ := args.next()
	args.skipOptions()
	namespace, ok := args.next()
	if verb == "help" || verb == "" {
		c.Printf("Settings provider (settings) commands:\n  get NAMESPACE KEY\n  put NAMESPACE KEY VALUE\n  delete NAMESPACE KEY\n  list NAMESPACE\nNAMESPACE is one of {system, secure, global}.\n")
		return 0
	}
	if !slices.Contains([]string{"get", "put", "delete", "list"}, verb) {
		fmt.Fprintf(c.Stderr, "Invalid command: %s\n", verb)
		return 255
	}
	namespace = strings.ToLower(namespace)
	if !ok || !slices.Contains([]string{settingsSystem, settingsSecure, settingsGlobal}, namespace) {
		fmt.Fprintf(c.Stderr, "Invalid namespace '%s'\n", namespace)
		return 255
	}
	key, hasKey := args.next()
	if verb != "list" && (!hasKey || key == "") {
		fmt.Fprint(c.Stderr, "Bad arguments\n")
		return 255
	}
	switch verb {
	case "get":
		v, ok := s.settings.get(namespace, key)
		if !ok {
			v = "null"
		}
		c.Printf("%s\n", v)
	case "put":
		v, ok := args.next()
		if !ok {
			fmt.Fprint(c.Stderr, "Bad arguments\n")
			return 255
		}
		s.settings.put(namespace, key, v)
	case "delete":
		n := 0
		if s.settings.remove(namespace, key) {
			n = 1
		}
		c.Printf("Deleted %d rows\n", n)
	case "list":
		c.Printf("%s", s.settings.list(namespace))
	}
	return 0
}
