package android

import (
	"context"
	"fmt"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// runAs runs a command as an app that its developer made debuggable, in its
// data folder.
func (s *System) runAs(ctx context.Context, c *shell.Call) int {
	args := c.Args[1:]
	if len(args) > 2 && args[0] == "--user" {
		args = args[2:]
	}
	if len(args) == 0 {
		fmt.Fprint(c.Stderr, "run-as: usage: run-as <package-name> [--user <uid>] <command> [<args>]\n")
		return 1
	}
	if c.UID != 0 && c.UID != 2000 {
		fmt.Fprint(c.Stderr, "run-as: only 'shell' or 'root' users can run this program\n")
		return 1
	}
	a, ok := s.registry.get(args[0])
	switch {
	case !ok:
		fmt.Fprintf(c.Stderr, "run-as: unknown package: %s\n", args[0])
		return 1
	case a.System:
		fmt.Fprintf(c.Stderr, "run-as: package not an application: %s\n", args[0])
		return 1
	case !a.Debuggable:
		fmt.Fprintf(c.Stderr, "run-as: package not debuggable: %s\n", args[0])
		return 1
	}
	args = args[1:]
	if len(args) > 2 && args[0] == "--user" {
		args = args[2:]
	}
	if len(args) == 0 {
		args = []string{"sh"}
	}
	call := *c
	call.Dir = a.dataDir()
	return call.ExecAs(ctx, a.UID, args...)
}
