package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
)

// Left is something that an audit set on a device and, by its own log, did not
// take back.
type Left struct {
	What string
	Undo string // the command, or what else to do
}

// LeftOnDevice reads from the evidence of an audit that was killed what may still
// be set on the device, and returns the device's serial with it.
func LeftOnDevice(ctx context.Context, ev evidence.Evidence) (serial string, left []Left, err error) {
	var app, proxy, authority, installed, planted, restored = "", "", false, false, []string{}, false
	backups := false
	for e, err := range ev.Events(ctx) {
		if err != nil {
			return "", nil, err
		}
		switch e.Kind {
		case evidence.KindDevice:
			var d evidence.Device
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return "", nil, fmt.Errorf("event %d: %w", e.Seq, err)
			}
			serial = d.Serial
		case evidence.KindApp:
			var a evidence.App
			if err := json.Unmarshal(e.Data, &a); err != nil {
				return "", nil, fmt.Errorf("event %d: %w", e.Seq, err)
			}
			app = a.Package
		case evidence.KindPlanting:
			var p evidence.Planting
			if err := json.Unmarshal(e.Data, &p); err != nil {
				return "", nil, fmt.Errorf("event %d: %w", e.Seq, err)
			}
			if p.OK {
				planted = append(planted, p.Kind)
			}
		case evidence.KindAction:
			var a evidence.Action
			if err := json.Unmarshal(e.Data, &a); err != nil {
				return "", nil, fmt.Errorf("event %d: %w", e.Seq, err)
			}
			switch a.Verb {
			case "install":
				installed = installed || a.OK
			case "uninstall":
				installed = installed && !a.OK
			case "stop-backup":
				backups = a.Detail != backupsWereOff
			case "trust-ca":
				authority = true
			case "set-proxy":
				proxy, _, _ = strings.Cut(a.Detail, " ")
			case "restore":
				restored = true // the audit took things back itself, and said what it could not
			}
		}
	}
	if restored {
		return serial, nil, nil
	}
	adb := "adb -s " + serial + " "
	if proxy != "" {
		_, port, _ := strings.Cut(proxy, ":")
		left = append(left,
			Left{"the proxy setting " + proxy, adb + "shell 'settings delete global http_proxy; settings put global http_proxy :0'"},
			Left{"adb's reverse of port " + port, adb + "reverse --remove tcp:" + port})
	}
	left = append(left, Left{"the mark that keeps other audits away", adb + "shell settings delete global unasked_audit"})
	if backups {
		left = append(left, Left{"the device's backups, which are off", adb + "shell bmgr enable true"})
	}
	if installed {
		left = append(left, Left{"the app", adb + "uninstall " + app})
	}
	if authority {
		left = append(left, Left{"the audit's certificate authority", adb + "reboot"})
	}
	if len(planted) > 0 {
		left = append(left, Left{"the planted values (" + strings.Join(planted, ", ") + ")", "take a fresh image, or remove them by hand"})
	}
	return serial, left, nil
}
