package android

import (
	"context"
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/emulator/virtual/internal/shell"
)

// backupEnabled is the secure setting that says whether the backup service is on.
const backupEnabled = "backup_enabled"

// bmgr switches the backup service and says whether it is on, in the words of Android's
// own bmgr. This device has nowhere to keep a backup, so it never makes or restores one.
func (s *System) bmgr(_ context.Context, c *shell.Call) int {
	args := newArgv(c.Args[1:])
	args.skipOptions()
	verb, _ := args.next()
	word := func(on bool) string {
		if on {
			return "enabled"
		}
		return "disabled"
	}
	switch verb {
	case "enabled":
		v, _ := s.settings.get(settingsSecure, backupEnabled)
		c.Printf("Backup Manager currently %s\n", word(v == "1"))
	case "enable":
		text, ok := args.next()
		if !ok {
			fmt.Fprint(c.Stderr, "usage: bmgr [enable BOOL|enabled]\n")
			return 0 // as Android's does
		}
		on := strings.EqualFold(text, "true")
		value := "0"
		if on {
			value = "1"
		}
		s.settings.put(settingsSecure, backupEnabled, value)
		c.Printf("Backup Manager now %s\n", word(on))
	default:
		return c.Errorf("unasked's embedded device keeps no backups: it does not model bmgr %s", verb)
	}
	return 0
}
