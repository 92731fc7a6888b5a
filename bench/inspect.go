package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The app that both are given: 18 MB with 9,575 classes, out of a package of npm.
const (
	inspectedPackage = "appium-uiautomator2-server@10.6.6"
	inspectedArchive = "appium-uiautomator2-server-10.6.6.tgz"
	inspectedFile    = "package/apks/appium-uiautomator2-server-v10.6.6.apk"
	inspectedClasses = 9575
)

// debianPython is the one that androguard is packaged for.
const debianPython = "/usr/bin/python3"

// measureInspect has both read an app as a whole program, and counts processor time. Ours verifies
// four signature schemes besides, and looks for SDKs.
func measureInspect(ctx context.Context, l *lab) error {
	program, err := l.program(ctx)
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"npm", "pack", "--silent", "--pack-destination", l.dir, inspectedPackage},
		{"tar", "-xzf", filepath.Join(l.dir, inspectedArchive), "-C", l.dir, inspectedFile, inspectedFile + ".idsig"},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w: %s", args, err, out)
		}
	}
	apk := filepath.Join(l.dir, inspectedFile)
	rounds := 3
	if l.quick {
		rounds = 1
	}
	var ours, theirs, memory []float64
	for range rounds {
		out, used, kept, err := spent(ctx, program, "inspect", "--json", apk)
		if err != nil {
			return err
		}
		var d struct {
			Classes []string
			DEX     []struct{ Classes int }
		}
		found := 0
		err = json.Unmarshal(out, &d)
		for _, x := range d.DEX {
			found += x.Classes
		}
		if err != nil || found != inspectedClasses {
			return errors.Join(err, fmt.Errorf("ours found %d classes", found))
		}
		ours, memory = append(ours, used), append(memory, kept)
		if out, used, _, err = spent(ctx, debianPython, filepath.Join(l.root, "harness/apk/testdata/oracle.py"), "--", apk); err != nil {
			return err
		}
		if err := json.Unmarshal(out, &d); err != nil || len(d.Classes) != inspectedClasses {
			return errors.Join(err, fmt.Errorf("androguard found %d classes", len(d.Classes)))
		}
		theirs = append(theirs, used)
	}
	l.table.ratio("inspection of an app of 18 MB, processor time", "a minute", "androguard", 60/median(ours), 60/median(theirs), 10)
	l.table.most("memory of an inspection", "MB", median(memory), 300)
	return nil
}

// spent runs a program and gives what it printed, its processor time in seconds and the
// most memory that it held, in MB.
func spent(ctx context.Context, name string, args ...string) (out []byte, seconds, memory float64, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var errs bytes.Buffer
	cmd.Stderr, cmd.Env = &errs, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	if out, err = cmd.Output(); err != nil {
		return nil, 0, 0, fmt.Errorf("%s: %w: %.500s", name, err, errs.Bytes())
	}
	s := cmd.ProcessState
	return out, (s.UserTime() + s.SystemTime()).Seconds(), peakMemory(s), nil
}
