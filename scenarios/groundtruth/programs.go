package groundtruth

import (
	"context"
	"os"
	"os/exec"
)

// Programs finds what pages need: a Chromium (UNASKED_CHROMIUM, or the usual names) and
// npm, with which it fetches the SDKs into the user's cache at the first call. chromium
// is empty where one of the two is missing.
func Programs(ctx context.Context) (chromium, modules string, err error) {
	for _, name := range []string{os.Getenv("UNASKED_CHROMIUM"), "chromium-headless-shell", "headless_shell", "chromium", "google-chrome"} {
		if name == "" {
			continue
		}
		if chromium, err = exec.LookPath(name); err == nil {
			break
		}
	}
	if _, err := exec.LookPath("npm"); err != nil || chromium == "" {
		return "", "", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	modules, err = Modules(ctx, cache)
	return chromium, modules, err
}
