// Package apk says what an APK file says of itself, in the words of the evidence.
//
// Call [Inspect], or [Read] for what an audit does not record. Whatever the file claims stays a claim: a package name or a
// label is what its maker wrote; only the signers are checked.
package apk

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/apkfile"
)

// Package is what Read found in one file.
type Package struct {
	// App is ready for the log: Files holds the one file with its name, hash and
	// size, and Signers is empty where the file is not signed or its signature does not verify.
	App evidence.App
	// Schemes are the signature schemes that verified: 1, 2, 3.
	Schemes []int
	// Unverified says why Signers is empty; nil where the file is signed.
	Unverified error
	// Launchable reports whether a home screen would show the app.
	Launchable bool
	// Split is the name of a split APK, which is no app by itself; empty for a base.
	Split string
	// HasCode reports whether the app brings code of its own: bytecode that the manifest lets run, or native libraries.
	HasCode    bool
	NativeABIs []string
	Debuggable bool
	Backup     bool // its data may come back after a reinstall by Android's own backup
}

// The sentences for what a person may have given us in place of an APK.
var (
	ErrNotFound = errors.New("no such file")
	ErrFolder   = errors.New("a folder, not an APK file")
	ErrBundle   = errors.New("a bundle of several APKs: unpack it, and audit the base with its splits")
	ErrSplit    = errors.New("a split, which is no app by itself: name the base first, then its splits")
	ErrStrange  = errors.New("not a split of that app")
)

// Inspect reads an app: its base APK and, where it comes in several files, its
// splits. An error says what a file is instead, or where it is broken: it
// wraps one of this package's errors or one of apkfile's. A missing or wrong
// signature is no error, for the device has the last word on that: Signers is then empty.
func Inspect(base string, splits ...string) (evidence.App, error) {
	p, err := Read(base)
	if err != nil {
		return evidence.App{}, err
	}
	if p.Split != "" {
		return evidence.App{}, fmt.Errorf("%s: %w", base, ErrSplit)
	}
	app := p.App
	for _, name := range splits {
		s, err := Read(name)
		switch {
		case err != nil:
			return evidence.App{}, err
		case s.Split == "":
			return evidence.App{}, fmt.Errorf("%s: %w: it is a base APK itself, of %s", name, ErrStrange, s.App.Package)
		case s.App.Package != app.Package || s.App.VersionCode != app.VersionCode:
			return evidence.App{}, fmt.Errorf("%s: %w: it is of %s version %d, the base is %s version %d",
				name, ErrStrange, s.App.Package, s.App.VersionCode, app.Package, app.VersionCode)
		case !slices.Equal(s.App.Signers, app.Signers):
			return evidence.App{}, fmt.Errorf("%s: %w: somebody else signed it", name, ErrStrange)
		}
		app.Files = append(app.Files, s.App.Files...)
	}
	return app, nil
}

// Read reads one APK at a path of the host. Its errors are those of [Inspect].
func Read(path string) (Package, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Package{}, fmt.Errorf("%s: %w", path, ErrNotFound)
	case err != nil:
		return Package{}, err
	case info.IsDir():
		return Package{}, fmt.Errorf("%s: %w", path, ErrFolder)
	}
	f, err := apkfile.Open(path)
	if errors.Is(err, apkfile.ErrNotAPK) && bundled(path) {
		return Package{}, fmt.Errorf("%s: %w", path, ErrBundle)
	}
	if err != nil {
		return Package{}, err
	}
	defer f.Close()
	sum, err := digest(path)
	if err != nil {
		return Package{}, err
	}

	m := f.Manifest()
	p := Package{
		App: evidence.App{
			Package:     m.Package,
			Label:       m.Label,
			VersionName: m.VersionName,
			VersionCode: m.VersionCode,
			MinSDK:      m.MinSDK,
			TargetSDK:   m.TargetSDK,
			Permissions: m.Permissions,
			Files:       []evidence.File{{Name: filepath.Base(path), Blob: sum, Size: f.Size()}},
		},
		Split:      m.Split,
		HasCode:    m.HasCode && f.HasDex() || len(f.NativeABIs()) > 0,
		NativeABIs: f.NativeABIs(),
		Debuggable: m.Debuggable,
		Backup:     m.AllowBackup,
	}
	_, p.Launchable = m.Launcher()
	certs, schemes, err := f.Signers()
	if err != nil {
		p.Unverified = err
		return p, nil
	}
	p.Schemes = schemes
	for _, c := range certs {
		sum := sha256.Sum256(c.Raw)
		p.App.Signers = append(p.App.Signers, evidence.Digest(hex.EncodeToString(sum[:])))
	}
	return p, nil
}

func digest(path string) (evidence.Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return evidence.Digest(hex.EncodeToString(h.Sum(nil))), nil
}

// bundled reports whether a ZIP without a manifest of its own is one of the
// formats that wrap several APKs (.apks, .xapk, .apkm) or what they are made from (.aab).
func bundled(path string) bool {
	z, err := zip.OpenReader(path)
	if err != nil {
		return false
	}
	defer z.Close()
	return slices.ContainsFunc(z.File, func(f *zip.File) bool {
		return strings.HasSuffix(f.Name, ".apk") || f.Name == "BundleConfig.pb"
	})
}
