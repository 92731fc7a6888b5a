package android

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/unasked-audit/unasked/internal/apkfile"
)

// installFailure is why a package was not installed; its text is what stands
// between the brackets of "Failure [...]".
type installFailure struct{ Code, Detail string }

func (f *installFailure) Error() string {
	if f.Detail == "" {
		return f.Code
	}
	return f.Code + ": " + f.Detail
}

func fail(code, format string, args ...any) error {
	return &installFailure{code, oneLine(fmt.Sprintf(format, args...))}
}

// staged is an APK that was sent to the device and is not installed yet.
type staged struct {
	Path string // on the device
	Host string
	Size int64
}

// parcel is a set of APKs that were read and checked: one package.
type parcel struct {
	app    *app
	files  []staged // base first
	splits []string // names, beside files[1:]
	size   int64
}

// packageName is what Android takes as a name (FrameworkParsingPackageUtils.validateName).
var packageName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)

// maxPackageName keeps a name short enough for the folders that bear it.
const maxPackageName = 223

// inspect reads a set of APKs as the package manager does before it installs
// them. What it finds wrong is an *installFailure.
func inspect(files []staged, r Release) (*parcel, error) {
	var p parcel
	var base *apkfile.File
	var rest []*apkfile.File
	defer func() {
		for _, f := range append(rest, base) {
			if f != nil {
				f.Close()
			}
		}
	}()
	seen := map[string]bool{}
	for _, s := range files {
		f, err := apkfile.Open(s.Host)
		if err != nil {
			return nil, parseFailure(s, err)
		}
		m := f.Manifest()
		if m.Split == "" && base == nil {
			base = f
			p.files = append([]staged{s}, p.files...)
		} else {
			rest = append(rest, f)
			p.files = append(p.files, s)
			p.splits = append(p.splits, m.Split)
		}
		if seen[m.Split] {
			return nil, fail("INSTALL_FAILED_INVALID_APK", "Split %s was defined multiple times", orNull(m.Split))
		}
		seen[m.Split] = true
		p.size += s.Size
	}
	if base == nil {
		return nil, fail("INSTALL_FAILED_INVALID_APK", "Full install must include a base package")
	}
	m := base.Manifest()
	if len(m.Package) > maxPackageName || !packageName.MatchString(m.Package) {
		return nil, fail("INSTALL_PARSE_FAILED_BAD_PACKAGE_NAME", "Invalid manifest package: %q", m.Package)
	}
	if len(rest) == 0 && m.MetaData["com.android.vending.splits.required"] == "true" {
		return nil, fail("INSTALL_FAILED_MISSING_SPLIT", "Missing split for %s", m.Package)
	}
	certs, schemes, err := base.Signers()
	if err != nil {
		return nil, fail("INSTALL_PARSE_FAILED_NO_CERTIFICATES", "Failed to collect certificates from %s: %v", p.files[0].Path, err)
	}
	p.app = &app{
		Name: m.Package, Label: label(m), VersionCode: m.VersionCode, VersionName: m.VersionName, MinSDK: m.MinSDK, TargetSDK: m.TargetSDK,
		Debuggable: m.Debuggable, TestOnly: m.TestOnly, HasDex: base.HasDex(), ABIs: base.NativeABIs(), Manifest: m,
		Accounts: base.Authenticators(), Schemes: schemes, Grants: map[string]grant{},
	}
	for _, c := range certs {
		p.app.Signers = append(p.app.Signers, c.Raw)
	}
	for i, f := range rest {
		if err := matchSplit(p.app, f, p.files[i+1]); err != nil {
			return nil, err
		}
		p.app.HasDex = p.app.HasDex || f.HasDex()
		p.app.ABIs = append(p.app.ABIs, f.NativeABIs()...)
	}
	return &p, checkRelease(&p, r)
}

// checkRelease refuses what the release, or the machine that it runs on, does not take.
func checkRelease(p *parcel, r Release) error {
	a, path := p.app, p.files[0].Path
	if a.MinSDK > r.API {
		return fail("INSTALL_FAILED_OLDER_SDK", "Failed parse during installPackageLI: %s: Requires newer sdk version #%d (current version is #%d)", path, a.MinSDK, r.API)
	}
	if a.TargetSDK >= 30 && !slices.ContainsFunc(a.Schemes, func(s int) bool { return s >= 2 }) {
		return fail("INSTALL_PARSE_FAILED_NO_CERTIFICATES", "Failed to collect certificates from %s: No signature found in package of version 2 or newer for package %s", path, a.Name)
	}
	if len(a.ABIs) > 0 && !slices.Contains(a.ABIs, "x86_64") && !slices.Contains(a.ABIs, "arm64-v8a") {
		return fail("INSTALL_FAILED_NO_MATCHING_ABIS", "Failed to extract native libraries, res=-113")
	}
	return nil
}

// matchSplit checks that a split belongs to its base.
func matchSplit(base *app, f *apkfile.File, s staged) error {
	m := f.Manifest()
	name := s.Path[strings.LastIndexByte(s.Path, '/')+1:]
	if m.Package != base.Name {
		return fail("INSTALL_FAILED_INVALID_APK", "%s package %s inconsistent with %s", name, m.Package, base.Name)
	}
	if m.VersionCode != base.VersionCode {
		return fail("INSTALL_FAILED_INVALID_APK", "%s version code %d inconsistent with %d", name, m.VersionCode, base.VersionCode)
	}
	if m.Split == "" || strings.ContainsAny(m.Split, "/\x00") || strings.Contains(m.Split, "..") || len(m.Split) > maxPackageName {
		return fail("INSTALL_PARSE_FAILED_MANIFEST_MALFORMED", "Invalid split name %q", m.Split)
	}
	certs, _, err := f.Signers()
	if err != nil {
		return fail("INSTALL_PARSE_FAILED_NO_CERTIFICATES", "Failed to collect certificates from %s: %v", s.Path, err)
	}
	other := &app{}
	for _, c := range certs {
		other.Signers = append(other.Signers, c.Raw)
	}
	if !base.sameSigners(other) {
		return fail("INSTALL_FAILED_INVALID_APK", "%s signatures are inconsistent", name)
	}
	return nil
}

// parseFailure puts what is wrong with a file into the package manager's words.
func parseFailure(s staged, err error) error {
	switch {
	case errors.Is(err, apkfile.ErrBadManifest):
		return fail("INSTALL_PARSE_FAILED_MANIFEST_MALFORMED", "Failed to parse %s: %v", s.Path, err)
	case errors.Is(err, apkfile.ErrTooLarge):
		return fail("INSTALL_FAILED_INVALID_APK", "Failed to parse %s: %v", s.Path, err)
	}
	return fail("INSTALL_PARSE_FAILED_NOT_APK", "Failed to parse %s: %v", s.Path, err)
}

// label is the app's name as a person sees it.
func label(m *apkfile.Manifest) string {
	if m.Label != "" {
		return m.Label
	}
	return m.Package
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}
