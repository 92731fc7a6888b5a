package webview

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// ErrNoChromium is wrapped by the error of a start without a browser.
var ErrNoChromium = errors.New("no Chromium to run web apps in")

// findChromium says which browser to run. The headless shell comes first: it
// is quick, and makes no connection of its own.
func findChromium(chosen string) (string, error) {
	from := "the option"
	if chosen == "" {
		chosen, from = os.Getenv("UNASKED_CHROMIUM"), "UNASKED_CHROMIUM"
	}
	if chosen != "" {
		path, err := exec.LookPath(chosen)
		if err != nil {
			return "", fmt.Errorf("%w: %s names %s, which cannot be run: %w", ErrNoChromium, from, chosen, err)
		}
		return path, nil
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome", "headless_shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: install it with: sudo apt-get install chromium-headless-shell (or name one in UNASKED_CHROMIUM)", ErrNoChromium)
}

// Missing says what the host lacks to run an app: the error wraps [ErrNoChromium]
// or [ErrNoCertutil] and says how to get it. chosen is Options.Chromium.
func Missing(chosen string) error {
	if _, err := findChromium(chosen); err != nil {
		return err
	}
	if _, err := exec.LookPath("certutil"); err != nil {
		return ErrNoCertutil
	}
	return nil
}
