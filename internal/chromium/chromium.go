// Package chromium finds the browser that web apps and websites are run in.
package chromium

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// ErrMissing is wrapped by the error of [Find] on a host without a browser.
var ErrMissing = errors.New("no Chromium to run web pages in")

// Find says which browser to run: the one that is chosen, a path or a name on PATH; for
// "" the one that UNASKED_CHROMIUM names; else the first that is installed. The headless
// shell comes first: it is quick, and makes no connection of its own. The error wraps
// [ErrMissing] and says how to get one.
func Find(chosen string) (string, error) {
	from := "the option"
	if chosen == "" {
		chosen, from = os.Getenv("UNASKED_CHROMIUM"), "UNASKED_CHROMIUM"
	}
	if chosen != "" {
		path, err := exec.LookPath(chosen)
		if err != nil {
			return "", fmt.Errorf("%w: %s names %s, which cannot be run: %w", ErrMissing, from, chosen, err)
		}
		return path, nil
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome", "headless_shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: install it with: sudo apt-get install chromium-headless-shell (or name one in UNASKED_CHROMIUM)", ErrMissing)
}
