package apk

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// realApps are APKs that others built, in packages of the npm registry.
var realApps = []struct {
	npm, file string
	code      bool // androguard is to read the bytecode, too, for which it needs seconds
}{
	{"io.appium.settings@8.0.10", "package/apks/settings_apk-debug.apk", true},
	{"appium-uiautomator2-server@10.6.6", "package/apks/appium-uiautomator2-server-v10.6.6.apk", false},
	{"appium-uiautomator2-server@10.6.6", "package/apks/appium-uiautomator2-server-debug-androidTest.apk", true},
	{"android-apidemos@5.0.0", "package/apks/ApiDemos-debug.apk", false},
	{"appium-unlock@2.0.0", "package/bin/unlock_apk-debug.apk", true},
	{"appium-android-ime@2.0.0", "package/bin/UnicodeIME-debug.apk", true},
	{"sample-apps@2.0.4", "package/pre-built/selendroid-test-app.apk", true},
}

// fetchRealApps gets them and returns their paths.
func fetchRealApps(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("asks npm for real apps")
	}
	for _, tool := range []string{"npm", "tar", "aapt2", "apksigner"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED against real apps, for %s is missing; run: scripts/need.sh test", tool)
		}
	}
	dir := t.TempDir()
	args := []string{"pack", "--silent", "--pack-destination", dir}
	for _, a := range realApps {
		if !slices.Contains(args, a.npm) {
			args = append(args, a.npm)
		}
	}
	npm := exec.Command("npm", args...)
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Skipf("npm can't reach its registry: %v: %.500s", err, out)
	}
	var paths []string
	for i, a := range realApps {
		into := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(into, 0o755); err != nil {
			t.Fatal(err)
		}
		archive := filepath.Join(dir, strings.ReplaceAll(a.npm, "@", "-")+".tgz")
		args := []string{"-xzf", archive, "-C", into, a.file}
		if strings.Contains(a.file, "v10") {
			args = append(args, a.file+".idsig")
		}
		if out, err := exec.Command("tar", args...).CombinedOutput(); err != nil {
			t.Fatalf("tar %v: %v %s", args, err, out)
		}
		paths = append(paths, filepath.Join(into, a.file))
	}
	return paths
}

// TestRealApps compares every field that aapt2, apksigner and androguard give, too.
func TestRealApps(t *testing.T) {
	paths := fetchRealApps(t)
	all := map[string]*Description{}
	for i, path := range paths {
		all[path] = described(t, Lists{Classes: realApps[i].code}, path)
		if len(all[path].Problems) != 0 || len(all[path].Oddities) != 0 {
			t.Errorf("%s: %q %q", path, all[path].Problems, all[path].Oddities)
		}
	}
	if d := all[paths[1]]; !slices.Contains(d.Schemes, "v4") {
		t.Errorf("the scheme 4 signature beside it: %+v", d.Signatures)
	}
	for path, d := range all {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			likeAapt2(t, d, output(t, "aapt2", "dump", "badging", path))
			likeApksigner(t, d, path)
		})
	}
	t.Run("androguard", func(t *testing.T) {
		t.Parallel()
		likeAndroguard(t, all, paths)
	})
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, &out, &errs)
	}
	return out.String()
}

// likeAapt2 compares with `aapt2 dump badging`.
func likeAapt2(t *testing.T, d *Description, said string) {
	t.Helper()
	first := func(pattern string) string {
		m := regexp.MustCompile(`(?m)` + pattern).FindStringSubmatch(said)
		if m == nil {
			return ""
		}
		return m[1]
	}
	all := func(pattern string) []string {
		out := []string{}
		for _, m := range regexp.MustCompile(`(?m)`+pattern).FindAllStringSubmatch(said, -1) {
			if !slices.Contains(out, m[1]) {
				out = append(out, m[1])
			}
		}
		slices.Sort(out)
		return out
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	version := number(d.VersionCode)
	if version == "0" {
		version = "" // aapt2 tells a missing one from zero
	}
	labels, permissions, limits, features := map[string]string{}, []string{}, []string{}, []string{}
	if d.Label != "" {
		for _, tag := range d.Locales { // aapt2 names the app in every language of the table, as a person would see it
			language, _, _ := strings.Cut(tag, "-")
			labels[tag] = cmpOr(d.Labels[tag], cmpOr(d.Labels[language], d.Label))
		}
	}
	for _, p := range d.Permissions {
		permissions = append(permissions, p.Name)
		if p.MaxSDK > 0 {
			limits = append(limits, p.Name+" "+strconv.Itoa(p.MaxSDK))
		}
	}
	for _, f := range d.Features {
		name := "uses-feature"
		if !f.Required {
			name += "-not-required"
		}
		features = append(features, name+" "+f.Name)
	}
	slices.Sort(permissions)
	slices.Sort(limits)
	slices.Sort(features)
	wantLabels, wantLimits, wantFeatures := map[string]string{}, []string{}, []string{}
	for _, m := range regexp.MustCompile(`(?m)^application-label-([^:]+):'(.*)'$`).FindAllStringSubmatch(said, -1) {
		if m[2] == "" && d.Label == "" {
			continue
		}
		wantLabels[strings.ReplaceAll(strings.TrimPrefix(m[1], "b+"), "+", "-")] = m[2]
	}
	for _, m := range regexp.MustCompile(`(?m)^uses-permission(?:-sdk-23)?: name='([^']*)' maxSdkVersion='(\d+)'`).FindAllStringSubmatch(said, -1) {
		wantLimits = append(wantLimits, m[1]+" "+m[2])
	}
	for _, m := range regexp.MustCompile(`(?m)^ *(uses-feature(?:-not-required)?): name='([^']*)'`).FindAllStringSubmatch(said, -1) {
		if !strings.Contains(said, "uses-implied-feature: name='"+m[2]+"'") {
			wantFeatures = append(wantFeatures, m[1]+" "+m[2])
		}
	}
	slices.Sort(wantLimits)
	slices.Sort(wantFeatures)
	abis := strings.Fields(strings.ReplaceAll(first(`^native-code: (.*)$`), "'", ""))
	slices.Sort(abis)
	min, target := first(`^(?:minS|s)dkVersion:'(.*)'$`), first(`^targetSdkVersion:'(.*)'$`)
	if target == "" {
		target = min
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"package", d.Package, first(`^package: name='([^']*)'`)},
		{"versionCode", version, first(`^package: .* versionCode='([^']*)'`)},
		{"versionName", d.VersionName, first(`^package: .* versionName='([^']*)'`)},
		{"minSdk", strconv.Itoa(d.MinSDK), min},
		{"targetSdk", strconv.Itoa(d.TargetSDK), target},
		{"label", d.Label, first(`^application-label:'(.*)'$`)},
		{"labels", labels, wantLabels},
		{"permissions", permissions, slices.DeleteFunc(all(`^uses-permission(?:-sdk-23)?: name='([^']*)'`), func(name string) bool {
			return strings.Contains(said, "uses-implied-permission: name='"+name+"'") // that Android adds for old apps
		})},
		{"maxSdkVersion", limits, wantLimits},
		{"features", features, wantFeatures},
		{"launcher", d.Launcher, first(`^launchable-activity: name='([^']*)'`)},
		{"debuggable", d.Debuggable, strings.Contains(said, "\napplication-debuggable\n")},
		{"testOnly", d.TestOnly, strings.Contains(said, "\ntestOnly='-1'")},
		{"abis", d.ABIs, append([]string{}, abis...)},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-aapt2 +ours):\n%s", c.what, diff)
		}
	}
}

// likeApksigner compares with what apksigner says for a device that knows all schemes.
func likeApksigner(t *testing.T, d *Description, path string) {
	t.Helper()
	args := []string{"verify", "-v", "--print-certs", "--min-sdk-version", "24"}
	if slices.Contains(d.Schemes, "v4") {
		args = append(args, "--v4-signature-file", path+".idsig")
	}
	said := output(t, "apksigner", append(args, path)...)
	var certs, got []string
	for _, m := range regexp.MustCompile(`certificate SHA-256 digest: ([0-9a-f]{64})`).FindAllStringSubmatch(said, -1) {
		if !slices.Contains(certs, m[1]) {
			certs = append(certs, m[1])
		}
	}
	for _, s := range d.Signers {
		got = append(got, string(s.SHA256))
		if !strings.Contains(said, "SHA-1 digest: "+s.SHA1) || !strings.Contains(said, "key size (bits): "+strings.Fields(s.Key)[1]) || !strings.Contains(said, "key algorithm: "+strings.Fields(s.Key)[0]) {
			t.Errorf("%+v, and apksigner says\n%s", s, said)
		}
	}
	if !slices.Equal(got, certs) {
		t.Errorf("signers %q, apksigner says %q", got, certs)
	}
	for _, scheme := range []string{"v2", "v3", "v4"} {
		if has := regexp.MustCompile(`using ` + scheme + ` scheme .*: true`).MatchString(said); has != slices.Contains(d.Schemes, scheme) {
			t.Errorf("%s is %v for apksigner, ours are %q", scheme, has, d.Schemes)
		}
	}
	if d.Files[0].Size > 10<<20 {
		return // its JAR signature takes apksigner seconds; three smaller ones are asked
	}
	// Android 6 knows only JAR signatures.
	out, err := exec.Command("apksigner", "verify", "-v", "--min-sdk-version", "23", "--max-sdk-version", "23", path).CombinedOutput()
	if has := err == nil && strings.Contains(string(out), "JAR signing): true"); has != slices.Contains(d.Schemes, "v1") {
		t.Errorf("v1 is %v for apksigner, ours are %q\n%s", has, d.Schemes, out)
	}
}

// likeAndroguard compares with androguard, which is asked once for all apps.
func likeAndroguard(t *testing.T, all map[string]*Description, paths []string) {
	python := "/usr/bin/python3" // Debian's own, for which androguard is packaged
	if err := exec.Command(python, "-c", "import androguard").Run(); err != nil {
		t.Skip("NOT TESTED against androguard, which is missing: apt-get install --no-install-recommends androguard")
	}
	args := []string{"testdata/oracle.py"}
	var code []string
	for i, path := range paths {
		if realApps[i].code {
			code = append(code, path)
		} else {
			args = append(args, path)
		}
	}
	asked := 0
	for line := range strings.Lines(output(t, python, append(append(args, "--"), code...)...)) {
		var o struct {
			Path, Package, VersionCode, VersionName, MinSDK, TargetSDK            string
			Label                                                                 *string
			Permissions, Activity, Service, Receiver, Provider, Features, Classes []string
			Libraries, Certificates                                               []string
			V1, V2, V3                                                            bool
			Strings                                                               int
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v in %.300s", err, line)
		}
		asked++
		d := all[o.Path]
		components := map[string][]string{}
		for _, c := range d.Components {
			components[c.Kind] = append(components[c.Kind], c.Name)
		}
		var permissions, features, certs []string
		for _, p := range d.Permissions {
			permissions = append(permissions, p.Name)
		}
		for _, f := range d.Features {
			features = append(features, f.Name)
		}
		for _, s := range d.Signers {
			certs = append(certs, string(s.SHA256))
		}
		sorted := func(s []string) []string {
			s = append([]string{}, s...)
			slices.Sort(s)
			return slices.Compact(s)
		}
		var classes, theirs []string
		for _, c := range d.Classes {
			classes = append(classes, "L"+strings.ReplaceAll(c, ".", "/")+";")
		}
		theirs = sorted(o.Classes)
		text := func(n int64) string { return strconv.FormatInt(n, 10) }
		for _, c := range []struct {
			what      string
			got, want any
		}{
			{"package", d.Package, o.Package},
			{"versionCode", text(d.VersionCode), cmpOr(o.VersionCode, "0")},
			{"versionName", d.VersionName, o.VersionName},
			{"minSdk", text(int64(d.MinSDK)), o.MinSDK},
			{"targetSdk", text(int64(d.TargetSDK)), cmpOr(o.TargetSDK, o.MinSDK)},
			{"permissions", sorted(permissions), sorted(o.Permissions)},
			{"activities", sorted(components["activity"]), sorted(o.Activity)},
			{"services", sorted(components["service"]), sorted(o.Service)},
			{"receivers", sorted(components["receiver"]), sorted(o.Receiver)},
			{"providers", sorted(components["provider"]), sorted(o.Provider)},
			{"features", sorted(features), sorted(o.Features)},
			{"libraries", sorted(d.UsesLibrary), sorted(o.Libraries)},
			{"certificates", sorted(certs), sorted(o.Certificates)},
			{"v2", slices.Contains(d.Schemes, "v2"), o.V2},
			{"v3", slices.Contains(d.Schemes, "v3"), o.V3},
			{"v1", slices.Contains(d.Schemes, "v1"), o.V1},
			{"classes", sorted(classes), theirs},
		} {
			if diff := cmp.Diff(c.want, c.got); diff != "" {
				t.Errorf("%s: %s (-androguard +ours):\n%s", filepath.Base(o.Path), c.what, diff)
			}
		}
		if o.Label != nil && *o.Label != d.Label { // nil: androguard can't read the newest resource tables
			t.Errorf("%s: label %q, androguard says %q", filepath.Base(o.Path), d.Label, *o.Label)
		}
		count := 0
		for _, x := range d.DEX {
			count += x.Strings
		}
		if o.Strings != 0 && o.Strings != count {
			t.Errorf("%s: %d strings, androguard says %d", filepath.Base(o.Path), count, o.Strings)
		}
	}
	if asked != len(paths) {
		t.Errorf("androguard read %d of %d apps", asked, len(paths))
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
