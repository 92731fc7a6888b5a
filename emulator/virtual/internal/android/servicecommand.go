package android

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// homeAccountType is the type of account that the device itself keeps: where
// a person's mail account would be on a phone.
const homeAccountType = "org.unasked.account"

// options reads "--name VALUE" pairs.
func namedOptions(args []string) (map[string]string, error) {
	m := map[string]string{}
	for i := 0; i < len(args); i += 2 {
		if !strings.HasPrefix(args[i], "--") || i+1 >= len(args) {
			return nil, illegalArgument("expected --OPTION VALUE at %q", args[i])
		}
		m[args[i][2:]] = args[i+1]
	}
	return m, nil
}

// accountCommand is "cmd account", which phones don't have: accounts there
// come from apps.
func (s *System) accountCommand(_ context.Context, c *shell.Call) int {
	if len(c.Args) < 2 || c.Args[1] != "add" && c.Args[1] != "remove" {
		c.Printf("Account commands of unasked's embedded device, which phones don't have:\n  add --name NAME --type TYPE\n  remove --name NAME --type TYPE\n")
		return 255
	}
	o, err := namedOptions(c.Args[2:])
	if err == nil && (o["name"] == "" || o["type"] == "") {
		err = illegalArgument("--name and --type are required")
	}
	if err != nil {
		return thrown(c, c.Args[1], err)
	}
	if c.Args[1] == "remove" {
		if !s.accounts.remove(o["name"], o["type"], c.UID) {
			return thrown(c, "remove", illegalArgument("no such account: Account {name=%s, type=%s}", oneLine(o["name"]), oneLine(o["type"])))
		}
		return 0
	}
	if !slices.ContainsFunc(s.authenticators(), func(a authenticator) bool { return a.Type == o["type"] }) {
		return thrown(c, "add", securityException("no app serves accounts of type: %s", oneLine(o["type"])))
	}
	if !s.accounts.add(o["name"], o["type"], "", c.UID) {
		return thrown(c, "add", illegalArgument("there is such an account already: Account {name=%s, type=%s}", oneLine(o["name"]), oneLine(o["type"])))
	}
	return 0
}

// locationCommand is "cmd location".
func (s *System) locationCommand(_ context.Context, c *shell.Call) int {
	args := c.Args[1:]
	if len(args) > 0 && args[0] == "providers" {
		if s.release.API < 31 {
			return c.Errorf("unknown command: Android %s has no test providers in its shell", s.release.Version)
		}
		return s.testProviders(c, args[1:])
	}
	switch {
	case len(args) >= 1 && args[0] == "is-location-enabled":
		c.Printf("%t\n", s.locations.isEnabled())
		return 0
	case len(args) >= 2 && args[0] == "set-location-enabled":
		on, err := strconv.ParseBool(args[1])
		if err != nil {
			return thrown(c, args[0], illegalArgument("Unknown boolean: %s", args[1]))
		}
		s.locations.setEnabled(on)
		mode := "0"
		if on {
			mode = "3"
		}
		s.settings.put(settingsSecure, "location_mode", mode)
		return 0
	case len(args) >= 1:
		return unknown(c, args[0])
	}
	c.Printf("Location service commands:\n  is-location-enabled\n  set-location-enabled true|false\n  providers add-test-provider|remove-test-provider|set-test-provider-enabled|set-test-provider-location\n")
	return 0
}

// testProviders is "cmd location providers".
func (s *System) testProviders(c *shell.Call, args []string) int {
	if len(args) < 2 {
		fmt.Fprint(c.Stderr, "Error: no provider specified\n")
		return 255
	}
	verb, name := args[0], args[1]
	var err error
	switch verb {
	case "add-test-provider":
		s.locations.addTest(name)
	case "remove-test-provider":
		s.locations.removeTest(name)
	case "set-test-provider-enabled":
		on := false
		if len(args) < 3 {
			err = illegalArgument("Argument expected after \"%s\"", name)
		} else if on, err = strconv.ParseBool(args[2]); err != nil {
			err = illegalArgument("Unknown boolean: %s", args[2])
		} else {
			err = s.locations.enableTest(name, on)
		}
	case "set-test-provider-location":
		var o map[string]string
		if o, err = namedOptions(args[2:]); err != nil {
			break
		}
		var f fix
		if f, err = parseFix(o["location"]); err != nil {
			break
		}
		if o["accuracy"] != "" {
			if f.Accuracy, err = strconv.ParseFloat(o["accuracy"], 64); err != nil || !(f.Accuracy >= 0 && f.Accuracy < 1e9) {
				err = illegalArgument("Invalid accuracy: %s", o["accuracy"])
				break
			}
		}
		f.At = s.now()
		err = s.locations.setTest(name, f)
	case "send-extra-command":
		return c.Errorf("unasked's embedded device does not model %s", verb)
	default:
		return unknown(c, verb)
	}
	if err != nil {
		return thrown(c, "providers", err)
	}
	return 0
}

// clipboardCommand is "cmd clipboard", which phones don't have in this form.
func (s *System) clipboardCommand(_ context.Context, c *shell.Call) int {
	switch {
	case len(c.Args) == 3 && c.Args[1] == "set-primary-clip":
		s.clipboard.set(c.Args[2])
		return 0
	case len(c.Args) == 2 && c.Args[1] == "get-primary-clip":
		c.Printf("%s\n", s.clipboard.get())
		return 0
	case len(c.Args) == 2 && c.Args[1] == "clear-primary-clip":
		s.clipboard.set("")
		return 0
	}
	c.Printf("Clipboard commands of unasked's embedded device:\n  set-primary-clip TEXT\n  get-primary-clip\n  clear-primary-clip\n")
	return 255
}

// cameraCommand is "cmd media.camera"; the feed is this device's own.
func (s *System) cameraCommand(_ context.Context, c *shell.Call) int {
	if len(c.Args) < 2 || c.Args[1] != "feed" || len(c.Args) > 3 {
		c.Printf("Camera commands of unasked's embedded device, which phones don't have:\n  feed PATH   what the camera sees from now on\n  feed        says what it sees\n  feed none   the built-in clip again\n")
		return 255
	}
	if len(c.Args) == 2 {
		p := s.camera.path()
		if p == "" {
			p = "built-in clip"
		}
		c.Printf("%s\n", p)
		return 0
	}
	if c.Args[2] == "none" {
		s.camera.set("")
		return 0
	}
	p := c.Path(c.Args[2])
	f, err := c.FS.Open(p)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		fmt.Fprintf(c.Stderr, "feed: %s: %v\n", c.Args[2], err)
		return 1
	}
	info, err := f.Stat()
	_ = f.Close() // it was only opened to see that it can be
	if err != nil || info.IsDir() {
		fmt.Fprintf(c.Stderr, "feed: %s: not a file\n", c.Args[2])
		return 1
	}
	s.camera.set(p)
	return 0
}

// phoneCommand is "cmd phone": reading is Android's, setting is this device's own.
func (s *System) phoneCommand(_ context.Context, c *shell.Call) int {
	imei, number := s.phone.get()
	switch {
	case len(c.Args) >= 2 && c.Args[1] == "get-imei":
		c.Printf("Device IMEI: %s\n", imei)
		return 0
	case len(c.Args) >= 2 && c.Args[1] == "get-line1-number":
		c.Printf("%s\n", number)
		return 0
	case len(c.Args) == 3 && c.Args[1] == "set-imei":
		if len(c.Args[2]) != 15 || strings.Trim(c.Args[2], "0123456789") != "" {
			return thrown(c, "set-imei", illegalArgument("an IMEI has 15 digits: %s", c.Args[2]))
		}
		s.phone.setIMEI(c.Args[2])
		return 0
	case len(c.Args) == 3 && c.Args[1] == "set-line1-number":
		s.phone.setNumber(c.Args[2])
		return 0
	}
	c.Printf("Phone commands of unasked's embedded device (get-line1-number and the set- ones are its own):\n  get-imei\n  get-line1-number\n  set-imei IMEI\n  set-line1-number NUMBER\n")
	return 255
}

// statusbarCommand accepts what clears the screen of panels: there are none.
func (s *System) statusbarCommand(_ context.Context, c *shell.Call) int {
	if len(c.Args) == 2 && c.Args[1] == "collapse" {
		return 0
	}
	return c.Errorf("unasked's embedded device does not model a status bar")
}

// appopsCommand is "appops", or "cmd appops".
func (s *System) appopsCommand(_ context.Context, c *shell.Call) int {
	args := newArgv(c.Args[1:])
	verb, _ := args.next()
	args.skipOptions()
	pkg, hasPackage := args.next()
	op, hasOp := args.next()
	if verb == "reset" {
		s.appops.reset(pkg)
		c.Printf("Reset all modes\n")
		return 0
	}
	if verb != "get" && verb != "set" || !hasPackage {
		c.Printf("AppOps service (appops) commands that unasked's embedded device has:\n  set PACKAGE OP MODE\n  get PACKAGE [OP]\n  reset [PACKAGE]\n")
		return 255
	}
	if _, ok := s.registry.get(pkg); !ok {
		// A uid is as good as a package's name.
		found := false
		for _, a := range s.registry.all() {
			if strconv.Itoa(a.UID) == pkg {
				pkg, found = a.Name, true
				break
			}
		}
		if !found {
			fmt.Fprintf(c.Stderr, "Error: No UID for %s in user 0\n", pkg)
			return 255
		}
	}
	name := ""
	if hasOp {
		if name = operation(op); name == "" {
			fmt.Fprintf(c.Stderr, "Error: Unknown operation string: %s\n", op)
			return 255
		}
	}
	if verb == "get" {
		_, _ = io.WriteString(c.Stdout, s.appops.dump(pkg, name, "allow")) // whoever reads has gone
		return 0
	}
	mode, ok := args.next()
	if !hasOp || !ok {
		fmt.Fprint(c.Stderr, "Error: Mode not specified.\n")
		return 255
	}
	if !slices.Contains(opModes, mode) {
		fmt.Fprintf(c.Stderr, "Error: Mode is not valid: %s\n", mode)
		return 255
	}
	s.appops.set(pkg, name, mode)
	return 0
}
