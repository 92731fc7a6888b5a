package groundtruth

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// The apps' own scripts, and the list of the SDKs that they use.
//
//go:embed apps
var sources embed.FS

// bundle puts an app's script and the SDKs that it imports into one file, as a
// developer's build does.
func (b *browser) bundle(page string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if script, ok := b.bundles[page]; ok {
		return script, nil
	}
	source, err := sources.ReadFile("apps/" + page)
	if err != nil {
		return nil, err
	}
	built := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: string(source), ResolveDir: b.modules, Sourcefile: page},
		Bundle: true, Format: api.FormatIIFE, GlobalName: "app", Platform: api.PlatformBrowser,
		Define: map[string]string{"process.env.NODE_ENV": `"production"`, "global": "globalThis"},
		Target: api.ES2022, MinifyWhitespace: true, LogLevel: api.LogLevelSilent, Plugins: []api.Plugin{scriptTags},
	})
	if len(built.Errors) > 0 {
		e := built.Errors[0]
		return nil, fmt.Errorf("bundle %s: %s (%d errors)", page, e.Text, len(built.Errors))
	}
	b.bundles[page] = built.OutputFiles[0].Contents
	return b.bundles[page], nil
}

// scriptTags makes modules of SDKs that are written for a script tag, where a variable
// at the top is everybody's.
var scriptTags = api.Plugin{Name: "script tags", Setup: func(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `PlayFabClientApi\.js$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		data, err := os.ReadFile(args.Path)
		contents := string(data) + "\nexport default PlayFab;"
		return api.OnLoadResult{Contents: &contents}, err
	})
}}

// Modules is the folder with the SDKs of apps/package-lock.json, which npm ci fills at the first
// call. cache is where it is kept, under a name that follows from the lock file; the
// SDKs are nobody's but their vendors' and never part of this repository.
func Modules(ctx context.Context, cache string) (string, error) {
	lock, err := sources.ReadFile("apps/package-lock.json")
	if err != nil {
		return "", err
	}
	list, err := sources.ReadFile("apps/package.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(cache, "unasked-groundtruth-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	making, err := os.MkdirTemp(cache, "unasked-groundtruth-making-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(making)
	for name, data := range map[string][]byte{"package.json": list, "package-lock.json": lock} {
		if err := os.WriteFile(filepath.Join(making, name), data, 0o600); err != nil {
			return "", err
		}
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
	npm.Dir = making
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci of the SDKs: %w: %s", err, out)
	}
	if err := os.Rename(making, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(dir); there != nil { // another process was faster
			return "", err
		}
	}
	return dir, nil
}
