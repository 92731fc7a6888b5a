package webview

import (
	"os/exec"

	"github.com/unasked-audit/unasked/internal/chromium"
)

// ErrNoChromium is wrapped by the error of a start without a browser.
var ErrNoChromium = chromium.ErrMissing

// Missing says what the host lacks to run an app: the error wraps [ErrNoChromium]
// or [ErrNoCertutil] and says how to get it. chosen is Options.Chromium.
func Missing(chosen string) error {
	if _, err := chromium.Find(chosen); err != nil {
		return err
	}
	if _, err := exec.LookPath("certutil"); err != nil {
		return ErrNoCertutil
	}
	return nil
}
