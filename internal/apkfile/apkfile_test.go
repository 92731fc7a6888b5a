package apkfile

import (
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// theRich is what richManifest says.
func theRich() *Manifest {
	no := false
	return &Manifest{
		AllowBackupSaid: true, FullBackupContent: "res/xml/backup.xml", Application: "org.example.rich.App", CompileSDK: 29,
		Declared: []Permission{{Name: "org.example.rich.USE", Group: "org.example.rich.GROUP", Level: 0x12}},
		Package:  "org.example.rich", VersionName: "1.2-β", VersionCode: 3<<32 | 77, MinSDK: 21, TargetSDK: 29,
		Label: `Träume & 日本 ok`, Icon: "res/drawable/icon.xml", HasCode: true, Debuggable: true, Cleartext: &no, NetworkSecurity: "res/xml/net.xml",
		Permissions:      []string{"android.permission.INTERNET", "android.permission.CAMERA"},
		PermissionMaxSDK: map[string]int{"android.permission.CAMERA": 30},
		Features:         []Feature{{"android.hardware.camera", false}, {"android.hardware.nfc", true}},
		Libraries:        []string{"org.apache.http.legacy"},
		MetaData:         map[string]string{"count": "12", "on": "true", "where": "res/xml/net.xml"},
		Activities: []Component{
			{
				Kind: "activity", Name: "org.example.rich.Hidden", Exported: true,
				Filters: []Filter{{Actions: []string{"android.intent.action.MAIN"}, Categories: []string{"android.intent.category.LAUNCHER"}}},
				Actions: []string{"android.intent.action.MAIN"}, Categories: []string{"android.intent.category.LAUNCHER"},
			},
			{
				Kind: "activity", Name: "org.other.Main", Label: `Träume & 日本 ok`, Exported: true, Enabled: true,
				Filters: []Filter{
					{Actions: []string{"android.intent.action.MAIN"}, Categories: []string{"android.intent.category.LAUNCHER"}},
					{Actions: []string{"android.intent.action.VIEW"}, Categories: []string{"android.intent.category.BROWSABLE"}, Schemes: []string{"https"}, Hosts: []string{"rich.example"},
						Ports: []string{"8443"}, Types: []string{"text/plain"}, Paths: []Path{{"prefix", "/a"}, {"pattern", "/.*b"}}, AutoVerify: true},
				},
				Actions:    []string{"android.intent.action.MAIN", "android.intent.action.VIEW"},
				Categories: []string{"android.intent.category.LAUNCHER", "android.intent.category.BROWSABLE"},
			},
			{Kind: "activity-alias", ExportedSaid: true, Name: "org.example.rich.Other", Target: "org.other.Main", Enabled: true},
		},
		Services: []Component{
			{Kind: "service", Name: "org.example.rich.Plain", Process: ":remote", Permission: "android.permission.BIND_JOB_SERVICE", Enabled: true},
			{
				Kind: "service", ExportedSaid: true, Name: "org.example.rich.Auth", Exported: true, Enabled: true, Filters: []Filter{{Actions: []string{"android.accounts.AccountAuthenticator"}}},
				Actions: []string{"android.accounts.AccountAuthenticator"}, MetaData: map[string]string{"android.accounts.AccountAuthenticator": "res/xml/auth.xml"},
			},
		},
		Receivers: []Component{{
			Kind: "receiver", Name: "org.example.rich.Boot", Exported: true, Enabled: true, Filters: []Filter{{Actions: []string{"android.intent.action.BOOT_COMPLETED"}}},
			Actions: []string{"android.intent.action.BOOT_COMPLETED"},
		}},
		Providers: []Component{{Kind: "provider", GrantURI: true, ReadPermission: "org.example.rich.USE", Name: "org.example.rich.Files", Enabled: true, Authorities: []string{"org.example.rich.files", "org.example.rich.more"}}},
	}
}

// noIDs leaves out the ids of resources, which the linker gives.
var noIDs = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".LabelID" }, cmp.Ignore())

func TestRichManifest(t *testing.T) {
	want := theRich()
	for _, encoding := range [][]string{nil, {"--enable-sparse-encoding"}, {"--no-resource-deduping"}} {
		t.Run(strings.Join(encoding, ""), func(t *testing.T) {
			f := open(t, rich(t, encoding...))
			if diff := cmp.Diff(want, f.Manifest(), noIDs); diff != "" {
				t.Errorf("manifest (-want +got):\n%s", diff)
			}
			if l, ok := f.Manifest().Launcher(); !ok || l.Name != "org.other.Main" {
				t.Errorf("launcher: %v %q; the hidden one is disabled", ok, l.Name)
			}
			if got := f.Authenticators(); !reflect.DeepEqual(got, []Authenticator{{"org.example.rich.Auth", "org.example.rich.account", `Träume & 日本 ok`}}) {
				t.Errorf("authenticators: %+v", got)
			}
			if b, err := fs.ReadFile(f.Assets(), "www/index.html"); err != nil || string(b) != "<!doctype html>" {
				t.Errorf("asset: %q %v", b, err)
			}
		})
	}
}

// TestAgainstAapt2 compares with what aapt2 says of the same files.
func TestAgainstAapt2(t *testing.T) {
	tools(t, "aapt2")
	for _, path := range []string{rich(t), calibration(t, "clipshare"), calibration(t, "pantry"), framework} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			badging := run(t, "aapt2", "dump", "badging", path)
			f := open(t, path)
			m := f.Manifest()
			one := func(pattern string) string {
				if s := regexp.MustCompile(pattern).FindStringSubmatch(badging); s != nil {
					return s[1]
				}
				return ""
			}
			number := func(pattern string, otherwise int) int {
				if n, err := strconv.Atoi(one(pattern)); err == nil {
					return n
				}
				return otherwise
			}
			check := func(what string, got, want any) {
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %v, aapt2 says %v", what, got, want)
				}
			}
			check("package", m.Package, one(`package: name='([^']*)'`))
			check("versionCode", int(uint32(m.VersionCode)), number(`versionCode='([^']*)'`, 0))
			check("versionName", m.VersionName, one(`versionName='([^']*)'`))
			check("sdkVersion", m.MinSDK, number(`(?m)^sdkVersion:'([^']*)'`, 1))
			check("targetSdkVersion", m.TargetSDK, number(`(?m)^targetSdkVersion:'([^']*)'`, m.MinSDK))
			check("label", m.Label, one(`(?m)^application: label='([^']*)'`))
			all := *m // aapt2 does not ask whether a component is enabled
			all.Activities = slices.Clone(m.Activities)
			for i := range all.Activities {
				all.Activities[i].Enabled = true
			}
			launcher, _ := all.Launcher()
			check("launcher", launcher.Name, one(`launchable-activity: name='([^']*)'`))
			var permissions []string
			for _, s := range regexp.MustCompile(`(?m)^uses-permission: name='([^']*)'`).FindAllStringSubmatch(badging, -1) {
				if !slices.Contains(permissions, s[1]) {
					permissions = append(permissions, s[1])
				}
			}
			check("permissions", m.Permissions, permissions)
		})
	}
}

func TestCalibrationApps(t *testing.T) {
	for _, name := range []string{"clipshare", "pantry"} {
		f := open(t, calibration(t, name))
		launcher, ok := f.Manifest().Launcher()
		if !ok || launcher.MetaData["org.unasked.web_entry"] != "www/index.html" {
			t.Errorf("%s: launcher %v %+v", name, ok, launcher)
		}
		if _, err := fs.Stat(f.Assets(), launcher.MetaData["org.unasked.web_entry"]); err != nil {
			t.Error(err)
		}
		certs, schemes, err := f.Signers()
		if err != nil || !slices.Equal(schemes, []int{3, 2}) || len(certs) != 1 || !strings.Contains(certs[0].Subject.CommonName, "TEST KEY") {
			t.Errorf("%s: signers %v, schemes %v, %v", name, certs, schemes, err)
		}
		if f.HasDex() || f.Manifest().HasCode || f.NativeABIs() != nil || f.Manifest().AllowBackup {
			t.Errorf("%s: has code, libraries or backup", name)
		}
	}
	if got := open(t, calibration(t, "clipshare")).Authenticators(); len(got) != 1 || got[0].Type != "org.example.clipshare" {
		t.Errorf("authenticators of ClipShare: %+v", got)
	}
}
